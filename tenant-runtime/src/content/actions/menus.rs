//! Menus: written whole, read with what their items lead to today.

use std::collections::HashSet;

use souk_api::{ETag, FieldError, IfMatch};
use souk_kernel::{Handle, Locale, MenuId, SalesChannelId};
use souk_tenancy::{ReadTx, WriteTx};

use super::gone;
use crate::catalog;
use crate::content::error::ContentError;
use crate::content::model::{ItemDoc, MenuItemView, MenuView, NewMenuItem, PutMenu, ShopMenuView, arranged};
use crate::content::queries::menus as queries;

/// Most menus of a store: they are listed whole.
const MOST: i64 = 200;

/// A menu for those who run the store. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: MenuId) -> Result<MenuView, ContentError> {
    let row = queries::find(tx, Some(id), None, None).await?.ok_or(ContentError::Unknown)?;
    Ok(MenuView {
        id: row.id,
        handle: row.handle,
        title: row.title,
        items: row.items.0.into_iter().map(MenuItemView::of).collect(),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// A menu as shoppers see it, by its id or handle. One statement.
pub async fn show_open(
    tx: &mut ReadTx<'_>,
    wanted: &str,
    locale: Option<&Locale>,
    channel: Option<SalesChannelId>,
) -> Result<ShopMenuView, ContentError> {
    let id = wanted.parse::<MenuId>().ok();
    let handle = id.is_none().then_some(wanted);
    let row = queries::find(tx, id, handle, channel).await?.ok_or(ContentError::Unknown)?;
    Ok(ShopMenuView::of(row.handle, row.title, row.items.0, locale))
}

/// The items as they are kept; what they lead to is there.
async fn sound(tx: &mut ReadTx<'_>, wishes: &[NewMenuItem]) -> Result<Vec<ItemDoc>, ContentError> {
    let items = arranged(wishes).map_err(ContentError::Invalid)?;
    if items.iter().all(|item| item.target.is_none()) {
        return Ok(items);
    }
    let known: HashSet<_> = queries::known(tx, &items).await?.into_iter().collect();
    let lost = items.iter().filter(|item| item.target.is_some_and(|target| !known.contains(&target)));
    let complain = |item: &ItemDoc| {
        let place = wishes.iter().position(|wish| wish.key.as_str() == item.key).unwrap_or_default();
        FieldError::new(format!("/items/{place}/link/to"), "unknown", "must be one of this store")
    };
    let errors: Vec<_> = lost.map(complain).collect();
    if errors.is_empty() { Ok(items) } else { Err(ContentError::Invalid(errors)) }
}

/// A menu.
pub async fn create(tx: &mut WriteTx<'_>, wish: &PutMenu) -> Result<MenuView, ContentError> {
    if queries::count(tx).await? >= MOST {
        return Err(FieldError::new("", "too_many", "a store has at most 200 menus").into());
    }
    let items = sound(tx, &wish.items).await?;
    let handle = match &wish.handle {
        Some(handle) => handle.clone(),
        None => {
            let wanted = Handle::slug_of(wish.title.as_str());
            catalog::free(&wanted, queries::handles_like(tx, wanted.as_str()).await?)
        }
    };
    let id = MenuId::new();
    queries::put(tx, id, (handle.as_str(), wish.title.as_str()), &items).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// All of a menu in place of what it was.
pub async fn replace(
    tx: &mut WriteTx<'_>,
    id: MenuId,
    seen: IfMatch,
    wish: &PutMenu,
) -> Result<MenuView, ContentError> {
    let (version, known) = queries::lock(tx, id).await?.ok_or(ContentError::Unknown)?;
    seen.check(&ETag::new(version)).map_err(ContentError::Precondition)?;
    let items = sound(tx, &wish.items).await?;
    let handle = wish.handle.as_ref().map_or(known.as_str(), Handle::as_str);
    queries::put(tx, id, (handle, wish.title.as_str()), &items).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// The menu, not what it leads to.
pub async fn remove(tx: &mut WriteTx<'_>, id: MenuId) -> Result<(), ContentError> {
    let was_there = queries::remove(tx, id).await?;
    gone(tx, was_there)
}
