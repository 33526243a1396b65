//! What can be wrong about members and invitations.

use souk_access::NoEntropy;
use souk_api::Problem;
use souk_api::problem::{FORBIDDEN, NOT_FOUND};
use souk_tenancy::{DbError, TenancyError};

use super::model::Role;
use crate::messages::MessageError;
use crate::problems;

souk_api::problems! { CATALOGUE;
    ALREADY_MEMBER = 409, "already_member", "This person is a member already", "Change their role instead.";
    LAST_OWNER_STAYS = 409, "last_owner_stays", "The last owner stays", "Make somebody else an owner first.";
    MEMBER_QUOTA = 409, "member_quota_reached", "The plan allows no more members", "Remove somebody, or choose a larger plan for a store: PATCH /v1/stores/{store}.";
    INVITATION_UNUSABLE = 410, "invitation_unusable", "The invitation was used, taken back, has expired, or was sent to another address", "Sign in with the address it was sent to, or ask for a new one.";
}

#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error("no such member or invitation")]
    Unknown,
    #[error("the role {0} holds more than the caller's")]
    BeyondOwn(Role),
    #[error("the last owner stays")]
    LastOwner,
    #[error("already a member")]
    Already,
    #[error("at most {0} members")]
    Quota(i64),
    #[error("the invitation is unusable")]
    Unusable,
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for MemberError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}

impl From<MemberError> for Problem {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unknown => Problem::new(&NOT_FOUND),
            MemberError::BeyondOwn(role) => Problem::new(&FORBIDDEN).detail(format!(
                "The role {role} holds more than yours: nobody grants or takes what they do not hold."
            )),
            MemberError::LastOwner => Problem::new(&LAST_OWNER_STAYS),
            MemberError::Already => Problem::new(&ALREADY_MEMBER),
            MemberError::Quota(limit) => Problem::new(&MEMBER_QUOTA)
                .detail(format!("at most {limit} members"))
                .extension("limit", limit),
            MemberError::Unusable => Problem::new(&INVITATION_UNUSABLE),
            MemberError::Problem(problem) => problem,
            MemberError::Entropy(cause) => problems::internal(cause),
            MemberError::Message(cause) => problems::internal(cause),
            MemberError::Database(cause) => problems::of_database(cause),
        }
    }
}
