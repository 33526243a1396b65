//! What is done with the catalogue. Every action reads before it writes, so that a refusal costs nothing.

pub mod bundles;
pub mod categories;
pub mod collections;
pub mod fetches;
pub mod metafields;
pub mod pictures;
pub mod price_lists;
pub mod prices;
pub mod put;
pub mod search;

use std::collections::{HashMap, HashSet};

use serde_json::json;
use souk_api::{ETag, FieldError, IfMatch};
use souk_event_bus::{Fact, emit};
use souk_kernel::{
    CollectionId, Currency, CustomerId, Handle, InventoryItemId, MarketId, ProductId, SalesChannelId,
    VariantId,
};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::error::CatalogError;
use super::events::{ProductCreated, ProductDeleted, ProductUpdated};
use super::model::{
    CreateProduct, Draft, DraftVariant, EditProduct, EditVariant, Looker, NewVariant, ProductFilter,
    ProductRef, ProductView, Sellable, Sort, Status, SummaryView, VariantView, Viewer, check_edit, one_more,
    sku_of,
};
use super::queries::{self, Place};
use crate::inventory;

/// Variants as they can be sold in this currency and market to this customer, or to somebody unknown; those without a price in it, and those
/// there are not, are missing. What a piece of so many costs, [`super::price_of`] says. One statement.
///
/// # Errors
/// Only of the database.
pub async fn sellable(
    tx: &mut ReadTx<'_>,
    variants: &[VariantId],
    currency: Currency,
    market: Option<MarketId>,
    customer: Option<CustomerId>,
) -> Result<Vec<Sellable>, DbError> {
    queries::sellable(tx, variants, currency, market, Looker::shopper(customer)).await
}

/// The collections each of these products is in. One statement.
///
/// # Errors
/// Only of the database.
pub async fn collections_of(
    tx: &mut ReadTx<'_>,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<CollectionId>>, DbError> {
    queries::collections::collections_of(tx, products).await
}

/// One product with its stock; numbers only for those who run the store. Two statements.
pub async fn show(
    tx: &mut ReadTx<'_>,
    product: &ProductRef,
    numbers: bool,
) -> Result<ProductView, CatalogError> {
    show_for(tx, product, Viewer::Staff, numbers).await
}

/// The same, if it is there for whoever looks. Two statements.
pub async fn show_for(
    tx: &mut ReadTx<'_>,
    product: &ProductRef,
    viewer: Viewer,
    numbers: bool,
) -> Result<ProductView, CatalogError> {
    let mut view = queries::detail_for(tx, product, viewer).await?.ok_or(CatalogError::Unknown)?;
    let stock = inventory::available(tx, &queries::items_of(&view)).await?;
    view.stocked(&stock, numbers);
    Ok(view)
}

/// One product as shoppers see it; what is not for sale on the channel is not there.
pub async fn show_live(
    tx: &mut ReadTx<'_>,
    product: &ProductRef,
    channel: Option<SalesChannelId>,
) -> Result<ProductView, CatalogError> {
    let mut view = show_for(tx, product, Viewer::Shopper(channel), false).await?;
    view.for_shoppers();
    Ok(view)
}

/// One page of products with their stock, its numbers only for those who run the store. Two statements.
pub async fn list(
    tx: &mut ReadTx<'_>,
    filter: &ProductFilter,
    viewer: Viewer,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<SummaryView>, CatalogError> {
    if filter.order() == Sort::Manual && filter.collection.is_none() {
        let error = FieldError::new("?sort", "invalid", "manual is an order of a collection: name one");
        return Err(CatalogError::Invalid(vec![error]));
    }
    let page = queries::page(tx, filter, viewer, after, limit).await?;
    let items: Vec<_> = page.iter().flat_map(|product| product.items.iter().copied()).collect();
    let stock = inventory::available(tx, &items).await?;
    let stocked = |product: queries::Summary| {
        let mut view = product.view;
        let pieces = |item: InventoryItemId| stock.get(&item).copied().unwrap_or_default();
        let in_stock = product.endless || product.priced.iter().any(|item| pieces(*item) > 0);
        view.available = view.status == Status::Active && in_stock;
        view.stock = (!viewer.is_shopper()).then(|| product.items.iter().map(|item| pieces(*item)).sum());
        view
    };
    Ok(page.into_iter().map(stocked).collect())
}

/// Tells caches and listeners.
async fn told(tx: &mut WriteTx<'_>, fact: &impl Fact) -> Result<(), CatalogError> {
    emit(tx, fact).await?;
    tx.catalogue_changed();
    Ok(())
}

/// More than are ever made at the same moment: as many transactions as a store may have at work, in every process there is.
const AT_ONCE: i64 = 64;

/// How many products more the plan allows. One statement; near the limit, where those made at the same moment could together pass it, they go
/// one after the other until the transaction ends. Before anything is locked.
async fn room(tx: &mut WriteTx<'_>, limit: u32) -> Result<i64, CatalogError> {
    let most = i64::from(limit);
    let mut count = queries::count(tx, most).await?;
    if count < most && most - count <= AT_ONCE {
        queries::collections::rules_turn(tx).await?;
        count = queries::count(tx, most).await?;
    }
    Ok(most - count)
}

/// A product with options, variants, prices and stock in one go; refused when the plan allows no more than `limit`.
pub async fn create(
    tx: &mut WriteTx<'_>,
    wish: &CreateProduct,
    actor: &str,
    limit: u32,
) -> Result<ProductView, CatalogError> {
    if room(tx, limit).await? <= 0 {
        return Err(CatalogError::Quota(limit));
    }
    make(tx, wish, actor).await
}

/// The same, whatever the plan allows.
async fn make(tx: &mut WriteTx<'_>, wish: &CreateProduct, actor: &str) -> Result<ProductView, CatalogError> {
    let currency = queries::currency_in_turn(tx).await?;
    let handle = match &wish.handle {
        Some(handle) => handle.clone(),
        None => {
            let wanted = Handle::slug_of(wish.title.as_str());
            free(&wanted, queries::handles_like(tx, wanted.as_str()).await?)
        }
    };
    let draft = Draft::of(wish, &handle, currency)?;
    let items: Vec<_> = draft.variants.iter().map(DraftVariant::item).collect();
    inventory::create_items(tx, &items, actor).await?;
    queries::insert_product(tx, &draft).await?;
    let product = ProductId::from_uuid(draft.product.id);
    queries::collections::judge_product(tx, product).await?;
    told(tx, &ProductCreated { product }).await?;
    show(tx, &ProductRef::Id(product), true).await
}

/// The handle itself, or with the first number that makes it free.
pub fn free(wanted: &Handle, taken: Vec<String>) -> Handle {
    let taken: HashSet<String> = taken.into_iter().collect();
    let mut handles = std::iter::once(wanted.clone()).chain((2..).map(|number| wanted.numbered(number)));
    handles.find(|handle| !taken.contains(handle.as_str())).unwrap_or_else(|| wanted.clone())
}

/// Locks the product and gives it as it is.
async fn locked(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    seen: Option<IfMatch>,
) -> Result<ProductView, CatalogError> {
    let version = queries::lock(tx, product).await?.ok_or(CatalogError::Unknown)?;
    if let Some(seen) = seen {
        seen.check(&ETag::new(version)).map_err(CatalogError::Precondition)?;
    }
    queries::detail(tx, &ProductRef::Id(product)).await?.ok_or(CatalogError::Unknown)
}

/// Counts the change, judges the product by the rules of collections, tells about it, and shows the product.
async fn changed(tx: &mut WriteTx<'_>, product: ProductId) -> Result<ProductView, CatalogError> {
    queries::touch(tx, product).await?;
    queries::collections::judge_product(tx, product).await?;
    told(tx, &ProductUpdated { product }).await?;
    show(tx, &ProductRef::Id(product), true).await
}

/// The product's own columns; a new handle leaves a redirect behind.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    seen: IfMatch,
    wish: &EditProduct,
) -> Result<ProductView, CatalogError> {
    check_edit(wish)?;
    let mut now = locked(tx, product, Some(seen)).await?;
    set(&mut now.title, wish.title.as_ref());
    set(&mut now.description_html, wish.description_html.as_ref());
    set(&mut now.handle, wish.handle.as_ref());
    set(&mut now.vendor, wish.vendor.as_ref());
    set(&mut now.product_type, wish.product_type.as_ref());
    now.status = wish.status.unwrap_or(now.status);
    if let Some(tags) = &wish.tags {
        now.tags = super::model::tags_of(tags);
    }
    now.seo_title = wish.seo_title.as_ref().map(ToString::to_string).or(now.seo_title);
    now.seo_description = wish.seo_description.as_ref().map(ToString::to_string).or(now.seo_description);
    now.category = wish.category.unwrap_or(now.category);
    queries::edit(tx, &now).await?;
    queries::collections::judge_product(tx, product).await?;
    told(tx, &ProductUpdated { product }).await?;
    show(tx, &ProductRef::Id(product), true).await
}

fn set(column: &mut String, wish: Option<&impl ToString>) {
    if let Some(wish) = wish {
        *column = wish.to_string();
    }
}

/// The product and all that belongs to it. Orders keep their copy.
pub async fn remove(tx: &mut WriteTx<'_>, product: ProductId) -> Result<(), CatalogError> {
    let now = locked(tx, product, None).await?;
    queries::remove(tx, product).await?;
    inventory::retire(tx, &queries::items_of(&now)).await?;
    told(tx, &ProductDeleted { product }).await
}

/// One more variant.
pub async fn add_variant(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    wish: &NewVariant,
    actor: &str,
) -> Result<ProductView, CatalogError> {
    let currency = queries::currency_in_turn(tx).await?;
    let now = locked(tx, product, None).await?;
    let (variant, values) = one_more(&now, wish, currency)?;
    inventory::create_items(tx, &[variant.item()], actor).await?;
    let doc = json!({ "values": values, "variants": [variant], "currency": currency });
    queries::insert_variants(tx, doc).await?;
    changed(tx, product).await
}

/// A variant's own columns. A changed policy changes how far its stock may fall.
pub async fn edit_variant(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    variant: VariantId,
    seen: IfMatch,
    wish: &EditVariant,
) -> Result<ProductView, CatalogError> {
    let mut now = find(locked(tx, product, None).await?, variant)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    if wish.weight_grams.is_some_and(|grams| !(0..=999_999_999).contains(&grams)) {
        let error = FieldError::new("/weight_grams", "out_of_range", "must be 0 to 999999999");
        return Err(CatalogError::Invalid(vec![error]));
    }
    now.sku = sku_of("/sku", wish.sku.as_ref(), now.sku)?;
    now.barcode = sku_of("/barcode", wish.barcode.as_ref(), now.barcode)?;
    now.weight_grams = wish.weight_grams.unwrap_or(now.weight_grams);
    now.requires_shipping = wish.requires_shipping.unwrap_or(now.requires_shipping);
    now.taxable = wish.taxable.unwrap_or(now.taxable);
    if let Some(class) = &wish.tax_class {
        now.tax_class = class.as_ref().map(|class| class.as_str().to_owned());
    }
    if let Some(policy) = wish.inventory_policy.filter(|policy| *policy != now.inventory_policy) {
        inventory::set_policy(tx, now.inventory_item, policy).await?;
        now.inventory_policy = policy;
    }
    queries::edit_variant(tx, &now).await?;
    changed(tx, product).await
}

fn find(product: ProductView, variant: VariantId) -> Result<VariantView, CatalogError> {
    product.variants.into_iter().find(|now| now.id == variant).ok_or(CatalogError::Unknown)
}

/// A variant and its stock; the last one stays.
pub async fn remove_variant(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    variant: VariantId,
) -> Result<(), CatalogError> {
    let now = locked(tx, product, None).await?;
    let count = now.variants.len();
    let gone = find(now, variant)?;
    if count == 1 {
        return Err(CatalogError::LastVariant);
    }
    queries::remove_variant(tx, variant).await?;
    inventory::retire(tx, &[gone.inventory_item]).await?;
    queries::touch(tx, product).await?;
    queries::collections::judge_product(tx, product).await?;
    told(tx, &ProductUpdated { product }).await
}
