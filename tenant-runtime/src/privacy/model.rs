//! Everything a store knows of a person.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text, Timestamptz};
use serde::{Deserialize, Serialize};
use souk_kernel::{CartId, CreditId, Email, Money, OrderId, VariantId};
use utoipa::{IntoParams, ToSchema};

use crate::cart::{Address, AgreedLine, AgreedWare, Cart};
use crate::credit::{CreditView, MailedCardView};
use crate::customers::{CustomerExport, Typed};
use crate::fulfillment::FulfillmentView;
use crate::groups::MembershipView;
use crate::identities::IdentityView;
use crate::invoices::Invoice;
use crate::orders::ShopperOrderView;
use crate::subscriptions::SubscriptionView;
use crate::tax::TaxExemptionView;

/// A copy of everything, machine-readable.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonalData {
    #[serde(flatten)]
    pub customer: CustomerExport,
    /// Who they are elsewhere.
    pub identities: Vec<IdentityView>,
    pub orders: Vec<ShopperOrderView>,
    /// What left the house for them, and how it could be followed.
    pub fulfillments: Vec<FulfillmentView>,
    /// Invoices and credit notes for them.
    pub invoices: Vec<Invoice>,
    /// Carts that are not bought.
    pub carts: Vec<CartExport>,
    pub store_credits: Vec<StoreCreditExport>,
    /// The groups they are in, by which they may have prices of their own.
    pub customer_groups: Vec<MembershipView>,
    /// Their own, and those of their groups.
    pub tax_exemptions: Vec<TaxExemptionView>,
    #[serde(flatten)]
    pub mailbox: MailboxExport,
}

/// What the store keeps by the mailbox. Empty while the address is not confirmed: it may be somebody else's.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MailboxExport {
    /// Gift cards that were mailed to them.
    pub gift_cards: Vec<MailedCardView>,
    /// What they asked to be told. Whether they take marketing says the account.
    pub subscriptions: Vec<SubscriptionView>,
    /// Why they are not written to; null when they are.
    pub suppression: Option<SuppressionExport>,
    /// Mails to them, oldest first. What they said is not here: links in them open accounts and orders.
    pub mails: Vec<MailExport>,
}

/// Money the store owes them.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreCreditExport {
    pub id: CreditId,
    pub balance: Money,
    /// Oldest first.
    pub entries: Vec<CreditEntryExport>,
    pub created_at: DateTime<Utc>,
}

/// A movement of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditEntryExport {
    #[schema(example = "issued")]
    pub kind: String,
    pub amount: Money,
    pub order: Option<OrderId>,
    pub at: DateTime<Utc>,
}

impl From<CreditView> for StoreCreditExport {
    fn from(account: CreditView) -> Self {
        let CreditView { id, balance, entries, created_at, .. } = account;
        // Who of the store's people did it is those people's.
        let entries = entries.into_iter().map(|entry| CreditEntryExport {
            kind: entry.kind,
            amount: entry.amount,
            order: entry.order,
            at: entry.at,
        });
        Self { id, balance, entries: entries.collect(), created_at }
    }
}

/// Why a mailbox is not written to.
#[derive(Debug, QueryableByName, Serialize, ToSchema)]
pub struct SuppressionExport {
    /// `bounced`, `complained`, `unsubscribed` (marketing only) or `manual`.
    #[diesel(sql_type = Text)]
    #[schema(example = "unsubscribed")]
    pub reason: String,
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// A mail to them.
#[derive(Debug, QueryableByName, Serialize, ToSchema)]
pub struct MailExport {
    #[diesel(sql_type = Text)]
    #[schema(example = "order_placed")]
    pub template: String,
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = Text)]
    #[schema(example = "sent")]
    pub state: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub sent_at: Option<DateTime<Utc>>,
}

/// A cart that is not bought, or a draft order that staff put together.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartExport {
    pub id: CartId,
    #[schema(value_type = Option<String>)]
    pub email: Option<Email>,
    pub note: String,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub lines: Vec<CartExportLine>,
}

/// So many of that.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartExportLine {
    /// Null for a line that staff made up.
    pub variant: Option<VariantId>,
    /// What staff called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Engraving")]
    pub title: Option<String>,
    pub quantity: u32,
}

impl From<AgreedLine> for CartExportLine {
    fn from(line: AgreedLine) -> Self {
        let (variant, title) = match line.ware {
            AgreedWare::Variant(variant) => (Some(variant), None),
            AgreedWare::Free { title, .. } => (None, Some(title)),
        };
        Self { variant, title, quantity: line.quantity.get() }
    }
}

impl From<Cart> for CartExport {
    fn from(cart: Cart) -> Self {
        let Cart { id, email, note, shipping_address, billing_address, lines, terms, .. } = cart;
        let line = |line: &crate::cart::CartLine| CartExportLine {
            variant: Some(line.variant),
            title: None,
            quantity: line.quantity.get(),
        };
        let agreed = terms.unwrap_or_default().lines.into_iter().map(CartExportLine::from);
        let lines = lines.iter().map(line).chain(agreed).collect();
        Self { id, email, note, shipping_address, billing_address, lines }
    }
}

/// Delete one's account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery staple"}))]
pub struct DeleteAccount {
    /// Proves that it is you; whoever has no password leaves it out, and has signed in with their provider within the last 15 minutes.
    pub password: Option<Typed>,
}

/// How to forget somebody.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EraseQuery {
    /// Also when goods are still to be delivered: their addresses go as well.
    #[serde(default)]
    pub force: bool,
}
