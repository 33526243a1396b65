//! The rows of stores, and of names in use and lately used.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types;
use souk_kernel::{AccountId, HostLabel, OperationId, OrganizationId, StoreId, Text};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{ManagedBy, NAME_HELD, Store};
use super::state::StoreState;
use crate::cluster::{Conflict, Place};
use crate::plans::PlanId;
use crate::schema::{handles, members, organizations, stores};

pub async fn insert(tx: &mut WriteTx<'_>, store: &Store) -> Result<(), DbError> {
    let row = diesel::insert_into(stores::table).values((
        stores::request_id.eq(store.request_id),
        stores::organization_id.eq(store.organization_id),
        stores::name.eq(store.name.as_str()),
        stores::handle.eq(store.handle.as_str()),
        stores::country.eq(store.country.code()),
        stores::currency.eq(store.currency.code()),
        stores::locale.eq(store.locale.clone()),
        stores::time_zone.eq(store.time_zone.clone()),
        stores::plan.eq(store.plan),
        stores::state.eq(store.state),
        stores::created_at.eq(store.created_at),
        stores::updated_at.eq(store.updated_at),
        stores::id.eq(store.id),
        stores::namespace.eq(store.namespace.clone()),
        stores::resource.eq(store.resource.clone()),
        stores::resource_uid.eq(store.resource_uid.clone()),
        stores::managed_by.eq(store.managed_by),
    ));
    tx.execute(row).await.map(|_| ())
}

/// The store that is this object.
pub async fn find_object(tx: &mut ReadTx<'_>, uid: &str) -> Result<Option<Store>, DbError> {
    let row = stores::table.filter(stores::resource_uid.eq(uid.to_owned()));
    tx.optional(row.select(Store::as_select())).await
}

/// By the operation that asked for it; none when there is no such row.
pub async fn find_request(tx: &mut ReadTx<'_>, request: OperationId) -> Result<Option<Store>, DbError> {
    tx.optional(stores::table.find(request).select(Store::as_select())).await
}

/// Stores whose object we have seen and that should still have it, a page at a time.
pub async fn with_objects(
    tx: &mut ReadTx<'_>,
    after: OperationId,
    limit: i64,
) -> Result<Vec<Store>, DbError> {
    let rows = stores::table
        .filter(stores::resource_uid.is_not_null().and(stores::request_id.gt(after)))
        .filter(stores::state.eq_any([StoreState::Opening, StoreState::Live, StoreState::Suspended]))
        .order(stores::request_id)
        .limit(limit)
        .select(Store::as_select());
    tx.load(rows).await
}

/// Says which object the store is.
pub async fn bind(
    tx: &mut WriteTx<'_>,
    request: OperationId,
    place: &Place,
    uid: Option<&str>,
) -> Result<(), DbError> {
    let change = diesel::update(stores::table.find(request)).set((
        stores::namespace.eq(place.namespace.clone()),
        stores::resource.eq(place.name.clone()),
        stores::resource_uid.eq(uid.map(ToOwned::to_owned)),
    ));
    tx.execute(change).await.map(|_| ())
}

/// Says whose word counts, and where the two disagree.
pub async fn manage(
    tx: &mut WriteTx<'_>,
    request: OperationId,
    managed_by: ManagedBy,
    conflicts: &[Conflict],
) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(stores::table.find(request)).set((
        stores::managed_by.eq(managed_by),
        stores::conflicts.eq(serde_json::to_value(conflicts).unwrap_or_default()),
        stores::updated_at.eq(now),
        stores::version.eq(stores::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

/// What the object says of a store that is managed there.
pub async fn copy(
    tx: &mut WriteTx<'_>,
    request: OperationId,
    name: &Text<120>,
    handle: &HostLabel,
    plan: PlanId,
) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(stores::table.find(request)).set((
        stores::name.eq(name.as_str()),
        stores::handle.eq(handle.as_str()),
        stores::plan.eq(plan),
        stores::updated_at.eq(now),
        stores::version.eq(stores::version + 1),
    ));
    tx.execute(change).await.map(|_| ())
}

pub async fn find(tx: &mut ReadTx<'_>, id: StoreId) -> Result<Option<Store>, DbError> {
    tx.optional(stores::table.filter(stores::id.eq(id)).select(Store::as_select())).await
}

pub async fn lock(tx: &mut WriteTx<'_>, id: StoreId) -> Result<Option<Store>, DbError> {
    tx.optional(stores::table.filter(stores::id.eq(id)).select(Store::as_select()).for_update()).await
}

/// By the operation that asked for it.
pub async fn lock_request(tx: &mut WriteTx<'_>, request: OperationId) -> Result<Store, DbError> {
    tx.one(stores::table.find(request).select(Store::as_select()).for_update()).await
}

/// Stores with an id that an account is a member for, newest first.
pub async fn list(
    tx: &mut ReadTx<'_>,
    account: AccountId,
    organization: Option<OrganizationId>,
    before: Option<OperationId>,
    limit: i64,
) -> Result<Vec<Store>, DbError> {
    let end = before.unwrap_or(OperationId::from_uuid(Uuid::max()));
    let mine = members::table
        .inner_join(organizations::table)
        .filter(members::account_id.eq(account).and(organizations::state.eq("active")))
        .select(members::organization_id);
    let mut page = stores::table
        .filter(stores::organization_id.eq_any(mine).and(stores::id.is_not_null()))
        .filter(stores::request_id.lt(end).and(stores::state.ne(StoreState::Purged)))
        .order(stores::request_id.desc())
        .limit(limit)
        .select(Store::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        page = page.filter(stores::organization_id.eq(organization));
    }
    tx.load(page).await
}

/// Stores of a plan that count in the organization's quota.
pub async fn count(tx: &mut ReadTx<'_>, organization: OrganizationId, plan: PlanId) -> Result<i64, DbError> {
    let counted = stores::table
        .filter(stores::organization_id.eq(organization).and(stores::plan.eq(plan)))
        .filter(stores::state.eq_any([StoreState::Opening, StoreState::Live, StoreState::Suspended]));
    tx.one(counted.count()).await
}

/// Takes a name for a store. `false` when it, or one that looks like it, belongs to another store or is held for another
/// organization. Of two stores that want look-alikes at once, one gets it.
pub async fn take_name(
    tx: &mut WriteTx<'_>,
    name: &HostLabel,
    organization: OrganizationId,
    request: OperationId,
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO handles (skeleton, handle, organization_id, request_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (skeleton) DO UPDATE SET handle = excluded.handle, organization_id = excluded.organization_id, \
         request_id = excluded.request_id, held_until = NULL \
         WHERE handles.request_id = excluded.request_id OR handles.held_until <= $5 \
         OR (handles.held_until IS NOT NULL AND handles.organization_id = excluded.organization_id)")
    .bind::<sql_types::Text, _>(name.skeleton())
    .bind::<sql_types::Text, _>(name.as_str().to_owned())
    .bind::<sql_types::Uuid, _>(organization)
    .bind::<sql_types::Uuid, _>(request)
    .bind::<sql_types::Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Lets go of a name: nobody but its organization may have it for a while, or anybody at once.
pub async fn release_name(tx: &mut WriteTx<'_>, name: &HostLabel, hold: bool) -> Result<(), DbError> {
    let until = if hold { tx.now() + NAME_HELD } else { tx.now() };
    let row = handles::table.find(name.skeleton()).filter(handles::handle.eq(name.as_str().to_owned()));
    let change =
        diesel::update(row).set((handles::request_id.eq(None::<OperationId>), handles::held_until.eq(until)));
    tx.execute(change).await.map(|_| ())
}

/// Gives the store its id; it is live.
pub async fn opened(tx: &mut WriteTx<'_>, request: OperationId, id: StoreId) -> Result<bool, DbError> {
    let now = tx.now();
    let row = stores::table.find(request).filter(stores::state.eq(StoreState::Opening));
    let change = diesel::update(row).set((
        stores::id.eq(id),
        stores::state.eq(StoreState::Live),
        stores::updated_at.eq(now),
        stores::version.eq(stores::version + 1),
    ));
    Ok(tx.execute(change).await? == 1)
}

/// Moves the store on; `false` when it is not in `from` any more.
pub async fn advance(
    tx: &mut WriteTx<'_>,
    request: OperationId,
    from: StoreState,
    to: StoreState,
    purge_after: Option<DateTime<Utc>>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let row = stores::table.find(request).filter(stores::state.eq(from));
    let change = diesel::update(row).set((
        stores::state.eq(to),
        stores::purge_after.eq(purge_after),
        stores::updated_at.eq(now),
        stores::version.eq(stores::version + 1),
    ));
    Ok(tx.execute(change).await? == 1)
}

/// What its people say of a store that is managed here.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    request: OperationId,
    name: &Text<120>,
    handle: &HostLabel,
    plan: PlanId,
) -> Result<Store, DbError> {
    let now = tx.now();
    let change = diesel::update(stores::table.find(request)).set((
        stores::name.eq(name.as_str()),
        stores::handle.eq(handle.as_str()),
        stores::plan.eq(plan),
        stores::updated_at.eq(now),
        stores::version.eq(stores::version + 1),
    ));
    tx.one(change.returning(Store::as_returning())).await
}

/// Deleted stores whose time is over.
pub async fn due_for_purge(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Store>, DbError> {
    let now = tx.now();
    let due = stores::table
        .filter(stores::state.eq(StoreState::Deleted).and(stores::purge_after.le(now)))
        .order(stores::purge_after)
        .limit(limit)
        .select(Store::as_select());
    tx.load(due).await
}
