//! Setting and ending rates, shaping regions, classes, settings and exemptions; asking about numbers, and what a sale would owe.

mod numbers;
mod regions;

use chrono::{DateTime, Utc};
use souk_api::IfMatch;
use souk_kernel::{Ppm, TaxExemptionId, TaxRateId, TaxRegionId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::TaxError;
use super::model::{
    ClassCode, NewTaxExemption, NewTaxRate, PutTaxSettings, TaxExemptionView, TaxPreview, TaxPreviewRequest,
    TaxRateChange, TaxRateView, TaxSettings,
};
use super::queries;
use crate::settings;

pub use numbers::{HttpRegister, NumberRegister, RegisterError, Registers, check_number, known_number};
pub use regions::{create_region, delete_region, replace_region};

/// From when on, if it may be so, and the versions it meets.
async fn checked(
    tx: &mut ReadTx<'_>,
    rate: &NewTaxRate,
) -> Result<(DateTime<Utc>, Vec<TaxRateView>), TaxError> {
    let now = tx.now();
    let from = rate.valid_from.unwrap_or(now);
    if rate.rate_ppm > Ppm::WHOLE {
        return Err(TaxError::field("/rate_ppm", "must be 0 to 1000000"));
    }
    if rate.rate_ppm != Ppm::ZERO && !rate.reason().is_owed() {
        return Err(TaxError::field("/rate_ppm", "must be 0 for this reason"));
    }
    if from < now {
        return Err(TaxError::field("/valid_from", "must not be in the past"));
    }
    if rate.valid_to.is_some_and(|to| to <= from) {
        return Err(TaxError::field("/valid_to", "must be after `valid_from`"));
    }
    let versions = queries::series(tx, rate, from).await?;
    // What has begun ends; what is planned is only given up by whoever says so. One that begins at this very moment was never in force.
    let meets = |version: &&TaxRateView| {
        let is_planned = version.valid_from > now && version.valid_from >= from;
        let lasts_into =
            version.valid_from == from || rate.valid_to.is_some_and(|to| version.valid_from < to);
        is_planned && lasts_into
    };
    let met = versions.iter().find(meets).map(|other| {
        TaxError::Overlap(other.valid_from.to_rfc3339(), other.valid_to.map(|to| to.to_rfc3339()))
    });
    match met {
        Some(error) => Err(error),
        None => Ok((from, versions)),
    }
}

/// Sets a rate and ends the one it follows: of the same region, component and class. Locks the region.
///
/// # Errors
/// 422 for a rate above the whole, one that contradicts its reason, or a beginning in the past; 409 where a planned version would be in force
/// at the same time.
pub async fn set(tx: &mut WriteTx<'_>, rate: &NewTaxRate) -> Result<TaxRateView, TaxError> {
    let region = queries::region(tx, rate.country, rate.province.as_ref().map(|name| name.as_str())).await?;
    let (from, _) = checked(tx, rate).await?;
    queries::make_room(tx, region, rate, from).await?;
    Ok(queries::insert(tx, region, rate, from).await?)
}

/// What [`set`] would do. Nothing is written.
///
/// # Errors
/// As [`set`].
pub async fn would_set(tx: &mut ReadTx<'_>, rate: &NewTaxRate) -> Result<TaxRateChange, TaxError> {
    let (from, versions) = checked(tx, rate).await?;
    let next = versions.iter().map(|version| version.valid_from).find(|at| *at > from);
    let ends = versions.iter().find(|version| version.valid_from <= from).cloned();
    let series = rate.series();
    let begins = TaxRateView {
        id: TaxRateId::new(),
        region: versions.first().map_or_else(TaxRegionId::new, |version| version.region),
        country: rate.country,
        province: rate.province.as_ref().map(|name| name.as_str().to_owned()),
        component: series.component.to_owned(),
        class: series.class.map(str::to_owned),
        name: rate.name.as_str().to_owned(),
        rate_ppm: rate.rate_ppm,
        compound: rate.compound,
        reason: rate.reason(),
        valid_from: from,
        valid_to: rate.valid_to.or(next),
    };
    Ok(TaxRateChange { begins, ends, dry_run: true })
}

/// Ends a rate now. What was sold under it keeps it.
///
/// # Errors
/// 404 when there is none that could end.
pub async fn end(tx: &mut WriteTx<'_>, id: TaxRateId) -> Result<(), TaxError> {
    if queries::end(tx, id).await? { Ok(()) } else { Err(TaxError::Unknown) }
}

/// Removes a class that nothing is of.
///
/// # Errors
/// 404 when there is none, 409 while something is of it.
pub async fn delete_class(tx: &mut WriteTx<'_>, code: &ClassCode) -> Result<(), TaxError> {
    match queries::delete_class(tx, code).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(TaxError::Unknown),
        Err(DbError::Foreign { .. }) => Err(TaxError::ClassUsed),
        Err(error) => Err(error.into()),
    }
}

/// Checks the precondition against the locked row, then replaces all of it.
///
/// # Errors
/// 412 when somebody was faster, 422 for a class that there is not.
pub async fn put_settings(
    tx: &mut WriteTx<'_>,
    seen: &IfMatch,
    wish: &PutTaxSettings,
) -> Result<TaxSettings, TaxError> {
    let now = queries::lock_settings(tx).await?;
    seen.check(&now.etag()).map_err(TaxError::Precondition)?;
    Ok(queries::put_settings(tx, wish).await?)
}

/// Grants an exemption.
///
/// # Errors
/// 422 for dates the wrong way round, a province without a country, both or neither of a customer and a group, or one that there is not.
pub async fn exempt(tx: &mut WriteTx<'_>, new: &NewTaxExemption) -> Result<TaxExemptionView, TaxError> {
    if new.customer.is_some() == new.customer_group.is_some() {
        return Err(TaxError::field("/customer", "must be given, or `customer_group` instead"));
    }
    let from = new.valid_from.unwrap_or_else(|| tx.now());
    if new.valid_to.is_some_and(|to| to <= from) {
        return Err(TaxError::field("/valid_to", "must be after `valid_from`"));
    }
    if new.province.is_some() && new.country.is_none() {
        return Err(TaxError::field("/country", "must be given with a province"));
    }
    Ok(queries::insert_exemption(tx, new).await?)
}

/// Ends an exemption now. What was sold under it keeps it.
///
/// # Errors
/// 404 when there is none that could end.
pub async fn end_exemption(tx: &mut WriteTx<'_>, id: TaxExemptionId) -> Result<(), TaxError> {
    if queries::end_exemption(tx, id).await? { Ok(()) } else { Err(TaxError::Unknown) }
}

/// What a sale would owe, and why. Two statements, however many lines.
///
/// # Errors
/// 422 for a line that makes no sense, or more than can be counted.
pub async fn preview(tx: &mut ReadTx<'_>, request: &TaxPreviewRequest) -> Result<TaxPreview, TaxError> {
    request.check().map_err(|(pointer, message)| TaxError::Field(pointer, message))?;
    let settings = settings::current(tx).await?;
    let rules = queries::rules_for(tx, &request.destination(), &request.buyer(), settings.country).await?;
    let asked = request.prices_include_tax.unwrap_or(settings.prices_include_tax);
    let currency = request.currency.unwrap_or(settings.currency);
    Ok(TaxPreview::of(request, &rules, currency, asked, settings.tax_level, settings.tax_rounding)?)
}
