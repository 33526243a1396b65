//! People, roles and keys as they are shown.

mod team;

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_access::PermissionKey;
use souk_kernel::{ApiKeyId, RoleId, SalesChannelId, StaffId, Text};
use utoipa::ToSchema;

use super::error::StaffError;
use crate::schema::api_keys;

pub use team::{
    AcceptInvitation, Colleague, EditRole, EditStaff, ExplainQuery, Explanation, INVITATION_LIFETIME,
    InvitationView, Invite, MatrixRow, NewRole, OWNER, PermissionMatrix, Role,
};

/// A colleague.
#[derive(Debug, Queryable, Serialize, ToSchema)]
pub struct StaffView {
    pub id: StaffId,
    #[schema(example = "ada@example.com")]
    pub email: String,
    pub name: String,
    #[schema(example = "owner")]
    pub role: String,
    /// `invited`, `active` or `removed`.
    pub state: String,
    pub created_at: DateTime<Utc>,
}

/// A role and what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    pub id: RoleId,
    #[schema(example = "manager")]
    pub name: String,
    pub built_in: bool,
    /// `object:action`, sorted.
    #[schema(example = json!(["order:cancel", "order:view"]))]
    pub permissions: Vec<String>,
}

/// A key, without its secret.
#[derive(Debug, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = api_keys)]
pub struct ApiKeyView {
    pub id: ApiKeyId,
    #[schema(example = "secret")]
    pub kind: String,
    #[schema(example = "test")]
    pub mode: String,
    pub name: String,
    /// What a person recognises it by.
    #[schema(example = "sk_test_Kq3d")]
    pub prefix: String,
    pub scopes: Vec<String>,
    /// Pages that may use it; empty: any.
    #[schema(example = json!(["https://shop.example"]))]
    pub allowed_origins: Vec<String>,
    /// Networks that may use it; empty: any.
    #[schema(example = json!(["203.0.113.0/24"]))]
    pub allowed_networks: Vec<String>,
    /// Who made it.
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    /// To about ten minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// The key whose place it took.
    pub rotated_from: Option<ApiKeyId>,
    /// The sales channel of a publishable key; null for the default one.
    #[diesel(column_name = channel_id)]
    pub channel: Option<SalesChannelId>,
}

/// A new key: the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiKeyView {
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// Keep it: it is not shown again.
    #[schema(example = "sk_test_…")]
    pub secret: String,
}

/// For browsers, or for servers.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishedKind {
    Publishable,
    Secret,
}

/// What key somebody wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Warehouse", "kind": "secret", "scopes": ["product:view", "order:view"]}))]
pub struct NewApiKey {
    pub name: Text<80>,
    pub kind: WishedKind,
    /// For a secret key: `object:action`, `object:*` or `*`. A publishable key holds what a shopper holds.
    #[serde(default)]
    #[schema(example = json!(["product:*", "order:view"]))]
    pub scopes: Vec<Text<80>>,
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is for real: a live key is not offered the `test` payment provider, and does not pay with it. All else is alike.
    #[serde(default)]
    pub mode: WishedMode,
    /// `https://shop.example`: requests must come from pages of one of these; any if empty.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["https://shop.example"]))]
    pub allowed_origins: Vec<Text<255>>,
    /// `203.0.113.0/24`, `2001:db8::/32` or one address: requests must come from one of these; any if empty.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["203.0.113.0/24"]))]
    pub allowed_networks: Vec<Text<64>>,
    /// For a publishable key: it sees what is published on this sales channel; on the default one when left out.
    pub channel: Option<SalesChannelId>,
}

/// Test or live.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishedMode {
    #[default]
    Test,
    Live,
}

/// How long the old key works beside the new one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateApiKey {
    /// 0 (it ends at once) to 2592000 (30 days); a day if left out.
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    pub overlap_seconds: Option<u32>,
}

/// Origins as browsers send them, networks as they are written.
///
/// # Errors
/// What the first wrong one is called, and where it is.
pub fn check_limits(origins: &[Text<255>], networks: &[Text<64>]) -> Result<(), StaffError> {
    if origins.len() > 20 || networks.len() > 20 {
        return Err(StaffError::Limit("/allowed_origins", "must be at most 20 origins and 20 networks"));
    }
    if origins.iter().any(|origin| !souk_access::is_origin(origin.as_str())) {
        return Err(StaffError::Limit(
            "/allowed_origins",
            "must be like https://shop.example, without a path",
        ));
    }
    if networks.iter().any(|network| !souk_access::is_network(network.as_str())) {
        return Err(StaffError::Limit("/allowed_networks", "must be like 203.0.113.0/24 or 2001:db8::/32"));
    }
    Ok(())
}

/// Whether a scope stands for this permission.
pub fn stands_for(scope: &str, key: PermissionKey) -> bool {
    scope == "*"
        || scope
            .split_once(':')
            .is_some_and(|(object, action)| object == key.object && (action == "*" || action == key.action))
}

/// Every scope names something, and only what the giver holds.
///
/// # Errors
/// The first scope that does not.
pub fn check_scopes(
    scopes: &[String],
    all: &[PermissionKey],
    holds: impl Fn(PermissionKey) -> bool,
) -> Result<(), StaffError> {
    for scope in scopes {
        let named: Vec<_> = all.iter().copied().filter(|key| stands_for(scope, *key)).collect();
        if named.is_empty() {
            return Err(StaffError::ScopeUnknown(scope.clone()));
        }
        if !named.into_iter().all(&holds) {
            return Err(StaffError::ScopeNotHeld(scope.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod rules {
    use super::*;

    const ALL: [PermissionKey; 3] = [
        PermissionKey { object: "order", action: "view" },
        PermissionKey { object: "order", action: "cancel" },
        PermissionKey { object: "product", action: "view" },
    ];

    fn check(scope: &str) -> Result<(), StaffError> {
        check_scopes(&[scope.to_owned()], &ALL, |key| key.object == "order")
    }

    #[test]
    fn nobody_grants_what_they_do_not_hold() {
        assert!(check("order:*").is_ok() && check("order:view").is_ok());
        assert!(matches!(check("*"), Err(StaffError::ScopeNotHeld(_))));
        assert!(matches!(check("product:view"), Err(StaffError::ScopeNotHeld(_))));
        assert!(matches!(check("order:fly"), Err(StaffError::ScopeUnknown(_))));
        assert!(matches!(check("order"), Err(StaffError::ScopeUnknown(_))));
    }
}
