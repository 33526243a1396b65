//! How working on what a shop says fails.

use souk_api::problem::{NOT_FOUND, PRECONDITION_FAILED, VALIDATION};
use souk_api::{FieldError, Problem};
use souk_tenancy::{DbError, TenancyError};

use crate::catalog::CatalogError;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// There is no such page, menu or policy, or not for whoever asks.
    #[error("there is no such thing")]
    Unknown,
    /// The request breaks rules.
    #[error("the request breaks a rule")]
    Invalid(Vec<FieldError>),
    /// A handle is in use.
    #[error("the handle is taken")]
    HandleTaken,
    /// Somebody else wrote the next version of a policy at the same moment.
    #[error("somebody else was faster")]
    Raced,
    /// The caller saw an earlier version.
    #[error("the precondition failed")]
    Precondition(Problem),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<FieldError> for ContentError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<DbError> for ContentError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unique { constraint } => match constraint.as_str() {
                "pages_handle_key" | "menus_handle_key" => Self::HandleTaken,
                "policy_versions_pkey" => Self::Raced,
                _ => Self::Db(error),
            },
            _ => Self::Db(error),
        }
    }
}

impl From<ContentError> for Problem {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Unknown => Self::new(&NOT_FOUND),
            ContentError::Invalid(errors) => errors.into_iter().fold(Self::new(&VALIDATION), Self::error),
            // The same to whoever writes, be it a product's or a page's.
            ContentError::HandleTaken => CatalogError::HandleTaken.into(),
            ContentError::Raced => Self::new(&PRECONDITION_FAILED),
            ContentError::Precondition(problem) => problem,
            ContentError::Db(error) => souk_access::database_problem(error.into()),
            ContentError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
