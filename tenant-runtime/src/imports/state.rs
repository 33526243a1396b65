//! The life of an import.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Its file is on its way; nobody is shown it yet.
    #[serde(skip)]
    Uploading,
    /// It waits for a worker.
    Queued,
    /// Products are being made and changed.
    Running,
    /// Every row was looked at; those with errors are in its list.
    Done,
    /// It could not go on, as its cause says. What was applied before stays.
    Failed,
    /// Somebody stopped it. What was applied before stays.
    Cancelled,
}

/// What happens to an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportEvent {
    /// The whole file is there.
    Arrive,
    /// Some of its products are applied.
    Advance,
    /// The last of them are.
    Finish,
    /// It cannot go on.
    Fail,
    Cancel,
}

/// The import cannot do that from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an import that is {} cannot {event:?}", from.as_str())]
pub struct IllegalTransition {
    pub from: ImportState,
    pub event: ImportEvent,
}

impl ImportState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Uploading, Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The state after `event`.
    ///
    /// # Errors
    /// The import cannot do that from where it stands.
    pub const fn on(self, event: ImportEvent) -> Result<Self, IllegalTransition> {
        match (self, event) {
            (Self::Uploading, ImportEvent::Arrive) => Ok(Self::Queued),
            (Self::Queued | Self::Running, ImportEvent::Advance) => Ok(Self::Running),
            (Self::Queued | Self::Running, ImportEvent::Finish) => Ok(Self::Done),
            (Self::Queued | Self::Running, ImportEvent::Fail) => Ok(Self::Failed),
            (Self::Queued | Self::Running | Self::Cancelled, ImportEvent::Cancel) => Ok(Self::Cancelled),
            (
                Self::Uploading,
                ImportEvent::Advance | ImportEvent::Finish | ImportEvent::Fail | ImportEvent::Cancel,
            )
            | (Self::Queued | Self::Running, ImportEvent::Arrive)
            | (
                Self::Cancelled,
                ImportEvent::Arrive | ImportEvent::Advance | ImportEvent::Finish | ImportEvent::Fail,
            )
            | (
                Self::Done | Self::Failed,
                ImportEvent::Arrive
                | ImportEvent::Advance
                | ImportEvent::Finish
                | ImportEvent::Fail
                | ImportEvent::Cancel,
            ) => Err(IllegalTransition { from: self, event }),
        }
    }

    /// Whether nothing happens to it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`ImportState::as_str`] wrote; what is unknown failed.
    pub fn stored(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use ImportEvent::{Advance, Arrive, Cancel, Fail, Finish};
        let line = |state: ImportState| {
            let next = |event| state.on(event).map_or("-", ImportState::as_str);
            format!("{}: {}", state.as_str(), [Arrive, Advance, Finish, Fail, Cancel].map(next).join(" "))
        };
        assert_eq!(
            ImportState::ALL.map(line),
            [
                "uploading: queued - - - -",
                "queued: - running done failed cancelled",
                "running: - running done failed cancelled",
                "done: - - - - -",
                "failed: - - - - -",
                "cancelled: - - - - cancelled",
            ]
        );
        let refusal = ImportState::Done.on(Cancel).unwrap_err();
        assert_eq!(refusal.to_string(), "an import that is done cannot Cancel");
    }

    #[test]
    fn stored_texts_read_back() {
        for state in ImportState::ALL {
            assert_eq!(ImportState::stored(state.as_str()), state);
        }
    }
}
