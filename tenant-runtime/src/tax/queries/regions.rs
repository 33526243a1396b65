//! The statements of regions.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use souk_kernel::{Country, TaxRegionId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use crate::tax::model::{PostalRange, RegionKind, TaxRegionView};

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: TaxRegionId,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: TaxRegionId,
    #[diesel(sql_type = Text)]
    country: Country,
    #[diesel(sql_type = Nullable<Text>)]
    province: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_id: Option<TaxRegionId>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    postal_ranges: Option<Document<Vec<PostalRange>>>,
    #[diesel(sql_type = Bool)]
    stands_alone: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl From<Row> for TaxRegionView {
    fn from(row: Row) -> Self {
        let kind = match (&row.province, &row.postal_ranges) {
            (_, Some(_)) => RegionKind::PostalCodes,
            (Some(_), None) => RegionKind::Province,
            (None, None) => RegionKind::Country,
        };
        Self {
            id: row.id,
            kind,
            country: row.country,
            code: row.province,
            name: row.name,
            parent: row.parent_id,
            postal_ranges: row.postal_ranges.map(|Document(ranges)| ranges).unwrap_or_default(),
            stands_alone: row.stands_alone,
            version: row.version,
        }
    }
}

/// The region's id, locked until the transaction ends; made when it is new.
pub async fn region(
    tx: &mut WriteTx<'_>,
    country: Country,
    province: Option<&str>,
) -> Result<TaxRegionId, DbError> {
    let statement = sql(include_str!("region.sql"))
        .bind::<SqlUuid, _>(TaxRegionId::new())
        .bind::<Text, _>(country)
        .bind::<Nullable<Text>, _>(province);
    let row: IdRow = tx.one(statement).await?;
    Ok(row.id)
}

/// Every region, or those of a country, by code; at most 1000.
pub async fn list(tx: &mut ReadTx<'_>, country: Option<Country>) -> Result<Vec<TaxRegionView>, DbError> {
    let statement = sql(
        "SELECT id, country, province, name, parent_id, postal_ranges, stands_alone, version FROM tax_regions \
         WHERE ($1 IS NULL OR country = $1) ORDER BY country, province NULLS FIRST, id LIMIT 1000",
    );
    let rows: Vec<Row> = tx.load(statement.bind::<Nullable<Text>, _>(country)).await?;
    Ok(rows.into_iter().map(TaxRegionView::from).collect())
}

/// One region, locked until the transaction ends.
pub async fn find(tx: &mut WriteTx<'_>, id: TaxRegionId) -> Result<Option<TaxRegionView>, DbError> {
    let statement = sql(
        "SELECT id, country, province, name, parent_id, postal_ranges, stands_alone, version FROM tax_regions \
         WHERE id = $1 FOR UPDATE",
    );
    let row: Option<Row> = tx.optional(statement.bind::<SqlUuid, _>(id)).await?;
    Ok(row.map(TaxRegionView::from))
}

/// Writes a region: a new one, or what may be changed of one that is there.
pub async fn put(tx: &mut WriteTx<'_>, region: &TaxRegionView) -> Result<TaxRegionView, DbError> {
    let ranges = Some(&region.postal_ranges).filter(|ranges| !ranges.is_empty());
    let ranges =
        ranges.map(serde_json::to_value).transpose().map_err(|error| DbError::Other(Box::new(error)))?;
    let statement = sql(include_str!("put_region.sql"))
        .bind::<SqlUuid, _>(region.id)
        .bind::<Text, _>(region.country)
        .bind::<Nullable<Text>, _>(region.code.clone())
        .bind::<Text, _>(region.name.clone())
        .bind::<Nullable<SqlUuid>, _>(region.parent)
        .bind::<Nullable<Jsonb>, _>(ranges)
        .bind::<Bool, _>(region.stands_alone);
    let row: Row = tx.one(statement).await?;
    Ok(row.into())
}

/// Removes a region that never had a rate, nor regions below it. `false`: there is none with this id.
pub async fn delete(tx: &mut WriteTx<'_>, id: TaxRegionId) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM tax_regions WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}
