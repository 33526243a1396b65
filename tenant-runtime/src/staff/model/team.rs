//! Invitations, wishes about roles, and why somebody may.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{Email, InvitationId, RoleId, StaffId, Text};
use utoipa::{IntoParams, ToSchema};

/// How long an invitation can be accepted.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// The role that always has somebody.
pub const OWNER: &str = "owner";

/// A colleague's row.
#[derive(Clone, Debug, QueryableByName)]
pub struct Colleague {
    #[diesel(sql_type = SqlUuid)]
    pub id: StaffId,
    #[diesel(sql_type = SqlText)]
    pub email: String,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = SqlUuid)]
    pub role_id: RoleId,
    #[diesel(sql_type = SqlText)]
    pub role: String,
    #[diesel(sql_type = SqlText)]
    pub state: String,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// A role's row.
#[derive(Clone, Debug, QueryableByName)]
pub struct Role {
    #[diesel(sql_type = SqlUuid)]
    pub id: RoleId,
    #[diesel(sql_type = SqlText)]
    pub name: String,
    #[diesel(sql_type = Bool)]
    pub built_in: bool,
    #[diesel(sql_type = diesel::sql_types::Array<SqlText>)]
    pub grants: Vec<String>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// Give a colleague another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditStaff {
    /// The role's name.
    #[schema(example = "manager")]
    pub role: Text<40>,
}

/// Invite somebody by mail. Asking again replaces the open invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    #[schema(value_type = String, example = "charles@example.com")]
    pub email: Email,
    #[schema(example = "fulfilment")]
    pub role: Text<40>,
}

/// An open invitation.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct InvitationView {
    #[diesel(sql_type = SqlUuid)]
    pub id: InvitationId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "charles@example.com")]
    pub email: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "fulfilment")]
    pub role: String,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub invited_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
}

/// Accept an invitation with the token of the mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    #[schema(format = "password")]
    pub token: String,
    /// How colleagues see you.
    #[schema(example = "Charles Babbage")]
    pub name: Text<120>,
}

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Lower-case letters and `_`.
    #[schema(example = "packer")]
    pub name: Text<40>,
    /// `object:action` or `object:*`.
    #[schema(example = json!(["order:view", "order:fulfil"]))]
    pub permissions: Vec<Text<80>>,
}

/// Change a role; `permissions` replaces what it holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRole {
    #[schema(example = "packer")]
    pub name: Option<Text<40>>,
    #[schema(example = json!(["order:*"]))]
    pub permissions: Option<Vec<Text<80>>>,
}

/// What there is to hold, and which role holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionMatrix {
    /// Every permission, sorted.
    #[schema(example = json!(["order:cancel", "order:view"]))]
    pub permissions: Vec<String>,
    pub roles: Vec<MatrixRow>,
}

/// A role's row of the matrix.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixRow {
    #[schema(example = "support")]
    pub role: String,
    /// One flag for each of `permissions`, in their order.
    pub holds: Vec<bool>,
}

/// Who wants to do what.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// `stf_…`, `key_…`, `app_…`, `cus_…` or `anyone`.
    pub actor: String,
    /// `object:action`.
    pub action: String,
}

/// Which rule decides.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    pub allowed: bool,
    #[schema(example = "stf_01h455vb4pex5vsknk084sn02q")]
    pub actor: String,
    #[schema(example = "order:cancel")]
    pub action: String,
    /// Where the actor's permissions come from: `role manager`, `scopes of the key`, `built-in role shopper`.
    #[schema(example = "role support")]
    pub source: String,
    /// The grants that say yes; empty for no, because nothing is allowed unless a grant says so.
    #[schema(example = json!(["order:cancel"]))]
    pub rules: Vec<String>,
    /// In words.
    #[schema(example = "role support holds order:cancel")]
    pub because: String,
}
