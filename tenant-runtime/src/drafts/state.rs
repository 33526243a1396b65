//! The life of a draft order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a draft order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftOrderState {
    /// Staff works on it.
    Open,
    /// The link to pay was mailed; staff may still change it.
    InvoiceSent,
    /// It is an order.
    Completed,
    /// Staff took it back.
    Cancelled,
    /// Nobody paid it in time.
    Expired,
}

/// What happens to a draft order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftOrderEvent {
    Edit,
    Send,
    Complete,
    Cancel,
    Expire,
}

impl DraftOrderState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::InvoiceSent, Self::Completed, Self::Cancelled, Self::Expired];

    /// The state after `event`; none if it cannot happen to a draft order that stands here.
    pub const fn on(self, event: DraftOrderEvent) -> Option<Self> {
        use DraftOrderEvent as E;
        match (self, event) {
            (Self::Open, E::Edit) => Some(Self::Open),
            (Self::InvoiceSent, E::Edit) | (Self::Open | Self::InvoiceSent, E::Send) => {
                Some(Self::InvoiceSent)
            }
            (Self::Open | Self::InvoiceSent, E::Complete) => Some(Self::Completed),
            (Self::Open | Self::InvoiceSent, E::Cancel) => Some(Self::Cancelled),
            (Self::Open | Self::InvoiceSent, E::Expire) => Some(Self::Expired),
            (
                Self::Completed | Self::Cancelled | Self::Expired,
                E::Edit | E::Send | E::Complete | E::Cancel | E::Expire,
            ) => None,
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InvoiceSent => "invoice_sent",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Reads what [`DraftOrderState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn what_is_over_stays_over_and_what_was_sent_stays_sent() {
        use DraftOrderEvent as E;
        use DraftOrderState as S;
        let all = [E::Edit, E::Send, E::Complete, E::Cancel, E::Expire];
        let next = |state: S| all.map(|event| state.on(event));
        let ends = [Some(S::Completed), Some(S::Cancelled), Some(S::Expired)];
        assert_eq!(next(S::Open), [Some(S::Open), Some(S::InvoiceSent), ends[0], ends[1], ends[2]]);
        assert_eq!(
            next(S::InvoiceSent),
            [Some(S::InvoiceSent), Some(S::InvoiceSent), ends[0], ends[1], ends[2]]
        );
        for over in [S::Completed, S::Cancelled, S::Expired] {
            assert_eq!(next(over), [None; 5]);
        }
    }

    #[test]
    fn stored_texts_read_back() {
        for state in DraftOrderState::ALL {
            assert_eq!(DraftOrderState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DraftOrderState::parse("paid"), None);
    }
}
