//! What a mail says, whom it is from, and when it is tried again.

pub mod kinds;
pub mod settings;
pub mod template;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, QueryableByName, Selectable};
use serde::{Deserialize, Serialize};
use souk_access::Vault;
use souk_kernel::{
    CartId, CreditId, CustomerId, DraftOrderId, Email, InvoiceId, LongText, MessageId, OrderId, Text,
    VariantId,
};
use utoipa::{IntoParams, ToSchema};

use crate::schema::email_messages;

pub use kinds::{KINDS, LANGUAGES, MailKind, Purpose, kind_of};
pub use template::{Mistake, Rendered, Texts, samples};

/// What the mail of all stores of a process shares: put into `app_data`, and given to whoever writes mails.
#[derive(Clone, Debug)]
pub struct MailRoom {
    /// Seals the keys of stores, and the addresses in links.
    pub vault: Arc<Vault>,
    /// The domain that mail leaves from unless a store has its own.
    pub domain: String,
    /// Where people sign in who work in stores.
    pub console_url: String,
}

/// Which mail follows which event.
pub fn template_of(event: &str) -> Option<&'static str> {
    match event {
        "order.placed" => Some("order_placed"),
        "order.paid" => Some("order_paid"),
        "order.cancelled" => Some("order_cancelled"),
        "order.refunded" => Some("order_refunded"),
        "fulfillment.created" | "fulfillment.updated" => Some("order_shipped"),
        "webhook_endpoint.disabled" => Some("webhook_disabled"),
        _ => None,
    }
}

/// Whether the event deserves its mail: an order that was paid by being placed is told by its own mail, whoever took the money, and staff may send
/// without a word.
pub fn is_worth_a_mail(kind: &str, payload: &serde_json::Value) -> bool {
    match kind {
        "order.paid" => payload["payment_provider"] == "manual" && payload["at_once"] != true,
        "fulfillment.created" | "fulfillment.updated" => payload["notify"] == true,
        _ => true,
    }
}

/// A mail that is to be sent.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = email_messages)]
pub struct Message {
    pub id: MessageId,
    pub recipient: String,
    pub subject: String,
    pub body_text: String,
    pub body_html: String,
    pub message_id: String,
    pub attempts: i32,
    pub purpose: String,
    pub unsubscribe_url: Option<String>,
    pub invoice_id: Option<InvoiceId>,
}

/// A mail in the log.
#[derive(Clone, Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = email_messages)]
pub struct MessageView {
    pub id: MessageId,
    #[schema(example = "order_placed")]
    pub template: String,
    #[schema(example = "en")]
    pub locale: String,
    pub recipient: String,
    pub subject: String,
    /// `queued`, `sent`, `captured` (there is no mail server), `failed` (given up after 16 attempts in eight hours, or refused for good by the mail server: `last_error` says why), `suppressed` (the address is not
    /// written to) or `bounced` (the mail service says that it did not arrive).
    #[schema(example = "sent")]
    pub state: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    /// When it is tried next; null unless it is queued.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The header of this name: the same however often the mail is tried.
    #[schema(example = "<msg_01h455vb4pex5vsknk084sn02q@souk>")]
    pub message_id: String,
    /// The invoice or the credit note that goes along with it.
    #[serde(rename = "invoice", skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<InvoiceId>,
}

/// A mail with what it said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageDetailView {
    #[serde(flatten)]
    pub message: MessageView,
    /// What it said; empty after 90 days, and once the person it went to is erased.
    pub text: String,
    pub html: String,
}

/// Which mails are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MessageFilter {
    /// In this state.
    pub state: Option<MessageState>,
    /// To this address.
    #[param(value_type = Option<String>)]
    pub recipient: Option<Email>,
    /// Of this kind.
    #[param(value_type = Option<String>, example = "order_placed")]
    pub template: Option<Text<60>>,
}

/// How a mail stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    Queued,
    Sent,
    Captured,
    Failed,
    Suppressed,
    Bounced,
}

impl MessageState {
    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Bounced => "bounced",
        }
    }
}

/// A mail there is, and in which languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailKindView {
    #[schema(example = "order_placed")]
    pub kind: &'static str,
    /// `customer` or `staff`.
    #[schema(example = "customer")]
    pub audience: &'static str,
    /// `transactional`, or `marketing`: then with a link that ends it.
    #[schema(example = "transactional")]
    pub purpose: &'static str,
    /// When it is sent.
    #[schema(example = "An order was placed.")]
    pub about: &'static str,
    /// Languages and locales there is a text for.
    #[schema(example = json!(["en", "de"]))]
    pub locales: Vec<String>,
    /// Those of them that are the store's own words.
    #[schema(example = json!(["de"]))]
    pub own: Vec<String>,
}

/// The texts of a mail in a locale, as they are in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TemplateView {
    #[schema(example = "order_placed")]
    pub kind: String,
    #[schema(example = "de")]
    pub locale: String,
    /// Whether these are the store's own words.
    pub own: bool,
    /// Of the store's own words; 0 while the committed ones are in force.
    #[schema(example = 3)]
    pub version: i64,
    #[schema(example = "{{ store }}: your order {{ order.name }}")]
    pub subject: String,
    pub text: String,
    pub html: String,
    pub updated_at: Option<DateTime<Utc>>,
    /// What the texts may name: `event`, and the same as `order` and `account`.
    #[schema(value_type = Object)]
    pub sample: serde_json::Value,
    /// Parts of it that are not always there.
    #[schema(example = json!(["discount"]))]
    pub optional: Vec<&'static str>,
}

/// Words of a mail, as templates (Jinja).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutTemplate {
    #[schema(example = "Your order {{ order.name }}")]
    pub subject: Text<500>,
    #[schema(value_type = String, max_length = 60000, example = "Thank you for {{ order.name }}.")]
    pub text: LongText<60_000>,
    #[schema(value_type = String, max_length = 60000, example = "{% extends \"layout.html\" %}{% block body %}<p>Thank you for {{ order.name }}.</p>{% endblock %}")]
    pub html: LongText<60_000>,
}

impl PutTemplate {
    pub fn texts(&self) -> Texts {
        Texts {
            subject: self.subject.as_str().to_owned(),
            text: self.text.as_str().to_owned(),
            html: self.html.as_str().to_owned(),
        }
    }
}

/// What is to be shown: the texts in force, or these.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct PreviewWish {
    /// Texts that are not saved; the ones in force if absent.
    pub draft: Option<PutTemplate>,
    /// With this order, for mails about orders. With made-up facts if nothing is named.
    pub order: Option<OrderId>,
    /// With this cart, for `abandoned_cart`.
    pub cart: Option<CartId>,
    /// With this variant, for mails about stock.
    pub variant: Option<VariantId>,
    /// With this customer, for mails about accounts (`customer_…`).
    pub customer: Option<CustomerId>,
    /// With this draft order, for `draft_order_invoice`.
    pub draft_order: Option<DraftOrderId>,
    /// With this gift card, for `gift_card`.
    pub gift_card: Option<CreditId>,
}

impl PreviewWish {
    pub fn real(&self) -> Real {
        let Self { draft: _, order, cart, variant, customer, draft_order, gift_card } = self;
        Real {
            order: *order,
            cart: *cart,
            variant: *variant,
            customer: *customer,
            draft_order: *draft_order,
            gift_card: *gift_card,
        }
    }
}

/// What a mail is shown with: one of these, or made-up facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Real {
    pub order: Option<OrderId>,
    pub cart: Option<CartId>,
    pub variant: Option<VariantId>,
    pub customer: Option<CustomerId>,
    pub draft_order: Option<DraftOrderId>,
    pub gift_card: Option<CreditId>,
}

/// Where a try is sent, and what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestWish {
    #[schema(value_type = String, example = "owner@shop.example")]
    pub to: Email,
    /// Texts that are not saved; the ones in force if absent.
    pub draft: Option<PutTemplate>,
    /// With this order, for mails about orders. With made-up facts if nothing is named.
    pub order: Option<OrderId>,
    /// With this cart, for `abandoned_cart`.
    pub cart: Option<CartId>,
    /// With this variant, for mails about stock.
    pub variant: Option<VariantId>,
    /// With this customer, for mails about accounts (`customer_…`).
    pub customer: Option<CustomerId>,
    /// With this draft order, for `draft_order_invoice`.
    pub draft_order: Option<DraftOrderId>,
    /// With this gift card, for `gift_card`.
    pub gift_card: Option<CreditId>,
}

impl TestWish {
    /// What is mailed.
    pub fn preview(&self) -> PreviewWish {
        let Self { to: _, draft, order, cart, variant, customer, draft_order, gift_card } = self;
        PreviewWish {
            draft: draft.clone(),
            order: *order,
            cart: *cart,
            variant: *variant,
            customer: *customer,
            draft_order: *draft_order,
            gift_card: *gift_card,
        }
    }
}

/// A mail as it would leave.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewView {
    #[schema(example = "Acme Mugs: your order #1001")]
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl From<Rendered> for PreviewView {
    fn from(mail: Rendered) -> Self {
        Self { subject: mail.subject, text: mail.text, html: mail.html }
    }
}

/// Words that were in force.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct VersionView {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub subject: String,
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "body_text")]
    pub text: String,
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "body_html")]
    pub html: String,
    /// Who wrote them: `staff:stf_…`, `key:key_…`.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub created_by: String,
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl VersionView {
    pub fn texts(&self) -> Texts {
        Texts { subject: self.subject.clone(), text: self.text.clone(), html: self.html.clone() }
    }
}

/// An address that is not written to.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct SuppressionView {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// `bounced` (a mail server or mail service says that nobody is reached there), `complained`, `manual`: no mail at all; `unsubscribed`: no
    /// marketing.
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[schema(example = "bounced")]
    pub reason: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub detail: String,
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// An address that must not be written to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    #[schema(value_type = String, example = "ada@example.com")]
    pub email: Email,
    #[serde(default)]
    #[schema(example = "asked by telephone")]
    pub detail: Option<Text<300>>,
}

/// What a mail service tells about a mail.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "bounced", "recipient": "ada@example.com", "permanent": true, "detail": "550 no such user"}))]
pub struct MailReport {
    #[serde(rename = "type")]
    pub kind: ReportKind,
    #[schema(value_type = String)]
    pub recipient: Email,
    /// The header of the mail, if it is known.
    pub message_id: Option<Text<200>>,
    /// Whether the address will never work. One that is full or away for a moment is not suppressed.
    #[serde(default = "yes")]
    pub permanent: bool,
    pub detail: Option<Text<300>>,
}

fn yes() -> bool {
    true
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    Bounced,
    Complained,
}

impl ReportKind {
    /// As in the column of reasons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

/// After how long a mail that could not be sent is tried again; `None`: given up, after a good eight hours.
pub fn retry_after(attempts: i32) -> Option<TimeDelta> {
    match attempts {
        ..=0 => Some(TimeDelta::seconds(1)),
        1..=15 => Some(TimeDelta::seconds((1_i64 << attempts).min(7200))),
        16.. => None,
    }
}

#[cfg(test)]
mod rules {
    use super::*;
    use serde_json::json;

    #[test]
    fn paying_at_once_is_one_mail() {
        assert!(!is_worth_a_mail("order.paid", &json!({ "payment_provider": "test" })));
        assert!(is_worth_a_mail("order.paid", &json!({ "payment_provider": "manual" })));
        assert!(is_worth_a_mail("order.paid", &json!({ "payment_provider": "manual", "at_once": false })));
        assert!(!is_worth_a_mail("order.paid", &json!({ "payment_provider": "manual", "at_once": true })));
        assert!(is_worth_a_mail("order.placed", &json!({})));
    }

    #[test]
    fn patience() {
        assert_eq!(retry_after(1), Some(TimeDelta::seconds(2)));
        assert_eq!(retry_after(15), Some(TimeDelta::hours(2)));
        assert_eq!(retry_after(16), None);
        let whole: TimeDelta = (1..).map_while(retry_after).sum();
        assert_eq!(whole, TimeDelta::seconds(29_790), "8 h 16 min");
    }
}
