//! Price lists, and what a piece costs and why.

use std::collections::HashMap;

use chrono::TimeDelta;
use souk_api::{DryRun, ETag, IfMatch, Preview};
use souk_kernel::{Country, Currency, MarketId, Money, PriceListId, Quantity, VariantId};
use souk_tenancy::{ReadTx, WriteTx};

use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    Listed, Looker, Past, PriceChange, PriceExplained, PriceListChange, PriceListKind, PriceListTerms,
    PriceListView, PriceQuestion, PricesOf, PricesQuestion, PricesView, PutPriceList, Sellable,
    SetListPrices, VariantPrice, price_of, steps_of,
};
use crate::catalog::queries::{self, base_prices, past, price_lists};
use crate::{groups, markets};

/// One list. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: PriceListId) -> Result<PriceListView, CatalogError> {
    price_lists::page(tx, Some(id), None, 1).await?.pop().ok_or(CatalogError::Unknown)
}

/// What previews are good for.
const CREATE: &str = "price_list.create";
const REPLACE: &str = "price_list.replace";
const REMOVE: &str = "price_list.remove";

/// What a list says of variants, as far as it is shown. One statement.
async fn listed(
    tx: &mut ReadTx<'_>,
    now: Option<&PriceListView>,
    terms: &PriceListTerms,
) -> Result<Vec<Listed>, CatalogError> {
    let enough = PriceListChange::enough();
    match (terms.kind, now) {
        (PriceListKind::Percent, _) => {
            let bases = base_prices::found(tx, &PricesOf::default(), terms.currency, enough).await?;
            Ok(terms.of_bases(&bases)?)
        }
        (PriceListKind::Fixed, Some(now)) => {
            let prices = price_lists::prices(tx, now.id, None, enough).await?;
            Ok(prices
                .into_iter()
                .filter_map(|one| Some((one.variant, one.min_quantity, one.price?)))
                .collect())
        }
        (PriceListKind::Fixed, None) => Ok(Vec::new()),
    }
}

/// What becomes of a list. At most two statements.
async fn list_change(
    tx: &mut ReadTx<'_>,
    now: Option<&PriceListView>,
    after: Option<PriceListTerms>,
) -> Result<Vec<PriceListChange>, CatalogError> {
    let was = match now {
        Some(now) => listed(tx, Some(now), &PriceListTerms::from(now)).await?,
        None => Vec::new(),
    };
    let will_be = match &after {
        Some(after) => listed(tx, now, after).await?,
        None => Vec::new(),
    };
    Ok(PriceListChange::between(now, after, [was, will_be]).into_iter().collect())
}

/// That a list may be written so, as far as that depends on others.
async fn unobstructed(
    tx: &mut ReadTx<'_>,
    id: Option<PriceListId>,
    wish: &PutPriceList,
) -> Result<(), CatalogError> {
    let found = price_lists::obstacles(tx, id, wish).await?;
    match (found.name_taken, found.market_unknown, found.group_unknown) {
        (true, _, _) => Err(CatalogError::ListNameTaken),
        (false, true, _) => Err(CatalogError::Foreign("/market")),
        (false, false, true) => Err(CatalogError::Foreign("/customer_groups")),
        (false, false, false) => Ok(()),
    }
}

/// What making this list would change, and its token.
///
/// # Errors
/// As [`create`].
pub async fn preview_create(
    tx: &mut ReadTx<'_>,
    wish: &PutPriceList,
) -> Result<Preview<PriceListChange>, CatalogError> {
    wish.check(wish.starts_at.unwrap_or(tx.now()))?;
    unobstructed(tx, None, wish).await?;
    let changes = list_change(tx, None, Some(wish.into())).await?;
    Preview::of(CREATE, changes).map_err(CatalogError::Precondition)
}

/// Makes a list without prices.
///
/// # Errors
/// [`CatalogError::Precondition`] when it is not what was previewed.
pub async fn create(
    tx: &mut WriteTx<'_>,
    wish: &PutPriceList,
    dry: &DryRun,
) -> Result<PriceListView, CatalogError> {
    let starts_at = wish.starts_at.unwrap_or(tx.now());
    wish.check(starts_at)?;
    if dry.preview.is_some() {
        let changes = list_change(tx, None, Some(wish.into())).await?;
        dry.agrees(CREATE, &changes).map_err(CatalogError::Precondition)?;
    }
    let id = PriceListId::new();
    price_lists::put(tx, id, wish, starts_at).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

async fn locked(tx: &mut WriteTx<'_>, id: PriceListId, seen: IfMatch) -> Result<PriceListView, CatalogError> {
    price_lists::lock(tx, id).await?;
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    Ok(now)
}

/// That a list may become this; what it is then.
fn replacement(now: &PriceListView, wish: &PutPriceList) -> Result<PriceListTerms, CatalogError> {
    let starts_at = wish.starts_at.unwrap_or(now.starts_at);
    wish.check(starts_at)?;
    if now.price_count > 0 && (wish.currency, wish.kind) != (now.currency, now.kind) {
        let error = souk_api::FieldError::new(
            "/currency",
            "has_prices",
            "must stay, and the kind too, while the list has prices",
        );
        return Err(CatalogError::Invalid(vec![error]));
    }
    Ok(PriceListTerms { starts_at: Some(starts_at), ..wish.into() })
}

/// What writing a list anew would change, and its token.
///
/// # Errors
/// As [`replace`].
pub async fn preview_replace(
    tx: &mut ReadTx<'_>,
    id: PriceListId,
    seen: IfMatch,
    wish: &PutPriceList,
) -> Result<Preview<PriceListChange>, CatalogError> {
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    let after = replacement(&now, wish)?;
    unobstructed(tx, Some(id), wish).await?;
    let changes = list_change(tx, Some(&now), Some(after)).await?;
    Preview::of(REPLACE, changes).map_err(CatalogError::Precondition)
}

/// Writes a list anew. One that has prices keeps its currency and kind.
///
/// # Errors
/// [`CatalogError::Precondition`] when somebody was faster, or when it is not what was previewed.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: PriceListId,
    seen: IfMatch,
    wish: &PutPriceList,
    dry: &DryRun,
) -> Result<PriceListView, CatalogError> {
    let now = locked(tx, id, seen).await?;
    let after = replacement(&now, wish)?;
    let starts_at = after.starts_at.unwrap_or(now.starts_at);
    if dry.preview.is_some() {
        let changes = list_change(tx, Some(&now), Some(after)).await?;
        dry.agrees(REPLACE, &changes).map_err(CatalogError::Precondition)?;
    }
    price_lists::keep(tx, id, false).await?;
    price_lists::put(tx, id, wish, starts_at).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// What deleting a list would change, and its token.
///
/// # Errors
/// As [`remove`].
pub async fn preview_remove(
    tx: &mut ReadTx<'_>,
    id: PriceListId,
) -> Result<Preview<PriceListChange>, CatalogError> {
    let now = show(tx, id).await?;
    let changes = list_change(tx, Some(&now), None).await?;
    Preview::of(REMOVE, changes).map_err(CatalogError::Precondition)
}

/// Removes a list and its prices.
///
/// # Errors
/// [`CatalogError::Precondition`] when it is not what was previewed.
pub async fn remove(tx: &mut WriteTx<'_>, id: PriceListId, dry: &DryRun) -> Result<(), CatalogError> {
    price_lists::lock(tx, id).await?;
    if dry.preview.is_some() {
        let now = show(tx, id).await?;
        let changes = list_change(tx, Some(&now), None).await?;
        dry.agrees(REMOVE, &changes).map_err(CatalogError::Precondition)?;
    }
    price_lists::keep(tx, id, true).await?;
    if !price_lists::remove(tx, id).await? {
        return Err(CatalogError::Unknown);
    }
    tx.catalogue_changed();
    Ok(())
}

/// That a list may have such prices.
fn fitting(now: &PriceListView, wish: &SetListPrices) -> Result<(), CatalogError> {
    wish.check(now.currency)?;
    if now.adjust_ppm.is_some() {
        let error = souk_api::FieldError::new("/prices", "not_allowed", "must be of a list of fixed prices");
        return Err(CatalogError::Invalid(vec![error]));
    }
    Ok(())
}

/// What a preview of prices of this list is good for.
fn act(id: PriceListId) -> String {
    format!("price_list.set_prices {id}")
}

/// What becomes of the prices of a list. One statement.
async fn reckoned(
    tx: &mut ReadTx<'_>,
    now: &PriceListView,
    wish: &SetListPrices,
) -> Result<Vec<PriceChange>, CatalogError> {
    let there = price_lists::steps(tx, now.id, wish).await?;
    let mut changes = Vec::new();
    for (price, step) in wish.prices.iter().zip(there) {
        if price.price.is_some() && !step.known {
            return Err(CatalogError::Foreign("/prices"));
        }
        let change = PriceChange {
            variant: price.variant,
            min_quantity: price.min_quantity,
            before: step.amount_minor.map(|minor| Money::new(minor, now.currency)),
            after: price.price,
            compare_at_before: None,
            compare_at_after: None,
        };
        changes.extend(Some(change).filter(PriceChange::is_one));
    }
    Ok(changes)
}

/// What setting these prices would change, and its token. Two statements.
///
/// # Errors
/// As [`set_prices`].
pub async fn preview_set_prices(
    tx: &mut ReadTx<'_>,
    id: PriceListId,
    seen: IfMatch,
    wish: &SetListPrices,
) -> Result<Preview<PriceChange>, CatalogError> {
    let now = show(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    fitting(&now, wish)?;
    let changes = reckoned(tx, &now, wish).await?;
    Preview::of(&act(id), changes).map_err(CatalogError::Precondition)
}

/// Sets and removes prices of a list of fixed prices, all or none.
///
/// # Errors
/// [`CatalogError::Precondition`] when somebody was faster, or when it is not what was previewed.
pub async fn set_prices(
    tx: &mut WriteTx<'_>,
    id: PriceListId,
    seen: IfMatch,
    wish: &SetListPrices,
    dry: &DryRun,
) -> Result<PriceListView, CatalogError> {
    let now = locked(tx, id, seen).await?;
    fitting(&now, wish)?;
    if dry.preview.is_some() {
        let changes = reckoned(tx, &now, wish).await?;
        dry.agrees(&act(id), &changes).map_err(CatalogError::Precondition)?;
    }
    price_lists::set_prices(tx, id, wish).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// Where somebody shops: the market, and the currency there. One statement, two where a country has no market.
async fn shops_at(
    tx: &mut ReadTx<'_>,
    country: Option<Country>,
) -> Result<(Option<MarketId>, Currency), CatalogError> {
    let market = match country {
        Some(country) => markets::for_country(tx, country).await?,
        None => None,
    };
    match market {
        Some(market) => Ok((Some(market.id), market.currency)),
        None => Ok((None, queries::currency(tx).await?)),
    }
}

/// How far back prices are looked at: a reduction that is older is the price.
const LOOK_BACK: TimeDelta = TimeDelta::days(400);

/// The lowest prices before reductions, of those variants that had any. Two statements.
async fn lowest(
    tx: &mut ReadTx<'_>,
    variants: &[VariantId],
    currency: Currency,
    market: Option<MarketId>,
) -> Result<HashMap<VariantId, Money>, CatalogError> {
    let (now, since) = (tx.now(), tx.now() - LOOK_BACK);
    let spells = past::lists(tx, currency, market, since).await?;
    let mut found = HashMap::new();
    for prices in past::prices(tx, variants, currency, since).await? {
        let (bases, listed) = (prices.bases.0.as_slice(), prices.listed.0.as_slice());
        let past = Past { currency, bases, listed, spells: &spells };
        if let Some(price) = past.lowest(now)? {
            found.insert(prices.variant_id, price);
        }
    }
    Ok(found)
}

/// What a piece of a variant costs somebody somewhere, and why. Four statements, one more where a country has no market, and one more for
/// the price of somebody else.
pub async fn explain(
    tx: &mut ReadTx<'_>,
    variant: VariantId,
    question: &PriceQuestion,
    looker: Looker,
) -> Result<PriceExplained, CatalogError> {
    if let (Some(customer), true) = (question.customer, looker.sees_all) {
        groups::of_customer(tx, customer).await?.ok_or(CatalogError::Unknown)?;
    }
    let (market, currency) = shops_at(tx, question.country).await?;
    let sold = queries::sellable(tx, &[variant], currency, market, looker).await?;
    let sold = sold.into_iter().next().filter(|sold| sold.live).ok_or(CatalogError::Unknown)?;
    let quantity = question.quantity.unwrap_or(Quantity::ONE);
    let (unit_price, considered) = price_of(sold.unit_price, &sold.offers, quantity)?;
    let listed = considered.iter().any(|one| one.chosen);
    Ok(PriceExplained {
        variant,
        quantity,
        market,
        customer: looker.customer,
        unit_price,
        base_price: sold.unit_price,
        compare_at: sold.compare_at,
        lowest_price_30_days: lowest(tx, &[variant], currency, market).await?.remove(&variant),
        source: if listed { "price_list" } else { "base" },
        considered,
    })
}

/// What pieces of many variants cost a shopper somewhere. What cannot be had is missing. Four statements, one more where a country has no
/// market.
pub async fn prices(
    tx: &mut ReadTx<'_>,
    question: &PricesQuestion,
    looker: Looker,
) -> Result<PricesView, CatalogError> {
    let variants = question.checked()?;
    let (market, currency) = shops_at(tx, question.country).await?;
    let sold = queries::sellable(tx, &variants, currency, market, looker).await?;
    let mut sold: HashMap<VariantId, Sellable> =
        sold.into_iter().filter(|sold| sold.live).map(|sold| (sold.variant, sold)).collect();
    let mut lowest = lowest(tx, &variants, currency, market).await?;
    let mut data = Vec::with_capacity(sold.len());
    for variant in variants {
        let Some(sold) = sold.remove(&variant) else { continue };
        data.push(VariantPrice {
            variant,
            base_price: sold.unit_price,
            compare_at: sold.compare_at,
            lowest_price_30_days: lowest.remove(&variant),
            steps: steps_of(sold.unit_price, &sold.offers)?,
        });
    }
    Ok(PricesView { market, currency, data })
}
