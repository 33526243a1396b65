//! What can go wrong with endpoints and deliveries.

use souk_api::{Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    TOO_MANY_ENDPOINTS = 409, "too_many_webhook_endpoints", "There are as many webhook endpoints as there may be", "Delete one that is no longer needed.";
    ENDPOINT_DISABLED = 409, "webhook_endpoint_disabled", "The webhook endpoint is disabled", "Enable it first: PATCH it with {\"enabled\": true}.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("no such endpoint or delivery")]
    Unknown,
    #[error("no such event, or it is no longer kept")]
    UnknownEvent,
    #[error("there are as many endpoints as there may be")]
    TooMany,
    #[error("the endpoint is disabled")]
    Disabled,
    /// Pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, String),
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("the event cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Unknown => Self::new(&problem::NOT_FOUND),
            WebhookError::UnknownEvent => Self::new(&problem::NOT_FOUND).detail(
                "There is no such event. Events are kept for 30 days: GET /admin/v1/events shows them.",
            ),
            WebhookError::TooMany => Self::new(&TOO_MANY_ENDPOINTS),
            WebhookError::Disabled => Self::new(&ENDPOINT_DISABLED),
            WebhookError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            WebhookError::Random(_) | WebhookError::Json(_) => Self::new(&problem::INTERNAL).source(error),
            WebhookError::Db(error) => souk_access::database_problem(error.into()),
            WebhookError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
