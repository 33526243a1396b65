//! Collections: those that people fill, and those that rules do.
//!
//! Whoever changes rules takes their turn before anything else, and whoever changes a product shares it: so a product is judged by the rules
//! that are there when both are done, whichever came first.

use std::collections::HashSet;

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::{CollectionId, Handle, LongText, ProductId, SalesChannelId};
use souk_tenancy::{ReadTx, WriteTx};

use super::set;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    CollectionRules, CollectionView, CreateCollection, EditCollection, check_collection,
};
use crate::catalog::queries::collections::{self as queries, Wanted};
use crate::markets;

/// One collection; one statement.
pub async fn collection(tx: &mut ReadTx<'_>, id: CollectionId) -> Result<CollectionView, CatalogError> {
    let wanted = Wanted { id: Some(id), ..Wanted::default() };
    queries::collections(tx, wanted, 1).await?.pop().ok_or(CatalogError::Unknown)
}

/// One published collection, as shoppers see it; one statement.
pub async fn published(
    tx: &mut ReadTx<'_>,
    collection: &str,
    channel: Option<SalesChannelId>,
) -> Result<CollectionView, CatalogError> {
    let (id, handle) = match collection.parse::<CollectionId>() {
        Ok(id) => (Some(id), None),
        Err(_) => (None, Some(collection.to_owned())),
    };
    let wanted = Wanted { id, handle, published: Some(true), only_for_sale: true, channel, before: None };
    queries::collections(tx, wanted, 1).await?.pop().ok_or(CatalogError::Unknown)
}

/// What is wrong with rules, if there are any; the turn is taken, because products are judged by them next.
async fn ruled(tx: &mut WriteTx<'_>, rules: Option<&CollectionRules>) -> Result<(), CatalogError> {
    let Some(rules) = rules else { return Ok(()) };
    let currencies = if rules.names_amounts() { markets::currencies(tx).await? } else { Vec::new() };
    rules.check(&currencies)?;
    Ok(queries::rules_turn(tx).await?)
}

/// Judges all products by the rules of a collection.
async fn judge(tx: &mut WriteTx<'_>, id: CollectionId) -> Result<(), CatalogError> {
    let mut after = None;
    loop {
        after = queries::judge_some(tx, id, after).await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A collection without products, or with those that its rules say.
pub async fn create_collection(
    tx: &mut WriteTx<'_>,
    wish: &CreateCollection,
) -> Result<CollectionView, CatalogError> {
    check_collection(wish.description_html.as_ref())?;
    ruled(tx, wish.rules.as_ref()).await?;
    let now = tx.now();
    let view = CollectionView {
        id: CollectionId::new(),
        handle: wish.handle.clone().unwrap_or_else(|| Handle::slug_of(wish.title.as_str())).to_string(),
        title: wish.title.to_string(),
        description_html: wish.description_html.as_ref().map_or_else(String::new, LongText::to_string),
        published: wish.published.unwrap_or(true),
        rules: wish.rules.clone(),
        product_count: 0,
        metafields: Vec::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    queries::put_collection(tx, &view).await?;
    tx.catalogue_changed();
    if view.rules.is_none() {
        return Ok(view);
    }
    judge(tx, view.id).await?;
    collection(tx, view.id).await
}

/// A collection's own columns; a new handle leaves a redirect behind, new rules say at once what is in it.
pub async fn edit_collection(
    tx: &mut WriteTx<'_>,
    id: CollectionId,
    seen: IfMatch,
    wish: &EditCollection,
) -> Result<CollectionView, CatalogError> {
    check_collection(wish.description_html.as_ref())?;
    ruled(tx, wish.rules.as_ref()).await?;
    let locked = queries::lock_collection(tx, id).await?.ok_or(CatalogError::Unknown)?;
    let mut now = collection(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    if wish.rules.is_some() && !locked.by_rules {
        return Err(CatalogError::ByHand);
    }
    set(&mut now.title, wish.title.as_ref());
    set(&mut now.handle, wish.handle.as_ref());
    set(&mut now.description_html, wish.description_html.as_ref());
    now.published = wish.published.unwrap_or(now.published);
    if let Some(rules) = &wish.rules {
        now.rules = Some(rules.clone());
    }
    queries::put_collection(tx, &now).await?;
    if wish.rules.is_some() {
        judge(tx, id).await?;
    }
    tx.catalogue_changed();
    collection(tx, id).await
}

/// The group, not its products.
pub async fn remove_collection(tx: &mut WriteTx<'_>, id: CollectionId) -> Result<(), CatalogError> {
    if !queries::remove_collection(tx, id).await? {
        return Err(CatalogError::Unknown);
    }
    tx.catalogue_changed();
    Ok(())
}

/// Most products one may arrange.
const MOST_ARRANGED: usize = 1000;

/// Makes these the products of a collection, in this order.
pub async fn arrange(
    tx: &mut WriteTx<'_>,
    id: CollectionId,
    seen: IfMatch,
    products: &[ProductId],
) -> Result<CollectionView, CatalogError> {
    let locked = queries::lock_collection(tx, id).await?.ok_or(CatalogError::Unknown)?;
    seen.check(&ETag::new(locked.version)).map_err(CatalogError::Precondition)?;
    if locked.by_rules {
        return Err(CatalogError::ByRules);
    }
    if products.len() > MOST_ARRANGED {
        let error = FieldError::new("/products", "too_many", "must be at most 1000 products");
        return Err(CatalogError::Invalid(vec![error]));
    }
    let known: HashSet<ProductId> = queries::known_products(tx, products).await?.into_iter().collect();
    let (mut named, mut errors) = (HashSet::new(), Vec::new());
    for (place, product) in products.iter().enumerate() {
        let at = format!("/products/{place}");
        if !known.contains(product) {
            errors.push(FieldError::new(at, "unknown", "must be a product of this store"));
        } else if !named.insert(*product) {
            errors.push(FieldError::new(at, "duplicate", "must be named once"));
        }
    }
    if !errors.is_empty() {
        return Err(CatalogError::Invalid(errors));
    }
    queries::arrange(tx, id, products).await?;
    tx.catalogue_changed();
    collection(tx, id).await
}

/// Puts a product into a collection, at the end.
pub async fn collect(tx: &mut WriteTx<'_>, id: CollectionId, product: ProductId) -> Result<(), CatalogError> {
    if !queries::collect(tx, id, product).await? {
        let locked = queries::lock_collection(tx, id).await?;
        let by_rules = locked.is_some_and(|locked| locked.by_rules);
        return Err(if by_rules { CatalogError::ByRules } else { CatalogError::Unknown });
    }
    tx.catalogue_changed();
    Ok(())
}

/// Takes a product out of a collection; not in it is fine.
pub async fn uncollect(
    tx: &mut WriteTx<'_>,
    id: CollectionId,
    product: ProductId,
) -> Result<(), CatalogError> {
    let taken = queries::uncollect(tx, id, product).await?.ok_or(CatalogError::Unknown)?;
    if taken.by_rules {
        return Err(CatalogError::ByRules);
    }
    if taken.was_in {
        tx.catalogue_changed();
    } else {
        // Nothing was done.
        tx.logged();
    }
    Ok(())
}
