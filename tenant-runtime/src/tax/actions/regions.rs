//! Shaping the tree of regions.

use souk_api::IfMatch;
use souk_kernel::TaxRegionId;
use souk_tenancy::{DbError, WriteTx};

use crate::tax::error::TaxError;
use crate::tax::model::{PutTaxRegion, RegionKind, TaxRegionView};
use crate::tax::queries;

/// Makes a region: a country, a province, or postal codes of either.
///
/// # Errors
/// 409 for a code or postal codes that another region has, 422 for a field.
pub async fn create_region(tx: &mut WriteTx<'_>, wish: &PutTaxRegion) -> Result<TaxRegionView, TaxError> {
    let ranges = wish.ranges().map_err(|(pointer, message)| TaxError::Field(pointer, message))?;
    // The country's own region comes first and is locked: regions of one country are made one after another.
    let country = queries::region(tx, wish.country, None).await?;
    let all = queries::regions(tx, Some(wish.country)).await?;
    let code = wish.code.as_ref().map(|code| code.as_str().to_owned());
    let same = |region: &&TaxRegionView| match (&region.code, &code) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    };
    let parent = match &wish.parent_code {
        Some(parent) => Some(province(&all, parent.as_str())?),
        None => None,
    };
    let name = wish.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let mut region = TaxRegionView {
        id: TaxRegionId::new(),
        kind: RegionKind::Country,
        country: wish.country,
        code: code.clone(),
        name,
        parent,
        postal_ranges: ranges.unwrap_or_default(),
        stands_alone: wish.stands_alone,
        version: 1,
    };
    match all.iter().find(same) {
        // The country itself was there, or just came about; with nothing said of it yet, it is this one.
        Some(known) if known.id == country && known.version == 1 => region.id = country,
        Some(known) => return Err(TaxError::RegionTaken(Some(known.id.to_string()))),
        None => {}
    }
    refuse_taken(&region, &all)?;
    Ok(queries::put_region(tx, &region).await?)
}

/// Writes a region anew, but for where it is.
///
/// # Errors
/// 404; 412 when somebody was faster; 409 for postal codes that another region has; 422 for a field, also for a province that would be known by
/// postal codes or the other way round.
pub async fn replace_region(
    tx: &mut WriteTx<'_>,
    id: TaxRegionId,
    seen: &IfMatch,
    wish: &PutTaxRegion,
) -> Result<TaxRegionView, TaxError> {
    let now = queries::find_region(tx, id).await?.ok_or(TaxError::Unknown)?;
    seen.check(&now.etag()).map_err(TaxError::Precondition)?;
    let ranges = wish.ranges().map_err(|(pointer, message)| TaxError::Field(pointer, message))?;
    if wish.country != now.country {
        return Err(TaxError::field("/country", "must stay what it is"));
    }
    if wish.code.as_ref().map(|code| code.as_str()) != now.code.as_deref() {
        return Err(TaxError::field("/code", "must stay what it is"));
    }
    if ranges.is_some() != (now.kind == RegionKind::PostalCodes) {
        let message = "must be given for a region of postal codes, and for no other";
        return Err(TaxError::field("/postal_ranges", message));
    }
    // As when one is made.
    queries::region(tx, now.country, None).await?;
    let all = queries::regions(tx, Some(now.country)).await?;
    let parent = match &wish.parent_code {
        Some(parent) => Some(province(&all, parent.as_str())?),
        None => None,
    };
    if parent != now.parent {
        return Err(TaxError::field("/parent_code", "must stay what it is"));
    }
    let region = TaxRegionView {
        name: wish.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
        postal_ranges: ranges.unwrap_or_default(),
        stands_alone: wish.stands_alone,
        ..now
    };
    refuse_taken(&region, &all)?;
    Ok(queries::put_region(tx, &region).await?)
}

/// Removes a region that never had a rate.
///
/// # Errors
/// 404 when there is none, 409 when it has or had rates, or regions below it.
pub async fn delete_region(tx: &mut WriteTx<'_>, id: TaxRegionId) -> Result<(), TaxError> {
    match queries::delete_region(tx, id).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(TaxError::Unknown),
        Err(DbError::Foreign { .. }) => Err(TaxError::RegionUsed),
        Err(error) => Err(error.into()),
    }
}

fn province(all: &[TaxRegionView], code: &str) -> Result<TaxRegionId, TaxError> {
    let named = |region: &&TaxRegionView| {
        region.kind == RegionKind::Province
            && region.code.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(code))
    };
    let message = "must be the code of a province that is a tax region";
    all.iter().find(named).map(|region| region.id).ok_or_else(|| TaxError::field("/parent_code", message))
}

/// Postal codes belong to one region of a parent.
fn refuse_taken(region: &TaxRegionView, all: &[TaxRegionView]) -> Result<(), TaxError> {
    let beside = |other: &&TaxRegionView| other.id != region.id && other.parent == region.parent;
    let others: Vec<TaxRegionView> = all.iter().filter(beside).cloned().collect();
    match PutTaxRegion::taken(&region.postal_ranges, &others) {
        Some(other) => Err(TaxError::RegionTaken(Some(other.id.to_string()))),
        None => Ok(()),
    }
}
