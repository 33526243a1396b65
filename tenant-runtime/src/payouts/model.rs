//! What an entry of a provider's book means for ours. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use souk_kernel::{DisputeId, Money, MoneyError, OrderId, PaymentId, PayoutEntryId, PayoutId, RefundId};
use utoipa::ToSchema;

use super::error::PayoutError;
use crate::ledger::{Entry, LedgerError, rules};
use crate::payments::{EntryKind, PayoutState};

/// How far an entry is in our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booked {
    /// Nothing yet: what it belongs to may still be on its way.
    NotYet,
    /// With what it belongs to.
    Allocated,
    /// Paid out, and nothing here explains it.
    Unallocated,
}

impl Booked {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::Allocated => "allocated",
            Self::Unallocated => "unallocated",
        }
    }

    /// Reads what [`Booked::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NotYet, Self::Allocated, Self::Unallocated].into_iter().find(|one| one.as_str() == text)
    }
}

/// What an entry belongs to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub order: OrderId,
    pub payment: PaymentId,
    pub refund: Option<RefundId>,
    pub dispute: Option<DisputeId>,
    /// As it was agreed with the shopper; above zero whichever way the money went.
    pub amount: Money,
}

/// An entry as it stands, locked.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub id: PayoutEntryId,
    pub kind: EntryKind,
    pub gross: Money,
    pub fee: Money,
    pub booked: Booked,
    pub is_paid_out: bool,
    pub origin: Option<Origin>,
}

impl Standing {
    /// What to book now, and how far the entry is then; `None` when there is no news. The gross amount in the shopper's currency is in the books
    /// with the capture, the refund or the dispute; what is added here is the fee and the way into the currency of the payout.
    ///
    /// # Errors
    /// Amounts that cannot be counted.
    pub fn news(&self, now: DateTime<Utc>) -> Result<Option<(Booked, Vec<Entry>)>, PayoutError> {
        let net = self.gross.checked_sub(self.fee)?;
        // The provider's own fees, and payouts that came back, need no payment to be understood.
        let explained =
            self.origin.is_some() || matches!(self.kind, EntryKind::Fee | EntryKind::PayoutReturn);
        let mut entries = Vec::new();
        match (self.booked, explained) {
            (Booked::Allocated, _) | (Booked::Unallocated, false) => return Ok(None),
            (Booked::NotYet, false) if !self.is_paid_out => return Ok(None),
            (Booked::NotYet, false) => {
                entries.extend(rules::unallocated(self.id, net, now).map_err(LedgerError::from)?);
                return Ok(Some((Booked::Unallocated, entries)));
            }
            (Booked::Unallocated, true) => {
                entries.extend(rules::allocated(self.id, net, now).map_err(LedgerError::from)?);
            }
            (Booked::NotYet, true) => {}
        }
        let order = self.origin.map(|origin| origin.order);
        entries.extend(rules::fee_kept(order, self.id, self.cost(net)?, now).map_err(LedgerError::from)?);
        if let Some(origin) = self.origin.filter(|origin| origin.amount.currency() != self.gross.currency()) {
            let left = if self.gross.is_positive() { origin.amount } else { origin.amount.negated()? };
            entries.extend(rules::exchanged_from(order, self.id, left, now).map_err(LedgerError::from)?);
            entries.extend(rules::exchanged_to(order, self.id, self.gross, now).map_err(LedgerError::from)?);
        }
        Ok(Some((Booked::Allocated, entries)))
    }

    /// What the provider kept for itself. The fee of a dispute is booked with the dispute, unless it is given back.
    fn cost(&self, net: Money) -> Result<Money, MoneyError> {
        match self.kind {
            EntryKind::Fee => net.negated(),
            EntryKind::Dispute if self.fee.is_positive() => Ok(Money::zero(self.fee.currency())),
            EntryKind::Charge
            | EntryKind::Refund
            | EntryKind::Dispute
            | EntryKind::PayoutReturn
            | EntryKind::Adjustment => Ok(self.fee),
        }
    }
}

/// A payout as staff sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutView {
    pub id: PayoutId,
    #[schema(example = "stripe")]
    pub provider: String,
    /// The provider's name for it.
    #[schema(example = "po_1Souk4242")]
    pub reference: String,
    pub state: PayoutState,
    /// Below zero when the provider takes from the bank what it is owed.
    pub amount: Money,
    /// The provider's word for why it failed.
    pub failure_code: Option<String>,
    pub arrives_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// When we learned that it is at the bank.
    pub paid_at: Option<DateTime<Utc>>,
    /// When we learned that it failed or was called off.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A payout held against what is known here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutDetail {
    pub payout: PayoutView,
    pub reconciliation: Reconciliation,
    /// What it is made of, at most 1,000: what matches nothing first, then the oldest. The file has all of them.
    pub entries: Vec<PayoutEntryView>,
}

/// Whether a payout is what its entries say, and whether each of them is known here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Whether the provider tells what is in it; of a payout that somebody asked for it does not.
    pub itemised: bool,
    pub entry_count: i64,
    /// Entries that belong to no payment, refund or dispute of this store.
    pub unmatched_count: i64,
    pub gross: Money,
    pub fee: Money,
    pub net: Money,
    /// The payout's amount less `net`: zero once everything is known.
    pub difference: Money,
    /// Nothing is missing and nothing is unmatched.
    pub complete: bool,
}

/// A movement in the provider's book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutEntryView {
    pub id: PayoutEntryId,
    /// The provider's name for it.
    #[schema(example = "txn_1Souk4242")]
    pub reference: String,
    pub kind: EntryKind,
    /// Before the fee; below zero when money left.
    pub gross: Money,
    pub fee: Money,
    pub net: Money,
    /// The provider's name for what it is about.
    #[schema(example = "ch_1Souk4242")]
    pub source: Option<String>,
    /// Whether it is known what it belongs to.
    pub matched: bool,
    pub order: Option<OrderId>,
    pub refund: Option<RefundId>,
    pub dispute: Option<DisputeId>,
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const KINDS: [EntryKind; 6] = [
        EntryKind::Charge,
        EntryKind::Refund,
        EntryKind::Dispute,
        EntryKind::Fee,
        EntryKind::PayoutReturn,
        EntryKind::Adjustment,
    ];

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, currency.parse().unwrap())
    }

    fn sums(entries: &[Entry]) -> BTreeMap<(&'static str, String), i64> {
        let mut sums = BTreeMap::new();
        for line in entries.iter().flat_map(Entry::lines) {
            let key = (line.account().code(), line.amount().currency().to_string());
            *sums.entry(key).or_insert(0) += line.amount().minor();
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }

    proptest! {
        /// However an entry becomes known, first as a stranger or at once with what it belongs to: the same is booked in the end, the fee is an
        /// expense once, and what the provider owes changes by exactly what the books did not know.
        #[test]
        fn fees_and_exchange_add_up_whatever_is_known_first(
            kind in proptest::sample::select(KINDS.to_vec()),
            gross in -1_000_000_000_i64..1_000_000_000,
            fee in -1_000_000_i64..1_000_000,
            agreed in 1_i64..1_000_000_000,
            changed in any::<bool>(),
        ) {
            prop_assume!(gross != 0);
            let now = DateTime::UNIX_EPOCH;
            let agreed = if changed { money(agreed, "USD") } else { money(gross.abs(), "EUR") };
            let origin = Origin { order: OrderId::new(), payment: PaymentId::new(), refund: None, dispute: None, amount: agreed };
            let known = Standing {
                id: PayoutEntryId::new(),
                kind,
                gross: money(gross, "EUR"),
                fee: money(fee, "EUR"),
                booked: Booked::NotYet,
                is_paid_out: true,
                origin: Some(origin),
            };
            let (booked, at_once) = known.news(now).unwrap().unwrap();
            prop_assert_eq!(booked, Booked::Allocated);
            let again = Standing { booked, ..known };
            prop_assert!(again.news(now).unwrap().is_none());
            let stranger = Standing { origin: None, ..known };
            let (booked, mut slowly) = stranger.news(now).unwrap().unwrap();
            if booked == Booked::Unallocated {
                let after_fees = BTreeMap::from([(("1000", "EUR".to_owned()), gross - fee), (("2500", "EUR".to_owned()), fee - gross)]);
                prop_assert_eq!(sums(&slowly).get(&("1000", "EUR".to_owned())).copied().unwrap_or(0), gross - fee);
                prop_assert!(gross == fee || sums(&slowly) == after_fees);
                let again = Standing { booked, ..stranger };
                prop_assert!(again.news(now).unwrap().is_none());
                slowly.extend(Standing { booked, ..known }.news(now).unwrap().unwrap().1);
                prop_assert_eq!(sums(&slowly), sums(&at_once));
            }
            let cost = match kind {
                EntryKind::Fee => fee - gross,
                EntryKind::Dispute => fee.min(0),
                _ => fee,
            };
            let expense = sums(&at_once).get(&("6200", "EUR".to_owned())).copied().unwrap_or(0);
            prop_assert_eq!(expense, cost);
            let owed = sums(&at_once).get(&("1000", "EUR".to_owned())).copied().unwrap_or(0);
            prop_assert_eq!(owed, if changed { gross - cost } else { -cost });
        }
    }

    #[test]
    fn what_is_not_paid_out_yet_waits_for_its_payment() {
        let standing = Standing {
            id: PayoutEntryId::new(),
            kind: EntryKind::Charge,
            gross: money(1490, "EUR"),
            fee: money(73, "EUR"),
            booked: Booked::NotYet,
            is_paid_out: false,
            origin: None,
        };
        assert!(standing.news(DateTime::UNIX_EPOCH).unwrap().is_none());
    }
}
