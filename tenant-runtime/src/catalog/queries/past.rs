//! The statements of what prices were.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, MarketId, VariantId};
use souk_tenancy::{DbError, Document, ReadTx, sql};
use uuid::Uuid;

use crate::catalog::model::{BaseSince, ListedSince, Spell};

/// What is known of the prices of a variant.
#[derive(QueryableByName)]
pub struct PastPrices {
    #[diesel(sql_type = SqlUuid)]
    pub variant_id: VariantId,
    #[diesel(sql_type = Json)]
    pub bases: Document<Vec<BaseSince>>,
    #[diesel(sql_type = Json)]
    pub listed: Document<Vec<ListedSince>>,
}

/// The prices of these variants since then. One statement.
pub async fn prices(
    tx: &mut ReadTx<'_>,
    variants: &[VariantId],
    currency: Currency,
    since: DateTime<Utc>,
) -> Result<Vec<PastPrices>, DbError> {
    let statement = sql(include_str!("past_prices.sql"))
        .bind::<Array<SqlUuid>, _>(variants.iter().map(|variant| variant.uuid()).collect::<Vec<Uuid>>())
        .bind::<Text, _>(currency)
        .bind::<Timestamptz, _>(since);
    tx.load(statement).await
}

#[derive(QueryableByName)]
struct SpellRow {
    #[diesel(sql_type = SqlUuid)]
    list_id: Uuid,
    #[diesel(sql_type = Integer)]
    priority: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    adjust_ppm: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    until: Option<DateTime<Utc>>,
}

/// When which lists were in force for everybody in a market, since then. One statement.
pub async fn lists(
    tx: &mut ReadTx<'_>,
    currency: Currency,
    market: Option<MarketId>,
    since: DateTime<Utc>,
) -> Result<Vec<Spell>, DbError> {
    let statement = sql(include_str!("past_lists.sql"))
        .bind::<Text, _>(currency)
        .bind::<Nullable<SqlUuid>, _>(market)
        .bind::<Timestamptz, _>(since);
    let rows: Vec<SpellRow> = tx.load(statement).await?;
    let spell = |row: SpellRow| Spell {
        list: row.list_id,
        priority: row.priority,
        adjust_ppm: row.adjust_ppm,
        since: row.since,
        until: row.until,
    };
    Ok(rows.into_iter().map(spell).collect())
}
