//! What can be wrong between us and the cluster.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the Store object and the row disagree, and why we do not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Conflict {
    /// Somebody else owns the field, with another value than ours.
    Field {
        #[schema(example = "spec.displayName")]
        field: String,
        /// Whose it is, in the words of `metadata.managedFields`.
        #[schema(example = "kubectl-edit")]
        manager: String,
    },
    /// The object is gone, but nobody settled its data: it is still live.
    Gone,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field { field, manager } => write!(f, "{field} belongs to {manager}"),
            Self::Gone => f.write_str("the Store object is gone"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Fields that others own; nothing was changed.
    #[error("others own fields of the Store object")]
    Conflict(Vec<Conflict>),
    /// The object is not there, or another one has its name.
    #[error("the Store object is gone")]
    Gone,
    /// The API server will not take it, however often it is asked.
    #[error("the cluster refuses the Store object: {0}")]
    Refused(String),
    /// No answer, or one that time may change.
    #[error("the cluster did not answer: {0}")]
    Unavailable(#[source] Box<kube::Error>),
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        let kube::Error::Api(status) = &error else { return Self::Unavailable(Box::new(error)) };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let conflicts: Vec<Conflict> = causes
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| Conflict::Field {
                field: cause.field.trim_start_matches('.').to_owned(),
                manager: quoted(&cause.message).to_owned(),
            })
            .collect();
        if !conflicts.is_empty() {
            return Self::Conflict(conflicts);
        }
        // A precondition on the uid: "uid mismatch", or "the UID in the precondition".
        let other_object = status.is_conflict() && status.message.to_lowercase().contains("uid");
        if status.is_not_found() || other_object {
            Self::Gone
        } else if status.is_invalid() || status.is_forbidden() {
            Self::Refused(status.message.clone())
        } else {
            Self::Unavailable(Box::new(error))
        }
    }
}

/// `conflict with "kubectl-edit" using souk.dev/v1alpha1` → `kubectl-edit`.
fn quoted(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or("somebody else")
}
