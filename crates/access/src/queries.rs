//! The SQL of access: principals as they are now, and idempotency keys.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid};
use souk_kernel::{AccountId, ApiKeyId, AppId, CustomerId, SalesChannelId, SessionId, StaffId, StoreGrantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

/// An active member of staff with the grants of their role, as `object:action`.
#[derive(Debug, QueryableByName)]
pub(crate) struct StaffRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) id: StaffId,
    #[diesel(sql_type = Text)]
    pub(crate) role: String,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) grants: Vec<String>,
}

/// One statement, so that role, grants and membership are of one instant. A session that ended at the control plane takes the tokens that
/// were issued from it along.
pub(crate) async fn staff(
    tx: &mut ReadTx<'_>,
    account: AccountId,
    session: Option<SessionId>,
) -> Result<Option<StaffRow>, DbError> {
    let query =
        sql("SELECT s.id, r.name AS role, ARRAY(SELECT p.object || ':' || p.action FROM role_permissions p \
         WHERE p.role_id = r.id ORDER BY 1) AS grants \
         FROM staff s JOIN roles r ON r.id = s.role_id WHERE s.account_id = $1 AND s.state = 'active' \
         AND NOT platform.session_ended($2)")
        .bind::<Uuid, _>(account)
        .bind::<Nullable<Uuid>, _>(session);
    tx.optional(query).await
}

/// A session at the control plane, for whoever is nobody in this store yet.
#[derive(Debug, QueryableByName)]
pub(crate) struct SessionRow {
    #[diesel(sql_type = Bool)]
    pub(crate) ended: bool,
}

pub(crate) async fn session(tx: &mut ReadTx<'_>, id: SessionId) -> Result<SessionRow, DbError> {
    tx.one(sql("SELECT platform.session_ended($1) AS ended").bind::<Uuid, _>(id)).await
}

/// The same, found by their own row: who signed in at the store itself.
#[derive(Debug, QueryableByName)]
pub(crate) struct ColleagueRow {
    #[diesel(embed)]
    pub(crate) staff: StaffRow,
    #[diesel(sql_type = Nullable<Uuid>)]
    pub(crate) account_id: Option<AccountId>,
    #[diesel(sql_type = BigInt)]
    pub(crate) epoch: i64,
}

/// A session that was ended takes its access tokens along.
pub(crate) async fn colleague(
    tx: &mut ReadTx<'_>,
    id: StaffId,
    session: Option<SessionId>,
) -> Result<Option<ColleagueRow>, DbError> {
    let now = tx.now();
    let query =
        sql("SELECT s.id, s.account_id, s.epoch, r.name AS role, ARRAY(SELECT p.object || ':' || p.action \
         FROM role_permissions p WHERE p.role_id = r.id ORDER BY 1) AS grants \
         FROM staff s JOIN roles r ON r.id = s.role_id WHERE s.id = $1 AND s.state = 'active' \
         AND ($2::uuid IS NULL OR EXISTS (SELECT 1 FROM staff_sessions t WHERE t.id = $2 AND t.staff_id = s.id \
         AND t.revoked_at IS NULL AND t.expires_at > $3))")
        .bind::<Uuid, _>(id)
        .bind::<Nullable<Uuid>, _>(session)
        .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

/// An app that is approved and not revoked.
#[derive(Debug, QueryableByName)]
pub(crate) struct AppRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) epoch: i64,
}

pub(crate) async fn app(tx: &mut ReadTx<'_>, id: AppId) -> Result<Option<AppRow>, DbError> {
    let query = sql("SELECT epoch FROM apps WHERE id = $1 AND state = 'approved'");
    tx.optional(query.bind::<Uuid, _>(id)).await
}

/// A customer who may sign in.
#[derive(Debug, QueryableByName)]
pub(crate) struct CustomerRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) epoch: i64,
}

/// A session that was ended takes its access tokens along; a token without one lives by the epoch alone.
pub(crate) async fn customer(
    tx: &mut ReadTx<'_>,
    id: CustomerId,
    session: Option<SessionId>,
) -> Result<Option<CustomerRow>, DbError> {
    let now = tx.now();
    let query = sql("SELECT c.epoch FROM customers c WHERE c.id = $1 AND c.state = 'enabled' \
         AND ($2::uuid IS NULL OR EXISTS (SELECT 1 FROM customer_sessions s WHERE s.id = $2 AND s.customer_id = c.id \
         AND s.revoked_at IS NULL AND s.expires_at > $3))")
    .bind::<Uuid, _>(id)
    .bind::<Nullable<Uuid>, _>(session)
    .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

/// A grant of this store that was not taken back.
#[derive(Debug, QueryableByName)]
pub(crate) struct GrantRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) account_id: AccountId,
    #[diesel(sql_type = Text)]
    pub(crate) reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) async fn grant(
    tx: &mut ReadTx<'_>,
    id: StoreGrantId,
    session: Option<SessionId>,
) -> Result<Option<GrantRow>, DbError> {
    let query = sql("SELECT account_id, reason, expires_at FROM platform.own_grant($1) \
         WHERE NOT platform.session_ended($2)");
    tx.optional(query.bind::<Uuid, _>(id).bind::<Nullable<Uuid>, _>(session)).await
}

/// A key that is neither revoked nor expired.
#[derive(Debug, QueryableByName)]
pub(crate) struct KeyRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) id: ApiKeyId,
    #[diesel(sql_type = Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = Text)]
    pub(crate) mode: String,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) scopes: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) allowed_origins: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) allowed_networks: Vec<String>,
    #[diesel(sql_type = Binary)]
    pub(crate) hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Uuid>)]
    pub(crate) channel_id: Option<SalesChannelId>,
}

pub(crate) async fn key(tx: &mut ReadTx<'_>, hash: &[u8]) -> Result<Option<KeyRow>, DbError> {
    let now = tx.now();
    let query = sql(
        // By name from the whole row: a store that a sweep has not reached yet has no such column.
        "SELECT id, kind, mode, scopes, allowed_origins, allowed_networks, hash, last_used_at, \
             (to_jsonb(k) ->> 'channel_id')::uuid AS channel_id FROM api_keys k \
         WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind::<Binary, _>(hash.to_vec())
    .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

/// Notes that a key was used, unless it was noted after `unless_after`.
pub(crate) async fn touch_key(
    tx: &mut WriteTx<'_>,
    id: ApiKeyId,
    unless_after: DateTime<Utc>,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)",
    )
    .bind::<Uuid, _>(id)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(unless_after);
    tx.execute(query).await
}

/// The name of an idempotency row.
#[derive(Clone, Debug)]
pub(crate) struct KeyName {
    pub(crate) principal: String,
    pub(crate) route: String,
    pub(crate) key: String,
    pub(crate) fingerprint: [u8; 32],
}

/// Whether a claim made the row or took one over that had run out.
#[derive(Debug, QueryableByName)]
pub(crate) struct ClaimRow {
    #[diesel(sql_type = Bool)]
    pub(crate) fresh: bool,
}

/// A row somebody else holds or has finished.
#[derive(Debug, QueryableByName)]
pub(crate) struct HeldRow {
    #[diesel(sql_type = Binary)]
    pub(crate) fingerprint: Vec<u8>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub(crate) status: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub(crate) headers: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) body: Option<Vec<u8>>,
}

/// Claims a key of a store. Waits for a transaction that claims the same one at this moment; `None` when the row is held by a
/// living lease, finished, or somebody else's request. A dead lease is only taken over by the same request.
pub(crate) async fn claim(
    tx: &mut WriteTx<'_>,
    name: &KeyName,
    leased_until: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<Option<ClaimRow>, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO idempotency_keys AS held \
         (principal, route, key, fingerprint, status, leased_until, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, 'running', $5, $6, $7) \
         ON CONFLICT (principal, route, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = 'running', \
         leased_until = excluded.leased_until, response_status = NULL, response_headers = NULL, response_body = NULL, \
         created_at = excluded.created_at, expires_at = excluded.expires_at \
         WHERE held.expires_at <= excluded.created_at OR (held.status = 'running' \
         AND held.leased_until <= excluded.created_at AND held.fingerprint = excluded.fingerprint) \
         RETURNING (xmax = 0) AS fresh")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone())
    .bind::<Binary, _>(name.fingerprint.to_vec())
    .bind::<Timestamptz, _>(leased_until)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at);
    tx.optional(query).await
}

pub(crate) async fn held(tx: &mut ReadTx<'_>, name: &KeyName) -> Result<Option<HeldRow>, DbError> {
    let query = sql("SELECT fingerprint, CASE WHEN status = 'done' THEN response_status END AS status, \
         response_headers AS headers, response_body AS body FROM idempotency_keys \
         WHERE principal = $1 AND route = $2 AND key = $3")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone());
    tx.optional(query).await
}

/// What is kept of a reply.
pub(crate) struct KeptReply {
    pub(crate) status: i32,
    pub(crate) headers: serde_json::Value,
    pub(crate) body: Vec<u8>,
}

/// Finishes a claim made at `claimed_at`; 0 rows when it was taken over since.
pub(crate) async fn fulfil(
    tx: &mut WriteTx<'_>,
    name: &KeyName,
    claimed_at: DateTime<Utc>,
    reply: KeptReply,
    expires_at: DateTime<Utc>,
) -> Result<usize, DbError> {
    let query =
        sql("UPDATE idempotency_keys SET status = 'done', leased_until = NULL, response_status = $5, \
         response_headers = $6, response_body = $7, expires_at = $8 \
         WHERE principal = $1 AND route = $2 AND key = $3 AND status = 'running' AND created_at = $4")
        .bind::<Text, _>(name.principal.clone())
        .bind::<Text, _>(name.route.clone())
        .bind::<Text, _>(name.key.clone())
        .bind::<Timestamptz, _>(claimed_at)
        .bind::<Integer, _>(reply.status)
        .bind::<Jsonb, _>(reply.headers)
        .bind::<Binary, _>(reply.body)
        .bind::<Timestamptz, _>(expires_at);
    tx.execute(query).await
}

/// Gives a claim back; 0 rows when it was taken over since.
pub(crate) async fn release(
    tx: &mut WriteTx<'_>,
    name: &KeyName,
    claimed_at: DateTime<Utc>,
) -> Result<usize, DbError> {
    let query = sql("DELETE FROM idempotency_keys \
         WHERE principal = $1 AND route = $2 AND key = $3 AND status = 'running' AND created_at = $4")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone())
    .bind::<Timestamptz, _>(claimed_at);
    tx.execute(query).await
}

/// Deletes at most `limit` rows that ran out.
pub(crate) async fn prune(tx: &mut WriteTx<'_>, limit: i64) -> Result<usize, DbError> {
    let now = tx.now();
    let query =
        sql("DELETE FROM idempotency_keys WHERE (principal, route, key) IN (SELECT principal, route, key \
         FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)")
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit);
    tx.execute(query).await
}

/// The control plane's keys have no lease: a row is only ever seen finished.
pub(crate) async fn claim_in_control(
    tx: &mut WriteTx<'_>,
    name: &KeyName,
    stale_before: DateTime<Utc>,
) -> Result<Option<ClaimRow>, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO idempotency_keys AS held (principal, route, key, fingerprint, created_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (principal, route, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = NULL, \
         headers = NULL, body = NULL, created_at = excluded.created_at WHERE held.created_at <= $6 \
         RETURNING (xmax = 0) AS fresh")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone())
    .bind::<Binary, _>(name.fingerprint.to_vec())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(stale_before);
    tx.optional(query).await
}

pub(crate) async fn held_in_control(tx: &mut ReadTx<'_>, name: &KeyName) -> Result<Option<HeldRow>, DbError> {
    let query = sql("SELECT fingerprint, status, headers, body FROM idempotency_keys \
         WHERE principal = $1 AND route = $2 AND key = $3")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone());
    tx.optional(query).await
}

pub(crate) async fn fulfil_in_control(
    tx: &mut WriteTx<'_>,
    name: &KeyName,
    reply: KeptReply,
) -> Result<usize, DbError> {
    let query = sql("UPDATE idempotency_keys SET status = $4, headers = $5, body = $6 \
         WHERE principal = $1 AND route = $2 AND key = $3")
    .bind::<Text, _>(name.principal.clone())
    .bind::<Text, _>(name.route.clone())
    .bind::<Text, _>(name.key.clone())
    .bind::<Integer, _>(reply.status)
    .bind::<Jsonb, _>(reply.headers)
    .bind::<Binary, _>(reply.body);
    tx.execute(query).await
}
