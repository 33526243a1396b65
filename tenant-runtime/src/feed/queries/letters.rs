//! The store's own dead letters and replays, through the doors that `platform` has for them.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::feed::model::letters::{DeadLetterView, Planned, ReplayWish, StandingRow};

/// How far consumers are; those that have heard everything are missing.
pub async fn standings(tx: &mut ReadTx<'_>) -> Result<Vec<StandingRow>, DbError> {
    let rows =
        sql("select coalesce(s.consumer, r.consumer) as consumer, coalesce(s.waiting, 0) as waiting, \
         coalesce(s.dead, 0) as dead, s.oldest_at, r.since as unread_since \
         from platform.own_standings() s full join platform.unread_since() r on r.consumer = s.consumer");
    tx.load(rows).await
}

/// Dead letters, newest first.
pub async fn dead(
    tx: &mut ReadTx<'_>,
    id: Option<i64>,
    consumer: Option<String>,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<DeadLetterView>, DbError> {
    let rows = sql("select * from platform.own_dead_letters($1, $2, $3, $4)")
        .bind::<Nullable<BigInt>, _>(id)
        .bind::<Nullable<Text>, _>(consumer)
        .bind::<Nullable<BigInt>, _>(before)
        .bind::<Integer, _>(i32::try_from(most).unwrap_or(i32::MAX));
    tx.load(rows).await
}

/// Another life for one, or for all of a consumer; how many.
pub async fn revive(tx: &mut WriteTx<'_>, id: Option<i64>, consumer: Option<String>) -> Result<i64, DbError> {
    let query = sql("select platform.revive_own($1, $2) as events")
        .bind::<Nullable<BigInt>, _>(id)
        .bind::<Nullable<Text>, _>(consumer);
    let row: Planned = tx.one(query).await?;
    Ok(row.events)
}

/// Forgets one; how many.
pub async fn discard(tx: &mut WriteTx<'_>, id: i64) -> Result<i64, DbError> {
    let row: Planned = tx.one(sql("select platform.discard_own($1) as events").bind::<BigInt, _>(id)).await?;
    Ok(row.events)
}

#[derive(QueryableByName)]
struct Replayed {
    #[diesel(sql_type = Nullable<BigInt>)]
    events: Option<i64>,
}

/// Has a consumer hear events once more; how many. None when the one that is named is none of the store's.
pub async fn replay(tx: &mut WriteTx<'_>, wish: &ReplayWish) -> Result<Option<i64>, DbError> {
    let kinds = wish
        .types
        .as_ref()
        .map(|kinds| kinds.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<_>>());
    let query = sql("select platform.replay_own($1, $2, $3, $4, $5, $6) as events")
        .bind::<Text, _>(wish.consumer.as_str().to_owned())
        .bind::<Text, _>(wish.name.as_str().to_owned())
        .bind::<Nullable<SqlUuid>, _>(wish.event)
        .bind::<Nullable<Timestamptz>, _>(wish.from)
        .bind::<Nullable<Timestamptz>, _>(wish.until)
        .bind::<Nullable<Array<Text>>, _>(kinds);
    let row: Replayed = tx.one(query).await?;
    Ok(row.events)
}
