//! The chain's rows.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use souk_kernel::{AccountId, OrganizationId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{AuditEntry, Subject};
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

/// The statement that digests a text of the row that `$1` (and `$2`, where one id does not name it) names.
macro_rules! digest {
    ($text:literal, $row:literal) => {
        concat!("SELECT encode(sha256(convert_to(", $text, ", 'UTF8')), 'hex') AS digest FROM ", $row)
    };
}

/// With its ways in (password, second factor, recovery codes, identities) and the sessions that live.
const ACCOUNT: &str = digest!(
    "a::text \
     || coalesce((SELECT string_agg(f::text, E'\\n' ORDER BY f::text) FROM second_factors f WHERE f.account_id = a.id), '') \
     || coalesce((SELECT string_agg(c::text, E'\\n' ORDER BY c::text) FROM recovery_codes c WHERE c.account_id = a.id), '') \
     || coalesce((SELECT string_agg(i::text, E'\\n' ORDER BY i::text) FROM identities i WHERE i.account_id = a.id), '') \
     || coalesce((SELECT string_agg(s.id::text, E'\\n' ORDER BY s.id) FROM sessions s WHERE s.account_id = a.id AND s.revoked_at IS NULL), '')",
    "accounts a WHERE a.id = $1 AND $2::uuid IS NULL"
);
const ORGANIZATION: &str = digest!("o::text", "organizations o WHERE o.id = $1 AND $2::uuid IS NULL");
const MEMBER: &str = digest!("m::text", "members m WHERE m.account_id = $1 AND m.organization_id = $2");
const INVITATION: &str = digest!("i::text", "invitations i WHERE i.id = $1 AND $2::uuid IS NULL");
/// With what is to be done about it, and how far that is.
const STORE: &str = digest!(
    "s::text || coalesce((SELECT string_agg(concat_ws(' ', o.id, o.kind, o.state), E'\\n' ORDER BY o.id) \
     FROM operations o WHERE o.store_request_id = s.request_id), '')",
    "stores s WHERE s.request_id = $1 AND $2::uuid IS NULL"
);
const OPERATION: &str = digest!("o::text", "operations o WHERE o.id = $1 AND $2::uuid IS NULL");
const GRANT: &str = digest!("g::text", "platform.store_grants g WHERE g.id = $1 AND $2::uuid IS NULL");

/// SHA-256 of what an act is about, hexadecimal: whether it is the same as it was, and nothing of what it is. None where there is nothing.
pub async fn digest_of(tx: &mut ReadTx<'_>, subject: Subject) -> Result<Option<String>, DbError> {
    let (text, id, within) = match subject {
        Subject::Account(id) => (ACCOUNT, id.uuid(), None),
        Subject::Organization(id) => (ORGANIZATION, id.uuid(), None),
        Subject::Member(organization, id) => (MEMBER, id.uuid(), Some(organization.uuid())),
        Subject::Invitation(id) => (INVITATION, id.uuid(), None),
        Subject::Store(request) => (STORE, request.uuid(), None),
        Subject::Operation(id) => (OPERATION, id.uuid(), None),
        Subject::Grant(id) => (GRANT, id.uuid(), None),
    };
    let query = sql(text).bind::<SqlUuid, _>(id).bind::<Nullable<SqlUuid>, _>(within);
    Ok(tx.optional::<Digest>(query).await?.and_then(|row| row.digest))
}
