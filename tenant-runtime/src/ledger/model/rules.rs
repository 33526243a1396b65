//! Which entry each fact of a sale makes.

use chrono::{DateTime, Utc};
use souk_kernel::{DisputeId, Money, OrderId, RefundId};
use uuid::Uuid;

use super::AccountCode::{
    AccountsReceivable, CashClearing, CreditGranted, CreditPayable, CustomerPrepayments, DiscountsGiven,
    DisputedPayments, LostDisputes, PaymentFees, RefundsPayable, Sales, SalesReturns, SalesTaxPayable,
    ShippingIncome,
};
use super::{Entry, UnbalancedEntry};

/// What was agreed, split the way the books want it. `goods`, `shipping` and `discount` are without tax, the first two before the
/// discount, and `goods + shipping − discount + tax = total`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    pub order: OrderId,
    pub name: String,
    pub goods: Money,
    pub shipping: Money,
    pub discount: Money,
    pub tax: Money,
    pub total: Money,
}

/// A sale for nothing moves nothing: no entry.
type Booked = Result<Option<Entry>, UnbalancedEntry>;

/// An order was placed: Dr 1100 total, Dr 4800 discount · Cr 4000 goods, Cr 4100 shipping, Cr 2200 tax. `None` for an order of what
/// costs nothing.
pub fn placed(sale: &Sale, at: DateTime<Utc>) -> Booked {
    if sale.total.is_zero() && sale.discount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("sale:{}", sale.order), "sale", sale.total.currency(), at)
        .order(sale.order)
        .description(format!("Order {}", sale.name))
        .debit(AccountsReceivable, sale.total)?
        .debit(DiscountsGiven, sale.discount)?
        .credit(Sales, sale.goods)?
        .credit(ShippingIncome, sale.shipping)?
        .credit(SalesTaxPayable, sale.tax)?
        .close()
        .map(Some)
}

/// A placed order was cancelled: Dr 4900 goods and shipping after the discount, Dr 2200 tax · Cr 1100 total. If it had been paid,
/// 1100 is now below zero until [`refund_promised`] or [`kept`] says what becomes of the money.
pub fn cancelled(sale: &Sale, at: DateTime<Utc>) -> Booked {
    let fact = format!("cancellation:{}", sale.order);
    reversed(sale, fact, "cancellation", format!("Order {} cancelled", sale.name), at)
}

/// A part of a sale comes back: as [`cancelled`], for that part.
pub fn returned(back: &Sale, refund: RefundId, at: DateTime<Utc>) -> Booked {
    let description = format!("Part of order {} given back", back.name);
    reversed(back, format!("return:{refund}"), "return", description, at)
}

fn reversed(sale: &Sale, fact: String, kind: &'static str, description: String, at: DateTime<Utc>) -> Booked {
    if sale.total.is_zero() {
        return Ok(None);
    }
    Entry::draft(fact, kind, sale.total.currency(), at)
        .order(sale.order)
        .description(description)
        .debit(SalesReturns, sale.goods.checked_add(sale.shipping)?.checked_sub(sale.discount)?)?
        .debit(SalesTaxPayable, sale.tax)?
        .credit(AccountsReceivable, sale.total)?
        .close()
        .map(Some)
}

/// Where captured money, or money to be given back, belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The order is in the books: the money settles its receivable.
    Sale,
    /// No sale asks for it (the order never came about, or was cancelled before the money came).
    NoSale,
}

impl Claim {
    const fn account(self) -> super::AccountCode {
        match self {
            Self::Sale => AccountsReceivable,
            Self::NoSale => CustomerPrepayments,
        }
    }
}

/// Money arrived: Dr 1000 · Cr 1100 (or 2100 when no sale asks for it). `key` names the capture.
pub fn captured(order: OrderId, key: &str, amount: Money, claim: Claim, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("capture:{key}"), "capture", amount.currency(), at)
        .order(order)
        .description("Payment captured")
        .debit(CashClearing, amount)?
        .credit(claim.account(), amount)?
        .close()
        .map(Some)
}

/// We owe the shopper this: Dr 1100 (or 2100) · Cr 2300.
pub fn refund_promised(
    order: OrderId,
    refund: RefundId,
    amount: Money,
    claim: Claim,
    at: DateTime<Utc>,
) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("refund_promised:{refund}"), "refund_promised", amount.currency(), at)
        .order(order)
        .description("Refund promised")
        .debit(claim.account(), amount)?
        .credit(RefundsPayable, amount)?
        .close()
        .map(Some)
}

/// It left: Dr 2300 · Cr 1000. A refund the provider refuses stays owed on 2300.
pub fn refunded(order: OrderId, refund: RefundId, amount: Money, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("refund:{refund}"), "refund", amount.currency(), at)
        .order(order)
        .description("Refund paid out")
        .debit(RefundsPayable, amount)?
        .credit(CashClearing, amount)?
        .close()
        .map(Some)
}

/// A shopper's bank took money back, for now: Dr 1300 · Cr 1000.
pub fn disputed(order: OrderId, dispute: DisputeId, amount: Money, at: DateTime<Utc>) -> Booked {
    moved((order, dispute), "disputed", "Payment disputed", (DisputedPayments, CashClearing), amount, at)
}

/// What the provider takes for a dispute, in the currency it settles in: Dr 6200 · Cr 1000.
pub fn dispute_fee(order: OrderId, dispute: DisputeId, fee: Money, at: DateTime<Utc>) -> Booked {
    moved((order, dispute), "dispute_fee", "Fee of a dispute", (PaymentFees, CashClearing), fee, at)
}

/// The bank gave it back: Dr 1000 · Cr 1300.
pub fn dispute_won(order: OrderId, dispute: DisputeId, amount: Money, at: DateTime<Utc>) -> Booked {
    moved((order, dispute), "dispute_won", "Dispute won", (CashClearing, DisputedPayments), amount, at)
}

/// The bank keeps it: Dr 6300 · Cr 1300.
pub fn dispute_lost(order: OrderId, dispute: DisputeId, amount: Money, at: DateTime<Utc>) -> Booked {
    moved((order, dispute), "dispute_lost", "Dispute lost", (LostDisputes, DisputedPayments), amount, at)
}

fn moved(
    (order, dispute): (OrderId, DisputeId),
    kind: &'static str,
    description: &str,
    (debit, credit): (super::AccountCode, super::AccountCode),
    amount: Money,
    at: DateTime<Utc>,
) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("{kind}:{dispute}"), kind, amount.currency(), at)
        .order(order)
        .description(description)
        .debit(debit, amount)?
        .credit(credit, amount)?
        .close()
        .map(Some)
}

/// A paid order was cancelled and the money kept for now: Dr 1100 · Cr 2100.
pub fn kept(order: OrderId, amount: Money, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("kept:{order}"), "kept", amount.currency(), at)
        .order(order)
        .description("Payment of a cancelled order kept")
        .debit(AccountsReceivable, amount)?
        .credit(CustomerPrepayments, amount)?
        .close()
        .map(Some)
}

/// A gift card or store credit was issued: Dr 1000 when somebody paid for it, else Dr 6100 · Cr 2400. `entry` names the movement.
pub fn credit_issued(entry: Uuid, amount: Money, sold: bool, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("credit_issued:{entry}"), "credit_issued", amount.currency(), at)
        .description("Gift card or store credit issued")
        .debit(if sold { CashClearing } else { CreditGranted }, amount)?
        .credit(CreditPayable, amount)?
        .close()
        .map(Some)
}

/// An order was paid with it, in whole or in part: Dr 2400 · Cr 1100.
pub fn credit_spent(order: OrderId, amount: Money, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("credit_spent:{order}"), "credit_spent", amount.currency(), at)
        .order(order)
        .description("Paid with gift card or store credit")
        .debit(CreditPayable, amount)?
        .credit(AccountsReceivable, amount)?
        .close()
        .map(Some)
}

/// A cancelled order gave it back: Dr 1100 · Cr 2400.
pub fn credit_returned(order: OrderId, amount: Money, at: DateTime<Utc>) -> Booked {
    if amount.is_zero() {
        return Ok(None);
    }
    Entry::draft(format!("credit_returned:{order}"), "credit_returned", amount.currency(), at)
        .order(order)
        .description("Gift card or store credit given back")
        .debit(AccountsReceivable, amount)?
        .credit(CreditPayable, amount)?
        .close()
        .map(Some)
}
