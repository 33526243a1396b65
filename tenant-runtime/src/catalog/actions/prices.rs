//! Base prices: one, and many at once. What would change is reckoned the same way for a preview and under the locks.

use souk_api::{DryRun, ETag, FieldError, IfMatch, Preview};
use souk_event_bus::emit_all;
use souk_kernel::{Money, ProductId, Quantity, VariantId};
use souk_tenancy::{ReadTx, WriteTx};

use super::{changed, find, locked};
use crate::catalog::error::CatalogError;
use crate::catalog::events::ProductUpdated;
use crate::catalog::model::{
    AdjustPrices, BasePrice, PriceChange, PricesAdjusted, ProductRef, SetPrice, VariantView, check_price,
};
use crate::catalog::queries::{self, base_prices};
use crate::markets;

/// Products that are judged in one statement: rules of many collections take their time.
const PAGE: usize = 50;
/// What previews are good for.
const SET: &str = "price.set";
const ADJUST: &str = "prices.adjust";

/// What a price is then. One statement.
async fn reckoned(
    tx: &mut ReadTx<'_>,
    variant: VariantId,
    wish: &SetPrice,
) -> Result<Vec<PriceChange>, CatalogError> {
    let now = base_prices::of_variant(tx, variant, wish.price.currency()).await?;
    let change = PriceChange {
        variant,
        min_quantity: Quantity::ONE,
        before: now.map(|now| now.price),
        after: Some(wish.price),
        compare_at_before: now.and_then(|now| now.compare_at),
        compare_at_after: wish.compare_at,
    };
    Ok(Some(change).filter(PriceChange::is_one).into_iter().collect())
}

/// What a variant costs from now on; the price before goes into its history.
///
/// # Errors
/// [`CatalogError::Precondition`] when somebody was faster, or when it is not what was previewed.
pub async fn set_price(
    tx: &mut WriteTx<'_>,
    variant: VariantId,
    seen: IfMatch,
    wish: &SetPrice,
    dry: &DryRun,
) -> Result<VariantView, CatalogError> {
    check_price(wish.price, wish.compare_at, &markets::currencies(tx).await?)?;
    let product = queries::owner(tx, variant).await?.ok_or(CatalogError::Unknown)?;
    let now = find(locked(tx, product, None).await?, variant)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    if dry.preview.is_some() {
        let changes = reckoned(tx, variant, wish).await?;
        dry.agrees(SET, &changes).map_err(CatalogError::Precondition)?;
    }
    queries::set_price(tx, variant, wish.price, wish.compare_at.map(Money::minor)).await?;
    find(changed(tx, product).await?, variant)
}

/// What that would change, and its token.
///
/// # Errors
/// As [`set_price`].
pub async fn preview_set_price(
    tx: &mut ReadTx<'_>,
    variant: VariantId,
    seen: IfMatch,
    wish: &SetPrice,
) -> Result<Preview<PriceChange>, CatalogError> {
    check_price(wish.price, wish.compare_at, &markets::currencies(tx).await?)?;
    let product = queries::owner(tx, variant).await?.ok_or(CatalogError::Unknown)?;
    let whole = queries::detail(tx, &ProductRef::Id(product)).await?.ok_or(CatalogError::Unknown)?;
    let now = find(whole, variant)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    let changes = reckoned(tx, variant, wish).await?;
    Preview::of(SET, changes).map_err(CatalogError::Precondition)
}

/// The prices that a wish is about. One statement.
async fn about(tx: &mut ReadTx<'_>, wish: &AdjustPrices) -> Result<Vec<BasePrice>, CatalogError> {
    let limit = i64::try_from(AdjustPrices::MOST).unwrap_or(i64::MAX).saturating_add(1);
    let found = base_prices::found(tx, &wish.on, wish.currency, limit).await?;
    if found.len() > AdjustPrices::MOST {
        let message = "must be at most 1000 prices; say more narrowly which";
        return Err(CatalogError::Invalid(vec![FieldError::new("/on", "too_many", message)]));
    }
    Ok(found)
}

/// Products of prices, each once, in the order of their ids.
fn products_of(prices: &[BasePrice]) -> Vec<ProductId> {
    let mut products: Vec<ProductId> = prices.iter().map(|price| price.product).collect();
    products.sort_unstable();
    products.dedup();
    products
}

/// Changes many base prices, all or none; prices before go into their history. Locks the products. Four statements, and three for each fifty products.
///
/// # Errors
/// [`CatalogError::Invalid`] for a wish that makes no sense, is about too many, or would leave a price below zero;
/// [`CatalogError::Precondition`] when it is not what was previewed.
pub async fn adjust(
    tx: &mut WriteTx<'_>,
    wish: &AdjustPrices,
    dry: &DryRun,
) -> Result<PricesAdjusted, CatalogError> {
    wish.check()?;
    let before = products_of(&about(tx, wish).await?);
    let held = base_prices::lock(tx, &before).await?;
    // What came to them since is not locked, and comes too late.
    let mut prices = about(tx, wish).await?;
    prices.retain(|price| held.contains(&price.product));
    let changes = wish.changes(&prices)?;
    dry.agrees(ADJUST, &changes).map_err(CatalogError::Precondition)?;
    if changes.is_empty() {
        return Ok(PricesAdjusted { changes });
    }
    base_prices::set(tx, &changes).await?;
    prices.retain(|price| changes.iter().any(|change| change.variant == price.variant));
    let products = products_of(&prices);
    for page in products.chunks(PAGE) {
        queries::touch(tx, page).await?;
        queries::collections::judge(tx, page).await?;
        let facts: Vec<_> = page.iter().map(|product| ProductUpdated { product: *product }).collect();
        emit_all(tx, &facts).await?;
    }
    tx.catalogue_changed();
    Ok(PricesAdjusted { changes })
}

/// What that would change, and its token. One statement.
///
/// # Errors
/// As [`adjust`].
pub async fn preview_adjust(
    tx: &mut ReadTx<'_>,
    wish: &AdjustPrices,
) -> Result<Preview<PriceChange>, CatalogError> {
    wish.check()?;
    let prices = about(tx, wish).await?;
    Preview::of(ADJUST, wish.changes(&prices)?).map_err(CatalogError::Precondition)
}
