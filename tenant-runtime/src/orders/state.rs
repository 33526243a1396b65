//! The life of an order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// An attempt: agreed, not paid, without number.
    PendingPayment,
    /// Placed; work to do.
    Open,
    /// Done and put away.
    Closed,
    /// Undone, or never came about.
    Cancelled,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    Place,
    Close,
    Cancel,
}

/// The order cannot do that from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot {event:?}", from.as_str())]
pub struct IllegalTransition {
    pub from: OrderState,
    pub event: OrderEvent,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::PendingPayment, Self::Open, Self::Closed, Self::Cancelled];

    /// The state after `event`.
    ///
    /// # Errors
    /// The order cannot do that from where it stands.
    pub const fn on(self, event: OrderEvent) -> Result<Self, IllegalTransition> {
        use OrderEvent as E;
        use OrderState as S;
        match (self, event) {
            (S::PendingPayment, E::Place) => Ok(S::Open),
            (S::PendingPayment | S::Open, E::Cancel) => Ok(S::Cancelled),
            (S::Open, E::Close) => Ok(S::Closed),
            (S::Open | S::Closed | S::Cancelled, E::Place)
            | (S::PendingPayment | S::Closed | S::Cancelled, E::Close)
            | (S::Closed | S::Cancelled, E::Cancel) => Err(IllegalTransition { from: self, event }),
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`OrderState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_table() {
        let mut diagram = "stateDiagram-v2\n    [*] --> pending_payment\n".to_owned();
        for from in OrderState::ALL {
            for event in [OrderEvent::Place, OrderEvent::Close, OrderEvent::Cancel] {
                if let Ok(to) = from.on(event) {
                    writeln!(diagram, "    {} --> {}: {event:?}", from.as_str(), to.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(diagram);
    }

    #[test]
    fn stored_texts_read_back() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::parse(state.as_str()), Some(state));
        }
        assert_eq!(OrderState::parse("paid"), None);
    }

    #[test]
    fn a_refusal_says_why() {
        let refusal = OrderState::Cancelled.on(OrderEvent::Cancel).unwrap_err();
        assert_eq!(refusal.to_string(), "an order that is cancelled cannot Cancel");
    }
}
