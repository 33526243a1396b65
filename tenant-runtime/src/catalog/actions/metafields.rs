//! Metafields: what may be said, and saying it.

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::{CollectionId, LongText, MetafieldDefinitionId, ProductId, Text, VariantId};
use souk_tenancy::{ReadTx, WriteTx};

use super::{changed, find, locked, set};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    CUSTOM, CollectionView, CreateDefinition, DefinitionView, EditDefinition, MOST_DEFINITIONS,
    MetafieldOwner, ProductView, SetMetafields, VariantView, fitting,
};
use crate::catalog::queries::metafields::{self as queries, Of};
use crate::catalog::queries::{collections, owner};

/// One definition. One statement.
pub async fn definition(
    tx: &mut ReadTx<'_>,
    id: MetafieldDefinitionId,
) -> Result<DefinitionView, CatalogError> {
    queries::definitions(tx, None, Some(id)).await?.pop().ok_or(CatalogError::Unknown)
}

/// A definition without values.
pub async fn create_definition(
    tx: &mut WriteTx<'_>,
    wish: &CreateDefinition,
) -> Result<DefinitionView, CatalogError> {
    wish.check()?;
    queries::lock(tx).await?;
    if queries::definitions(tx, Some(wish.owner), None).await?.len() >= MOST_DEFINITIONS {
        let error = FieldError::new("/owner", "too_many", "there are at most 250 definitions of one owner");
        return Err(CatalogError::Invalid(vec![error]));
    }
    let now = tx.now();
    let view = DefinitionView {
        id: MetafieldDefinitionId::new(),
        owner: wish.owner,
        namespace: wish.namespace.as_ref().map_or(CUSTOM, Text::as_str).to_owned(),
        key: wish.key.to_string(),
        name: wish.name.to_string(),
        description: wish.description.as_ref().map_or_else(String::new, LongText::to_string),
        kind: wish.kind,
        list: wish.list,
        limits: wish.limits.clone(),
        shown: wish.shown.unwrap_or(true),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    queries::put(tx, &view).await?;
    Ok(view)
}

/// What may change of a definition; values that there are stay.
pub async fn edit_definition(
    tx: &mut WriteTx<'_>,
    id: MetafieldDefinitionId,
    seen: IfMatch,
    wish: &EditDefinition,
) -> Result<DefinitionView, CatalogError> {
    queries::lock(tx).await?;
    let mut now = definition(tx, id).await?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    if let Some(limits) = &wish.limits {
        if let Some(error) = limits.complaint(now.kind) {
            return Err(CatalogError::Invalid(vec![error]));
        }
        now.limits = limits.clone();
    }
    set(&mut now.name, wish.name.as_ref());
    set(&mut now.description, wish.description.as_ref());
    now.shown = wish.shown.unwrap_or(now.shown);
    queries::put(tx, &now).await?;
    tx.catalogue_changed();
    definition(tx, id).await
}

/// A definition and all its values.
pub async fn remove_definition(tx: &mut WriteTx<'_>, id: MetafieldDefinitionId) -> Result<(), CatalogError> {
    queries::lock(tx).await?;
    if !queries::remove(tx, id).await? {
        return Err(CatalogError::Unknown);
    }
    tx.catalogue_changed();
    Ok(())
}

/// What is said of a product.
pub async fn set_of_product(
    tx: &mut WriteTx<'_>,
    product: ProductId,
    seen: Option<IfMatch>,
    wish: &SetMetafields,
) -> Result<ProductView, CatalogError> {
    locked(tx, product, seen).await?;
    let known = queries::definitions(tx, Some(MetafieldOwner::Product), None).await?;
    queries::set(tx, Of::Product(product), &fitting(wish, &known)?).await?;
    changed(tx, product).await
}

/// What is said of a variant.
pub async fn set_of_variant(
    tx: &mut WriteTx<'_>,
    variant: VariantId,
    wish: &SetMetafields,
) -> Result<VariantView, CatalogError> {
    let product = owner(tx, variant).await?.ok_or(CatalogError::Unknown)?;
    find(locked(tx, product, None).await?, variant)?;
    let known = queries::definitions(tx, Some(MetafieldOwner::Variant), None).await?;
    queries::set(tx, Of::Variant(product, variant), &fitting(wish, &known)?).await?;
    find(changed(tx, product).await?, variant)
}

/// What is said of a collection.
pub async fn set_of_collection(
    tx: &mut WriteTx<'_>,
    id: CollectionId,
    seen: IfMatch,
    wish: &SetMetafields,
) -> Result<CollectionView, CatalogError> {
    let now = collections::lock_collection(tx, id).await?.ok_or(CatalogError::Unknown)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    let known = queries::definitions(tx, Some(MetafieldOwner::Collection), None).await?;
    queries::set(tx, Of::Collection(id), &fitting(wish, &known)?).await?;
    collections::touch(tx, id).await?;
    tx.catalogue_changed();
    super::collections::collection(tx, id).await
}
