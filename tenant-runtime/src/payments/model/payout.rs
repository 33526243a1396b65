//! What a provider pays out, and the movements in its own book that this is made of. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{Money, PaymentSessionId, RefundId};
use utoipa::ToSchema;

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutState {
    /// Decided, and not on its way yet.
    Pending,
    /// On its way to the bank.
    InTransit,
    /// At the bank.
    Paid,
    /// The bank did not take it, or sent it back days later.
    Failed,
    /// Called off before it left.
    Canceled,
}

impl PayoutState {
    const ALL: [Self; 5] = [Self::Pending, Self::InTransit, Self::Paid, Self::Failed, Self::Canceled];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Reads what [`PayoutState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the money stays, or is again, with the provider.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::InTransit => 1,
            Self::Paid => 2,
            Self::Failed | Self::Canceled => 3,
        }
    }

    /// The state after hearing of `told`: older news changes nothing, and what has ended has ended.
    #[must_use]
    pub const fn hearing(self, told: Self) -> Self {
        if told.rank() > self.rank() { told } else { self }
    }
}

/// What a provider says about a payout: all of it, every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutFact {
    /// The provider's name for it.
    pub reference: String,
    pub state: PayoutState,
    /// Below zero when the provider takes from the bank what it is owed.
    pub amount: Money,
    /// Whether the provider can tell what is in it.
    pub itemised: bool,
    /// The provider's word for why it failed: `account_closed`.
    pub failure_code: Option<String>,
    pub arrives_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// What moved the store's balance at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A payment was captured.
    Charge,
    /// Money went back to a shopper.
    Refund,
    /// A bank took money back, or gave it back.
    Dispute,
    /// The provider charges for something that is no single payment.
    Fee,
    /// An earlier payout came back.
    PayoutReturn,
    /// Anything else.
    Adjustment,
}

impl EntryKind {
    const ALL: [Self; 6] =
        [Self::Charge, Self::Refund, Self::Dispute, Self::Fee, Self::PayoutReturn, Self::Adjustment];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Fee => "fee",
            Self::PayoutReturn => "payout_return",
            Self::Adjustment => "adjustment",
        }
    }

    /// Reads what [`EntryKind::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A movement in the provider's own book, in the currency it pays out in. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceEntry {
    /// The provider's name for it.
    pub reference: String,
    pub kind: EntryKind,
    /// Before the fee; below zero when money left.
    pub gross: Money,
    /// What the provider kept of it.
    pub fee: Money,
    /// The provider's name for what it is about.
    pub source: Option<String>,
    /// The session of a charge, as we named it to the provider.
    pub session: Option<PaymentSessionId>,
    /// The refund, as we named it to the provider.
    pub refund: Option<RefundId>,
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is heard and in whatever order, a payout only goes forward, and the last that it can be wins.
        #[test]
        fn a_payout_never_goes_back(told in proptest::collection::vec(proptest::sample::select(PayoutState::ALL.to_vec()), 1..12)) {
            let mut state = PayoutState::Pending;
            for told in &told {
                let next = state.hearing(*told);
                prop_assert!(next.rank() >= state.rank() && next.rank() >= told.rank());
                state = next;
            }
            prop_assert_eq!(Some(state.rank()), told.iter().map(|told| told.rank()).max());
        }
    }

    #[test]
    fn stored_texts_read_back() {
        for state in PayoutState::ALL {
            assert_eq!(PayoutState::parse(state.as_str()), Some(state));
        }
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.as_str()), Some(kind));
        }
    }
}
