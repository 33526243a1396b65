//! Menus, for those who run the store.

use actix_web::{HttpResponse, delete, get, post, put};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IdempotencyKey, IfMatch, Json, Page, Path, Problem};
use souk_kernel::MenuId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::content::actions::menus as actions;
use crate::content::error::ContentError;
use crate::content::model::{MenuSummary, MenuView, PutMenu};
use crate::content::permissions::{Edit, View};
use crate::content::queries::menus as queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(replace).service(remove);
}

/// All menus, by their handles, without their items.
#[utoipa::path(
    tag = "Content", operation_id = "listMenus",
    responses((status = 200, description = "All of them", body = Page<MenuSummary>))
)]
#[get("/admin/v1/menus")]
async fn list(permit: Permit<View>) -> Result<Page<MenuSummary>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, ContentError>(queries::list(tx).await?);
    Ok(Page::whole(permit.read("content.menus", load).await?))
}

/// A menu. A store has at most 200.
#[utoipa::path(
    tag = "Content", operation_id = "createMenu", request_body = PutMenu,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 201, description = "Made", body = MenuView),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 422, description = "A circle, a fourth level, or a link that leads nowhere", body = Problem)
    )
)]
#[post("/admin/v1/menus")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<PutMenu>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/menus/{}", view.id);
        Ok::<_, ContentError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("content.create_menu", &key, digest, work).await
}

fn shown(menu: &MenuView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(menu.version)).json(menu)
}

/// One menu, and what its items lead to today.
#[utoipa::path(
    tag = "Content", operation_id = "getMenu", params(("menu" = MenuId, Path)),
    responses((status = 200, description = "It", body = MenuView), (status = 404, body = Problem))
)]
#[get("/admin/v1/menus/{menu}")]
async fn show(permit: Permit<View>, id: Path<MenuId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, id).await;
    Ok(shown(&permit.read("content.menu", find).await?))
}

/// Write a menu anew, all of it.
#[utoipa::path(
    tag = "Content", operation_id = "putMenu", request_body = PutMenu,
    params(("menu" = MenuId, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = MenuView), (status = 404, body = Problem),
        (status = 409, description = "The handle is taken", body = Problem),
        (status = 412, description = "It changed since you read it", body = Problem),
        (status = 422, description = "A circle, a fourth level, or a link that leads nowhere", body = Problem)
    )
)]
#[put("/admin/v1/menus/{menu}")]
async fn replace(
    permit: Permit<Edit>,
    id: Path<MenuId>,
    seen: IfMatch,
    body: Json<PutMenu>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (*id, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::replace(tx, id, seen, wish).await;
    Ok(shown(&permit.write("content.put_menu", work).await?))
}

/// Delete a menu, not what it leads to.
#[utoipa::path(
    tag = "Content", operation_id = "deleteMenu", params(("menu" = MenuId, Path)),
    responses((status = 204, description = "Gone"), (status = 404, body = Problem))
)]
#[delete("/admin/v1/menus/{menu}")]
async fn remove(permit: Permit<Edit>, id: Path<MenuId>) -> Result<HttpResponse, Problem> {
    let id = *id;
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, id).await;
    permit.write("content.remove_menu", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
