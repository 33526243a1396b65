//! Sending what is queued.

use std::sync::Arc;

use chrono::TimeDelta;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use souk_access::{Vault, WorkerPermit};
use souk_kernel::{Email, StoreId};
use souk_smtp::{Mailer, Refused};
use souk_telemetry::{FailPoint, fail_point};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::settings::key_of;
use crate::invoices::{self, Invoice};
use crate::messages::error::MessageError;
use crate::messages::model::settings::MailSettings;
use crate::messages::model::{Message, Purpose, ReportKind, retry_after};
use crate::messages::queries;
use crate::settings::{self, Settings};

/// Longer than any send may take (a good 20 seconds), and as long as a mail waits whose worker was killed.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Mails of one store in one round; the rest is due in the next.
const BATCH: usize = 20;
/// Characters of a server's words that the suppression list keeps, as many as a report may have.
const WORDS: usize = 300;
/// What a signature covers. Not Content-Type: of a mail of several parts lettre keeps it with the parts, where the signer does not see it, and
/// a header that is named but was not hashed makes the signature wrong.
const SIGNED: [&str; 9] = [
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Where mails go.
#[derive(Clone)]
pub enum Sender {
    /// To an SMTP server, from this address unless the store has one of its own. The vault opens the stores' keys.
    Smtp { mailer: Box<Mailer>, from: Mailbox, vault: Arc<Vault> },
    /// Nowhere: shown at `/dev/mail`.
    Captured,
}

impl Sender {
    /// A sender for `SMTP_URL` and the authority of `SMTP_CA_FILE` (PEM), or the capturing one.
    ///
    /// # Errors
    /// An address that is not understood, an authority that is none.
    pub fn new(
        smtp_url: Option<&str>,
        authority: Option<&str>,
        from: &Mailbox,
        vault: Arc<Vault>,
    ) -> Result<Self, MessageError> {
        match smtp_url {
            None => Ok(Self::Captured),
            Some(url) => {
                Ok(Self::Smtp { mailer: Box::new(Mailer::new(url, authority)?), from: from.clone(), vault })
            }
        }
    }
}

/// Whom the mails of one round are from.
#[derive(Clone)]
struct Letterhead {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    /// Signs them, where the store has switched that on.
    dkim: Option<Arc<DkimConfig>>,
}

impl Letterhead {
    /// A store's own address only once its owner has agreed; the name is the store's either way.
    fn of(
        store: StoreId,
        settings: &Settings,
        mail: &MailSettings,
        platform: &Mailbox,
        vault: &Vault,
    ) -> Self {
        let name = mail.sender_name.clone().unwrap_or_else(|| settings.name.clone());
        let own = mail.sender_email.as_deref().filter(|_| mail.sender_verified_at.is_some());
        let address = own.and_then(|own| own.parse().ok());
        let reply_to = mail.reply_to.as_deref().unwrap_or(&settings.contact_email).parse().ok();
        let dkim = address.as_ref().and_then(|_| signer(store, mail, vault));
        Self {
            from: Mailbox::new(Some(name), address.unwrap_or_else(|| platform.email.clone())),
            reply_to,
            dkim,
        }
    }
}

/// The signature's settings; none where signing is off, the key is another domain's, or the key that sealed it is gone.
fn signer(store: StoreId, mail: &MailSettings, vault: &Vault) -> Option<Arc<DkimConfig>> {
    let (domain, selector) = (mail.dkim_domain.clone()?, mail.dkim_selector.clone()?);
    let own = mail.sender_email.as_deref().and_then(crate::messages::model::settings::domain_of);
    if !mail.dkim_enabled || own.as_ref() != Some(&domain) {
        return None;
    }
    let Some(pem) = vault.open(&key_of(store), &mail.sealed_key()?) else {
        tracing::warn!(%store, "the key that signs mails cannot be opened; mails leave unsigned until a new one is made");
        return None;
    };
    let key = DkimSigningKey::new(&String::from_utf8(pem).ok()?, DkimSigningAlgorithm::Rsa).ok()?;
    let canonical = DkimCanonicalization {
        header: DkimCanonicalizationType::Relaxed,
        body: DkimCanonicalizationType::Relaxed,
    };
    let headers = SIGNED.into_iter().map(HeaderName::new_from_ascii_str).collect();
    Some(Arc::new(DkimConfig::new(selector, domain, key, headers, canonical)))
}

/// Sends what is due in one store; how many were taken. One mail at a time, each under a lease of its own: marking one and claiming the
/// next are one transaction.
///
/// # Errors
/// The database only; a mail that cannot be sent is tried again later.
pub async fn send_due(worker: &WorkerPermit, sender: &Sender) -> Result<usize, MessageError> {
    let look = async |tx: &mut ReadTx<'_>| {
        if !queries::any_due(tx).await? {
            return Ok::<_, MessageError>(None);
        }
        Ok(Some((settings::current(tx).await?, queries::settings::current(tx).await?)))
    };
    let Some((settings, mail)) = worker.read("messages.any_due", look).await? else { return Ok(0) };
    let head = match sender {
        Sender::Captured => None,
        Sender::Smtp { from, vault, .. } => {
            Some(Letterhead::of(worker.store(), &settings, &mail, from, vault))
        }
    };
    let (mut count, mut sent) = (0, None);
    loop {
        let (full, marks) = (count == BATCH, sent.is_some());
        let step = async move |tx: &mut WriteTx<'_>| {
            if let Some((message, outcome)) = sent {
                mark(tx, &message, outcome).await?;
            }
            Ok::<_, MessageError>(if full { None } else { next(tx).await? })
        };
        let claimed = worker.write("messages.claim", step).await?;
        if marks {
            fail_point(FailPoint::MailMarked);
        }
        let Some((message, invoice)) = claimed else { return Ok(count) };
        fail_point(FailPoint::MailClaimed);
        let outcome = deliver(sender, head.as_ref(), &message, invoice.as_ref()).await;
        if outcome == Ok("sent") {
            fail_point(FailPoint::MailSent);
        }
        sent = Some((message, outcome));
        count += 1;
    }
}

/// The next mail to send. Those to addresses that are not written to are marked so on the way.
async fn next(tx: &mut WriteTx<'_>) -> Result<Option<(Message, Option<Invoice>)>, DbError> {
    loop {
        let Some(message) = queries::claim(tx, LEASE).await? else { return Ok(None) };
        let Some(reason) = queries::suppressions::reason(tx, &message.recipient).await? else {
            return along(tx, message).await.map(Some);
        };
        if reason == "unsubscribed" && message.purpose != Purpose::Marketing.as_str() {
            return along(tx, message).await.map(Some);
        }
        queries::suppress(tx, message.id, &format!("the address is on the suppression list: {reason}"))
            .await?;
    }
}

/// A mail and what goes along with it.
async fn along(tx: &mut ReadTx<'_>, message: Message) -> Result<(Message, Option<Invoice>), DbError> {
    let invoice = match message.invoice_id {
        Some(id) => invoices::find(tx, id).await?,
        None => None,
    };
    Ok((message, invoice))
}

/// How a mail left.
type Outcome = Result<&'static str, Refused>;

async fn mark(tx: &mut WriteTx<'_>, message: &Message, outcome: Outcome) -> Result<(), DbError> {
    match outcome {
        Ok(state) => queries::finish(tx, message.id, state).await,
        Err(Refused { cause, no_mailbox: true, .. }) => nobody_there(tx, message, cause).await,
        Err(Refused { cause, for_good, .. }) => {
            let wait = if for_good { None } else { retry_after(message.attempts) };
            queries::fail(tx, message.id, &cause, wait).await.map(drop)
        }
    }
}

/// The mail is given up, and its recipient's address is not written to any more: a server that is asked again and again for mailboxes it does
/// not have believes its sender's other mails less. A person who was forgotten while their mail was on its way is not put on a list.
async fn nobody_there(tx: &mut WriteTx<'_>, message: &Message, cause: String) -> Result<(), DbError> {
    let told = format!("{cause}; the address is on the suppression list now");
    let is_theirs = queries::fail(tx, message.id, &told, None).await?.as_ref() == Some(&message.recipient);
    if let Ok(email) = Email::parse(&message.recipient)
        && is_theirs
    {
        let words = cause.chars().take(WORDS).collect::<String>();
        queries::suppressions::put(tx, &email, ReportKind::Bounced.as_str(), &words).await?;
    }
    Ok(())
}

async fn deliver(
    sender: &Sender,
    head: Option<&Letterhead>,
    message: &Message,
    invoice: Option<&Invoice>,
) -> Outcome {
    let (Sender::Smtp { mailer, .. }, Some(head)) = (sender, head) else { return Ok("captured") };
    let mail = written(head, message, invoice).map_err(Refused::unsendable)?;
    let sent = mailer.send(&mail).await;
    if let Err(Refused { cause, for_good, .. }) = &sent {
        tracing::warn!(cause, for_good, message.id = %message.id, "a mail could not be sent");
    }
    sent.map(|()| "sent")
}

/// The mail as it goes over the wire, signed last.
fn written(
    head: &Letterhead,
    message: &Message,
    invoice: Option<&Invoice>,
) -> Result<lettre::Message, String> {
    let to: Mailbox = message.recipient.parse().map_err(|_| "the address cannot be mailed to".to_owned())?;
    let mut builder = lettre::Message::builder()
        .from(head.from.clone())
        .to(to)
        .subject(message.subject.clone())
        .message_id(Some(message.message_id.clone()));
    if let Some(reply_to) = &head.reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    let mut body = MultiPart::alternative_plain_html(message.body_text.clone(), message.body_html.clone());
    if let Some(invoice) = invoice {
        let pdf = invoice.pdf().map_err(|error| error.to_string())?;
        let kind = ContentType::parse("application/pdf").map_err(|error| error.to_string())?;
        let attached = Attachment::new(invoice.file_name()).body(pdf, kind);
        body = MultiPart::mixed().multipart(body).singlepart(attached);
    }
    let mut mail = builder.multipart(body).map_err(|error| error.to_string())?;
    if let Some(url) = &message.unsubscribe_url {
        let headers = mail.headers_mut();
        let name = HeaderName::new_from_ascii_str;
        headers.insert_raw(HeaderValue::new(name("List-Unsubscribe"), format!("<{url}>")));
        let one_click = "List-Unsubscribe=One-Click".to_owned();
        headers.insert_raw(HeaderValue::new(name("List-Unsubscribe-Post"), one_click));
    }
    if let Some(dkim) = &head.dkim {
        mail.sign(dkim);
    }
    Ok(mail)
}
