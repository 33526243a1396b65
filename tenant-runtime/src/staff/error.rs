//! What can be wrong about a key.

use souk_access::Refusal;
use souk_api::Problem;
use souk_tenancy::{DbError, TenancyError};

souk_api::problems! { CATALOGUE;
    SCOPE_NOT_HELD = 403, "scope_not_held", "Nobody grants what they do not hold", "Leave out the scopes that you do not hold yourself, or ask an owner.";
    LAST_OWNER = 409, "last_owner", "The store would be left without an owner", "Make somebody else an owner first.";
    STAFF_QUOTA = 409, "staff_quota_reached", "The plan allows no more people to work here", "Let somebody go, or ask an owner for a larger plan: PATCH /v1/stores/{store} at the control plane.";
    ROLE_IN_USE = 409, "role_in_use", "Somebody has this role", "Give them another role first.";
    ROLE_FIXED = 409, "role_fixed", "This role stays as it is", "The owner holds everything; make another role, or change another one.";
    INVITATION_UNUSABLE = 410, "invitation_unusable", "This invitation was used, taken back, or has expired", "Ask for a new one.";
    SCOPE_UNKNOWN = 422, "scope_unknown", "There is no such permission", "Use `object:action`, `object:*` or `*`; GET /admin/v1/roles shows what there is.";
}

#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    #[error("no such colleague, role, invitation or key")]
    Unknown,
    #[error("the last owner stays")]
    LastOwner,
    #[error("somebody has this role")]
    RoleInUse,
    #[error("this role stays as it is")]
    RoleFixed,
    #[error("there is a role of this name")]
    RoleNameTaken,
    #[error("the invitation cannot be used")]
    InvitationUnusable,
    #[error("works here already")]
    WorksHere,
    /// The plan allows so many, and there are as many.
    #[error("the store's plan allows {0} people")]
    Quota(u32),
    #[error("{0} {1}")]
    Limit(&'static str, &'static str),
    #[error("role `{0}` holds more than you do")]
    BeyondOwn(String),
    #[error(transparent)]
    Problem(#[from] Problem),
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
        match &error {
            DbError::Foreign { constraint } if constraint == "api_keys_channel_id_fkey" => {
                Self::Limit("/channel", "must be a sales channel of this store")
            }
            _ => Self::Tenancy(error.into()),
        }
    }
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let detail = error.to_string();
        match error {
            StaffError::Unknown => Self::new(&souk_api::problem::NOT_FOUND),
            StaffError::LastOwner => Self::new(&LAST_OWNER),
            StaffError::RoleInUse => Self::new(&ROLE_IN_USE),
            StaffError::RoleFixed => Self::new(&ROLE_FIXED),
            StaffError::RoleNameTaken => {
                Self::new(&souk_api::problem::CONFLICT).detail("There is a role of this name.")
            }
            StaffError::InvitationUnusable => Self::new(&INVITATION_UNUSABLE),
            StaffError::WorksHere => {
                Self::new(&souk_api::problem::CONFLICT).detail("They work here already.")
            }
            StaffError::Quota(limit) => Self::new(&STAFF_QUOTA).detail(detail).extension("limit", limit),
            StaffError::Limit(pointer, message) => {
                Self::new(&souk_api::problem::VALIDATION).field(pointer, "invalid", message)
            }
            StaffError::BeyondOwn(_) => Self::new(&SCOPE_NOT_HELD).detail(detail),
            StaffError::Problem(problem) => problem,
            StaffError::ScopeUnknown(_) => Self::new(&SCOPE_UNKNOWN).detail(detail),
            StaffError::ScopeNotHeld(_) => Self::new(&SCOPE_NOT_HELD).detail(detail),
            StaffError::Entropy(error) => Refusal::from(error).into(),
            StaffError::Tenancy(error) => Refusal::from(error).into(),
        }
    }
}
