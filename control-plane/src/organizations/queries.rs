//! The rows of organizations.

use diesel::prelude::*;
use souk_kernel::{AccountId, OrganizationId, Text};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::Organization;
use crate::members::Role;
use crate::schema::{invitations, members, organizations, stores};

const ACTIVE: &str = "active";

pub async fn insert(tx: &mut WriteTx<'_>, name: &Text<120>) -> Result<Organization, DbError> {
    let now = tx.now();
    let row = diesel::insert_into(organizations::table).values((
        organizations::id.eq(OrganizationId::new()),
        organizations::name.eq(name),
        organizations::created_at.eq(now),
        organizations::updated_at.eq(now),
    ));
    tx.one(row.returning(Organization::as_returning())).await
}

pub async fn find(tx: &mut ReadTx<'_>, id: OrganizationId) -> Result<Option<Organization>, DbError> {
    let row = organizations::table.find(id).filter(organizations::state.eq(ACTIVE));
    tx.optional(row.select(Organization::as_select())).await
}

/// Locked until the transaction ends: quotas are counted under this lock.
pub async fn lock(tx: &mut WriteTx<'_>, id: OrganizationId) -> Result<Option<Organization>, DbError> {
    let row = organizations::table.find(id).filter(organizations::state.eq(ACTIVE));
    tx.optional(row.select(Organization::as_select()).for_update()).await
}

/// Where an account is a member, and as what, oldest first.
pub async fn of_account(
    tx: &mut ReadTx<'_>,
    account: AccountId,
) -> Result<Vec<(Organization, Role)>, DbError> {
    let rows = members::table
        .inner_join(organizations::table)
        .filter(members::account_id.eq(account).and(organizations::state.eq(ACTIVE)))
        .order(organizations::id)
        .limit(100)
        .select((Organization::as_select(), members::role));
    tx.load(rows).await
}

pub async fn rename(
    tx: &mut WriteTx<'_>,
    id: OrganizationId,
    name: &Text<120>,
) -> Result<Organization, DbError> {
    let now = tx.now();
    let change = diesel::update(organizations::table.find(id)).set((
        organizations::name.eq(name),
        organizations::updated_at.eq(now),
        organizations::version.eq(organizations::version + 1),
    ));
    tx.one(change.returning(Organization::as_returning())).await
}

/// Stores that still hold data, deleted ones that can be restored included.
pub async fn count_stores(tx: &mut ReadTx<'_>, id: OrganizationId) -> Result<i64, DbError> {
    let held = stores::table.filter(stores::organization_id.eq(id));
    tx.one(held.filter(stores::state.ne_all(["failed", "purged"])).count()).await
}

/// Ends the organization; its audit log stays.
pub async fn end(tx: &mut WriteTx<'_>, id: OrganizationId) -> Result<(), DbError> {
    let now = tx.now();
    let change = diesel::update(organizations::table.find(id)).set((
        organizations::state.eq("deleted"),
        organizations::updated_at.eq(now),
        organizations::version.eq(organizations::version + 1),
    ));
    tx.execute(change).await?;
    tx.execute(diesel::delete(members::table.filter(members::organization_id.eq(id)))).await?;
    tx.execute(diesel::delete(invitations::table.filter(invitations::organization_id.eq(id)))).await?;
    Ok(())
}
