//! The chain's rows.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use souk_kernel::{AccountId, OrganizationId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::AuditEntry;
use crate::schema::{audit_entries, audit_heads, members};

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

/// A piece of the chain, oldest first.
pub async fn piece(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    let piece = audit_entries::table
        .filter(audit_entries::organization_id.eq(organization))
        .filter(audit_entries::position.gt(after))
        .order(audit_entries::position)
        .limit(limit)
        .select(AuditEntry::as_select());
    tx.load(piece).await
}

/// The chain's end; none before the first entry.
pub async fn head(
    tx: &mut ReadTx<'_>,
    organization: OrganizationId,
) -> Result<Option<(i64, Vec<u8>)>, DbError> {
    let row = audit_heads::table.find(organization).select((audit_heads::position, audit_heads::hash));
    tx.optional(row).await
}

/// Where an account is a member, in the order in which chains are locked.
pub async fn organizations_of(
    tx: &mut ReadTx<'_>,
    account: AccountId,
) -> Result<Vec<OrganizationId>, DbError> {
    let rows = members::table.filter(members::account_id.eq(account)).order(members::organization_id);
    tx.load(rows.select(members::organization_id)).await
}

#[derive(QueryableByName)]
struct Digest {
    #[diesel(sql_type = Nullable<Text>)]
    digest: Option<String>,
}

/// SHA-256 of an account with its ways in (password, second factor, recovery codes, identities), hexadecimal: whether they are the same as
/// they were, and nothing of what they are.
pub async fn digest_of(tx: &mut ReadTx<'_>, account: AccountId) -> Result<Option<String>, DbError> {
    let query = sql("SELECT encode(sha256(convert_to(a::text \
         || coalesce((SELECT string_agg(f::text, E'\\n' ORDER BY f::text) FROM second_factors f WHERE f.account_id = a.id), '') \
         || coalesce((SELECT string_agg(c::text, E'\\n' ORDER BY c::text) FROM recovery_codes c WHERE c.account_id = a.id), '') \
         || coalesce((SELECT string_agg(i::text, E'\\n' ORDER BY i::text) FROM identities i WHERE i.account_id = a.id), ''), \
         'UTF8')), 'hex') AS digest FROM accounts a WHERE a.id = $1")
    .bind::<SqlUuid, _>(account);
    Ok(tx.optional::<Digest>(query).await?.and_then(|row| row.digest))
}
