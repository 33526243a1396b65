//! Queueing and sending.

use chrono::TimeDelta;
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use souk_access::ControlWorker;
use souk_kernel::MessageId;
use souk_tenancy::WriteTx;

use super::error::MessageError;
use super::model::{Letter, Message, retry_after};
use super::queries;

/// Longer than any send may take (the transport gives up after a minute).
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// Queues a mail in the transaction of the fact it tells, in the language of this locale if we write it, else in English.
pub async fn queue(tx: &mut WriteTx<'_>, locale: &str, letter: &Letter<'_>) -> Result<(), MessageError> {
    Ok(queries::insert(tx, MessageId::new(), &letter.render(locale)?).await?)
}

/// Where mails go.
pub enum Sender {
    /// To an SMTP server, from this address.
    Smtp { transport: Box<AsyncSmtpTransport<Tokio1Executor>>, from: Mailbox },
    /// Nowhere: shown at `/dev/mail`.
    Captured,
}

impl Sender {
    /// A sender for `SMTP_URL`, or the capturing one.
    pub fn new(smtp_url: Option<&str>, from: &Mailbox) -> Result<Self, MessageError> {
        match smtp_url {
            None => Ok(Self::Captured),
            Some(url) => {
                let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build();
                Ok(Self::Smtp { transport: Box::new(transport), from: from.clone() })
            }
        }
    }
}

/// Sends what is due; how many were taken. A mail whose process died between send and mark is sent once more, under the
/// same Message-ID.
pub async fn send_due(worker: &ControlWorker, sender: &Sender) -> Result<usize, MessageError> {
    let due = worker
        .scope()
        .write("messages.claim", async |tx| Ok::<_, MessageError>(queries::claim(tx, LEASE, 20).await?))
        .await?;
    let count = due.len();
    for message in due {
        let outcome = deliver(sender, &message).await;
        worker
            .scope()
            .write("messages.mark", async move |tx| {
                match (outcome, sender) {
                    (Ok(()), Sender::Captured) => queries::captured(tx, message.id).await?,
                    (Ok(()), Sender::Smtp { .. }) => queries::sent(tx, message.id).await?,
                    (Err(cause), _) => {
                        queries::failed(tx, message.id, &cause, retry_after(message.attempts)).await?
                    }
                }
                Ok::<_, MessageError>(())
            })
            .await?;
    }
    Ok(count)
}

async fn deliver(sender: &Sender, message: &Message) -> Result<(), String> {
    let Sender::Smtp { transport, from } = sender else { return Ok(()) };
    let text = message.text_body.clone().unwrap_or_default();
    let html = message.html_body.clone().unwrap_or_default();
    let to: Mailbox = message.recipient.parse().map_err(|_| "the address cannot be mailed to".to_owned())?;
    let mail = lettre::Message::builder()
        .from(from.clone())
        .to(to)
        .subject(message.subject.clone())
        .message_id(Some(format!("<{}@{}>", message.id, from.email.domain())))
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| error.to_string())?;
    transport.send(mail).await.map(|_| ()).map_err(|error| {
        tracing::warn!(%error, message.id = %message.id, "a mail could not be sent");
        error.to_string()
    })
}

/// Forgets finished mails after 30 days.
pub async fn forget_old(worker: &ControlWorker) -> Result<usize, MessageError> {
    worker
        .scope()
        .write("messages.forget", async |tx| Ok(queries::forget(tx, TimeDelta::days(30)).await?))
        .await
}
