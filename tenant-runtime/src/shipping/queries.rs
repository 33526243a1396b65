//! The statements of zones and rates.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use serde::Deserialize;
use souk_kernel::{Currency, Money, ShippingRateId, ShippingZoneId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{
    EditShippingZone, NewShippingRate, Parcel, Places, PostalCodes, ShippingOption, ShippingRateView,
    ShippingZoneView, Taken, province,
};

#[derive(QueryableByName)]
struct OptionRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingRateId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    min_days: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    max_days: Option<i32>,
}

#[derive(QueryableByName)]
struct ZoneRow {
    #[diesel(sql_type = SqlUuid)]
    id: ShippingZoneId,
    #[diesel(sql_type = Text)]
    name: String,
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
    min_total_minor: Option<i64>,
    max_total_minor: Option<i64>,
    min_weight_grams: Option<i64>,
    max_weight_grams: Option<i64>,
    per_piece_minor: i64,
    per_kilogram_minor: i64,
    free_from_minor: Option<i64>,
    min_days: Option<i32>,
    max_days: Option<i32>,
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
            min_total: rate.min_total_minor.map(|minor| Money::new(minor, rate.currency)),
            max_total: rate.max_total_minor.map(|minor| Money::new(minor, rate.currency)),
            min_weight_grams: rate.min_weight_grams,
            max_weight_grams: rate.max_weight_grams,
            per_piece: Money::new(rate.per_piece_minor, rate.currency),
            per_kilogram: Money::new(rate.per_kilogram_minor, rate.currency),
            free_from: rate.free_from_minor.map(|minor| Money::new(minor, rate.currency)),
            min_days: rate.min_days,
            max_days: rate.max_days,
            position: rate.position,
            active: rate.active,
        };
        Ok(Self {
            id: row.id,
            name: row.name,
            countries: row.countries,
            provinces: row.provinces,
            postal_codes: row.postal_codes.iter().filter_map(|kept| PostalCodes::read(kept)).collect(),
            rest_of_world: row.rest_of_world,
            rates: rates.into_iter().map(rate).collect(),
        })
    }
}

/// What delivers a parcel, in the currency of its merchandise total; cheapest first, empty when nothing does. Of the zones that have the
/// place the most specific one says: postal codes, province, country, the rest of the world. One statement, no lock.
///
/// # Errors
/// The database's only.
pub async fn options(tx: &mut ReadTx<'_>, parcel: Parcel) -> Result<Vec<ShippingOption>, DbError> {
    let currency = parcel.merchandise_total.currency();
    let statement = sql(include_str!("options.sql"))
        .bind::<Text, _>(parcel.to)
        .bind::<Text, _>(currency)
        .bind::<BigInt, _>(parcel.merchandise_total.minor())
        .bind::<BigInt, _>(parcel.weight_grams)
        .bind::<BigInt, _>(parcel.pieces)
        .bind::<Nullable<Text>, _>(parcel.province.map(|name| province(parcel.to, &name)))
        .bind::<Text, _>(parcel.postal_code);
    let rows: Vec<OptionRow> = tx.load(statement).await?;
    let option = |row: OptionRow| ShippingOption {
        id: row.id,
        title: row.title,
        price: Money::new(row.amount_minor, currency),
        min_days: row.min_days,
        max_days: row.max_days,
    };
    Ok(rows.into_iter().map(option).collect())
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

/// What another zone takes of these places, the rest of the world included.
pub async fn overlap(
    tx: &mut ReadTx<'_>,
    zone: ShippingZoneId,
    places: &Places,
) -> Result<Option<Taken>, DbError> {
    let statement = sql(include_str!("overlap.sql"))
        .bind::<SqlUuid, _>(zone)
        .bind::<Array<Text>, _>(places.countries.clone())
        .bind::<Bool, _>(places.rest_of_world)
        .bind::<Array<Text>, _>(places.provinces.clone())
        .bind::<Array<Text>, _>(places.postal_codes.clone());
    let row: Option<OverlapRow> = tx.optional(statement).await?;
    Ok(row.map(|row| Taken { countries: row.countries, places: row.places }))
}

/// Writes a zone without its rates.
pub async fn insert_zone(
    tx: &mut WriteTx<'_>,
    id: ShippingZoneId,
    name: &souk_kernel::Text<60>,
    places: Places,
) -> Result<(), DbError> {
    let statement = sql(include_str!("insert_zone.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(name.clone())
        .bind::<Array<Text>, _>(places.countries)
        .bind::<Bool, _>(places.rest_of_world)
        .bind::<Array<Text>, _>(places.provinces)
        .bind::<Array<Text>, _>(places.postal_codes);
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
        .bind::<Nullable<Integer>, _>(rate.max_days);
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
