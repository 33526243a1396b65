//! What can be wrong about an organization.

use souk_api::Problem;
use souk_api::problem::NOT_FOUND;
use souk_tenancy::{DbError, TenancyError};

use crate::problems;

souk_api::problems! { CATALOGUE;
    ORGANIZATION_HAS_STORES = 409, "organization_has_stores", "The organization still has stores", "Delete them, and wait until they are purged, or keep the organization.";
}

#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    #[error("no such organization")]
    Unknown,
    #[error("it has {0} stores")]
    HasStores(i64),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for OrganizationError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<OrganizationError> for Problem {
    fn from(error: OrganizationError) -> Self {
        match error {
            OrganizationError::Unknown => Problem::new(&NOT_FOUND),
            OrganizationError::HasStores(count) => {
                Problem::new(&ORGANIZATION_HAS_STORES).detail(format!("{count} stores still hold data"))
            }
            OrganizationError::Problem(problem) => problem,
            OrganizationError::Database(cause) => problems::of_database(cause),
        }
    }
}
