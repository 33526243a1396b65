//! Changing markets. Each locks them all: a country belongs to one.

use souk_api::{ETag, IfMatch};
use souk_kernel::MarketId;
use souk_tenancy::{ReadTx, WriteTx};

use super::error::MarketError;
use super::model::{Market, PutMarket};
use super::queries;

/// One market. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: MarketId) -> Result<Market, MarketError> {
    queries::all(tx, Some(id)).await?.pop().ok_or(MarketError::Unknown)
}

/// Makes a market.
///
/// # Errors
/// 409 for a name or a country that is taken, 422 for a field.
pub async fn create(tx: &mut WriteTx<'_>, wish: &PutMarket) -> Result<Market, MarketError> {
    queries::lock(tx).await?;
    put(tx, MarketId::new(), wish).await
}

/// Writes a market anew. Carts that were made in it keep their currency.
///
/// # Errors
/// As [`create`]; 409 when the default market would be none any more.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: MarketId,
    seen: IfMatch,
    wish: &PutMarket,
) -> Result<Market, MarketError> {
    queries::lock(tx).await?;
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(MarketError::Precondition)?;
    if now.is_default && !wish.is_default {
        return Err(MarketError::Default);
    }
    put(tx, id, wish).await
}

async fn put(tx: &mut WriteTx<'_>, id: MarketId, wish: &PutMarket) -> Result<Market, MarketError> {
    wish.check().map_err(|(pointer, message)| MarketError::Field(pointer, message))?;
    let taken = queries::overlap(tx, id, &wish.countries).await?;
    if !taken.is_empty() {
        return Err(MarketError::Overlap(taken));
    }
    if wish.is_default {
        queries::demote(tx, id).await?;
    }
    queries::put(tx, id, wish).await?;
    show(tx, id).await
}

/// Removes a market with its price lists. Its carts keep their currency and lose the lists' prices.
///
/// # Errors
/// 409 for the default one.
pub async fn remove(tx: &mut WriteTx<'_>, id: MarketId) -> Result<(), MarketError> {
    queries::lock(tx).await?;
    if show(tx, id).await?.is_default {
        return Err(MarketError::Default);
    }
    Ok(queries::remove(tx, id).await?)
}
