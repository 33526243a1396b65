//! Pages, for those who run the store.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use serde::Deserialize;
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::PageId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::content::actions::pages as actions;
use crate::content::error::ContentError;
use crate::content::model::{CreatePage, EditPage, PageStatus, PageSummary, PageView};
use crate::content::permissions::{Edit, View};
use crate::content::queries::pages as queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit).service(remove);
}

/// Which pages.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageFilter {
    status: Option<PageStatus>,
}

/// The pages, latest first, without their texts.
#[utoipa::path(
    tag = "Content", operation_id = "listPages", params(PageFilter, Paging),
    responses((status = 200, description = "One page of them", body = Page<PageSummary>))
)]
#[get("/admin/v1/pages")]
async fn list(
    permit: Permit<View>,
    filter: Query<PageFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<PageSummary>, Problem> {
    let scope = format!("pages:{}:{:?}", permit.store(), filter.0);
    let before = paging.position::<PageId>(&key, &scope)?;
    let (status, limit) = (filter.status, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, ContentError>(queries::list(tx, status, before, limit).await?)
    };
    Page::cut(permit.read("content.pages", load).await?, &paging, &key, &scope, |page| page.id)
}

/// A page: shown at once, unless it is a draft or `publish_at` says when.
#[utoipa::path(
    tag = "Content", operation_id = "createPage", request_body = CreatePage,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 201, description = "Made", body = PageView),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 422, description = "A time that is over, or a language twice", body = Problem)
    )
)]
#[post("/admin/v1/pages")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<CreatePage>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/pages/{}", view.id);
        Ok::<_, ContentError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("content.create_page", &key, digest, work).await
}

fn shown(page: &PageView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(page.version)).json(page)
}

/// One page.
#[utoipa::path(
    tag = "Content", operation_id = "getPage", params(("page" = PageId, Path)),
    responses((status = 200, description = "It", body = PageView), (status = 404, body = Problem))
)]
#[get("/admin/v1/pages/{page}")]
async fn show(permit: Permit<View>, id: Path<PageId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, id).await;
    Ok(shown(&permit.read("content.page", find).await?))
}

/// Change a page. It still answers under the handle it had.
#[utoipa::path(
    tag = "Content", operation_id = "editPage", request_body = EditPage,
    params(("page" = PageId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = PageView), (status = 404, body = Problem),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "A time that is over, or a language twice", body = Problem)
    )
)]
#[patch("/admin/v1/pages/{page}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<PageId>,
    seen: IfMatch,
    body: Json<EditPage>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, seen, wish).await;
    Ok(shown(&permit.write("content.edit_page", work).await?))
}

/// Delete a page. Menus that lead to it show it to shoppers no more.
#[utoipa::path(
    tag = "Content", operation_id = "deletePage", params(("page" = PageId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem))
)]
#[delete("/admin/v1/pages/{page}")]
async fn remove(permit: Permit<Edit>, id: Path<PageId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, id).await;
    permit.write("content.remove_page", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
