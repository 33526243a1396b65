//! What can keep a store from being as asked for: which condition says so, why, and whether trying again helps.

use souk_provisioner::ProvisionError;
use souk_store_resource::{ConditionType, Reason};

/// Why a pass over a store ended early. It always ends in a condition.
#[derive(Debug, thiserror::Error)]
#[error("{condition}: {reason}: {message}")]
pub struct Failure {
    /// The condition that is false because of it.
    pub condition: ConditionType,
    pub reason: Reason,
    /// A sentence for whoever reads `kubectl describe`.
    pub message: String,
    pub retry: Retry,
}

/// What would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Time: the same pass may well succeed later.
    Later,
    /// Only a change of the spec: trying again would be a hot loop.
    OnChange,
}

impl Failure {
    /// The spec asks for something impossible.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            condition: ConditionType::Degraded,
            reason: Reason::InvalidSpec,
            message: message.into(),
            retry: Retry::OnChange,
        }
    }

    /// Something of that name is somebody else's.
    pub fn foreign(message: String) -> Self {
        Self {
            condition: ConditionType::CredentialsReady,
            reason: Reason::NameTaken,
            message,
            retry: Retry::Later,
        }
    }

    /// The API server refused an object, or did not answer.
    pub fn of_kubernetes(condition: ConditionType, what: &str, error: &kube::Error) -> Self {
        let (reason, message) = match error {
            kube::Error::Api(status)
                if status.is_forbidden() && status.message.contains("exceeded quota") =>
            {
                (Reason::QuotaExceeded, format!("{what}: {}", status.message))
            }
            kube::Error::Api(status) => (Reason::ApplyFailed, format!("{what}: {}", status.message)),
            error => (Reason::ApplyFailed, format!("{what}: the API server did not answer: {error}")),
        };
        Self { condition, reason, message, retry: Retry::Later }
    }
}

impl From<ProvisionError> for Failure {
    fn from(error: ProvisionError) -> Self {
        use ProvisionError as E;
        let (reason, retry, hint) = match &error {
            E::LanesFull { .. } => (
                Reason::NoDatabaseCapacity,
                Retry::Later,
                "raise SOUK_STORES_PER_LANE or SOUK_LANES, or place the store on another database",
            ),
            E::HostTaken(_) => (
                Reason::HostConflict,
                Retry::Later,
                "a host belongs to whoever had it first: choose another name or remove the domain",
            ),
            E::Gone { .. } => (
                Reason::DataGone,
                Retry::OnChange,
                "create another Store; spec.storeId with database.adopt takes up retained data",
            ),
            E::Unknown(_) | E::Refused(_) => (
                Reason::SchemaConflict,
                Retry::OnChange,
                "only retained data of this namespace can be taken up",
            ),
            E::WrongState { .. } => (Reason::SchemaConflict, Retry::Later, "the ledger says otherwise"),
            E::Stale { .. } => (
                Reason::WaitingForDatabase,
                Retry::Later,
                "a newer generation of this object was acted upon meanwhile",
            ),
            E::NotIsolated { .. } => (
                Reason::NotIsolated,
                Retry::Later,
                "run the bootstrap again; the store stays closed until then",
            ),
            E::Migration { .. } if !error.is_transient() => {
                (Reason::MigrationFailed, Retry::Later, "the schema is as before that migration")
            }
            _ => (Reason::WaitingForDatabase, Retry::Later, "tried again by itself"),
        };
        let condition =
            if reason == Reason::HostConflict { ConditionType::Routed } else { ConditionType::DatabaseReady };
        Self { condition, reason, message: format!("{error}; {hint}"), retry }
    }
}
