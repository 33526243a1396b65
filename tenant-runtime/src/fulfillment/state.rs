//! The life of a fulfillment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a fulfillment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentState {
    /// It left the house.
    Success,
    /// It did not leave after all.
    Cancelled,
}

/// What happens to a fulfillment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FulfillmentEvent {
    /// Its tracking is known better.
    Track,
    Cancel,
}

/// The fulfillment cannot do that from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fulfillment that is {} cannot {event:?}", from.as_str())]
pub struct IllegalTransition {
    pub from: FulfillmentState,
    pub event: FulfillmentEvent,
}

impl FulfillmentState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Success, Self::Cancelled];

    /// The state after `event`.
    ///
    /// # Errors
    /// The fulfillment cannot do that from where it stands.
    pub const fn on(self, event: FulfillmentEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Success, FulfillmentEvent::Track) => Ok(Self::Success),
            (Self::Success, FulfillmentEvent::Cancel) => Ok(Self::Cancelled),
            (Self::Cancelled, FulfillmentEvent::Track | FulfillmentEvent::Cancel) => {
                Err(IllegalTransition { from: self, event })
            }
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`FulfillmentState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use FulfillmentEvent::{Cancel, Track};
        assert_eq!(FulfillmentState::Success.on(Track), Ok(FulfillmentState::Success));
        assert!(FulfillmentState::Cancelled.on(Track).is_err());
        assert_eq!(FulfillmentState::Success.on(Cancel), Ok(FulfillmentState::Cancelled));
        let refusal = FulfillmentState::Cancelled.on(Cancel).unwrap_err();
        assert_eq!(refusal.to_string(), "a fulfillment that is cancelled cannot Cancel");
    }

    #[test]
    fn stored_texts_read_back() {
        for state in FulfillmentState::ALL {
            assert_eq!(FulfillmentState::parse(state.as_str()), Some(state));
        }
        assert_eq!(FulfillmentState::parse("open"), None);
    }
}
