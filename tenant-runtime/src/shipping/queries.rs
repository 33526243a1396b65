//! The statements of zones and rates.

pub mod calculators;
pub mod profiles;
pub mod settings;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Time, Timestamp, Timestamptz, Uuid as SqlUuid,
};
use serde::Deserialize;
use serde_json::json;
use souk_kernel::{Currency, Money, ShippingCalculatorId, ShippingProfileId, ShippingRateId, ShippingZoneId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{
    Ask, CUT_OFF, Calendar, DeliveryDates, EditShippingZone, HandOver, NewShippingRate, NewShippingZone,
    Offers, Parcel, Places, PostalCodes, ShippingOption, ShippingRateView, ShippingZoneView, Taken, dates,
    option_id, province,
};

#[derive(QueryableByName)]
struct OptionRow {
    /// Of the parcel.
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = SqlUuid)]
    id: ShippingRateId,
    #[diesel(sql_type = Text)]
    title: String,
    /// Of a carrier's service.
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    /// None where there is only somebody to be asked.
    #[diesel(sql_type = Nullable<BigInt>)]
    amount_minor: Option<i64>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    unasked: Option<ShippingCalculatorId>,
    #[diesel(sql_type = Nullable<Integer>)]
    min_days: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    max_days: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    processing_days: Option<i32>,
    #[diesel(sql_type = Nullable<Time>)]
    cut_off: Option<NaiveTime>,
    /// What the clock shows where the store is, and on which days it works: where there are processing days.
    #[diesel(sql_type = Nullable<Timestamp>)]
    local_now: Option<NaiveDateTime>,
    #[diesel(sql_type = Nullable<Text>)]
    working_days: Option<String>,
    #[diesel(sql_type = Nullable<Array<Date>>)]
    holidays: Option<Vec<NaiveDate>>,
}

impl OptionRow {
    fn dates(&mut self) -> DeliveryDates {
        let (Some(processing_days), Some(now)) = (self.processing_days, self.local_now) else {
            return DeliveryDates::default();
        };
        let days = self.working_days.take().unwrap_or_default();
        let calendar = Calendar::read(&days, self.holidays.take().unwrap_or_default());
        let hand_over = HandOver { processing_days, cut_off: self.cut_off };
        dates(now, hand_over, &calendar, (self.min_days, self.max_days))
    }
}

#[derive(QueryableByName)]
struct ZoneRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingZoneId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    profile_id: Option<ShippingProfileId>,
    #[diesel(sql_type = Array<Text>)]
    countries: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    provinces: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    postal_codes: Vec<String>,
    #[diesel(sql_type = Bool)]
    rest_of_world: bool,
    #[diesel(sql_type = Jsonb)]
    rates: serde_json::Value,
}

/// A rate as the zone's JSON holds it: ids as the database writes them.
#[derive(Deserialize)]
struct RateJson {
    id: Uuid,
    name: String,
    currency: Currency,
    amount_minor: i64,
    calculator_id: Option<Uuid>,
    min_total_minor: Option<i64>,
    max_total_minor: Option<i64>,
    min_weight_grams: Option<i64>,
    max_weight_grams: Option<i64>,
    per_piece_minor: i64,
    per_kilogram_minor: i64,
    free_from_minor: Option<i64>,
    min_days: Option<i32>,
    max_days: Option<i32>,
    processing_days: Option<i32>,
    cut_off: Option<NaiveTime>,
    position: i32,
    active: bool,
}

#[derive(QueryableByName)]
struct OverlapRow {
    #[diesel(sql_type = Array<Text>)]
    countries: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    places: Vec<String>,
}

impl TryFrom<ZoneRow> for ShippingZoneView {
    type Error = DbError;
    fn try_from(row: ZoneRow) -> Result<Self, DbError> {
        let rates =
            Vec::<RateJson>::deserialize(row.rates).map_err(|error| DbError::Other(Box::new(error)))?;
        let rate = |rate: RateJson| ShippingRateView {
            id: ShippingRateId::from_uuid(rate.id),
            name: rate.name,
            price: Money::new(rate.amount_minor, rate.currency),
            calculator: rate.calculator_id.map(ShippingCalculatorId::from_uuid),
            min_total: rate.min_total_minor.map(|minor| Money::new(minor, rate.currency)),
            max_total: rate.max_total_minor.map(|minor| Money::new(minor, rate.currency)),
            min_weight_grams: rate.min_weight_grams,
            max_weight_grams: rate.max_weight_grams,
            per_piece: Money::new(rate.per_piece_minor, rate.currency),
            per_kilogram: Money::new(rate.per_kilogram_minor, rate.currency),
            free_from: rate.free_from_minor.map(|minor| Money::new(minor, rate.currency)),
            min_days: rate.min_days,
            max_days: rate.max_days,
            processing_days: rate.processing_days,
            cut_off: rate.cut_off.map(|time| time.format(CUT_OFF).to_string()),
            position: rate.position,
            active: rate.active,
        };
        Ok(Self {
            id: row.id,
            name: row.name,
            profile: row.profile_id,
            countries: row.countries,
            provinces: row.provinces,
            postal_codes: row.postal_codes.iter().filter_map(|kept| PostalCodes::read(kept)).collect(),
            rest_of_world: row.rest_of_world,
            rates: rates.into_iter().map(rate).collect(),
        })
    }
}

/// What delivers each of these parcels, which go to one place, in the currency of their merchandise totals; cheapest first, empty when nothing
/// does. Of the zones of its profile that have the place the most specific one says: postal codes, province, country, the rest of the world. A
/// calculated rate offers what its carrier said of this very parcel; where there is no answer that holds, the fallback, and says whom to
/// [`ask`](super::ask). One statement, no lock; none without parcels.
///
/// # Errors
/// The database's only.
pub async fn options(tx: &mut ReadTx<'_>, parcels: &[Parcel]) -> Result<Vec<Offers>, DbError> {
    let Some(first) = parcels.first() else { return Ok(Vec::new()) };
    let (currency, now) = (first.merchandise_total.currency(), tx.now());
    let parcel = |(number, parcel): (usize, &Parcel)| {
        let question: String = parcel.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "number": number, "profile_id": parcel.profile.map(ShippingProfileId::uuid), "total": parcel.merchandise_total.minor(),
            "grams": parcel.weight_grams, "pieces": parcel.pieces, "question": question })
    };
    let asked: Vec<_> = parcels.iter().enumerate().map(parcel).collect();
    let statement = sql(include_str!("options.sql"))
        .bind::<Text, _>(first.to)
        .bind::<Text, _>(currency)
        .bind::<Jsonb, _>(json!(asked))
        .bind::<Nullable<Text>, _>(first.province.as_deref().map(|name| province(first.to, name)))
        .bind::<Text, _>(first.postal_code.clone())
        .bind::<Timestamptz, _>(now);
    let rows: Vec<OptionRow> = tx.load(statement).await?;
    let mut all = vec![Offers::default(); parcels.len()];
    for mut row in rows {
        let Ok(number) = usize::try_from(row.number) else { continue };
        let Some((offers, parcel)) = all.get_mut(number).zip(parcels.get(number)) else { continue };
        if let Some(calculator) = row.unasked
            && offers.asks.iter().all(|ask| ask.calculator != calculator)
        {
            offers.asks.push(Ask { calculator, parcel: parcel.clone() });
        }
        let Some(minor) = row.amount_minor else { continue };
        let dates = row.dates();
        offers.options.push(ShippingOption {
            id: row.code.map_or(row.id, |code| option_id(row.id, &code)),
            title: row.title,
            price: Money::new(minor, currency),
            min_days: row.min_days,
            max_days: row.max_days,
            dates,
            pickup: None,
        });
    }
    Ok(all)
}

/// All zones with their rates, or the one of this id.
pub async fn zones(
    tx: &mut ReadTx<'_>,
    id: Option<ShippingZoneId>,
) -> Result<Vec<ShippingZoneView>, DbError> {
    let rows: Vec<ZoneRow> = tx.load(sql(include_str!("zones.sql")).bind::<Nullable<SqlUuid>, _>(id)).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// One change of zones at a time: who belongs where is a rule over all of them.
pub async fn lock(tx: &mut WriteTx<'_>) -> Result<(), DbError> {
    tx.execute(sql("LOCK TABLE shipping_zones IN SHARE ROW EXCLUSIVE MODE")).await.map(drop)
}

/// What another zone of the same profile takes of these places, the rest of the world included. `profile`: of a zone that is not there yet.
pub async fn overlap(
    tx: &mut ReadTx<'_>,
    zone: ShippingZoneId,
    profile: Option<ShippingProfileId>,
    places: &Places,
) -> Result<Option<Taken>, DbError> {
    let statement = sql(include_str!("overlap.sql"))
        .bind::<SqlUuid, _>(zone)
        .bind::<Array<Text>, _>(places.countries.clone())
        .bind::<Bool, _>(places.rest_of_world)
        .bind::<Array<Text>, _>(places.provinces.clone())
        .bind::<Array<Text>, _>(places.postal_codes.clone())
        .bind::<Nullable<SqlUuid>, _>(profile);
    let row: Option<OverlapRow> = tx.optional(statement).await?;
    Ok(row.map(|row| Taken { countries: row.countries, places: row.places }))
}

/// Writes a zone without its rates.
pub async fn insert_zone(
    tx: &mut WriteTx<'_>,
    id: ShippingZoneId,
    zone: &NewShippingZone,
    places: Places,
) -> Result<(), DbError> {
    let statement = sql(include_str!("insert_zone.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(zone.name.clone())
        .bind::<Array<Text>, _>(places.countries)
        .bind::<Bool, _>(places.rest_of_world)
        .bind::<Array<Text>, _>(places.provinces)
        .bind::<Array<Text>, _>(places.postal_codes)
        .bind::<Nullable<SqlUuid>, _>(zone.profile);
    tx.execute(statement).await.map(drop)
}

/// Changes a zone: of the places what the edit names; `false`: there is none.
pub async fn edit_zone(
    tx: &mut WriteTx<'_>,
    id: ShippingZoneId,
    edit: &EditShippingZone,
    places: Places,
) -> Result<bool, DbError> {
    let statement = sql(include_str!("edit_zone.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Text>, _>(edit.name.clone())
        .bind::<Nullable<Array<Text>>, _>(edit.countries.is_some().then_some(places.countries))
        .bind::<Nullable<Bool>, _>(edit.rest_of_world)
        .bind::<Nullable<Array<Text>>, _>(edit.provinces.is_some().then_some(places.provinces))
        .bind::<Nullable<Array<Text>>, _>(edit.postal_codes.is_some().then_some(places.postal_codes));
    Ok(tx.execute(statement).await? == 1)
}

/// Removes a zone and its rates; `false`: there is none.
pub async fn delete_zone(tx: &mut WriteTx<'_>, id: ShippingZoneId) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM shipping_zones WHERE id = $1").bind::<SqlUuid, _>(id);
    Ok(tx.execute(statement).await? == 1)
}

/// Writes a rate, or all of it anew; `false`: the zone has no such rate, or there is no such zone.
pub async fn put_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    id: ShippingRateId,
    rate: &NewShippingRate,
    statement: RateStatement,
) -> Result<bool, DbError> {
    let text = match statement {
        RateStatement::Insert => include_str!("insert_rate.sql"),
        RateStatement::Update => include_str!("update_rate.sql"),
    };
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(zone)
        .bind::<Text, _>(rate.name.clone())
        .bind::<Text, _>(rate.price.currency())
        .bind::<BigInt, _>(rate.price.minor())
        .bind::<Nullable<BigInt>, _>(rate.min_total.map(Money::minor))
        .bind::<Nullable<BigInt>, _>(rate.max_total.map(Money::minor))
        .bind::<Integer, _>(rate.position)
        .bind::<Bool, _>(rate.active)
        .bind::<Nullable<BigInt>, _>(rate.min_weight_grams)
        .bind::<Nullable<BigInt>, _>(rate.max_weight_grams)
        .bind::<BigInt, _>(rate.per_piece.map_or(0, Money::minor))
        .bind::<BigInt, _>(rate.per_kilogram.map_or(0, Money::minor))
        .bind::<Nullable<BigInt>, _>(rate.free_from.map(Money::minor))
        .bind::<Nullable<Integer>, _>(rate.min_days)
        .bind::<Nullable<Integer>, _>(rate.max_days)
        .bind::<Nullable<SqlUuid>, _>(rate.calculator)
        .bind::<Nullable<Integer>, _>(rate.processing_days)
        .bind::<Nullable<Time>, _>(rate.cut_off());
    Ok(tx.execute(statement).await? == 1)
}

/// Whether a rate is new.
#[derive(Clone, Copy, Debug)]
pub enum RateStatement {
    Insert,
    Update,
}

/// Removes a rate; `false`: the zone has none such.
pub async fn delete_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    id: ShippingRateId,
) -> Result<bool, DbError> {
    let statement = sql("DELETE FROM shipping_rates WHERE id = $1 AND zone_id = $2")
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(zone);
    Ok(tx.execute(statement).await? == 1)
}
