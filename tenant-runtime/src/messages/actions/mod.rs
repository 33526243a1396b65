//! Queueing: a fact becomes a mail in the fact's own transaction.

pub mod notices;
pub mod send;
pub mod settings;
pub mod shown;
pub mod suppress;
pub mod templates;

use chrono::TimeDelta;
use serde::Deserialize;
use souk_event_bus::{Event, Fact as _};
use souk_kernel::{EventId, InvoiceId, MessageId, OrderId, RefundId, SubscriptionId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::MessageError;
use super::model::kinds::is_spoken;
use super::model::settings::MailSettings;
use super::model::{MailKind, MessageDetailView, Texts, is_worth_a_mail, kind_of, template, template_of};
use super::queries;
use crate::customers::{self, LetterWanted};
use crate::identities::{self, SeenDevice, StaffNewDevice};
use crate::invoices;
use crate::orders::{self, FinancialStatus, OrderPaid, OrderPlaced, OrderRefunded};
use crate::settings as store_settings;
use crate::staff::{self, StaffInvited};
use crate::storefront::PublicAddress;

/// What a mail said is kept so long; then only that there was one.
const WORDS_LAST: TimeDelta = TimeDelta::days(90);
/// That there was a mail is kept so long.
const MAILS_LAST: TimeDelta = TimeDelta::days(730);
/// Mails of one transaction of housekeeping: each may be large.
const SOME: i64 = 500;

/// What a mail is made of.
pub struct Letter<'a> {
    /// The event it follows from, and which of its mails of this kind it is.
    pub event: Option<(EventId, String)>,
    pub kind: &'static MailKind,
    pub recipient: &'a str,
    /// The language they read, if they said so.
    pub locale: Option<String>,
    /// What its template may name.
    pub facts: serde_json::Value,
    /// Where one click ends such mails.
    pub unsubscribe_url: Option<String>,
    /// What goes along with it.
    pub invoice: Option<InvoiceId>,
    /// Texts that are not saved; those in force if absent.
    pub draft: Option<Texts>,
}

impl<'a> Letter<'a> {
    /// The mail that is due.
    pub fn new(due: Due, recipient: &'a str, facts: serde_json::Value) -> Self {
        Self {
            event: Some((due.event, due.slot)),
            kind: due.kind,
            recipient,
            locale: None,
            facts,
            unsubscribe_url: None,
            invoice: None,
            draft: None,
        }
    }
}

/// A mail that is still to be written for an event. Only who asked for it can write one, and asks before anything is made for it: an event that is
/// told again voids no link, mints no code and issues no invoice for a mail that nobody would get, whoever was forgotten meanwhile.
#[derive(Debug)]
pub struct Due {
    event: EventId,
    kind: &'static MailKind,
    slot: String,
}

impl Due {
    /// The one mail of this kind of an event; none when it was written.
    ///
    /// # Errors
    /// The database's; there is no such kind.
    pub async fn one(tx: &mut ReadTx<'_>, event: EventId, kind: &str) -> Result<Option<Self>, MessageError> {
        Self::ask(tx, event, kind, String::new(), None).await
    }

    /// The one of several that goes to whoever subscribed; none when it was written.
    ///
    /// # Errors
    /// As for [`Due::one`].
    pub async fn to(
        tx: &mut ReadTx<'_>,
        event: EventId,
        kind: &str,
        subscription: SubscriptionId,
        recipient: &str,
    ) -> Result<Option<Self>, MessageError> {
        Self::ask(tx, event, kind, subscription.to_string(), Some(recipient)).await
    }

    async fn ask(
        tx: &mut ReadTx<'_>,
        event: EventId,
        kind: &str,
        slot: String,
        recipient: Option<&str>,
    ) -> Result<Option<Self>, MessageError> {
        let kind = kind_of(kind).ok_or(MessageError::UnknownKind)?;
        let written = queries::written(tx, event, kind.name, &slot, recipient).await?;
        Ok((written == 0).then_some(Self { event, kind, slot }))
    }
}

/// Fills a mail and queues it. A template of the merchant's that cannot be filled gives way to the committed one: whoever is written to gets a
/// mail either way. A draft does not.
///
/// # Errors
/// The database's; a draft that cannot be filled.
pub async fn post(tx: &mut WriteTx<'_>, letter: Letter<'_>) -> Result<MessageId, MessageError> {
    let store = store_settings::current(tx).await?;
    let looks = queries::settings::current(tx).await?.looks(&store.name);
    let kind = letter.kind;
    if let Some(draft) = &letter.draft {
        let mail = template::render(kind, Some(draft), &store.locale, &looks, &letter.facts)?;
        return queue_rendered(tx, letter, &store.locale, mail).await;
    }
    let (locale, own) = words(tx, kind, letter.locale.as_deref(), &store.locale).await?;
    let mail = match template::render(kind, own.as_ref(), &locale, &looks, &letter.facts) {
        Err(error) if own.is_some() => {
            tracing::warn!(%error, template = kind.name, "the store's own template cannot be filled");
            template::render(kind, None, &locale, &looks, &letter.facts)?
        }
        mail => mail?,
    };
    queue_rendered(tx, letter, &locale, mail).await
}

/// The locale a mail is written in, and the store's own words for it: the reader's where the store or we have words in their language, else the
/// store's.
async fn words(
    tx: &mut ReadTx<'_>,
    kind: &MailKind,
    reader: Option<&str>,
    store: &str,
) -> Result<(String, Option<Texts>), MessageError> {
    if let Some(reader) = reader.filter(|reader| *reader != store) {
        let own = queries::templates::in_force(tx, kind.name, reader).await?;
        if own.is_some() || is_spoken(reader) {
            return Ok((reader.to_owned(), own));
        }
    }
    Ok((store.to_owned(), queries::templates::in_force(tx, kind.name, store).await?))
}

async fn queue_rendered(
    tx: &mut WriteTx<'_>,
    letter: Letter<'_>,
    locale: &str,
    mail: template::Rendered,
) -> Result<MessageId, MessageError> {
    let Letter { event, kind, recipient, unsubscribe_url, invoice, .. } = letter;
    let (event, slot) = event.unzip();
    let row = queries::NewMessage { event, slot, kind, recipient, unsubscribe_url, locale, mail, invoice };
    Ok(queries::insert(tx, row).await?)
}

/// Queues the mail that follows from an event about an order or an endpoint.
pub async fn queue(tx: &mut WriteTx<'_>, event: &Event) -> Result<(), MessageError> {
    let Some(template) = template_of(&event.kind) else { return Ok(()) };
    if !is_worth_a_mail(&event.kind, &event.payload) {
        return Ok(());
    }
    let Some(recipient) = event.payload.get("email").and_then(|email| email.as_str()) else { return Ok(()) };
    let Some(due) = Due::one(tx, event.id, template).await? else { return Ok(()) };
    let letter = Letter::new(due, recipient, event.payload.clone());
    let Ok(about) = About::deserialize(&event.payload) else { return post(tx, letter).await.map(drop) };
    let reader = orders::reader(tx, about.order_id).await?;
    // The event keeps an address that the order may have lost since.
    if reader.as_ref().is_some_and(|reader| reader.forgotten) {
        return Ok(());
    }
    let locale = reader.and_then(|reader| reader.locale);
    let invoice = invoice_of(tx, event, &about).await?;
    post(tx, Letter { invoice, locale, ..letter }).await.map(drop)
}

/// What facts about orders have in common.
#[derive(Deserialize)]
struct About {
    order_id: OrderId,
    financial_status: Option<FinancialStatus>,
    refund_id: Option<RefundId>,
}

/// What goes along with the mail that follows from an event: the invoice with the one that says an order is paid, the credit note with the one
/// that says money went back, where the store wants that.
async fn invoice_of(
    tx: &mut WriteTx<'_>,
    event: &Event,
    about: &About,
) -> Result<Option<InvoiceId>, MessageError> {
    let is_told = match event.kind.as_str() {
        OrderPlaced::KIND => about.financial_status == Some(FinancialStatus::Paid),
        OrderPaid::KIND | OrderRefunded::KIND => true,
        _ => false,
    };
    if is_told { Ok(invoices::attachment(tx, about.order_id, about.refund_id).await?) } else { Ok(None) }
}

/// Where links to pages of the storefront begin: where the store said, else below its own address, never below what a request said.
pub async fn pages(tx: &mut ReadTx<'_>, address: &PublicAddress) -> Result<String, MessageError> {
    let base = match crate::storefront::account_url(tx).await? {
        Some(url) => url,
        None => format!("{}/account", address.of_host(queries::own_host(tx).await?.as_deref())),
    };
    Ok(base.trim_end_matches('/').to_owned())
}

/// Queues a letter to a customer, if they still are one. The link is below the account pages that the store named.
pub async fn queue_letter(
    tx: &mut WriteTx<'_>,
    event: EventId,
    wanted: &LetterWanted,
    address: &PublicAddress,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, wanted.letter.template()).await? else { return Ok(()) };
    let Some(letter) = customers::letter(tx, wanted).await? else { return Ok(()) };
    let page = format!("{}/{}", pages(tx, address).await?, letter.page);
    // In the fragment, which browsers send to nobody.
    let link = letter.secret.map_or_else(|| page.clone(), |secret| format!("{page}#{}", secret.expose()));
    let (device, network) = letter.device.unwrap_or_default();
    let facts = serde_json::json!({ "name": letter.name, "email": letter.recipient, "link": link, "device": device, "network": network, "provider": letter.provider });
    let locale = letter.locale;
    post(tx, Letter { locale, ..Letter::new(due, &letter.recipient, facts) }).await.map(drop)
}

/// Queues the mail that invites somebody to work in the store. The link opens the console, where they sign in first.
pub async fn queue_invitation(
    tx: &mut WriteTx<'_>,
    event: EventId,
    invited: &StaffInvited,
    console_url: &str,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, "staff_invitation").await? else { return Ok(()) };
    let Some(letter) = staff::letter(tx, invited).await? else { return Ok(()) };
    let link =
        format!("{}/join-store#{}.{}", console_url.trim_end_matches('/'), tx.store(), letter.secret.expose());
    let facts = serde_json::json!({ "email": letter.recipient, "role": letter.role, "link": link });
    post(tx, Letter::new(due, &letter.recipient, facts)).await.map(drop)
}

/// Queues the mail that tells a colleague of a device they signed in with, if they still work here.
pub async fn queue_new_device(
    tx: &mut WriteTx<'_>,
    event: EventId,
    seen: &StaffNewDevice,
) -> Result<(), MessageError> {
    let Some(due) = Due::one(tx, event, "staff_new_device").await? else { return Ok(()) };
    let found = identities::device(tx, seen.staff_id, seen.session_id).await?;
    let Some(SeenDevice { email, name, user_agent, network }) = found else { return Ok(()) };
    let facts = serde_json::json!({ "name": name, "email": email, "device": user_agent, "network": network });
    post(tx, Letter::new(due, &email, facts)).await.map(drop)
}

/// Takes the person out of every mail to them: whom it went to and what it said; that there was one stays.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), MessageError> {
    queries::suppressions::forget(tx, email_sha256).await?;
    crate::credit::forget_letters(tx, email_sha256).await?;
    crate::subscriptions::forget(tx, email_sha256).await?;
    Ok(queries::forget(tx, email_sha256).await?)
}

/// Forgets what mails said after 90 days, and that there were any after two years, some of them; what is still to be sent is left alone. Whether
/// there is more. Two statements.
///
/// # Errors
/// The database only.
pub async fn tidy(tx: &mut WriteTx<'_>) -> Result<bool, DbError> {
    let now = tx.now();
    let silenced = queries::silence(tx, now - WORDS_LAST, SOME).await?;
    let removed = queries::remove(tx, now - MAILS_LAST, SOME).await?;
    Ok(silenced.max(removed) >= SOME as usize)
}

/// A mail with what it said.
pub async fn show(tx: &mut ReadTx<'_>, id: MessageId) -> Result<MessageDetailView, MessageError> {
    let message = queries::one(tx, id).await?.ok_or(MessageError::Unknown)?;
    let said = queries::said(tx, id).await?.ok_or(MessageError::Unknown)?;
    Ok(MessageDetailView { message, text: said.body_text, html: said.body_html })
}

/// Queues a mail once more: the same words to the same mailbox under a Message-ID of its own. One that is still to be sent is not.
pub async fn resend(tx: &mut WriteTx<'_>, id: MessageId) -> Result<MessageDetailView, MessageError> {
    let message = queries::one(tx, id).await?.ok_or(MessageError::Unknown)?;
    if message.state == "queued" {
        return Err(MessageError::StillQueued);
    }
    let again = queries::again(tx, id).await?.ok_or(MessageError::Forgotten)?;
    show(tx, again).await
}

/// How mails look and whom they are from.
pub async fn settings_of(tx: &mut ReadTx<'_>) -> Result<MailSettings, MessageError> {
    Ok(queries::settings::current(tx).await?)
}
