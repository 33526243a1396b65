//! Sessions of colleagues whom a provider vouched for, and their refresh tokens.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::{RefreshRecord, SecretDigest};
use souk_kernel::{SessionId, StaffId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::customers::Origin;
use crate::identities::model::{StaffSession, StaffSessionView};

pub async fn insert(tx: &mut WriteTx<'_>, session: &StaffSession, origin: &Origin) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO staff_sessions (id, staff_id, epoch, proved_at, created_at, last_used_at, expires_at, user_agent, \
         network) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)")
    .bind::<SqlUuid, _>(session.id)
    .bind::<SqlUuid, _>(session.staff_id)
    .bind::<BigInt, _>(session.epoch)
    .bind::<Timestamptz, _>(session.proved_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(session.expires_at)
    .bind::<Text, _>(origin.user_agent.clone())
    .bind::<Text, _>(origin.network.clone());
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// Whether a colleague has had sessions, and none with this kind of device or in this network. Sessions are kept for 30 days after their end.
pub async fn is_new_device(tx: &mut ReadTx<'_>, staff: StaffId, origin: &Origin) -> Result<bool, DbError> {
    let query = sql("SELECT EXISTS (SELECT FROM staff_sessions WHERE staff_id = $1) AND NOT EXISTS (SELECT FROM staff_sessions \
         WHERE staff_id = $1 AND (user_agent = $2 OR network = $3)) AS answer")
    .bind::<SqlUuid, _>(staff)
    .bind::<Text, _>(origin.user_agent.clone())
    .bind::<Text, _>(origin.network.clone());
    Ok(tx.one::<Answer>(query).await?.answer)
}

/// Who is told of a device, and what is known of it.
#[derive(Clone, Debug, QueryableByName)]
pub struct SeenDevice {
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub user_agent: String,
    #[diesel(sql_type = Text)]
    pub network: String,
}

/// The device of a colleague's session, and the address they were invited at; none once they were let go.
///
/// # Errors
/// The database's only.
pub async fn device(
    tx: &mut ReadTx<'_>,
    staff: StaffId,
    session: SessionId,
) -> Result<Option<SeenDevice>, DbError> {
    let query = sql("SELECT s.email, s.name, t.user_agent, t.network FROM staff_sessions t JOIN staff s ON s.id = t.staff_id \
         WHERE t.id = $1 AND t.staff_id = $2 AND s.state = 'active'")
    .bind::<SqlUuid, _>(session)
    .bind::<SqlUuid, _>(staff);
    tx.optional(query).await
}

pub async fn insert_token(
    tx: &mut WriteTx<'_>,
    session: &StaffSession,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO staff_refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind::<Binary, _>(digest.as_bytes().to_vec())
        .bind::<SqlUuid, _>(session.id)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(session.expires_at);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct FamilyRow {
    #[diesel(embed)]
    session: StaffSession,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    revoked_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct TokenRow {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
}

/// A presented token's record, with the row of its family locked: of two parallel uses the second sees the first.
pub async fn lock_token(
    tx: &mut WriteTx<'_>,
    digest: &SecretDigest,
) -> Result<Option<(StaffSession, RefreshRecord)>, DbError> {
    let hash = digest.as_bytes().to_vec();
    let query = sql("SELECT id, staff_id, epoch, proved_at, expires_at, revoked_at FROM staff_sessions \
         WHERE id = (SELECT session_id FROM staff_refresh_tokens WHERE token_hash = $1) FOR UPDATE");
    let family: Option<FamilyRow> = tx.optional(query.bind::<Binary, _>(hash.clone())).await?;
    let Some(FamilyRow { session, revoked_at }) = family else { return Ok(None) };
    // After the wait for the lock, so that it is as the winner left it.
    let query = sql("SELECT used_at, expires_at FROM staff_refresh_tokens WHERE token_hash = $1");
    let token: TokenRow = tx.one(query.bind::<Binary, _>(hash)).await?;
    let record = RefreshRecord {
        used_at: token.used_at,
        expires_at: token.expires_at,
        family_expires_at: session.expires_at,
        family_revoked: revoked_at.is_some(),
    };
    Ok(Some((session, record)))
}

pub async fn use_token(
    tx: &mut WriteTx<'_>,
    session: SessionId,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("WITH used AS (UPDATE staff_refresh_tokens SET used_at = $3 WHERE token_hash = $1) \
         UPDATE staff_sessions SET last_used_at = $3 WHERE id = $2")
    .bind::<Binary, _>(digest.as_bytes().to_vec())
    .bind::<SqlUuid, _>(session)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Ends a session; one that is over stays over since then.
pub async fn end(tx: &mut WriteTx<'_>, session: SessionId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE staff_sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL");
    tx.execute(query.bind::<SqlUuid, _>(session).bind::<Timestamptz, _>(now)).await.map(drop)
}

/// Living sessions of a colleague's, newest first; `current` is that of the request.
pub async fn list(
    tx: &mut ReadTx<'_>,
    staff: StaffId,
    current: Option<SessionId>,
) -> Result<Vec<StaffSessionView>, DbError> {
    let now = tx.now();
    let query = sql("SELECT t.id, coalesce(t.id = $3, false) AS current, t.user_agent, t.network, t.proved_at, t.created_at, \
         t.last_used_at, t.expires_at FROM staff_sessions t JOIN staff s ON s.id = t.staff_id AND s.epoch = t.epoch \
         WHERE t.staff_id = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 ORDER BY t.id DESC LIMIT 100")
    .bind::<SqlUuid, _>(staff)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(current);
    tx.load(query).await
}

/// Ends one session of a colleague's; `false` when there is no such living session.
pub async fn end_of(tx: &mut WriteTx<'_>, staff: StaffId, session: SessionId) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE staff_sessions SET revoked_at = $3 WHERE id = $1 AND staff_id = $2 AND revoked_at IS NULL \
         AND expires_at > $3",
    )
    .bind::<SqlUuid, _>(session)
    .bind::<SqlUuid, _>(staff)
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Ends every living session of a colleague's; how many.
pub async fn end_all(tx: &mut WriteTx<'_>, staff: StaffId) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql("UPDATE staff_sessions SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL AND expires_at > $2")
        .bind::<SqlUuid, _>(staff)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await
}
