//! The life of a store, as the control plane tells it.

use crate::text_enum::text_enum;

text_enum! {
    /// Where a store is in its life.
    pub enum StoreState {
        /// Asked for; has no id yet.
        Opening = "opening",
        /// Could not be opened; holds no name and counts in no quota.
        Failed = "failed",
        Live = "live",
        /// Answers nobody; its data is kept.
        Suspended = "suspended",
        /// Answers nobody; can be restored until `purge_after`.
        Deleted = "deleted",
        /// Its data is gone, for good.
        Purged = "purged",
    }
}

/// What happens to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    Opened,
    OpeningFailed,
    Suspended,
    Resumed,
    Deleted,
    Restored,
    Purged,
}

impl StoreEvent {
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::OpeningFailed,
        Self::Suspended,
        Self::Resumed,
        Self::Deleted,
        Self::Restored,
        Self::Purged,
    ];
}

/// The event cannot happen in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store that is {state} cannot be {event:?}")]
pub struct IllegalTransition {
    pub state: StoreState,
    pub event: StoreEvent,
}

impl StoreState {
    /// The state after an event.
    #[deny(clippy::wildcard_enum_match_arm)]
    pub const fn on(self, event: StoreEvent) -> Result<Self, IllegalTransition> {
        use StoreEvent as E;
        match (self, event) {
            (Self::Opening, E::Opened) => Ok(Self::Live),
            (Self::Opening, E::OpeningFailed) => Ok(Self::Failed),
            (Self::Live, E::Suspended) => Ok(Self::Suspended),
            (Self::Suspended, E::Resumed) | (Self::Deleted, E::Restored) => Ok(Self::Live),
            (Self::Live | Self::Suspended, E::Deleted) => Ok(Self::Deleted),
            (Self::Deleted, E::Purged) => Ok(Self::Purged),
            (Self::Opening, E::Suspended | E::Resumed | E::Deleted | E::Restored | E::Purged)
            | (Self::Live, E::Opened | E::OpeningFailed | E::Resumed | E::Restored | E::Purged)
            | (Self::Suspended, E::Opened | E::OpeningFailed | E::Suspended | E::Restored | E::Purged)
            | (Self::Deleted, E::Opened | E::OpeningFailed | E::Suspended | E::Resumed | E::Deleted)
            | (
                Self::Failed | Self::Purged,
                E::Opened
                | E::OpeningFailed
                | E::Suspended
                | E::Resumed
                | E::Deleted
                | E::Restored
                | E::Purged,
            ) => Err(IllegalTransition { state: self, event }),
        }
    }

    /// Whether a name and hosts may change.
    pub const fn can_be_renamed(self) -> bool {
        matches!(self, Self::Live | Self::Suspended)
    }

    /// What its people may ask for now.
    pub const fn allowed_actions(self) -> &'static [&'static str] {
        match self {
            Self::Live => &["rename", "suspend", "delete", "enter"],
            Self::Suspended => &["rename", "resume", "delete"],
            Self::Deleted => &["restore"],
            Self::Opening | Self::Failed | Self::Purged => &[],
        }
    }
}

#[cfg(test)]
mod table {
    use super::*;

    #[test]
    fn as_a_diagram() {
        let mut lines = vec!["stateDiagram-v2".to_owned()];
        for state in StoreState::ALL {
            for event in StoreEvent::ALL {
                if let Ok(next) = state.on(event) {
                    lines.push(format!("{state} --> {next}: {event:?}"));
                }
            }
        }
        assert_eq!(
            lines.join("\n"),
            "stateDiagram-v2\nopening --> live: Opened\nopening --> failed: OpeningFailed\n\
             live --> suspended: Suspended\nlive --> deleted: Deleted\nsuspended --> live: Resumed\n\
             suspended --> deleted: Deleted\ndeleted --> live: Restored\ndeleted --> purged: Purged"
        );
    }
}
