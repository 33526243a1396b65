//! Pages: written, renamed, shown at their time.

use souk_access::WorkerPermit;
use souk_api::{ETag, IfMatch};
use souk_kernel::{Handle, Locale, PageId};
use souk_tenancy::{ReadTx, WriteTx};

use super::gone;
use crate::catalog;
use crate::content::error::ContentError;
use crate::content::model::{
    CreatePage, EditPage, PageStatus, PageView, Publication, ShopPageView, clean, translated,
};
use crate::content::queries::pages as queries;

/// Pages that are shown in one transaction.
const SOME: i64 = 100;

/// A page for those who run the store. One statement.
pub async fn show(tx: &mut ReadTx<'_>, id: PageId) -> Result<PageView, ContentError> {
    queries::find(tx, Some(id), None).await?.ok_or(ContentError::Unknown)
}

/// A page as shoppers read it, by its id or a handle that it has or had. One statement.
pub async fn show_published(
    tx: &mut ReadTx<'_>,
    wanted: &str,
    locale: Option<&Locale>,
) -> Result<ShopPageView, ContentError> {
    let id = wanted.parse::<PageId>().ok();
    let handle = id.is_none().then_some(wanted);
    let page = queries::find(tx, id, handle).await?;
    let page = page.filter(|page| page.status == PageStatus::Published).ok_or(ContentError::Unknown)?;
    Ok(ShopPageView::of(page, locale))
}

/// A page; shown at once unless it says otherwise.
pub async fn create(tx: &mut WriteTx<'_>, wish: &CreatePage) -> Result<PageView, ContentError> {
    let now = tx.now();
    let draft = Publication { status: PageStatus::Draft, at: None };
    let at_once = wish.publish_at.is_none().then(PageStatus::default);
    let publication = draft.on(wish.status.or(at_once), wish.publish_at, now)?;
    let translations = translated(&wish.translations).map_err(ContentError::Invalid)?;
    let handle = match &wish.handle {
        Some(handle) => handle.clone(),
        None => {
            let wanted = Handle::slug_of(wish.title.as_str());
            catalog::free(&wanted, queries::handles_like(tx, wanted.as_str()).await?)
        }
    };
    let page = PageView {
        id: PageId::new(),
        handle: handle.to_string(),
        title: wish.title.to_string(),
        body_html: clean(wish.body_html.as_str()),
        seo_title: wish.seo_title.as_ref().map(ToString::to_string),
        seo_description: wish.seo_description.as_ref().map(ToString::to_string),
        translations,
        status: publication.status,
        published_at: publication.at,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    queries::put(tx, &page).await?;
    tx.catalogue_changed();
    show(tx, page.id).await
}

/// What is given, in place of what was. The page still answers under the handle it had.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    id: PageId,
    seen: IfMatch,
    wish: &EditPage,
) -> Result<PageView, ContentError> {
    let mut page = queries::lock(tx, id).await?.ok_or(ContentError::Unknown)?;
    seen.check(&ETag::new(page.version)).map_err(ContentError::Precondition)?;
    let before = Publication { status: page.status, at: page.published_at };
    let publication = before.on(wish.status, wish.publish_at, tx.now())?;
    (page.status, page.published_at) = (publication.status, publication.at);
    page.title = wish.title.as_ref().map_or(page.title, ToString::to_string);
    page.handle = wish.handle.as_ref().map_or(page.handle, ToString::to_string);
    page.body_html = wish.body_html.as_ref().map_or(page.body_html, |text| clean(text.as_str()));
    if let Some(words) = &wish.seo_title {
        page.seo_title = Some(words.to_string()).filter(|words| !words.is_empty());
    }
    if let Some(words) = &wish.seo_description {
        page.seo_description = Some(words.to_string()).filter(|words| !words.is_empty());
    }
    if let Some(wishes) = &wish.translations {
        page.translations = translated(wishes).map_err(ContentError::Invalid)?;
    }
    queries::put(tx, &page).await?;
    tx.catalogue_changed();
    show(tx, id).await
}

/// The page and its former handles.
pub async fn remove(tx: &mut WriteTx<'_>, id: PageId) -> Result<(), ContentError> {
    let was_there = queries::remove(tx, id).await?;
    gone(tx, was_there)
}

/// Shows pages whose time has come; for the worker. Whether there may be more. Repeating it changes nothing.
///
/// # Errors
/// Only of the database.
pub async fn publish_due(worker: &WorkerPermit) -> Result<bool, ContentError> {
    let work = async |tx: &mut WriteTx<'_>| {
        let shown = queries::publish_due(tx, SOME).await?;
        if shown > 0 {
            tx.catalogue_changed();
        }
        Ok(i64::try_from(shown).is_ok_and(|shown| shown >= SOME))
    };
    worker.write::<_, ContentError, _>("content.publish", work).await
}
