//! Sessions, their refresh tokens, and the counters of attempts.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::{RefreshRecord, SecretDigest};
use souk_kernel::{AccountId, SessionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{EndReason, Session};
use crate::schema::{accounts, refresh_tokens, sessions, throttles};

/// The epoch of the account, and when the session was last proved, if both live. One statement per request of a signed-in person.
pub async fn standing(
    tx: &mut ReadTx<'_>,
    account: AccountId,
    session: SessionId,
) -> Result<Option<(i64, Option<DateTime<Utc>>)>, DbError> {
    let now = tx.now();
    let row = sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(session).and(sessions::account_id.eq(account)))
        .filter(sessions::revoked_at.is_null().and(sessions::expires_at.gt(now)))
        .filter(accounts::state.eq("active"))
        .select((accounts::epoch, sessions::proved_at));
    tx.optional(row).await
}

pub async fn insert(
    tx: &mut WriteTx<'_>,
    session: &Session,
    proved_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let row = diesel::insert_into(sessions::table).values((
        sessions::id.eq(session.id),
        sessions::account_id.eq(session.account_id),
        sessions::user_agent.eq(session.user_agent.clone()),
        sessions::network.eq(session.network.clone()),
        sessions::created_at.eq(session.created_at),
        sessions::last_used_at.eq(session.last_used_at),
        sessions::expires_at.eq(session.expires_at),
        sessions::proved_at.eq(proved_at),
    ));
    tx.execute(row).await.map(|_| ())
}

/// Whether the account has had sessions, and none from this kind of device or this network.
pub async fn is_new_device(tx: &mut ReadTx<'_>, session: &Session) -> Result<bool, DbError> {
    let own = sessions::table.filter(sessions::account_id.eq(session.account_id));
    let rows: Vec<(String, String)> =
        tx.load(own.select((sessions::user_agent, sessions::network)).distinct().limit(200)).await?;
    let known =
        |(agent, network): &(String, String)| *agent == session.user_agent || *network == session.network;
    Ok(!rows.is_empty() && !rows.iter().any(known))
}

/// Whether the account of this address signed in from this network within the last 30 days.
pub async fn is_known_here(tx: &mut ReadTx<'_>, email_key: &str, network: &str) -> Result<bool, DbError> {
    let since = tx.now() - TimeDelta::days(30);
    let entered = sessions::table
        .inner_join(accounts::table)
        .filter(accounts::email_key.eq(email_key.to_owned()).and(accounts::state.eq("active")))
        .filter(sessions::network.eq(network.to_owned()).and(sessions::created_at.gt(since)))
        .limit(1);
    let found: Option<SessionId> = tx.optional(entered.select(sessions::id)).await?;
    Ok(found.is_some())
}

pub async fn insert_token(
    tx: &mut WriteTx<'_>,
    session: SessionId,
    digest: &SecretDigest,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let row = diesel::insert_into(refresh_tokens::table).values((
        refresh_tokens::token_hash.eq(digest.as_bytes().as_slice()),
        refresh_tokens::session_id.eq(session),
        refresh_tokens::created_at.eq(tx.now()),
        refresh_tokens::expires_at.eq(expires_at),
    ));
    tx.execute(row).await.map(|_| ())
}

/// A presented token's record, with the rows of its family locked: of two parallel uses the second sees the first.
pub async fn lock_token(
    tx: &mut WriteTx<'_>,
    digest: &SecretDigest,
) -> Result<Option<(Session, RefreshRecord)>, DbError> {
    let family = refresh_tokens::table.find(digest.as_bytes().as_slice()).select(refresh_tokens::session_id);
    let Some(family): Option<SessionId> = tx.optional(family).await? else { return Ok(None) };
    let session =
        sessions::table.find(family).select((Session::as_select(), sessions::revoked_at)).for_update();
    let (session, revoked_at): (Session, Option<DateTime<Utc>>) = tx.one(session).await?;
    let token = refresh_tokens::table
        .find(digest.as_bytes().as_slice())
        .select((refresh_tokens::used_at, refresh_tokens::expires_at));
    let (used_at, expires_at): (Option<DateTime<Utc>>, DateTime<Utc>) = tx.one(token).await?;
    let family_expires_at = session.expires_at;
    let record =
        RefreshRecord { used_at, expires_at, family_expires_at, family_revoked: revoked_at.is_some() };
    Ok(Some((session, record)))
}

pub async fn use_token(
    tx: &mut WriteTx<'_>,
    session: SessionId,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    let now = tx.now();
    let token = refresh_tokens::table.find(digest.as_bytes().as_slice());
    tx.execute(diesel::update(token).set(refresh_tokens::used_at.eq(now))).await?;
    tx.execute(diesel::update(sessions::table.find(session)).set(sessions::last_used_at.eq(now))).await?;
    Ok(())
}

/// Ends one session of an account, here and in stores; `false` when there is no such living session.
pub async fn end(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    session: SessionId,
    because: EndReason,
) -> Result<bool, DbError> {
    let now = tx.now();
    let living = sessions::table
        .find(session)
        .filter(sessions::account_id.eq(account).and(sessions::revoked_at.is_null()));
    let change =
        diesel::update(living).set((sessions::revoked_at.eq(now), sessions::revoked_because.eq(because)));
    let ended: Vec<SessionId> = tx.load(change.returning(sessions::id)).await?;
    tell_stores(tx, &ended).await?;
    Ok(!ended.is_empty())
}

/// Every token that was issued from these sessions for a store dies: stores read no table of ours, but this one.
async fn tell_stores(tx: &mut WriteTx<'_>, ended: &[SessionId]) -> Result<(), DbError> {
    if ended.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let query = sql("INSERT INTO platform.ended_sessions (session_id, ended_at) \
         SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING")
    .bind::<Array<SqlUuid>, _>(ended.iter().map(|session| session.uuid()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

pub async fn end_all(tx: &mut WriteTx<'_>, account: AccountId, because: EndReason) -> Result<usize, DbError> {
    let now = tx.now();
    let living = sessions::table.filter(sessions::account_id.eq(account).and(sessions::revoked_at.is_null()));
    let change =
        diesel::update(living).set((sessions::revoked_at.eq(now), sessions::revoked_because.eq(because)));
    let ended: Vec<SessionId> = tx.load(change.returning(sessions::id)).await?;
    tell_stores(tx, &ended).await?;
    Ok(ended.len())
}

/// Living sessions, newest first.
pub async fn list(tx: &mut ReadTx<'_>, account: AccountId) -> Result<Vec<Session>, DbError> {
    let now = tx.now();
    let living = sessions::table
        .filter(sessions::account_id.eq(account).and(sessions::revoked_at.is_null()))
        .filter(sessions::expires_at.gt(now))
        .order(sessions::id.desc())
        .limit(100)
        .select(Session::as_select());
    tx.load(living).await
}

/// Counts one attempt in a bucket: how many the window holds now, and when it ends. One atomic statement, so parallel
/// attempts cannot slip by.
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
    // An attempt is no act yet: what comes of it has a transaction of its own.
    tx.logged();
    Ok((counted.failures, counted.window_ends_at))
}

/// A bucket after an attempt.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Timestamptz)]
    window_ends_at: DateTime<Utc>,
}

/// Takes one attempt back: it was no guess.
pub async fn forgive_attempt(tx: &mut WriteTx<'_>, bucket: &str) -> Result<(), DbError> {
    let counted = throttles::table.find(bucket.to_owned()).filter(throttles::failures.gt(0));
    tx.execute(diesel::update(counted).set(throttles::failures.eq(throttles::failures - 1))).await.map(|_| ())
}

/// Removes counters whose window is over, sessions that ended 30 days ago, and what stores were told of sessions whose tokens have died of age.
pub async fn forget(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let (now, age) = (tx.now(), TimeDelta::days(30));
    tx.execute(diesel::delete(throttles::table.filter(throttles::window_ends_at.lt(now)))).await?;
    let told = sql("DELETE FROM platform.ended_sessions WHERE ended_at < $1");
    tx.execute(told.bind::<Timestamptz, _>(now - TimeDelta::hours(1))).await?;
    let ended = sessions::revoked_at.lt(now - age).or(sessions::expires_at.nullable().lt(now - age));
    tx.execute(diesel::delete(sessions::table.filter(ended))).await.map(|_| ())
}
