//! What can be wrong about a key.

use souk_access::Refusal;
use souk_api::Problem;
use souk_tenancy::{DbError, TenancyError};

souk_api::problems! { CATALOGUE;
    SCOPE_NOT_HELD = 403, "scope_not_held", "Nobody grants what they do not hold", "Leave out the scopes that you do not hold yourself, or ask an owner.";
    SCOPE_UNKNOWN = 422, "scope_unknown", "There is no such permission", "Use `object:action`, `object:*` or `*`; GET /admin/v1/roles shows what there is.";
}

#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    #[error("no such key")]
    Unknown,
    #[error("scope `{0}` names no permission")]
    ScopeUnknown(String),
    #[error("scope `{0}` is not yours to give")]
    ScopeNotHeld(String),
    #[error(transparent)]
    Entropy(#[from] souk_access::NoEntropy),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for StaffError {
    fn from(error: DbError) -> Self {
        Self::Tenancy(error.into())
    }
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let detail = error.to_string();
        match error {
            StaffError::Unknown => Self::new(&souk_api::problem::NOT_FOUND),
            StaffError::ScopeUnknown(_) => Self::new(&SCOPE_UNKNOWN).detail(detail),
            StaffError::ScopeNotHeld(_) => Self::new(&SCOPE_NOT_HELD).detail(detail),
            StaffError::Entropy(error) => Refusal::from(error).into(),
            StaffError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}
