//! Setting and ending rates.

use souk_kernel::{Ppm, TaxRateId};
use souk_tenancy::WriteTx;

use super::error::TaxError;
use super::model::{NewTaxRate, TaxRateView, TaxReason};
use super::queries;

/// Sets a rate and ends the one it follows. Locks the region.
///
/// # Errors
/// 422 for a rate above the whole, one that contradicts its reason, or a beginning in the past.
pub async fn set(tx: &mut WriteTx<'_>, rate: &NewTaxRate) -> Result<TaxRateView, TaxError> {
    let now = tx.now();
    let from = rate.valid_from.unwrap_or(now);
    let nothing = rate.rate_ppm == Ppm::ZERO;
    let usual = if nothing { TaxReason::ZeroRated } else { TaxReason::StandardRated };
    let reason = rate.reason.unwrap_or(usual);
    if rate.rate_ppm > Ppm::WHOLE {
        return Err(TaxError::Field("/rate_ppm", "must be 0 to 1000000"));
    }
    if !nothing && !reason.is_owed() {
        return Err(TaxError::Field("/rate_ppm", "must be 0 for this reason"));
    }
    if from < now {
        return Err(TaxError::Field("/valid_from", "must not be in the past"));
    }
    let region = queries::region(tx, rate.country, rate.province.as_ref().map(|name| name.as_str())).await?;
    queries::make_room(tx, region, from).await?;
    Ok(queries::insert(tx, region, rate, reason, from).await?)
}

/// Ends a rate now. What was sold under it keeps it.
///
/// # Errors
/// 404 when there is none that could end.
pub async fn end(tx: &mut WriteTx<'_>, id: TaxRateId) -> Result<(), TaxError> {
    if queries::end(tx, id).await? { Ok(()) } else { Err(TaxError::Unknown) }
}
