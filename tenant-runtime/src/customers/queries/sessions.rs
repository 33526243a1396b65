//! Sessions, their refresh tokens, and the counters of attempts.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::{RefreshRecord, SecretDigest};
use souk_kernel::{CustomerId, SessionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::customers::model::{Bucket, EndReason, Session};

pub async fn insert_session(
    tx: &mut WriteTx<'_>,
    session: &Session,
    proved_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO customer_sessions (id, customer_id, user_agent, network, created_at, last_used_at, expires_at, \
         proved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind::<SqlUuid, _>(session.id)
    .bind::<SqlUuid, _>(session.customer_id)
    .bind::<Text, _>(session.user_agent.clone())
    .bind::<Text, _>(session.network.clone())
    .bind::<Timestamptz, _>(session.created_at)
    .bind::<Timestamptz, _>(session.last_used_at)
    .bind::<Timestamptz, _>(session.expires_at)
    .bind::<Timestamptz, _>(proved_at);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct Proof {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    proved_at: Option<DateTime<Utc>>,
}

/// When a customer showed who they are for this living session; none when it is not theirs, or is of a time before that was noted.
pub async fn proved_at(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    session: SessionId,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let now = tx.now();
    let query = sql(
        "SELECT proved_at FROM customer_sessions WHERE id = $1 AND customer_id = $2 AND revoked_at IS NULL \
         AND expires_at > $3",
    )
    .bind::<SqlUuid, _>(session)
    .bind::<SqlUuid, _>(customer)
    .bind::<Timestamptz, _>(now);
    Ok(tx.optional::<Proof>(query).await?.and_then(|row| row.proved_at))
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

/// Whether the customer has had sessions, and none from this kind of device in this network.
pub async fn is_new_device(tx: &mut ReadTx<'_>, session: &Session) -> Result<bool, DbError> {
    let query = sql("SELECT EXISTS (SELECT 1 FROM customer_sessions WHERE customer_id = $1) AND NOT EXISTS (SELECT 1 FROM \
         customer_sessions WHERE customer_id = $1 AND (user_agent = $2 OR network = $3)) AS answer")
    .bind::<SqlUuid, _>(session.customer_id)
    .bind::<Text, _>(session.user_agent.clone())
    .bind::<Text, _>(session.network.clone());
    Ok(tx.one::<Answer>(query).await?.answer)
}

/// Whether the customer of this address signed in from this network within the last 30 days.
pub async fn is_known_here(tx: &mut ReadTx<'_>, email_key: &str, network: &str) -> Result<bool, DbError> {
    let since = tx.now() - TimeDelta::days(30);
    let query =
        sql("SELECT EXISTS (SELECT 1 FROM customer_sessions s JOIN customers c ON c.id = s.customer_id \
         WHERE c.email_key = $1 AND c.state = 'enabled' AND s.network = $2 AND s.created_at > $3) AS answer")
        .bind::<Text, _>(email_key.to_owned())
        .bind::<Text, _>(network.to_owned())
        .bind::<Timestamptz, _>(since);
    Ok(tx.one::<Answer>(query).await?.answer)
}

/// One session of this customer's, living or not.
pub async fn find(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    id: SessionId,
) -> Result<Option<Session>, DbError> {
    let query = sql("SELECT id, customer_id, user_agent, network, created_at, last_used_at, expires_at FROM customer_sessions \
         WHERE id = $1 AND customer_id = $2")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(customer);
    tx.optional(query).await
}

pub async fn insert_token(
    tx: &mut WriteTx<'_>,
    session: SessionId,
    digest: &SecretDigest,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO customer_refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind::<Binary, _>(digest.as_bytes().to_vec())
        .bind::<SqlUuid, _>(session)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(expires_at);
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct FamilyRow {
    #[diesel(embed)]
    session: Session,
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
) -> Result<Option<(Session, RefreshRecord)>, DbError> {
    let hash = digest.as_bytes().to_vec();
    let query = sql(
        "SELECT s.id, s.customer_id, s.user_agent, s.network, s.created_at, s.last_used_at, s.expires_at, s.revoked_at \
         FROM customer_sessions s WHERE s.id = (SELECT t.session_id FROM customer_refresh_tokens t WHERE t.token_hash = $1) \
         FOR UPDATE",
    );
    let family: Option<FamilyRow> = tx.optional(query.bind::<Binary, _>(hash.clone())).await?;
    let Some(FamilyRow { session, revoked_at }) = family else { return Ok(None) };
    // After the wait for the lock, so that it is as the winner left it.
    let query = sql("SELECT used_at, expires_at FROM customer_refresh_tokens WHERE token_hash = $1");
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
    let query = sql("WITH used AS (UPDATE customer_refresh_tokens SET used_at = $3 WHERE token_hash = $1) \
         UPDATE customer_sessions SET last_used_at = $3 WHERE id = $2")
    .bind::<Binary, _>(digest.as_bytes().to_vec())
    .bind::<SqlUuid, _>(session)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Ends one session of a customer; `false` when there is no such living session.
pub async fn end(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    session: SessionId,
    because: EndReason,
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("UPDATE customer_sessions SET revoked_at = $3, revoked_because = $4 \
         WHERE id = $1 AND customer_id = $2 AND revoked_at IS NULL")
    .bind::<SqlUuid, _>(session)
    .bind::<SqlUuid, _>(customer)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(because.as_str());
    Ok(tx.execute(query).await? == 1)
}

/// Ends every living session of a customer.
pub async fn end_all(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    because: EndReason,
) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql("UPDATE customer_sessions SET revoked_at = $2, revoked_because = $3 \
         WHERE customer_id = $1 AND revoked_at IS NULL")
    .bind::<SqlUuid, _>(customer)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(because.as_str());
    tx.execute(query).await
}

/// Living sessions, newest first.
pub async fn list(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<Session>, DbError> {
    let now = tx.now();
    let query = sql("SELECT id, customer_id, user_agent, network, created_at, last_used_at, expires_at FROM customer_sessions \
         WHERE customer_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY id DESC LIMIT 100")
    .bind::<SqlUuid, _>(customer)
    .bind::<Timestamptz, _>(now);
    tx.load(query).await
}

/// A bucket after an attempt.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Timestamptz)]
    window_ends_at: DateTime<Utc>,
}

/// Counts one attempt in a bucket: how many the window holds now, and when it ends. One atomic statement, so parallel attempts cannot
/// slip by.
pub async fn count_attempt(
    tx: &mut WriteTx<'_>,
    bucket: &str,
    window: TimeDelta,
) -> Result<(i32, DateTime<Utc>), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO throttles (bucket, window_ends_at, failures) VALUES ($1, $3, 1) \
         ON CONFLICT (bucket) DO UPDATE SET \
         failures = CASE WHEN throttles.window_ends_at <= $2 THEN 1 ELSE throttles.failures + 1 END, \
         window_ends_at = CASE WHEN throttles.window_ends_at <= $2 THEN $3 ELSE throttles.window_ends_at END \
         RETURNING failures, window_ends_at")
    .bind::<Text, _>(bucket.to_owned())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + window);
    let counted: Counted = tx.one(query).await?;
    Ok((counted.failures, counted.window_ends_at))
}

#[derive(QueryableByName)]
struct Full {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    until: Option<DateTime<Utc>>,
}

/// When the last of these buckets that are full has room again. None: none is full.
pub async fn full_until(tx: &mut ReadTx<'_>, buckets: &[Bucket]) -> Result<Option<DateTime<Utc>>, DbError> {
    let now = tx.now();
    let (names, limits): (Vec<_>, Vec<_>) =
        buckets.iter().map(|bucket| (bucket.name.as_str(), bucket.limit)).unzip();
    let query =
        sql("SELECT max(t.window_ends_at) AS until FROM unnest($1::text[], $2::int[]) AS b (name, most) \
         JOIN throttles t ON t.bucket = b.name AND t.failures >= b.most AND t.window_ends_at > $3")
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Integer>, _>(limits)
        .bind::<Timestamptz, _>(now);
    Ok(tx.one::<Full>(query).await?.until)
}

/// Takes one attempt back: it was no guess.
pub async fn forgive_attempt(tx: &mut WriteTx<'_>, bucket: &str) -> Result<(), DbError> {
    let query = sql("UPDATE throttles SET failures = failures - 1 WHERE bucket = $1 AND failures > 0");
    tx.execute(query.bind::<Text, _>(bucket.to_owned())).await.map(drop)
}

/// Removes a few counters whose window is over.
pub async fn forget_counters(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let query =
        sql("DELETE FROM throttles WHERE bucket IN (SELECT bucket FROM throttles WHERE window_ends_at < $1 \
         LIMIT 50 FOR UPDATE SKIP LOCKED)");
    let now = tx.now();
    tx.execute(query.bind::<Timestamptz, _>(now)).await.map(drop)
}

/// Removes a few counters whose window is over, and this customer's sessions that ended 30 days ago: whoever signs in sweeps, so nobody
/// else has to.
pub async fn forget(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("WITH old AS (DELETE FROM throttles WHERE bucket IN (SELECT bucket FROM throttles WHERE window_ends_at < $1 \
         LIMIT 50 FOR UPDATE SKIP LOCKED)) \
         DELETE FROM customer_sessions WHERE customer_id = $2 AND coalesce(revoked_at, expires_at) < $3")
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(customer)
    .bind::<Timestamptz, _>(now - TimeDelta::days(30));
    tx.execute(query).await.map(drop)
}
