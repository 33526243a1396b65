//! What an order consists of, and the sums and statuses that follow from it. Pure.

pub mod dispatch;
mod link;
pub mod refund;
pub mod rows;
mod standing;
pub mod view;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{
    CartId, Currency, CustomerId, ImageId, InventoryItemId, LocationId, Money, MoneyError, OrderId,
    OrderLineId, ProductId, Quantity, ShippingLineId, ShippingRateId, TaxRateId, VariantId,
};
use utoipa::ToSchema;

pub use link::LinkKey;
pub use standing::Standing;

use super::state::OrderState;
use crate::catalog::Component;
use crate::discounts::Applied;
use crate::ledger::rules::Sale;
use crate::tax::TaxRelief;

/// An enum stored as text: its spelling in one place.
macro_rules! stored_text {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// As stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads what `as_str` wrote.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

stored_text! {
    /// Where the money of an order stands.
    FinancialStatus {
        /// Nothing came yet.
        Pending = "pending",
        /// It is held.
        Authorized = "authorized",
        /// A part came.
        PartiallyPaid = "partially_paid",
        /// All of it came.
        Paid = "paid",
        /// A part went back.
        PartiallyRefunded = "partially_refunded",
        /// All of it went back.
        Refunded = "refunded",
        /// What was held was let go.
        Voided = "voided",
        /// The time to pay ran out.
        Expired = "expired",
    }
}

stored_text! {
    /// How much of an order has left.
    FulfillmentStatus {
        Unfulfilled = "unfulfilled",
        PartiallyFulfilled = "partially_fulfilled",
        Fulfilled = "fulfilled",
        Restocked = "restocked",
    }
}

stored_text! {
    /// Why an order was undone.
    CancelReason {
        /// The shopper changed their mind.
        Customer = "customer",
        /// The goods are not there.
        Inventory = "inventory",
        Fraud = "fraud",
        /// The payment was declined.
        Declined = "declined",
        /// A mistake of ours.
        Staff = "staff",
        /// The time to pay ran out.
        Expired = "expired",
        Other = "other",
    }
}

stored_text! {
    /// What may be done with an order now.
    AllowedAction {
        Cancel = "cancel",
        Capture = "capture",
        MarkPaid = "mark_paid",
        Refund = "refund",
        Fulfill = "fulfill",
    }
}

stored_text! {
    /// What becomes of pieces whose money goes back.
    StockChoice {
        /// They are on sale again.
        Restock = "restock",
        /// They are gone: lost, broken, not worth sending back.
        WriteOff = "write_off",
        /// They stay sold: the shopper has them, or still gets them.
        Keep = "keep",
    }
}

/// An order about to be written.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub id: OrderId,
    pub cart: CartId,
    /// SHA-256 of the secret that opens the order to a guest.
    pub secret_digest: [u8; 32],
    pub customer: Option<CustomerId>,
    pub email: String,
    pub currency: Currency,
    pub prices_include_tax: bool,
    /// The goods before any discount.
    pub subtotal: Money,
    /// What is taken off the goods.
    pub discount: Money,
    /// What is to be paid for the delivery.
    pub shipping: Money,
    pub tax: Money,
    /// Why the buyer owes none, if so: a copy.
    pub tax_relief: Option<TaxRelief>,
    pub total: Money,
    pub shipping_address: Option<serde_json::Value>,
    pub billing_address: Option<serde_json::Value>,
    pub note: String,
    /// Names and words, as the cart had them.
    pub attributes: serde_json::Value,
    pub lines: Vec<NewLine>,
    pub shipping_line: Option<NewShippingLine>,
    /// What each discount takes off which line: a copy.
    pub discounts: Vec<Applied>,
    /// What the buyer agreed to.
    pub terms: Option<AcceptedTerms>,
}

/// The terms that a buyer agreed to.
#[derive(Clone, Debug)]
pub struct AcceptedTerms {
    /// Of the policy `terms`.
    pub version: i32,
    pub at: DateTime<Utc>,
    /// A digest of where from, which nobody can undo who has the database alone.
    pub network: Vec<u8>,
}

/// A line about to be written: a copy, so that later changes of the catalogue do not reach it.
#[derive(Clone, Debug)]
pub struct NewLine {
    pub id: OrderLineId,
    /// This, the product and the item are none for a line that staff made up.
    pub variant: Option<VariantId>,
    pub product: Option<ProductId>,
    pub item: Option<InventoryItemId>,
    /// What one piece is made of; none unless it is a bundle.
    pub components: Vec<Component>,
    pub location: Option<LocationId>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub options: serde_json::Value,
    pub image: Option<ImageId>,
    pub requires_shipping: bool,
    pub quantity: Quantity,
    pub unit_price: Money,
    /// What is taken off the line.
    pub discount: Money,
    /// Unit price times quantity, less the discount.
    pub total: Money,
    pub taxes: Vec<NewTax>,
}

/// Delivery as agreed.
#[derive(Clone, Debug)]
pub struct NewShippingLine {
    pub id: ShippingLineId,
    pub rate: Option<ShippingRateId>,
    pub title: String,
    /// What is taken off it.
    pub discount: Money,
    /// What is to be paid for it.
    pub amount: Money,
    pub taxes: Vec<NewTax>,
}

/// One rate on one line.
#[derive(Clone, Debug)]
pub struct NewTax {
    /// The version of the rate.
    pub rate: Option<TaxRateId>,
    pub compound: bool,
    pub name: String,
    pub jurisdiction: String,
    pub rate_ppm: i32,
    pub reason: String,
    pub taxable: Money,
    pub amount: Money,
}

impl NewOrder {
    /// Whether the parts add up to what the order says of itself.
    ///
    /// # Errors
    /// Another currency somewhere, or too much to count.
    pub fn adds_up(&self) -> Result<bool, MoneyError> {
        let sum = |amounts: &mut dyn Iterator<Item = Money>| Money::sum(amounts, self.currency);
        let lines = sum(&mut self.lines.iter().map(|line| line.total))?;
        let off_lines = sum(&mut self.lines.iter().map(|line| line.discount))?;
        let shared = sum(&mut self.discounts.iter().flat_map(|applied| applied.lines.iter().copied()))?;
        let off_shipping = sum(&mut self.shipping_line.iter().map(|line| line.discount))?;
        let shared_shipping = sum(&mut self.discounts.iter().map(|applied| applied.shipping))?;
        if (off_lines, off_shipping) != (shared, shared_shipping) {
            return Ok(false);
        }
        let taxes = self.lines.iter().flat_map(|line| &line.taxes);
        let taxes = taxes.chain(self.shipping_line.iter().flat_map(|line| &line.taxes));
        let tax = sum(&mut taxes.map(|tax| tax.amount))?;
        let shipping = sum(&mut self.shipping_line.iter().map(|line| line.amount))?;
        let on_top = if self.prices_include_tax { Money::zero(self.currency) } else { self.tax };
        let goods = self.subtotal.checked_sub(self.discount)?;
        let total = sum(&mut [goods, self.shipping, on_top].into_iter())?;
        Ok(off_lines == self.discount
            && lines == goods
            && tax == self.tax
            && shipping == self.shipping
            && total == self.total)
    }
}

/// An order under its lock.
#[derive(Clone, Debug)]
pub struct LockedOrder {
    pub id: OrderId,
    pub cart: CartId,
    pub number: Option<i64>,
    pub name: Option<String>,
    pub state: OrderState,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub email: String,
    pub sums: Sums,
    pub shipping_title: Option<String>,
    pub shipping_address: Option<serde_json::Value>,
    pub billing_address: Option<serde_json::Value>,
    pub lines: Vec<LockedLine>,
}

/// The amounts of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The goods before any discount.
    pub subtotal: Money,
    /// What was taken off them.
    pub discount: Money,
    /// What was to be paid for the delivery.
    pub shipping: Money,
    /// What was taken off it.
    pub shipping_discount: Money,
    /// On goods.
    pub goods_tax: Money,
    /// On delivery.
    pub shipping_tax: Money,
    pub total: Money,
    /// What gift cards and store credit pay of the total.
    pub credit: Money,
    pub prices_include_tax: bool,
}

/// A line of a locked order.
#[derive(Clone, Debug, Deserialize)]
pub struct LockedLine {
    /// None for a line that staff made up: nothing in stock is promised for it.
    pub item: Option<uuid::Uuid>,
    pub location: Option<uuid::Uuid>,
    pub title: String,
    pub variant_title: String,
    pub sku: Option<String>,
    pub quantity: u32,
    pub unit_price_minor: i64,
    pub total_minor: i64,
}

impl Sums {
    /// All tax.
    ///
    /// # Errors
    /// Too much to count.
    pub fn tax(self) -> Result<Money, MoneyError> {
        self.goods_tax.checked_add(self.shipping_tax)
    }

    /// Price and discount without tax, from what is paid, the tax on it, and the discount as agreed. A discount on prices that include
    /// tax is split in the same proportion as what is paid; where all is taken off, it has no tax.
    fn without_tax(self, paid: Money, tax: Money, discount: Money) -> Result<(Money, Money), MoneyError> {
        if !self.prices_include_tax {
            return Ok((paid.checked_add(discount)?, discount));
        }
        let net = paid.checked_sub(tax)?;
        let parts = [net.minor().unsigned_abs(), tax.minor().unsigned_abs()];
        let shares = if paid.is_zero() { vec![discount] } else { discount.allocate(&parts)? };
        let discount = shares.first().copied().unwrap_or(discount);
        Ok((net.checked_add(discount)?, discount))
    }
}

impl LockedOrder {
    /// What it is called: its name, or its id while it has none.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// The order as the books want it: goods and delivery without tax, before discounts, and the discounts.
    ///
    /// # Errors
    /// Too much to count.
    pub fn sale(&self) -> Result<Sale, MoneyError> {
        let sums = self.sums;
        let paid_for_goods = sums.subtotal.checked_sub(sums.discount)?;
        let (goods, off_goods) = sums.without_tax(paid_for_goods, sums.goods_tax, sums.discount)?;
        let (shipping, off_shipping) =
            sums.without_tax(sums.shipping, sums.shipping_tax, sums.shipping_discount)?;
        let discount = off_goods.checked_add(off_shipping)?;
        let (order, name) = (self.id, self.title());
        Ok(Sale { order, name, goods, shipping, discount, tax: sums.tax()?, total: sums.total })
    }
}

/// Where the money of an order stands, from the sums of its payment.
pub fn financial_status(
    total: Money,
    authorized: Money,
    captured: Money,
    refunded: Money,
    voided: bool,
) -> FinancialStatus {
    if !captured.is_positive() {
        return match (voided, authorized.is_positive()) {
            (true, _) => FinancialStatus::Voided,
            (false, true) => FinancialStatus::Authorized,
            (false, false) if total.is_zero() => FinancialStatus::Paid,
            (false, false) => FinancialStatus::Pending,
        };
    }
    if refunded.minor() >= captured.minor() {
        FinancialStatus::Refunded
    } else if refunded.is_positive() {
        FinancialStatus::PartiallyRefunded
    } else if captured.minor() < total.minor() {
        FinancialStatus::PartiallyPaid
    } else {
        FinancialStatus::Paid
    }
}

/// How to undo an order.
#[derive(Clone, Debug)]
pub struct CancelWish {
    pub reason: CancelReason,
    /// Put the goods back on the shelf; else they are written off.
    pub restock: bool,
    /// Give the money back; else it is kept for the shopper.
    pub refund: bool,
    pub note: Option<String>,
}

/// An entry of an order's timeline.
#[derive(Clone, Debug)]
pub struct Note {
    pub kind: &'static str,
    pub actor: String,
    pub details: serde_json::Value,
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn the_money_tells_its_status() {
        use FinancialStatus as F;
        let status = |a, c, r, voided| financial_status(eur(1000), eur(a), eur(c), eur(r), voided);
        assert_eq!(status(0, 0, 0, false), F::Pending);
        assert_eq!(status(1000, 0, 0, false), F::Authorized);
        assert_eq!(status(1000, 0, 0, true), F::Voided);
        assert_eq!(status(1000, 400, 0, false), F::PartiallyPaid);
        assert_eq!(status(1000, 1000, 0, false), F::Paid);
        assert_eq!(status(1000, 1000, 1, false), F::PartiallyRefunded);
        assert_eq!(status(1000, 1000, 1000, false), F::Refunded);
        assert_eq!(status(1000, 1000, 0, true), F::Paid);
        assert_eq!(financial_status(eur(0), eur(0), eur(0), eur(0), false), F::Paid);
    }

    #[test]
    fn what_may_be_done_follows_from_where_it_stands() {
        use AllowedAction as A;
        let fulfillment = FulfillmentStatus::Unfulfilled;
        let allowed = |state, financial, offline| {
            let unsent = state == OrderState::Open;
            Standing { state, financial, fulfillment, unsent, offline, free: false }.allowed_actions()
        };
        assert_eq!(allowed(OrderState::PendingPayment, FinancialStatus::Pending, false), [A::Cancel]);
        assert_eq!(
            allowed(OrderState::Open, FinancialStatus::Authorized, false),
            [A::Cancel, A::Capture, A::Fulfill]
        );
        assert_eq!(
            allowed(OrderState::Open, FinancialStatus::Pending, true),
            [A::Cancel, A::MarkPaid, A::Fulfill]
        );
        assert_eq!(
            allowed(OrderState::Open, FinancialStatus::Paid, true),
            [A::Cancel, A::Refund, A::Fulfill]
        );
        assert_eq!(allowed(OrderState::Open, FinancialStatus::Refunded, true), [A::Cancel, A::Fulfill]);
        assert_eq!(allowed(OrderState::Closed, FinancialStatus::PartiallyRefunded, true), [A::Refund]);
        assert_eq!(allowed(OrderState::Cancelled, FinancialStatus::Paid, true), []);
        let shipped = Standing {
            state: OrderState::Open,
            financial: FinancialStatus::Paid,
            fulfillment: FulfillmentStatus::Fulfilled,
            unsent: false,
            offline: false,
            free: false,
        };
        assert_eq!(shipped.allowed_actions(), [A::Refund]);
        assert_eq!(Standing { free: true, ..shipped }.allowed_actions(), []);
    }

    proptest! {
        /// Whatever the amounts: what the books get adds up to the total, with tax inside or on top.
        #[test]
        fn a_sale_for_the_books_adds_up(
            subtotal in 0_i64..1 << 40, shipping in 0_i64..1 << 40,
            discount in 0_i64..1 << 40, shipping_discount in 0_i64..1 << 40,
            goods_tax in 0_i64..1 << 30, shipping_tax in 0_i64..1 << 30, inclusive: bool,
        ) {
            let discount = discount.min(subtotal);
            let (goods_tax, shipping_tax) = if inclusive {
                (goods_tax.min(subtotal - discount), shipping_tax.min(shipping))
            } else {
                (goods_tax, shipping_tax)
            };
            let on_top = if inclusive { 0 } else { goods_tax + shipping_tax };
            let order = LockedOrder {
                id: OrderId::new(), cart: CartId::new(), number: None, name: None, state: OrderState::PendingPayment,
                financial_status: FinancialStatus::Pending, fulfillment_status: FulfillmentStatus::Unfulfilled,
                email: String::new(), shipping_title: None, shipping_address: None, billing_address: None, lines: Vec::new(),
                sums: Sums {
                    subtotal: eur(subtotal), discount: eur(discount), shipping: eur(shipping),
                    shipping_discount: eur(shipping_discount), goods_tax: eur(goods_tax), shipping_tax: eur(shipping_tax),
                    total: eur(subtotal - discount + shipping + on_top), credit: eur(0), prices_include_tax: inclusive,
                },
            };
            let sale = order.sale().unwrap();
            let net = sale.goods.minor() + sale.shipping.minor() - sale.discount.minor();
            prop_assert_eq!(net + sale.tax.minor(), sale.total.minor());
            prop_assert!((0..=discount + shipping_discount).contains(&sale.discount.minor()));
            prop_assert!(crate::ledger::rules::placed(&sale, DateTime::UNIX_EPOCH).is_ok());
        }
    }
}
