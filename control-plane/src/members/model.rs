//! Roles, members and invitations.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_access::ControlPermit;
use souk_api::Problem;
use souk_api::problem::NOT_FOUND;
use souk_kernel::{AccountId, Email, InvitationId, MemberId, OrganizationId, Text};
use utoipa::ToSchema;

use crate::accounts::Typed;
use crate::schema::{invitations, members};
use crate::text_enum::text_enum;

/// How long an invitation can be accepted.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

text_enum! {
    /// A role in an organization; `policy/roles.csv` says what it holds.
    pub enum Role {
        Owner = "owner",
        Admin = "admin",
        Developer = "developer",
        Viewer = "viewer",
    }
}

impl Role {
    /// The caller's role in the organization of the route. 404 on a route that names none.
    pub fn of<P>(permit: &ControlPermit<P>) -> Result<Self, Problem> {
        permit.role().and_then(|role| role.parse().ok()).ok_or_else(|| Problem::new(&NOT_FOUND))
    }
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = members)]
pub struct Member {
    pub id: MemberId,
    pub account_id: AccountId,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub version: i64,
}

/// A member as the organization sees them.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    pub id: MemberId,
    pub account: AccountId,
    #[schema(example = "Ada Lovelace")]
    pub name: Text<120>,
    pub email: Email,
    pub role: Role,
    pub created_at: DateTime<Utc>,
}

impl Member {
    pub fn view(self, name: Text<120>, email: Email) -> MemberView {
        let Self { id, account_id, role, created_at, version: _ } = self;
        MemberView { id, account: account_id, name, email, role, created_at }
    }
}

/// Change a member's role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "developer"}))]
pub struct EditMember {
    pub role: Role,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: Email,
    pub role: Role,
    pub invited_by: AccountId,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// An open invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    pub id: InvitationId,
    pub email: Email,
    pub role: Role,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let Invitation { id, email, role, created_at, expires_at, organization_id: _, invited_by: _ } =
            invitation;
        Self { id, email, role, created_at, expires_at }
    }
}

/// Invite somebody by mail. Asking again replaces the open invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "grace@example.com", "role": "viewer"}))]
pub struct Invite {
    #[schema(example = "charles@example.com")]
    pub email: Email,
    pub role: Role,
}

/// Accept an invitation with the token of the mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "Kq3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3d"}))]
pub struct AcceptInvitation {
    pub token: Typed,
}
