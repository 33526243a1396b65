//! The chart of accounts, what an entry is, and which entry each business fact makes.
//!
//! | Code | Account | Kind | Debit (+) when | Credit (−) when |
//! |---|---|---|---|---|
//! | 1000 | Cash clearing | asset | a provider captured money for us | a refund left |
//! | 1100 | Accounts receivable | asset | a sale is agreed | it is paid, or cancelled |
//! | 1300 | Disputed payments | asset | a shopper's bank took money back, for now | it is decided: the money came back, or is lost |
//! | 2100 | Customer prepayments | liability | it is given back or used | money came that no sale asks for |
//! | 2200 | Sales tax payable | liability | a sale is cancelled | a sale is agreed |
//! | 2300 | Refunds payable | liability | a refund left | we decided to give money back |
//! | 2400 | Gift cards and store credit | liability | it is spent | it is issued, or returned by a cancelled order |
//! | 4000 | Sales | revenue | – | a sale is agreed: goods without tax |
//! | 4100 | Shipping income | revenue | – | a sale is agreed: delivery without tax |
//! | 4800 | Discounts given | revenue | a sale is agreed: what is taken off goods and delivery, without tax | – |
//! | 4900 | Sales returns | revenue | a sale is cancelled, or a part of it refunded: goods and delivery without tax | – |
//! | 6100 | Credit granted | expense | credit is given away | – |
//! | 6200 | Payment fees | expense | a provider takes something for its work | – |
//! | 6300 | Lost disputes | expense | a bank keeps what it took | – |
//!
//! Every fact is booked once: `fact` is unique in the journal. What was booked is never changed; it is reversed.

pub mod rules;

use chrono::{DateTime, Utc};
use souk_kernel::{Currency, Money, MoneyError, OrderId};

/// The side of the balance an account lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    Asset,
    Liability,
    Equity,
    Revenue,
    Expense,
}

impl AccountKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Revenue => "revenue",
            Self::Expense => "expense",
        }
    }
}

/// The accounts our own posting rules use. A merchant may have more; these are opened on first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountCode {
    CashClearing,
    AccountsReceivable,
    DisputedPayments,
    CustomerPrepayments,
    SalesTaxPayable,
    RefundsPayable,
    CreditPayable,
    Sales,
    ShippingIncome,
    DiscountsGiven,
    SalesReturns,
    CreditGranted,
    PaymentFees,
    LostDisputes,
}

impl AccountCode {
    /// The number bookkeepers know it by.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CashClearing => "1000",
            Self::AccountsReceivable => "1100",
            Self::DisputedPayments => "1300",
            Self::CustomerPrepayments => "2100",
            Self::SalesTaxPayable => "2200",
            Self::RefundsPayable => "2300",
            Self::CreditPayable => "2400",
            Self::Sales => "4000",
            Self::ShippingIncome => "4100",
            Self::DiscountsGiven => "4800",
            Self::SalesReturns => "4900",
            Self::CreditGranted => "6100",
            Self::PaymentFees => "6200",
            Self::LostDisputes => "6300",
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CashClearing => "Cash clearing",
            Self::AccountsReceivable => "Accounts receivable",
            Self::DisputedPayments => "Disputed payments",
            Self::CustomerPrepayments => "Customer prepayments",
            Self::SalesTaxPayable => "Sales tax payable",
            Self::RefundsPayable => "Refunds payable",
            Self::CreditPayable => "Gift cards and store credit",
            Self::Sales => "Sales",
            Self::ShippingIncome => "Shipping income",
            Self::DiscountsGiven => "Discounts given",
            Self::SalesReturns => "Sales returns",
            Self::CreditGranted => "Credit granted",
            Self::PaymentFees => "Payment fees",
            Self::LostDisputes => "Lost disputes",
        }
    }

    /// Its side of the balance.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::CashClearing | Self::AccountsReceivable | Self::DisputedPayments => AccountKind::Asset,
            Self::CustomerPrepayments
            | Self::SalesTaxPayable
            | Self::RefundsPayable
            | Self::CreditPayable => AccountKind::Liability,
            Self::CreditGranted | Self::PaymentFees | Self::LostDisputes => AccountKind::Expense,
            Self::Sales | Self::ShippingIncome | Self::DiscountsGiven | Self::SalesReturns => {
                AccountKind::Revenue
            }
        }
    }
}

/// One side of an entry: a signed amount on an account, debits positive. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    account: AccountCode,
    amount: Money,
}

impl Line {
    /// The account.
    pub const fn account(self) -> AccountCode {
        self.account
    }

    /// Debits positive, credits negative.
    pub const fn amount(self) -> Money {
        self.amount
    }
}

/// A balanced journal entry in one currency, ready to be posted. Only [`Draft::close`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    fact: String,
    kind: &'static str,
    description: String,
    order: Option<OrderId>,
    at: DateTime<Utc>,
    lines: Vec<Line>,
}

impl Entry {
    /// The business fact this books, unique in the journal: `sale:ord_…`.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// The sort of fact: `sale`, `capture`, `cancellation`, `return`, `refund_promised`, `refund`, `kept`.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// For people.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The order it belongs to.
    pub const fn order(&self) -> Option<OrderId> {
        self.order
    }

    /// When the fact happened.
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// At least two lines, adding up to zero.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Starts an entry.
    pub fn draft(fact: String, kind: &'static str, currency: Currency, at: DateTime<Utc>) -> Draft {
        let entry = Self { fact, kind, description: String::new(), order: None, at, lines: Vec::new() };
        Draft { entry, currency, sum: 0 }
    }
}

/// An entry being written.
#[derive(Clone, Debug)]
pub struct Draft {
    entry: Entry,
    currency: Currency,
    // i128: the sum of a few 64-bit amounts cannot overflow, and the database sees each line as 64 bits.
    sum: i128,
}

/// Why an entry could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnbalancedEntry {
    /// Debits and credits differ by this much.
    #[error("entry {fact} is off by {off}")]
    OffBy { fact: String, off: i128 },
    /// An entry without a line moves nothing and is not a fact.
    #[error("entry {0} has no lines")]
    Empty(String),
    /// An amount that cannot be counted.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Draft {
    /// For the bookkeeper.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.entry.description = text.into();
        self
    }

    /// The order it belongs to.
    #[must_use]
    pub fn order(mut self, order: OrderId) -> Self {
        self.entry.order = Some(order);
        self
    }

    /// Debits an account; zero is left out.
    ///
    /// # Errors
    /// Another currency than the entry's.
    pub fn debit(self, account: AccountCode, amount: Money) -> Result<Self, UnbalancedEntry> {
        self.line(account, amount)
    }

    /// Credits an account; zero is left out.
    ///
    /// # Errors
    /// Another currency than the entry's, or an amount without opposite.
    pub fn credit(self, account: AccountCode, amount: Money) -> Result<Self, UnbalancedEntry> {
        let amount = amount.negated()?;
        self.line(account, amount)
    }

    fn line(mut self, account: AccountCode, amount: Money) -> Result<Self, UnbalancedEntry> {
        // Adding to zero is how Money says "the same currency?".
        Money::zero(self.currency).checked_add(amount)?;
        if !amount.is_zero() {
            self.sum += i128::from(amount.minor());
            self.entry.lines.push(Line { account, amount });
        }
        Ok(self)
    }

    /// The finished entry.
    ///
    /// # Errors
    /// Debits and credits differ, or there are none.
    pub fn close(self) -> Result<Entry, UnbalancedEntry> {
        if self.entry.lines.is_empty() {
            Err(UnbalancedEntry::Empty(self.entry.fact))
        } else if self.sum != 0 {
            Err(UnbalancedEntry::OffBy { fact: self.entry.fact, off: self.sum })
        } else {
            Ok(self.entry)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use souk_kernel::RefundId;

    use super::rules::{Claim, Sale};
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn sale(goods: i64, shipping: i64, tax: i64) -> Sale {
        Sale {
            order: OrderId::new(),
            name: "#1001".to_owned(),
            goods: eur(goods),
            shipping: eur(shipping),
            discount: eur(0),
            tax: eur(tax),
            total: eur(goods + shipping + tax),
        }
    }

    fn balances<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> BTreeMap<&'static str, i64> {
        let mut balances = BTreeMap::new();
        for line in entries.into_iter().flat_map(Entry::lines) {
            *balances.entry(line.account().code()).or_insert(0) += line.amount().minor();
        }
        balances.retain(|_, balance| *balance != 0);
        balances
    }

    #[test]
    fn a_sale_paid_and_refunded_leaves_only_revenue_and_its_return() {
        let at = DateTime::UNIX_EPOCH;
        let sale = sale(1000, 490, 283);
        let refund = RefundId::new();
        let entries: Vec<Entry> = [
            rules::placed(&sale, at),
            rules::captured(sale.order, "k", sale.total, Claim::Sale, at),
            rules::cancelled(&sale, at),
            rules::refund_promised(sale.order, refund, sale.total, Claim::Sale, at),
            rules::refunded(sale.order, refund, sale.total, at),
        ]
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
        assert_eq!(
            balances(&entries[..1]),
            [("1100", 1773), ("2200", -283), ("4000", -1000), ("4100", -490)].into()
        );
        assert_eq!(
            balances(&entries[..2]),
            [("1000", 1773), ("2200", -283), ("4000", -1000), ("4100", -490)].into()
        );
        assert_eq!(balances(&entries), [("4000", -1000), ("4100", -490), ("4900", 1490)].into());
    }

    #[test]
    fn a_discount_is_a_sale_at_full_price_and_what_was_taken_off() {
        let at = DateTime::UNIX_EPOCH;
        let discounted = Sale { discount: eur(200), total: eur(1573), ..sale(1000, 490, 283) };
        let placed = rules::placed(&discounted, at).unwrap().unwrap();
        let books = [("1100", 1573), ("2200", -283), ("4000", -1000), ("4100", -490), ("4800", 200)];
        assert_eq!(balances([&placed]), books.into());
        let cancelled = rules::cancelled(&discounted, at).unwrap().unwrap();
        let books = [("4000", -1000), ("4100", -490), ("4800", 200), ("4900", 1290)];
        assert_eq!(balances([&placed, &cancelled]), books.into());
        let given = Sale { discount: eur(1490), total: eur(0), ..sale(1000, 490, 0) };
        let placed = rules::placed(&given, at).unwrap().unwrap();
        assert_eq!(balances([&placed]), [("4000", -1000), ("4100", -490), ("4800", 1490)].into());
        assert_eq!(rules::cancelled(&given, at), Ok(None));
    }

    #[test]
    fn money_without_a_sale_goes_round_without_touching_revenue() {
        let (order, refund, at) = (OrderId::new(), RefundId::new(), DateTime::UNIX_EPOCH);
        let entries: Vec<Entry> = [
            rules::captured(order, "k", eur(500), Claim::NoSale, at),
            rules::refund_promised(order, refund, eur(500), Claim::NoSale, at),
            rules::refunded(order, refund, eur(500), at),
        ]
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
        assert_eq!(balances(&entries[..1]), [("1000", 500), ("2100", -500)].into());
        assert_eq!(balances(&entries), BTreeMap::new());
    }

    #[test]
    fn an_entry_that_does_not_balance_cannot_be_made() {
        let draft = || Entry::draft("x".to_owned(), "sale", "EUR".parse().unwrap(), DateTime::UNIX_EPOCH);
        let off = draft()
            .debit(AccountCode::CashClearing, eur(2))
            .unwrap()
            .credit(AccountCode::Sales, eur(1))
            .unwrap();
        assert_eq!(off.close(), Err(UnbalancedEntry::OffBy { fact: "x".to_owned(), off: 1 }));
        assert_eq!(draft().close(), Err(UnbalancedEntry::Empty("x".to_owned())));
        let yen = Money::new(1, "JPY".parse().unwrap());
        assert!(matches!(draft().debit(AccountCode::Sales, yen), Err(UnbalancedEntry::Money(_))));
        let mut wrong = sale(1, 1, 1);
        wrong.tax = eur(2);
        assert!(rules::placed(&wrong, DateTime::UNIX_EPOCH).is_err());
    }

    #[test]
    fn a_free_order_is_no_entry() {
        assert_eq!(rules::placed(&sale(0, 0, 0), DateTime::UNIX_EPOCH), Ok(None));
    }

    proptest! {
        #[test]
        fn every_entry_balances(goods in 0_i64..1 << 40, shipping in 0_i64..1 << 40, tax in 0_i64..1 << 40) {
            let at = DateTime::UNIX_EPOCH;
            let sale = sale(goods, shipping, tax);
            let refund = RefundId::new();
            for entry in [
                rules::placed(&sale, at),
                rules::cancelled(&sale, at),
                rules::returned(&sale, refund, at),
                rules::captured(sale.order, "k", sale.total, Claim::Sale, at),
                rules::captured(sale.order, "k", sale.total, Claim::NoSale, at),
                rules::refund_promised(sale.order, refund, sale.total, Claim::Sale, at),
                rules::refunded(sale.order, refund, sale.total, at),
                rules::kept(sale.order, sale.total, at),
                rules::credit_issued(uuid::Uuid::nil(), sale.total, true, at),
                rules::credit_issued(uuid::Uuid::nil(), sale.total, false, at),
                rules::credit_spent(sale.order, sale.total, at),
                rules::credit_returned(sale.order, sale.total, at),
            ] {
                let Some(entry) = entry.unwrap() else { continue };
                prop_assert_eq!(entry.lines().iter().map(|line| i128::from(line.amount().minor())).sum::<i128>(), 0);
                prop_assert!(entry.lines().len() >= 2);
                prop_assert!(entry.lines().iter().all(|line| !line.amount().is_zero()));
            }
        }
    }
}
