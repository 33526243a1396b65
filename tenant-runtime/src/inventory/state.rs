//! The life of a transfer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Being put together; nothing has moved.
    Draft,
    /// It left the origin.
    InTransit,
    /// Some of it came.
    PartlyReceived,
    /// Nothing is on its way any more.
    Received,
    /// It never left, or what was on its way went back.
    Cancelled,
}

/// What happens to a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEvent {
    Edit,
    Send,
    /// Something came; `all` when nothing is on its way after that.
    Receive {
        all: bool,
    },
    Cancel,
}

/// The transfer cannot do that from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a transfer that is {} cannot {event:?}", from.as_str())]
pub struct IllegalTransition {
    pub from: TransferState,
    pub event: TransferEvent,
}

impl TransferState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::InTransit, Self::PartlyReceived, Self::Received, Self::Cancelled];

    /// The state after `event`.
    ///
    /// # Errors
    /// The transfer cannot do that from where it stands.
    pub const fn on(self, event: TransferEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Draft, TransferEvent::Edit) => Ok(Self::Draft),
            (Self::Draft, TransferEvent::Send) => Ok(Self::InTransit),
            (Self::InTransit | Self::PartlyReceived, TransferEvent::Receive { all: true }) => {
                Ok(Self::Received)
            }
            (Self::InTransit | Self::PartlyReceived, TransferEvent::Receive { all: false }) => {
                Ok(Self::PartlyReceived)
            }
            (Self::Draft | Self::InTransit | Self::PartlyReceived, TransferEvent::Cancel) => {
                Ok(Self::Cancelled)
            }
            (Self::Draft, TransferEvent::Receive { .. })
            | (Self::InTransit | Self::PartlyReceived, TransferEvent::Edit | TransferEvent::Send)
            | (
                Self::Received | Self::Cancelled,
                TransferEvent::Edit
                | TransferEvent::Send
                | TransferEvent::Receive { .. }
                | TransferEvent::Cancel,
            ) => Err(IllegalTransition { from: self, event }),
        }
    }

    /// Whether pieces may be on their way.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::InTransit | Self::PartlyReceived)
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InTransit => "in_transit",
            Self::PartlyReceived => "partly_received",
            Self::Received => "received",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`TransferState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use TransferEvent::{Cancel, Edit, Receive, Send};
        use TransferState::{Cancelled, Draft, InTransit, PartlyReceived, Received};
        let events = [Edit, Send, Receive { all: false }, Receive { all: true }, Cancel];
        let table = TransferState::ALL.map(|state| events.map(|event| state.on(event).ok()));
        let under_way = [None, None, Some(PartlyReceived), Some(Received), Some(Cancelled)];
        assert_eq!(
            table,
            [
                [Some(Draft), Some(InTransit), None, None, Some(Cancelled)],
                under_way,
                under_way,
                [None; 5],
                [None; 5],
            ]
        );
        let refusal = Received.on(Cancel).unwrap_err();
        assert_eq!(refusal.to_string(), "a transfer that is received cannot Cancel");
    }

    #[test]
    fn stored_texts_read_back() {
        for state in TransferState::ALL {
            assert_eq!(TransferState::parse(state.as_str()), Some(state));
        }
        assert_eq!(TransferState::parse("sent"), None);
    }
}
