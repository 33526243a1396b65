//! Queueing and sending.

use chrono::TimeDelta;
use lettre::message::{Mailbox, MultiPart};
use souk_access::ControlWorker;
use souk_kernel::MessageId;
use souk_smtp::{Mailer, Refused};
use souk_tenancy::WriteTx;

use super::error::MessageError;
use super::model::{Letter, Message, retry_after};
use super::queries;

/// Longer than sending all that is taken at once may take: a good 20 seconds each.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Taken at once.
const BATCH: i64 = 5;

/// Queues a mail in the transaction of the fact it tells, in the language of this locale if we write it, else in English.
pub async fn queue(tx: &mut WriteTx<'_>, locale: &str, letter: &Letter<'_>) -> Result<(), MessageError> {
    Ok(queries::insert(tx, MessageId::new(), &letter.render(locale)?).await?)
}

/// Where mails go.
pub enum Sender {
    /// To an SMTP server, from this address.
    Smtp { mailer: Box<Mailer>, from: Mailbox },
    /// Nowhere: shown at `/dev/mail`.
    Captured,
}

impl Sender {
    /// A sender for `SMTP_URL` and the authority of `SMTP_CA_FILE` (PEM), or the capturing one.
    pub fn new(
        smtp_url: Option<&str>,
        authority: Option<&str>,
        from: &Mailbox,
    ) -> Result<Self, MessageError> {
        match smtp_url {
            None => Ok(Self::Captured),
            Some(url) => {
                Ok(Self::Smtp { mailer: Box::new(Mailer::new(url, authority)?), from: from.clone() })
            }
        }
    }
}

/// Sends what is due; how many were taken. A mail whose process died between send and mark is sent once more, under the
/// same Message-ID.
pub async fn send_due(worker: &ControlWorker, sender: &Sender) -> Result<usize, MessageError> {
    let due = worker
        .scope()
        .write("messages.claim", async |tx| Ok::<_, MessageError>(queries::claim(tx, LEASE, BATCH).await?))
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
                    (Err(Refused { cause, for_good, .. }), _) => {
                        let wait = if for_good { None } else { retry_after(message.attempts) };
                        queries::failed(tx, message.id, &cause, wait).await?
                    }
                }
                Ok::<_, MessageError>(())
            })
            .await?;
    }
    Ok(count)
}

async fn deliver(sender: &Sender, message: &Message) -> Result<(), Refused> {
    let Sender::Smtp { mailer, from } = sender else { return Ok(()) };
    let mail = written(from, message).map_err(Refused::unsendable)?;
    let sent = mailer.send(&mail).await;
    if let Err(Refused { cause, for_good, .. }) = &sent {
        tracing::warn!(cause, for_good, message.id = %message.id, "a mail could not be sent");
    }
    sent
}

/// The mail as it goes over the wire.
fn written(from: &Mailbox, message: &Message) -> Result<lettre::Message, String> {
    let text = message.text_body.clone().unwrap_or_default();
    let html = message.html_body.clone().unwrap_or_default();
    let to: Mailbox = message.recipient.parse().map_err(|_| "the address cannot be mailed to".to_owned())?;
    lettre::Message::builder()
        .from(from.clone())
        .to(to)
        .subject(message.subject.clone())
        .message_id(Some(format!("<{}@{}>", message.id, from.email.domain())))
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| error.to_string())
}

/// Forgets finished mails after 30 days.
pub async fn forget_old(worker: &ControlWorker) -> Result<usize, MessageError> {
    worker
        .scope()
        .write("messages.forget", async |tx| Ok(queries::forget(tx, TimeDelta::days(30)).await?))
        .await
}
