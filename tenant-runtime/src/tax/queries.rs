//! The statements of tax rates.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Country, Ppm, TaxRateId, TaxRegionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Destination, NewTaxRate, TaxRateFilter, TaxRateView, TaxReason, TaxRule, TaxRules};

#[derive(QueryableByName)]
struct RuleRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    jurisdiction: String,
    #[diesel(sql_type = Integer)]
    rate_ppm: Ppm,
    #[diesel(sql_type = Text)]
    reason: TaxReason,
}

#[derive(QueryableByName)]
struct RegionRow {
    #[diesel(sql_type = SqlUuid)]
    id: TaxRegionId,
}

/// The rates in force at a destination now: that of its country and that of its province. One statement, no lock.
///
/// # Errors
/// The database's only.
pub async fn rules_for(tx: &mut ReadTx<'_>, to: &Destination) -> Result<TaxRules, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("rules_for.sql"))
        .bind::<Text, _>(to.country)
        .bind::<Nullable<Text>, _>(to.province.clone())
        .bind::<Timestamptz, _>(now);
    let rows: Vec<RuleRow> = tx.load(statement).await?;
    let rule = |row: RuleRow| TaxRule {
        name: row.name,
        jurisdiction: row.jurisdiction,
        rate: row.rate_ppm,
        reason: row.reason,
    };
    Ok(TaxRules { jurisdiction: to.country.code().to_owned(), rules: rows.into_iter().map(rule).collect() })
}

/// Every rate of the filter, by region, newest first; at most 1000.
pub async fn list(tx: &mut ReadTx<'_>, filter: &TaxRateFilter) -> Result<Vec<TaxRateView>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("list.sql"))
        .bind::<Nullable<Text>, _>(filter.country)
        .bind::<Nullable<Bool>, _>(filter.in_force)
        .bind::<Timestamptz, _>(now);
    tx.load(statement).await
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
    let row: RegionRow = tx.one(statement).await?;
    Ok(row.id)
}

/// Makes room in the region from a moment on: what began then goes, what would go on ends.
pub async fn make_room(
    tx: &mut WriteTx<'_>,
    region: TaxRegionId,
    from: DateTime<Utc>,
) -> Result<(), DbError> {
    let statement =
        sql(include_str!("make_room.sql")).bind::<SqlUuid, _>(region).bind::<Timestamptz, _>(from);
    tx.execute(statement).await.map(drop)
}

/// Writes a rate that lasts until the next one of its region begins.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    region: TaxRegionId,
    rate: &NewTaxRate,
    reason: TaxReason,
    from: DateTime<Utc>,
) -> Result<TaxRateView, DbError> {
    let statement = sql(include_str!("insert.sql"))
        .bind::<SqlUuid, _>(TaxRateId::new())
        .bind::<SqlUuid, _>(region)
        .bind::<Text, _>(rate.name.clone())
        .bind::<Integer, _>(rate.rate_ppm)
        .bind::<Text, _>(reason.as_str())
        .bind::<Timestamptz, _>(from);
    tx.one(statement).await
}

/// Ends a rate now; one that was never in force goes. `false`: there is none that could end.
pub async fn end(tx: &mut WriteTx<'_>, id: TaxRateId) -> Result<bool, DbError> {
    let now = tx.now();
    let planned = sql("DELETE FROM tax_rates WHERE id = $1 AND valid_from >= $2");
    if tx.execute(planned.bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now)).await? == 1 {
        return Ok(true);
    }
    let running =
        sql("UPDATE tax_rates SET valid_to = $2 WHERE id = $1 AND (valid_to IS NULL OR valid_to > $2)");
    Ok(tx.execute(running.bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now)).await? == 1)
}
