//! The chain's rows.

use diesel::prelude::*;
use souk_kernel::OrganizationId;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::AuditEntry;
use crate::schema::{audit_entries, audit_heads};

/// Starts an organization's chain; a second call changes nothing.
pub async fn start(tx: &mut WriteTx<'_>, organization: OrganizationId) -> Result<(), DbError> {
    let row = diesel::insert_into(audit_heads::table).values((
        audit_heads::organization_id.eq(organization),
        audit_heads::position.eq(0_i64),
        audit_heads::hash.eq(vec![0_u8; 32]),
    ));
    tx.execute(row.on_conflict_do_nothing()).await.map(|_| ())
}

/// The chain's end, locked.
pub async fn lock_head(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
) -> Result<(i64, Vec<u8>), DbError> {
    let row = audit_heads::table.find(organization).select((audit_heads::position, audit_heads::hash));
    tx.one(row.for_update()).await
}

/// Appends a sealed entry and makes it the end.
pub async fn append(tx: &mut WriteTx<'_>, entry: &AuditEntry) -> Result<(), DbError> {
    let row = diesel::insert_into(audit_entries::table).values((
        audit_entries::id.eq(entry.id),
        audit_entries::organization_id.eq(entry.organization_id),
        audit_entries::position.eq(entry.position),
        audit_entries::at.eq(entry.at),
        audit_entries::actor.eq(entry.actor.clone()),
        audit_entries::action.eq(entry.action.clone()),
        audit_entries::target.eq(entry.target.clone()),
        audit_entries::detail.eq(entry.detail.clone()),
        audit_entries::request_id.eq(entry.request_id.clone()),
        audit_entries::prev_hash.eq(entry.prev_hash.clone()),
        audit_entries::hash.eq(entry.hash.clone()),
    ));
    tx.execute(row).await?;
    let head = diesel::update(audit_heads::table.find(entry.organization_id))
        .set((audit_heads::position.eq(entry.position), audit_heads::hash.eq(entry.hash.clone())));
    tx.execute(head).await.map(|_| ())
}

/// A page, newest first.
pub async fn list(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    let page = audit_entries::table
        .filter(audit_entries::organization_id.eq(organization))
        .filter(audit_entries::position.lt(before.unwrap_or(i64::MAX)))
        .order(audit_entries::position.desc())
        .limit(limit)
        .select(AuditEntry::as_select());
    tx.load(page).await
}
