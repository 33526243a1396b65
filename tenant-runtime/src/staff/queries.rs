//! People, roles and keys in the tables that `souk_access` decides by.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use souk_access::{ApiKey, KeyKind, KeyMode};
use souk_kernel::{ApiKeyId, RoleId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{ApiKeyView, StaffView};
use crate::schema::{api_keys, role_permissions, roles, staff};

pub async fn people(tx: &mut ReadTx<'_>) -> Result<Vec<StaffView>, DbError> {
    let rows = staff::table.inner_join(roles::table).order(staff::id).select((
        staff::id,
        staff::email,
        staff::name,
        roles::name,
        staff::state,
        staff::created_at,
    ));
    tx.load(rows).await
}

/// (role, name, built in, object, action), in the order of names.
pub async fn grants(
    tx: &mut ReadTx<'_>,
) -> Result<Vec<(RoleId, String, bool, Option<String>, Option<String>)>, DbError> {
    let rows = roles::table
        .left_join(role_permissions::table)
        .order((roles::name, role_permissions::object.nullable(), role_permissions::action.nullable()))
        .select((
            roles::id,
            roles::name,
            roles::built_in,
            role_permissions::object.nullable(),
            role_permissions::action.nullable(),
        ));
    tx.load(rows).await
}

pub async fn keys(tx: &mut ReadTx<'_>) -> Result<Vec<ApiKeyView>, DbError> {
    tx.load(api_keys::table.order(api_keys::id.desc()).select(ApiKeyView::as_select())).await
}

pub async fn insert_key(
    tx: &mut WriteTx<'_>,
    key: &ApiKey,
    name: &str,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<ApiKeyView, DbError> {
    let kind = match key.kind() {
        KeyKind::Publishable => "publishable",
        KeyKind::Secret => "secret",
    };
    let mode = match key.mode() {
        KeyMode::Test => "test",
        KeyMode::Live => "live",
    };
    let row = diesel::insert_into(api_keys::table).values((
        api_keys::id.eq(ApiKeyId::new()),
        api_keys::kind.eq(kind),
        api_keys::mode.eq(mode),
        api_keys::name.eq(name.to_owned()),
        api_keys::prefix.eq(key.prefix().to_owned()),
        api_keys::hash.eq(key.digest().as_bytes().to_vec()),
        api_keys::scopes.eq(scopes),
        api_keys::created_at.eq(tx.now()),
        api_keys::expires_at.eq(expires_at),
    ));
    tx.one(row.returning(ApiKeyView::as_returning())).await
}

/// `false` when there is no such key, or it was revoked before.
pub async fn revoke(tx: &mut WriteTx<'_>, id: ApiKeyId) -> Result<bool, DbError> {
    let now = tx.now();
    let live = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()));
    Ok(tx.execute(diesel::update(live).set(api_keys::revoked_at.eq(now))).await? == 1)
}
