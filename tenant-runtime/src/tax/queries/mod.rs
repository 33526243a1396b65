//! The statements of tax.

mod regions;
mod relief;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize;
use souk_kernel::{Country, TaxRateId, TaxRegionId};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};

use super::model::{
    ClassCode, Destination, NewTaxRate, PostalRange, RegionJson, RelievedPay, ReverseCharge, TaxBuyer,
    TaxRateFilter, TaxRateView, TaxRelief, TaxRules, TaxSettings, VatNumber, chain,
};

pub use regions::{delete as delete_region, find as find_region, list as regions, put as put_region, region};
pub use relief::{
    classes, delete_class, end_exemption, exemptions, forget, insert_exemption, lock_settings, note_number,
    number, put_class, put_settings, settings,
};

/// An exemption that holds.
#[derive(Deserialize)]
struct ExemptionJson {
    reason: String,
    certificate: String,
}

#[derive(QueryableByName)]
struct RulesRow {
    #[diesel(embed)]
    settings: TaxSettings,
    #[diesel(sql_type = Nullable<Text>)]
    number_outcome: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    number_checked_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Json>)]
    exemption: Option<Document<ExemptionJson>>,
    #[diesel(sql_type = Json)]
    regions: Document<Vec<RegionJson>>,
}

impl RulesRow {
    /// Why this buyer owes nothing there, if so: an exemption, else the reverse charge.
    fn relief(&mut self, to: &Destination, buyer: &TaxBuyer, home: Country) -> Option<TaxRelief> {
        if let Some(Document(exemption)) = self.exemption.take() {
            return Some(TaxRelief::exemption(exemption.reason, exemption.certificate));
        }
        let number = VatNumber::parse(buyer.vat_number.as_deref()?).ok()?;
        let outcome = self.number_outcome.as_deref().unwrap_or("well_formed");
        let holds = match ReverseCharge::stored(&self.settings.reverse_charge) {
            ReverseCharge::Off => false,
            ReverseCharge::WellFormed => outcome != "refuted",
            ReverseCharge::Confirmed => outcome == "confirmed",
        };
        let confirmed_at = self.number_checked_at.filter(|_| outcome == "confirmed");
        (holds && number.moves_tax(home, to.country))
            .then(|| TaxRelief::reverse_charge(number.as_str().to_owned(), confirmed_at))
    }
}

/// All that says what a buyer owes at a destination now, of a store at `home`: the regions and their rates, the buyer's exemption or VAT number,
/// and the store's settings. One statement, no lock, whatever is in the basket.
///
/// # Errors
/// The database's only.
pub async fn rules_for(
    tx: &mut ReadTx<'_>,
    to: &Destination,
    buyer: &TaxBuyer,
    home: Country,
) -> Result<TaxRules, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("rules_for.sql"))
        .bind::<Text, _>(to.country)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(buyer.customer)
        .bind::<Nullable<Text>, _>(buyer.vat_number.clone())
        .bind::<Nullable<Text>, _>(to.province.as_deref().map(|name| name.trim().to_owned()))
        .bind::<Nullable<Text>, _>(to.postal_code.as_deref().map(PostalRange::key));
    let mut row: RulesRow = tx.one(statement).await?;
    let relief = row.relief(to, buyer, home);
    Ok(TaxRules {
        jurisdiction: to.country.code().to_owned(),
        regions: chain(&row.regions.0, to).into_iter().map(RegionJson::rules).collect(),
        relief,
        shipping: row.settings.shipping_tax(),
        relieved_pay: RelievedPay::stored(&row.settings.relieved_pay),
    })
}

/// Every rate of the filter, by region, component and class, newest first; at most 1000.
pub async fn list(tx: &mut ReadTx<'_>, filter: &TaxRateFilter) -> Result<Vec<TaxRateView>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("list.sql"))
        .bind::<Nullable<Text>, _>(filter.country)
        .bind::<Nullable<Bool>, _>(filter.in_force)
        .bind::<Timestamptz, _>(now);
    tx.load(statement).await
}

/// The versions of a rate's series that are in force at a moment or later, in order.
pub async fn series(
    tx: &mut ReadTx<'_>,
    rate: &NewTaxRate,
    from: DateTime<Utc>,
) -> Result<Vec<TaxRateView>, DbError> {
    let series = rate.series();
    let statement = sql(include_str!("series.sql"))
        .bind::<Text, _>(rate.country)
        .bind::<Nullable<Text>, _>(rate.province.clone())
        .bind::<Text, _>(series.component.to_owned())
        .bind::<Nullable<Text>, _>(series.class.map(str::to_owned))
        .bind::<Timestamptz, _>(from);
    tx.load(statement).await
}

/// Makes room in the region from a moment on: what began then goes, what would go on ends.
pub async fn make_room(
    tx: &mut WriteTx<'_>,
    region: TaxRegionId,
    rate: &NewTaxRate,
    from: DateTime<Utc>,
) -> Result<(), DbError> {
    let series = rate.series();
    let statement = sql(include_str!("make_room.sql"))
        .bind::<SqlUuid, _>(region)
        .bind::<Timestamptz, _>(from)
        .bind::<Text, _>(series.component.to_owned())
        .bind::<Nullable<Text>, _>(series.class.map(str::to_owned));
    tx.execute(statement).await.map(drop)
}

/// Writes a rate that lasts until it says, or until the next one of its series begins.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    region: TaxRegionId,
    rate: &NewTaxRate,
    from: DateTime<Utc>,
) -> Result<TaxRateView, DbError> {
    let component = rate.series().component.to_owned();
    let statement = sql(include_str!("insert.sql"))
        .bind::<SqlUuid, _>(TaxRateId::new())
        .bind::<SqlUuid, _>(region)
        .bind::<Text, _>(rate.name.clone())
        .bind::<Integer, _>(rate.rate_ppm)
        .bind::<Text, _>(rate.reason().as_str())
        .bind::<Timestamptz, _>(from)
        .bind::<Text, _>(component)
        .bind::<Nullable<Text>, _>(rate.class.clone().map(ClassCode::into_string))
        .bind::<Bool, _>(rate.compound)
        .bind::<Nullable<Timestamptz>, _>(rate.valid_to);
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
