//! The statements of price lists.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, CustomerGroupId, MarketId, Money, PriceListId, Quantity, VariantId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::catalog::model::{ListPrice, PriceListKind, PriceListView, PutPriceList, SetListPrices};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: PriceListId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    market_id: Option<MarketId>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Integer>)]
    adjust_ppm: Option<i32>,
    #[diesel(sql_type = Integer)]
    min_quantity: i32,
    #[diesel(sql_type = Integer)]
    priority: i32,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Timestamptz)]
    starts_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ends_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    price_count: i64,
    #[diesel(sql_type = Array<SqlUuid>)]
    customer_groups: Vec<CustomerGroupId>,
}

impl From<Row> for PriceListView {
    fn from(row: Row) -> Self {
        let percent = row.kind == PriceListKind::Percent.as_str();
        Self {
            id: row.id,
            name: row.name,
            currency: row.currency,
            market: row.market_id,
            customer_groups: row.customer_groups,
            kind: if percent { PriceListKind::Percent } else { PriceListKind::Fixed },
            adjust_ppm: row.adjust_ppm,
            min_quantity: row.min_quantity,
            priority: row.priority,
            active: row.active,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            price_count: row.price_count,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// One page of lists, newest first; or the one of this id.
pub async fn page(
    tx: &mut ReadTx<'_>,
    id: Option<PriceListId>,
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
) -> Result<Vec<PriceListView>, DbError> {
    let statement = sql(include_str!("price_lists.sql"))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Timestamptz>, _>(after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(fetch);
    let rows: Vec<Row> = tx.load(statement).await?;
    Ok(rows.into_iter().map(PriceListView::from).collect())
}

/// Locks a list; false: there is none.
pub async fn lock(tx: &mut WriteTx<'_>, id: PriceListId) -> Result<bool, DbError> {
    let statement = sql("SELECT id FROM price_lists WHERE id = $1 FOR UPDATE").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}

/// Writes a list, new or anew, and whom it is only for.
pub async fn put(
    tx: &mut WriteTx<'_>,
    id: PriceListId,
    wish: &PutPriceList,
    starts_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    let statement = sql(include_str!("put_price_list.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(wish.name.clone())
        .bind::<Text, _>(wish.currency)
        .bind::<Nullable<SqlUuid>, _>(wish.market)
        .bind::<Text, _>(wish.kind.as_str())
        .bind::<Nullable<Integer>, _>(wish.adjust_ppm)
        .bind::<Integer, _>(wish.min_quantity)
        .bind::<Integer, _>(wish.priority)
        .bind::<Bool, _>(wish.active)
        .bind::<Timestamptz, _>(starts_at)
        .bind::<Nullable<Timestamptz>, _>(wish.ends_at)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(wish.customer_groups.iter().map(|group| group.uuid()).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

/// Removes a list with its prices; false: there is none.
pub async fn remove(tx: &mut WriteTx<'_>, id: PriceListId) -> Result<bool, DbError> {
    Ok(tx.execute(sql("DELETE FROM price_lists WHERE id = $1").bind::<SqlUuid, _>(id)).await? == 1)
}

/// Sets and removes prices of a list and counts its version up. The list is locked.
pub async fn set_prices(tx: &mut WriteTx<'_>, id: PriceListId, wish: &SetListPrices) -> Result<(), DbError> {
    let now = tx.now();
    let statement = sql(include_str!("set_list_prices.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<SqlUuid>, _>(wish.prices.iter().map(|price| price.variant.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(wish.prices.iter().map(|price| price.min_quantity).collect::<Vec<_>>())
        .bind::<Array<Nullable<BigInt>>, _>(
            wish.prices.iter().map(|price| price.price.map(Money::minor)).collect::<Vec<_>>(),
        )
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// What a list says of one variant from so many pieces on.
#[derive(QueryableByName)]
pub struct Step {
    #[diesel(sql_type = Nullable<BigInt>)]
    pub amount_minor: Option<i64>,
    /// Whether there is such a variant.
    #[diesel(sql_type = Bool)]
    pub known: bool,
}

/// What a list says now of each of the steps of a wish, in its order.
pub async fn steps(tx: &mut ReadTx<'_>, id: PriceListId, wish: &SetListPrices) -> Result<Vec<Step>, DbError> {
    let text = "SELECT x.amount_minor, v.id IS NOT NULL AS known \
        FROM unnest($2::uuid[], $3::integer[]) WITH ORDINALITY AS w (variant_id, min_quantity, place) \
        LEFT JOIN product_variants v ON v.id = w.variant_id \
        LEFT JOIN price_list_prices x ON x.list_id = $1 AND x.variant_id = w.variant_id AND x.min_quantity = w.min_quantity \
        ORDER BY w.place";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Array<SqlUuid>, _>(wish.prices.iter().map(|price| price.variant.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(wish.prices.iter().map(|price| price.min_quantity).collect::<Vec<_>>());
    tx.load(statement).await
}

/// What stands in the way of writing a list.
#[derive(QueryableByName)]
pub struct Obstacles {
    /// Another list has its name.
    #[diesel(sql_type = Bool)]
    pub name_taken: bool,
    #[diesel(sql_type = Bool)]
    pub market_unknown: bool,
    #[diesel(sql_type = Bool)]
    pub group_unknown: bool,
}

/// What would refuse a list as it shall be; `id`: the one that is written anew. One statement.
pub async fn obstacles(
    tx: &mut ReadTx<'_>,
    id: Option<PriceListId>,
    wish: &PutPriceList,
) -> Result<Obstacles, DbError> {
    let text = "SELECT EXISTS (SELECT 1 FROM price_lists l WHERE l.name = $2 AND l.id IS DISTINCT FROM $1) AS name_taken, \
        $3::uuid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM markets m WHERE m.id = $3) AS market_unknown, \
        EXISTS (SELECT 1 FROM unnest($4::uuid[]) AS w (id) WHERE NOT EXISTS (SELECT 1 FROM customer_groups g WHERE g.id = w.id)) AS group_unknown";
    let statement = sql(text)
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Text, _>(wish.name.clone())
        .bind::<Nullable<SqlUuid>, _>(wish.market)
        .bind::<Array<SqlUuid>, _>(wish.customer_groups.iter().map(|group| group.uuid()).collect::<Vec<_>>());
    tx.one(statement).await
}

#[derive(QueryableByName)]
struct PriceRow {
    #[diesel(sql_type = SqlUuid)]
    variant_id: VariantId,
    #[diesel(sql_type = Integer)]
    min_quantity: Quantity,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
}

/// One page of a list's prices, by variant and step.
pub async fn prices(
    tx: &mut ReadTx<'_>,
    id: PriceListId,
    after: Option<(VariantId, Quantity)>,
    fetch: i64,
) -> Result<Vec<ListPrice>, DbError> {
    let text = "SELECT x.variant_id, x.min_quantity, x.amount_minor, l.currency \
        FROM price_list_prices x JOIN price_lists l ON l.id = x.list_id \
        WHERE x.list_id = $1 AND ($2::uuid IS NULL OR (x.variant_id, x.min_quantity) > ($2, $3)) \
        ORDER BY x.variant_id, x.min_quantity LIMIT $4";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<SqlUuid>, _>(after.map(|(variant, _)| variant))
        .bind::<Nullable<Integer>, _>(after.map(|(_, least)| least))
        .bind::<BigInt, _>(fetch);
    let rows: Vec<PriceRow> = tx.load(statement).await?;
    let price = |row: PriceRow| ListPrice {
        variant: row.variant_id,
        min_quantity: row.min_quantity,
        price: Some(Money::new(row.amount_minor, row.currency)),
    };
    Ok(rows.into_iter().map(price).collect())
}

/// Notes what a list, which is locked, said until now, before it is written anew or goes: then with its `prices`. One statement.
pub async fn keep(tx: &mut WriteTx<'_>, id: PriceListId, prices: bool) -> Result<(), DbError> {
    let now = tx.now();
    let statement = sql(include_str!("keep_price_list.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(now)
        .bind::<Bool, _>(prices);
    tx.execute(statement).await.map(drop)
}
