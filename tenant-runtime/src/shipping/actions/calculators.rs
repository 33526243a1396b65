//! Naming carriers' programs.

use souk_kernel::ShippingCalculatorId;
use souk_outbound::Secret;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::Carriers;
use crate::shipping::error::ShippingError;
use crate::shipping::model::{CalculatorView, NewCalculator};
use crate::shipping::queries::calculators as queries;

/// Programs of one store: each may be asked while a shopper waits.
const MOST: i64 = 20;

/// The program, or that there is none. One statement.
pub async fn known(tx: &mut ReadTx<'_>, id: ShippingCalculatorId) -> Result<CalculatorView, ShippingError> {
    queries::calculators(tx, Some(id)).await?.pop().ok_or(ShippingError::Unknown)
}

fn checked(carriers: &Carriers, new: &NewCalculator) -> Result<(), ShippingError> {
    new.check().map_err(|(pointer, message)| ShippingError::Field(pointer, message))?;
    carriers.check(new.url.as_str())
}

/// Names a program, and gives the secret that signs what it is asked. Three statements.
///
/// # Errors
/// 409 for a name that is taken and when there are 20, 422 for a field.
pub async fn create(
    tx: &mut WriteTx<'_>,
    carriers: &Carriers,
    new: &NewCalculator,
) -> Result<(CalculatorView, Secret), ShippingError> {
    checked(carriers, new)?;
    if queries::count(tx).await? >= MOST {
        return Err(ShippingError::TooManyCalculators);
    }
    let (id, secret) = (ShippingCalculatorId::new(), Secret::random()?);
    let sealed = carriers.seal((tx.store(), id), &secret)?;
    queries::insert(tx, id, new, sealed).await?;
    Ok((known(tx, id).await?, secret))
}

/// Writes a program anew and forgets what it said. Three statements.
///
/// # Errors
/// 404 when there is none, 409 for a name that is taken, 422 for a field.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    carriers: &Carriers,
    id: ShippingCalculatorId,
    new: &NewCalculator,
) -> Result<CalculatorView, ShippingError> {
    checked(carriers, new)?;
    if !queries::replace(tx, id, new).await? {
        return Err(ShippingError::Unknown);
    }
    queries::forget_answers(tx, id).await?;
    known(tx, id).await
}

/// Gives a program another secret. The former one signs nothing any more. Two statements.
///
/// # Errors
/// 404 when there is none.
pub async fn rotate(
    tx: &mut WriteTx<'_>,
    carriers: &Carriers,
    id: ShippingCalculatorId,
) -> Result<(CalculatorView, Secret), ShippingError> {
    let secret = Secret::random()?;
    let sealed = carriers.seal((tx.store(), id), &secret)?;
    if !queries::rotate(tx, id, sealed).await? {
        return Err(ShippingError::Unknown);
    }
    Ok((known(tx, id).await?, secret))
}

/// Forgets a program that no rate is of. One statement.
///
/// # Errors
/// 404 when there is none, 409 while rates are of it.
pub async fn delete(tx: &mut WriteTx<'_>, id: ShippingCalculatorId) -> Result<(), ShippingError> {
    match queries::delete(tx, id).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ShippingError::Unknown),
        Err(DbError::Foreign { .. }) => Err(ShippingError::CalculatorInUse),
        Err(error) => Err(error.into()),
    }
}
