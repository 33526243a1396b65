//! The tree of categories. Whoever changes it has it alone, reads all of it and writes one place.

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::{CategoryId, Handle};
use souk_tenancy::{ReadTx, WriteTx};

use super::{free, set};
use crate::catalog::error::CatalogError;
use crate::catalog::model::{CategoryView, CreateCategory, EditCategory, Viewer};
use crate::catalog::queries::categories::{self as queries, PutCategory};

/// The whole tree, parents before their children. One statement.
pub async fn tree(tx: &mut ReadTx<'_>, viewer: Viewer) -> Result<Vec<CategoryView>, CatalogError> {
    Ok(queries::tree(tx, viewer).await?.views())
}

/// One category, by its id or handle. One statement.
pub async fn category(
    tx: &mut ReadTx<'_>,
    wanted: &str,
    viewer: Viewer,
) -> Result<CategoryView, CatalogError> {
    let id = wanted.parse::<CategoryId>().ok();
    let is_it = |view: &CategoryView| id.map_or(view.handle == wanted, |id| view.id == id);
    tree(tx, viewer).await?.into_iter().find(is_it).ok_or(CatalogError::Unknown)
}

async fn shown(tx: &mut ReadTx<'_>, id: CategoryId) -> Result<CategoryView, CatalogError> {
    tree(tx, Viewer::Staff).await?.into_iter().find(|view| view.id == id).ok_or(CatalogError::Unknown)
}

/// A category without products.
pub async fn create_category(
    tx: &mut WriteTx<'_>,
    wish: &CreateCategory,
) -> Result<CategoryView, CatalogError> {
    queries::lock(tx).await?;
    let tree = queries::tree(tx, Viewer::Staff).await?;
    if tree.is_full() {
        let error = FieldError::new("", "too_many", "a store has at most 2000 categories");
        return Err(CatalogError::Invalid(vec![error]));
    }
    let id = CategoryId::new();
    let order = tree.placed(id, wish.parent, wish.position)?;
    let handle = match &wish.handle {
        Some(handle) => handle.clone(),
        None => {
            let wanted = Handle::slug_of(wish.title.as_str());
            free(&wanted, queries::handles_like(tx, wanted.as_str()).await?)
        }
    };
    let category = PutCategory {
        id,
        handle: handle.as_str(),
        title: wish.title.as_str(),
        parent: wish.parent,
        order: &order,
    };
    queries::put(tx, &category).await?;
    tx.catalogue_changed();
    shown(tx, id).await
}

/// A category's own columns and its place; what is below it comes along.
pub async fn edit_category(
    tx: &mut WriteTx<'_>,
    id: CategoryId,
    seen: IfMatch,
    wish: &EditCategory,
) -> Result<CategoryView, CatalogError> {
    queries::lock(tx).await?;
    let tree = queries::tree(tx, Viewer::Staff).await?;
    let mut now = tree.row(id).ok_or(CatalogError::Unknown)?;
    seen.check(&ETag::new(now.version)).map_err(CatalogError::Precondition)?;
    let parent = wish.parent.unwrap_or(now.parent_id);
    let order = tree.placed(id, parent, wish.position)?;
    set(&mut now.title, wish.title.as_ref());
    set(&mut now.handle, wish.handle.as_ref());
    let category = PutCategory { id, handle: &now.handle, title: &now.title, parent, order: &order };
    queries::put(tx, &category).await?;
    tx.catalogue_changed();
    shown(tx, id).await
}

/// A category that has none below it; its products go to its parent.
pub async fn remove_category(tx: &mut WriteTx<'_>, id: CategoryId) -> Result<(), CatalogError> {
    queries::lock(tx).await?;
    let tree = queries::tree(tx, Viewer::Staff).await?;
    let row = tree.row(id).ok_or(CatalogError::Unknown)?;
    if tree.has_children(id) {
        return Err(CatalogError::HasChildren);
    }
    queries::remove(tx, id, row.parent_id).await?;
    tx.catalogue_changed();
    Ok(())
}
