//! The statements of an order's note and tags.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::OrderId;
use souk_tenancy::{DbError, WriteTx, sql};

use crate::orders::model::edit::Words;

/// An order as far as whoever edits it must know.
#[derive(QueryableByName)]
pub struct Edited {
    #[diesel(sql_type = Nullable<BigInt>)]
    pub number: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Text)]
    pub note: String,
    #[diesel(sql_type = Array<Text>)]
    pub tags: Vec<String>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// Locks an order to edit it.
pub async fn lock(tx: &mut WriteTx<'_>, id: OrderId) -> Result<Option<Edited>, DbError> {
    let query = sql("SELECT number, name, note, tags, version FROM orders WHERE id = $1 FOR UPDATE");
    tx.optional(query.bind::<SqlUuid, _>(id)).await
}

/// Writes note and tags. The order is locked.
pub async fn write(tx: &mut WriteTx<'_>, id: OrderId, words: &Words) -> Result<(), DbError> {
    let now = tx.now();
    let query =
        sql("UPDATE orders SET note = $2, tags = $3, version = version + 1, updated_at = $4 WHERE id = $1")
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(words.note.clone())
            .bind::<Array<Text>, _>(words.tags.clone())
            .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
