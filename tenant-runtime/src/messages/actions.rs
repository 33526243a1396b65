//! Queueing and sending.

use std::time::Duration;

use chrono::TimeDelta;
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use souk_access::WorkerPermit;
use souk_event_bus::Event;
use souk_kernel::EventId;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::MessageError;
use super::model::{Message, is_worth_a_mail, render, retry_after, template_of};
use super::queries;
use crate::customers::{self, LetterWanted};
use crate::settings;
use crate::staff::{self, StaffInvited};
use crate::storefront::PublicAddress;

/// A send takes no longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than any send may take, and as long as a mail waits whose worker was killed.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Mails of one store in one round; the rest is due in the next.
const BATCH: usize = 20;

/// Queues the mail that follows from an event, in the event's transaction. A template of the merchant's that cannot be filled gives way to
/// the committed one: the shopper gets a mail either way.
pub async fn queue(tx: &mut WriteTx<'_>, event: &Event) -> Result<(), MessageError> {
    let Some(template) = template_of(&event.kind) else { return Ok(()) };
    if !is_worth_a_mail(&event.kind, &event.payload) {
        return Ok(());
    }
    let Some(recipient) = event.payload.get("email").and_then(|email| email.as_str()) else { return Ok(()) };
    let store = settings::current(tx).await?;
    let own = queries::own_template(tx, template, &store.locale.to_string()).await?;
    let mail = match render(template, own.as_ref(), &store.locale, &store.name, &event.payload) {
        Err(error) if own.is_some() => {
            tracing::warn!(%error, template, "the store's own template cannot be filled");
            render(template, None, &store.locale, &store.name, &event.payload)?
        }
        mail => mail?,
    };
    Ok(queries::insert(tx, event.id, template, recipient, mail).await?)
}

/// Queues a letter to a customer, if they still are one. The link is below the account pages that the store named, else below its own
/// address, never below what a request said.
pub async fn queue_letter(
    tx: &mut WriteTx<'_>,
    event: EventId,
    wanted: &LetterWanted,
    address: &PublicAddress,
) -> Result<(), MessageError> {
    let Some(letter) = customers::letter(tx, wanted).await? else { return Ok(()) };
    let store = settings::current(tx).await?;
    let base = match letter.account_url {
        Some(url) => url,
        None => format!("{}/account", address.of_host(queries::own_host(tx).await?.as_deref())),
    };
    let page = format!("{}/{}", base.trim_end_matches('/'), letter.page);
    // In the fragment, which browsers send to nobody.
    let link = letter.secret.map_or_else(|| page.clone(), |secret| format!("{page}#{}", secret.expose()));
    let (device, network) = letter.device.unwrap_or_default();
    let order = serde_json::json!({ "name": letter.name, "email": letter.recipient, "link": link, "device": device, "network": network, "provider": letter.provider });
    let own = queries::own_template(tx, letter.template, &store.locale).await?;
    let mail = match render(letter.template, own.as_ref(), &store.locale, &store.name, &order) {
        Err(error) if own.is_some() => {
            tracing::warn!(%error, template = letter.template, "the store's own template cannot be filled");
            render(letter.template, None, &store.locale, &store.name, &order)?
        }
        mail => mail?,
    };
    Ok(queries::insert(tx, event, letter.template, &letter.recipient, mail).await?)
}

/// Queues the mail that invites somebody to work in the store. The link opens the console, where they sign in first.
pub async fn queue_invitation(
    tx: &mut WriteTx<'_>,
    event: EventId,
    invited: &StaffInvited,
    console_url: &str,
) -> Result<(), MessageError> {
    let Some(letter) = staff::letter(tx, invited).await? else { return Ok(()) };
    let store = settings::current(tx).await?;
    let link =
        format!("{}/join-store#{}.{}", console_url.trim_end_matches('/'), tx.store(), letter.secret.expose());
    let values = serde_json::json!({ "email": letter.recipient, "role": letter.role, "link": link });
    let mail = render("staff_invitation", None, &store.locale, &store.name, &values)?;
    Ok(queries::insert(tx, event, "staff_invitation", &letter.recipient, mail).await?)
}

/// Takes the person out of every mail to them: whom it went to and what it said; that there was one stays.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), MessageError> {
    Ok(queries::forget(tx, email_sha256).await?)
}

/// Where mails go.
#[derive(Clone)]
pub enum Sender {
    /// To an SMTP server, from this address.
    Smtp { transport: Box<AsyncSmtpTransport<Tokio1Executor>>, from: Mailbox },
    /// Nowhere: shown at `/dev/mail`.
    Captured,
}

impl Sender {
    /// A sender for `SMTP_URL`, or the capturing one.
    ///
    /// # Errors
    /// An address that is not understood.
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

/// Sends what is due in one store; how many were taken. One mail at a time, each under a lease of its own: marking one and claiming the
/// next are one transaction.
///
/// # Errors
/// The database only; a mail that cannot be sent is tried again later.
pub async fn send_due(worker: &WorkerPermit, sender: &Sender) -> Result<usize, MessageError> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, MessageError>(queries::any_due(tx).await?);
    if !worker.read("messages.any_due", look).await? {
        return Ok(0);
    }
    let (mut count, mut sent) = (0, None);
    loop {
        let full = count == BATCH;
        let step = async move |tx: &mut WriteTx<'_>| {
            if let Some((message, outcome)) = sent {
                mark(tx, &message, outcome).await?;
            }
            Ok::<_, MessageError>(if full { None } else { queries::claim(tx, LEASE).await? })
        };
        let Some(message) = worker.write("messages.claim", step).await? else { return Ok(count) };
        let outcome = deliver(sender, &message).await;
        sent = Some((message, outcome));
        count += 1;
    }
}

/// How a mail left.
type Outcome = Result<&'static str, String>;

async fn mark(tx: &mut WriteTx<'_>, message: &Message, outcome: Outcome) -> Result<(), DbError> {
    match outcome {
        Ok(state) => queries::finish(tx, message.id, state).await,
        Err(cause) => queries::fail(tx, message.id, &cause, retry_after(message.attempts)).await,
    }
}

async fn deliver(sender: &Sender, message: &Message) -> Outcome {
    let Sender::Smtp { transport, from } = sender else { return Ok("captured") };
    let to: Mailbox = message.recipient.parse().map_err(|_| "the address cannot be mailed to".to_owned())?;
    let mail = lettre::Message::builder()
        .from(from.clone())
        .to(to)
        .subject(message.subject.clone())
        .message_id(Some(message.message_id.clone()))
        .multipart(MultiPart::alternative_plain_html(message.body_text.clone(), message.body_html.clone()))
        .map_err(|error| error.to_string())?;
    let cause = match tokio::time::timeout(PATIENCE, transport.send(mail)).await {
        Ok(Ok(_)) => return Ok("sent"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the mail server did not answer in time".to_owned(),
    };
    tracing::warn!(cause, message.id = %message.id, "a mail could not be sent");
    Err(cause)
}
