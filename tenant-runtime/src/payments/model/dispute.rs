//! What a shopper's bank takes back. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{DisputeId, Money, OrderId};
use utoipa::ToSchema;

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank asks; no money has moved.
    Inquiry,
    /// The money is gone for now; evidence may be given until `evidence_due_at`.
    NeedsResponse,
    /// The bank looks at the evidence.
    UnderReview,
    /// The money is back.
    Won,
    /// The money stays away.
    Lost,
    /// An inquiry ended without money moving.
    Closed,
}

impl DisputeState {
    const ALL: [Self; 6] =
        [Self::Inquiry, Self::NeedsResponse, Self::UnderReview, Self::Won, Self::Lost, Self::Closed];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Closed => "closed",
        }
    }

    /// Reads what [`DisputeState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the bank has taken the money, for now or for good, or has had it.
    pub const fn has_taken(self) -> bool {
        matches!(self, Self::NeedsResponse | Self::UnderReview | Self::Won | Self::Lost)
    }

    /// Whether nothing follows.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Closed)
    }

    const fn rank(self) -> u8 {
        match self {
            // An inquiry that was closed may become a dispute after all; what a bank has decided stays.
            Self::Inquiry | Self::Closed => 0,
            Self::NeedsResponse => 1,
            Self::UnderReview => 2,
            Self::Won | Self::Lost => 3,
        }
    }

    /// The state after hearing of `told`: older news changes nothing, and what is decided is decided once.
    #[must_use]
    pub const fn hearing(self, told: Self) -> Self {
        let newer = told.rank() > self.rank();
        let closes = matches!((self, told), (Self::Inquiry, Self::Closed));
        if newer || closes { told } else { self }
    }
}

/// What a provider says about a dispute: all of it, every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeFact {
    /// The provider's name for it.
    pub reference: String,
    pub state: DisputeState,
    pub amount: Money,
    /// What the provider takes for it, in the currency it settles in.
    pub fee: Option<Money>,
    /// The bank's word: `fraudulent`.
    pub reason: String,
    pub evidence_due_at: Option<DateTime<Utc>>,
    pub opened_at: DateTime<Utc>,
}

/// What there is to do after a dispute was heard of. Each is true once in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisputeNews {
    /// There is a dispute, or an inquiry.
    pub opened: bool,
    /// The money is gone, for now.
    pub taken: bool,
    /// The money is back.
    pub won: bool,
    /// The money stays away.
    pub lost: bool,
}

impl DisputeNews {
    /// What is new about `now` for whoever knew `before`.
    pub fn between(before: Option<DisputeState>, now: DisputeState) -> Self {
        let was = |is: fn(DisputeState) -> bool| before.is_some_and(is);
        Self {
            opened: before.is_none(),
            taken: now.has_taken() && !was(DisputeState::has_taken),
            won: now == DisputeState::Won && before != Some(DisputeState::Won),
            lost: now == DisputeState::Lost && before != Some(DisputeState::Lost),
        }
    }
}

/// A dispute as staff sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DisputeView {
    pub id: DisputeId,
    pub order: OrderId,
    #[schema(example = "stripe")]
    pub provider: String,
    /// The provider's name for it.
    #[schema(example = "dp_1Souk4242")]
    pub reference: String,
    pub state: DisputeState,
    pub amount: Money,
    /// What the provider takes for it, in the currency it settles in.
    pub fee: Option<Money>,
    /// The bank's word.
    #[schema(example = "fraudulent")]
    pub reason: String,
    /// Give evidence at the provider until then.
    pub evidence_due_at: Option<DateTime<Utc>>,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_state() -> impl Strategy<Value = DisputeState> {
        proptest::sample::select(DisputeState::ALL.to_vec())
    }

    proptest! {
        /// However often and in whatever order states are heard, money is taken once, and comes back or is lost once.
        #[test]
        fn each_piece_of_news_comes_once(told in proptest::collection::vec(any_state(), 1..12)) {
            let (mut state, mut sum) = (None, [0_u32; 4]);
            for told in told {
                let now = state.map_or(told, |state: DisputeState| state.hearing(told));
                let news = DisputeNews::between(state, now);
                for (count, is) in sum.iter_mut().zip([news.opened, news.taken, news.won, news.lost]) {
                    *count += u32::from(is);
                }
                state = Some(now);
            }
            let [opened, taken, won, lost] = sum;
            prop_assert_eq!(opened, 1);
            prop_assert!(taken <= 1 && won + lost <= taken);
        }
    }

    #[test]
    fn stored_texts_read_back() {
        for state in DisputeState::ALL {
            assert_eq!(DisputeState::parse(state.as_str()), Some(state));
        }
    }
}
