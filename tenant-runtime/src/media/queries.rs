//! The statements on files of pictures.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::Developed;

#[derive(QueryableByName)]
struct ObjectRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Counts more bytes, unless there would be more than `most`. Holds the account until the transaction ends.
pub async fn count(tx: &mut WriteTx<'_>, bytes: i64, most: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE media_account SET bytes = bytes + $1 WHERE bytes + $1 <= $2")
        .bind::<BigInt, _>(bytes)
        .bind::<BigInt, _>(most);
    Ok(tx.execute(query).await? > 0)
}

/// A file that is kept if it is kept within the hour, or, `kept`, that is.
pub async fn insert(tx: &mut WriteTx<'_>, file: &Developed, kept: bool) -> Result<(), DbError> {
    let now = tx.now();
    let content = (!file.shelved).then(|| file.bytes.to_vec());
    let query = sql(
        "INSERT INTO media_objects (id, content_type, bytes, content, state, next_attempt_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, CASE WHEN $5 = 'pending' THEN $6::timestamptz + interval '1 hour' END, $6)",
    )
    .bind::<SqlUuid, _>(file.id)
    .bind::<Text, _>(file.content_type)
    .bind::<BigInt, _>(file.size())
    .bind::<Nullable<Binary>, _>(content)
    .bind::<Text, _>(if kept { "kept" } else { "pending" })
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Keeps what was announced; `false` when it was put away meanwhile.
pub async fn keep(tx: &mut WriteTx<'_>, object: Uuid) -> Result<bool, DbError> {
    let query = sql(
        "UPDATE media_objects SET state = 'kept', next_attempt_at = NULL WHERE id = $1 AND state = 'pending'",
    )
    .bind::<SqlUuid, _>(object);
    Ok(tx.execute(query).await? > 0)
}

/// Lets go of what was announced and not kept in time.
pub async fn give_up(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("WITH late AS (UPDATE media_objects SET state = 'gone', content = NULL \
             WHERE state = 'pending' AND next_attempt_at <= $1 RETURNING bytes) \
         UPDATE media_account a SET bytes = greatest(a.bytes - l.bytes, 0) \
         FROM (SELECT sum(late.bytes) AS bytes FROM late) l WHERE l.bytes > 0")
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Some of the files that nothing shows.
pub async fn gone(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let query = sql("SELECT id FROM media_objects WHERE state = 'gone' ORDER BY id LIMIT $1");
    let rows: Vec<ObjectRow> = tx.load(query.bind::<BigInt, _>(limit)).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Forgets files whose objects were put away.
pub async fn forget(tx: &mut WriteTx<'_>, objects: Vec<Uuid>) -> Result<(), DbError> {
    let query = sql("DELETE FROM media_objects WHERE id = ANY($1::uuid[]) AND state = 'gone'")
        .bind::<Array<SqlUuid>, _>(objects);
    tx.execute(query).await.map(|_| ())
}
