//! People, roles and keys as they are shown.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use souk_access::PermissionKey;
use souk_kernel::{ApiKeyId, RoleId, StaffId, Text};
use utoipa::ToSchema;

use super::error::StaffError;
use crate::schema::api_keys;

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
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
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
