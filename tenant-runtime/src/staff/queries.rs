//! People, roles and keys in the tables that `souk_access` decides by.

mod team;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use souk_access::ApiKey;
use souk_kernel::{ApiKeyId, RoleId, SalesChannelId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{ApiKeyView, StaffView};
use crate::schema::{api_keys, role_permissions, roles, staff};

pub use team::{
    accept, active, active_owners, colleague, explain_app, explain_customer, explain_key, insert_role,
    invitation_letter, invitations, invite, lock_role, lock_role_named, lock_roles, members_of, remove,
    remove_role, revoke_invitation, set_role, works_here, write_role,
};

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

/// What is kept of a new key beside its digest.
pub struct KeyRow {
    pub name: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
    pub allowed_origins: Vec<String>,
    pub allowed_networks: Vec<String>,
    pub created_by: String,
    pub rotated_from: Option<ApiKeyId>,
    pub channel: Option<SalesChannelId>,
}

pub async fn insert_key(tx: &mut WriteTx<'_>, key: &ApiKey, new: KeyRow) -> Result<ApiKeyView, DbError> {
    let row = diesel::insert_into(api_keys::table).values((
        api_keys::id.eq(ApiKeyId::new()),
        api_keys::kind.eq(key.kind().as_str()),
        api_keys::mode.eq(key.mode().as_str()),
        api_keys::name.eq(new.name),
        api_keys::prefix.eq(key.prefix().to_owned()),
        api_keys::hash.eq(key.digest().as_bytes().to_vec()),
        api_keys::scopes.eq(new.scopes),
        api_keys::allowed_origins.eq(new.allowed_origins),
        api_keys::allowed_networks.eq(new.allowed_networks),
        api_keys::created_by.eq(new.created_by),
        api_keys::rotated_from.eq(new.rotated_from),
        api_keys::channel_id.eq(new.channel),
        api_keys::created_at.eq(tx.now()),
        api_keys::expires_at.eq(new.expires_at),
    ));
    tx.one(row.returning(ApiKeyView::as_returning())).await
}

/// A key that is neither revoked nor expired, locked.
pub async fn lock_key(tx: &mut WriteTx<'_>, id: ApiKeyId) -> Result<Option<ApiKeyView>, DbError> {
    let now = tx.now();
    let live = api_keys::table
        .filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()))
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)));
    tx.optional(live.select(ApiKeyView::as_select()).for_update()).await
}

/// Lets a key end then, or sooner if it was to end sooner.
pub async fn end_at(tx: &mut WriteTx<'_>, id: ApiKeyId, at: DateTime<Utc>) -> Result<(), DbError> {
    let key = api_keys::table
        .filter(api_keys::id.eq(id))
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(at)));
    tx.execute(diesel::update(key).set(api_keys::expires_at.eq(at))).await.map(drop)
}

/// When those that took this key's place were to end, the oldest first.
pub async fn ends_of_successors(
    tx: &mut ReadTx<'_>,
    id: ApiKeyId,
) -> Result<Vec<Option<DateTime<Utc>>>, DbError> {
    let successors = api_keys::table.filter(api_keys::rotated_from.eq(Some(id))).order(api_keys::id);
    tx.load(successors.select(api_keys::expires_at)).await
}

/// The key as it is from now on; none when there is no such key, or it was revoked before.
pub async fn revoke(tx: &mut WriteTx<'_>, id: ApiKeyId) -> Result<Option<ApiKeyView>, DbError> {
    let now = tx.now();
    let live = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()));
    let change = diesel::update(live).set(api_keys::revoked_at.eq(now));
    tx.optional(change.returning(ApiKeyView::as_returning())).await
}
