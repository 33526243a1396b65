//! Changing zones and rates.

use souk_kernel::{ShippingRateId, ShippingZoneId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::ShippingError;
use super::model::{EditShippingZone, NewShippingRate, NewShippingZone, Places, ShippingZoneView};
use super::queries::{self, RateStatement};

const MOST_RATES: usize = 50;

async fn shown(tx: &mut ReadTx<'_>, id: ShippingZoneId) -> Result<ShippingZoneView, ShippingError> {
    queries::zones(tx, Some(id)).await?.pop().ok_or(ShippingError::Unknown)
}

async fn refuse_overlap(
    tx: &mut ReadTx<'_>,
    id: ShippingZoneId,
    places: &Places,
) -> Result<(), ShippingError> {
    match queries::overlap(tx, id, places).await? {
        Some(taken) => Err(ShippingError::Overlap(taken)),
        None => Ok(()),
    }
}

fn field((pointer, message): (&'static str, &'static str)) -> ShippingError {
    ShippingError::Field(pointer, message)
}

fn checked(rate: &NewShippingRate) -> Result<(), ShippingError> {
    rate.check().map_err(field)
}

/// Makes a zone with its rates. Locks the zones.
///
/// # Errors
/// 409 for a name or a place that is taken, 422 for a field.
pub async fn create_zone(
    tx: &mut WriteTx<'_>,
    zone: &NewShippingZone,
) -> Result<ShippingZoneView, ShippingError> {
    if zone.rates.len() > MOST_RATES {
        return Err(ShippingError::Field("/rates", "must be at most 50"));
    }
    zone.rates.iter().try_for_each(checked)?;
    let places = Places::of(&zone.countries, &zone.provinces, &zone.postal_codes, zone.rest_of_world);
    let places = places.map_err(field)?;
    let id = ShippingZoneId::new();
    queries::lock(tx).await?;
    refuse_overlap(tx, id, &places).await?;
    queries::insert_zone(tx, id, &zone.name, places).await?;
    for rate in &zone.rates {
        queries::put_rate(tx, id, ShippingRateId::new(), rate, RateStatement::Insert).await?;
    }
    shown(tx, id).await
}

/// Changes a zone. Locks the zones.
///
/// # Errors
/// As [`create_zone`]; 404 when there is none.
pub async fn edit_zone(
    tx: &mut WriteTx<'_>,
    id: ShippingZoneId,
    edit: &EditShippingZone,
) -> Result<ShippingZoneView, ShippingError> {
    let places = Places::of(
        edit.countries.as_deref().unwrap_or_default(),
        edit.provinces.as_deref().unwrap_or_default(),
        edit.postal_codes.as_deref().unwrap_or_default(),
        edit.rest_of_world.unwrap_or(false),
    );
    let places = places.map_err(field)?;
    queries::lock(tx).await?;
    refuse_overlap(tx, id, &places).await?;
    if !queries::edit_zone(tx, id, edit, places).await? {
        return Err(ShippingError::Unknown);
    }
    shown(tx, id).await
}

/// Removes a zone and its rates. Carts that chose one of them get the cheapest that is left.
///
/// # Errors
/// 404 when there is none.
pub async fn delete_zone(tx: &mut WriteTx<'_>, id: ShippingZoneId) -> Result<(), ShippingError> {
    if queries::delete_zone(tx, id).await? { Ok(()) } else { Err(ShippingError::Unknown) }
}

/// Adds a rate to a zone.
///
/// # Errors
/// 404 for the zone, 409 for a name that is taken, 422 for a field.
pub async fn add_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    rate: &NewShippingRate,
) -> Result<ShippingZoneView, ShippingError> {
    put_rate(tx, zone, ShippingRateId::new(), rate, RateStatement::Insert).await
}

/// Writes a rate anew.
///
/// # Errors
/// As [`add_rate`].
pub async fn edit_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    id: ShippingRateId,
    rate: &NewShippingRate,
) -> Result<ShippingZoneView, ShippingError> {
    put_rate(tx, zone, id, rate, RateStatement::Update).await
}

async fn put_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    id: ShippingRateId,
    rate: &NewShippingRate,
    how: RateStatement,
) -> Result<ShippingZoneView, ShippingError> {
    checked(rate)?;
    if !queries::put_rate(tx, zone, id, rate, how).await? {
        return Err(ShippingError::Unknown);
    }
    shown(tx, zone).await
}

/// Removes a rate.
///
/// # Errors
/// 404 when the zone has none such.
pub async fn delete_rate(
    tx: &mut WriteTx<'_>,
    zone: ShippingZoneId,
    id: ShippingRateId,
) -> Result<(), ShippingError> {
    if queries::delete_rate(tx, zone, id).await? { Ok(()) } else { Err(ShippingError::Unknown) }
}
