//! The life of one attempt to pay.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an attempt to pay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Nothing is known yet, or the shopper pays offline.
    Pending,
    /// The shopper has to do something at the provider.
    RequiresAction,
    /// The provider said no.
    Failed,
    /// The money is held.
    Authorized,
    /// The held money was let go.
    Canceled,
    /// The money is ours.
    Captured,
}

/// What a provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    ActionRequired,
    Failed,
    Authorized,
    Voided,
    Captured,
}

/// News that is older than what we know; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payment session that is {from:?} does not become {event:?}")]
pub struct IllegalTransition {
    pub from: SessionState,
    pub event: SessionEvent,
}

impl SessionState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::RequiresAction, Self::Failed, Self::Authorized, Self::Canceled, Self::Captured];

    /// The state after `event`. States only climb (pending → requires_action → failed → authorized → canceled → captured), so that
    /// duplicated and reordered news end in the same state: money that was captured after a decline or a void is captured all the same.
    ///
    /// # Errors
    /// The event is older news than the state.
    pub const fn on(self, event: SessionEvent) -> Result<Self, IllegalTransition> {
        use SessionEvent as E;
        use SessionState as S;
        match (self, event) {
            (S::Pending | S::RequiresAction, E::ActionRequired) => Ok(S::RequiresAction),
            (S::Pending | S::RequiresAction | S::Failed, E::Failed) => Ok(S::Failed),
            (S::Pending | S::RequiresAction | S::Failed | S::Authorized, E::Authorized) => Ok(S::Authorized),
            (S::Pending | S::RequiresAction | S::Failed | S::Authorized | S::Canceled, E::Voided) => {
                Ok(S::Canceled)
            }
            (
                S::Pending | S::RequiresAction | S::Failed | S::Authorized | S::Canceled | S::Captured,
                E::Captured,
            ) => Ok(S::Captured),
            (S::Failed | S::Authorized | S::Canceled | S::Captured, E::ActionRequired)
            | (S::Authorized | S::Canceled | S::Captured, E::Failed)
            | (S::Canceled | S::Captured, E::Authorized)
            | (S::Captured, E::Voided) => Err(IllegalTransition { from: self, event }),
        }
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Failed => "failed",
            Self::Authorized => "authorized",
            Self::Canceled => "canceled",
            Self::Captured => "captured",
        }
    }

    /// Reads what [`SessionState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing is decided: the provider must be asked.
    pub const fn is_undecided(self) -> bool {
        match self {
            Self::Pending | Self::RequiresAction => true,
            Self::Failed | Self::Authorized | Self::Canceled | Self::Captured => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const EVENTS: [SessionEvent; 5] = [
        SessionEvent::ActionRequired,
        SessionEvent::Failed,
        SessionEvent::Authorized,
        SessionEvent::Voided,
        SessionEvent::Captured,
    ];

    #[test]
    fn the_table() {
        let mut diagram = "stateDiagram-v2\n    [*] --> pending\n".to_owned();
        for from in SessionState::ALL {
            for event in EVENTS {
                if let Ok(to) = from.on(event) {
                    writeln!(diagram, "    {} --> {}: {event:?}", from.as_str(), to.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(diagram);
    }

    #[test]
    fn the_order_of_news_does_not_matter() {
        for a in EVENTS {
            for b in EVENTS {
                for start in SessionState::ALL {
                    let after = |events: [SessionEvent; 2]| {
                        events.into_iter().fold(start, |state, event| state.on(event).unwrap_or(state))
                    };
                    assert_eq!(after([a, b]), after([b, a]), "{start:?} {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn stored_texts_read_back() {
        for state in SessionState::ALL {
            assert_eq!(SessionState::parse(state.as_str()), Some(state));
        }
        assert_eq!(SessionState::parse("paid"), None);
    }
}
