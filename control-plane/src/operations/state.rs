//! The life of an operation.

use crate::text_enum::text_enum;

text_enum! {
    /// Where an operation is.
    pub enum OperationState {
        /// Waiting for a worker, or for its next attempt.
        Queued = "queued",
        /// A worker is at it.
        Running = "running",
        Succeeded = "succeeded",
        /// Given up; `error` says why.
        Failed = "failed",
    }
}

/// What happens to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationEvent {
    /// A worker takes it, also from one whose lease ran out.
    Claimed,
    /// This attempt failed; there will be another.
    PutBack,
    Finished,
    GivenUp,
}

/// The event cannot happen in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {state} cannot be {event:?}")]
pub struct IllegalTransition {
    pub state: OperationState,
    pub event: OperationEvent,
}

impl OperationState {
    /// The state after an event.
    #[deny(clippy::wildcard_enum_match_arm)]
    pub const fn on(self, event: OperationEvent) -> Result<Self, IllegalTransition> {
        use OperationEvent as E;
        match (self, event) {
            (Self::Queued | Self::Running, E::Claimed) => Ok(Self::Running),
            (Self::Running, E::PutBack) => Ok(Self::Queued),
            (Self::Running, E::Finished) => Ok(Self::Succeeded),
            (Self::Running, E::GivenUp) => Ok(Self::Failed),
            (Self::Queued, E::PutBack | E::Finished | E::GivenUp)
            | (Self::Succeeded | Self::Failed, E::Claimed | E::PutBack | E::Finished | E::GivenUp) => {
                Err(IllegalTransition { state: self, event })
            }
        }
    }

    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

#[cfg(test)]
mod table {
    use super::*;

    #[test]
    fn as_a_diagram() {
        let mut lines = vec!["stateDiagram-v2".to_owned()];
        for state in OperationState::ALL {
            for event in [
                OperationEvent::Claimed,
                OperationEvent::PutBack,
                OperationEvent::Finished,
                OperationEvent::GivenUp,
            ] {
                if let Ok(next) = state.on(event) {
                    lines.push(format!("{state} --> {next}: {event:?}"));
                }
            }
        }
        assert_eq!(
            lines.join("\n"),
            "stateDiagram-v2\nqueued --> running: Claimed\nrunning --> running: Claimed\nrunning --> queued: PutBack\n\
             running --> succeeded: Finished\nrunning --> failed: GivenUp"
        );
    }
}
