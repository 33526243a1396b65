//! Apps, for the people of the store.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use chrono::TimeDelta;
use souk_access::{Gate, Permit};
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem, not_modified};
use souk_kernel::AppId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::apps::actions;
use crate::apps::error::AppError;
use crate::apps::model::{
    AppView, AppWithSecretView, ApproveApp, EditApp, NewApp, RotateAppSecret, scopes_of,
};
use crate::apps::permissions::{Approve, Request, View};
use crate::audit::{By, Cause};

/// A day beside the old secret, unless wished otherwise; at most 30.
const OVERLAP: u32 = 86_400;
const LONGEST_OVERLAP: u32 = 2_592_000;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(register).service(show).service(edit);
    config.service(approve).service(rotate).service(revoke);
}

/// Apps of the store, revoked ones included, newest first
#[utoipa::path(tag = "Apps", operation_id = "apps_list", responses((status = 200, body = Page<AppView>)))]
#[get("/admin/v1/apps")]
async fn list(permit: Permit<View>) -> Result<Page<AppView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| actions::list(tx).await;
    Ok(Page::whole(permit.read("apps.list", look).await?))
}

/// Register an app
///
/// Says what it needs. It may nothing until somebody approves it.
#[utoipa::path(tag = "Apps", operation_id = "apps_create", request_body = NewApp, responses(
    (status = 201, body = AppView), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/apps")]
async fn register(
    permit: Permit<Request>,
    gate: web::Data<Gate>,
    cause: Cause,
    body: Json<NewApp>,
) -> Result<HttpResponse, Problem> {
    let (gate, by, wish) = (gate.get_ref(), By::of(permit.actor(), cause), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::register(tx, gate, &by, &wish).await;
    Ok(HttpResponse::Created().json(permit.write("apps.register", work).await?))
}

/// An app
#[utoipa::path(tag = "Apps", operation_id = "apps_get", params(("app" = AppId, Path)), responses(
    (status = 200, body = AppView), (status = 304, description = "Not modified"), (status = 404, body = Problem)))]
#[get("/admin/v1/apps/{app}")]
async fn show(permit: Permit<View>, app: Path<AppId>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = *app;
    let look = async move |tx: &mut ReadTx<'_>| actions::show(tx, id).await;
    let (view, version) = permit.read("apps.show", look).await?;
    let etag = ETag::new(version);
    Ok(not_modified(&request, &etag).unwrap_or_else(|| HttpResponse::Ok().insert_header(etag).json(view)))
}

/// Change what an app is called and asks for
///
/// What it was given stays; approve it again to give it more.
#[utoipa::path(tag = "Apps", operation_id = "apps_edit", params(("app" = AppId, Path), ("If-Match" = Option<String>, Header)),
    request_body = EditApp, responses((status = 200, body = AppView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/apps/{app}")]
async fn edit(
    permit: Permit<Request>,
    gate: web::Data<Gate>,
    app: Path<AppId>,
    seen: IfMatch,
    cause: Cause,
    body: Json<EditApp>,
) -> Result<HttpResponse, Problem> {
    let (gate, by, id, wish) = (gate.get_ref(), By::of(permit.actor(), cause), *app, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, gate, &by, id, &seen, &wish).await;
    let (view, version) = permit.write("apps.edit", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(version)).json(view))
}

/// Approve an app
///
/// Gives it what it asks for, or less, and never what you do not hold. The first time the answer shows its secret: keep it, it is not shown
/// again. Approving again changes what was given; tokens that are out end within a second. Needs a proof of who you are from the last 15
/// minutes.
#[utoipa::path(tag = "Apps", operation_id = "apps_approve", params(("app" = AppId, Path)), request_body = ApproveApp, responses(
    (status = 200, body = AppWithSecretView), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/apps/{app}/approve")]
async fn approve(
    permit: Permit<Approve>,
    gate: web::Data<Gate>,
    app: Path<AppId>,
    cause: Cause,
    body: Json<ApproveApp>,
) -> Result<HttpResponse, Problem> {
    let scopes = body.scopes.as_ref().map(|wish| scopes_of("/scopes", wish)).transpose()?;
    let (gate, by, id, giver) = (gate.get_ref(), By::of(permit.actor(), cause), *app, permit.clone());
    let work = async move |tx: &mut WriteTx<'_>| actions::approve(tx, &giver, gate, &by, id, scopes).await;
    let (view, secret) = permit.write("apps.approve", work).await?;
    let view = AppWithSecretView::new(view, secret.as_ref());
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(view))
}

/// Make another secret for an app
///
/// The old one works `overlap_seconds` longer, so that both may be in use while you change over; two work at most. Needs a proof of who you
/// are from the last 15 minutes.
#[utoipa::path(tag = "Apps", operation_id = "apps_rotate_secret", params(("app" = AppId, Path)), request_body = RotateAppSecret,
    responses((status = 201, body = AppWithSecretView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/apps/{app}/rotate-secret")]
async fn rotate(
    permit: Permit<Approve>,
    app: Path<AppId>,
    cause: Cause,
    body: Json<RotateAppSecret>,
) -> Result<HttpResponse, Problem> {
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > LONGEST_OVERLAP {
        return Err(AppError::Field("/overlap_seconds", "must be at most 2592000, 30 days").into());
    }
    let (by, id, giver) = (By::of(permit.actor(), cause), *app, permit.clone());
    let overlap = TimeDelta::seconds(i64::from(overlap));
    let work = async move |tx: &mut WriteTx<'_>| actions::rotate(tx, &giver, &by, id, overlap).await;
    let (view, secret) = permit.write("apps.rotate", work).await?;
    let view = AppWithSecretView::new(view, Some(&secret));
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(view))
}

/// Revoke an app
///
/// Its secrets end at once, its tokens within a second; it stays in the list. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Apps", operation_id = "apps_revoke", params(("app" = AppId, Path)), responses(
    (status = 204, description = "Revoked"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[delete("/admin/v1/apps/{app}")]
async fn revoke(permit: Permit<Approve>, app: Path<AppId>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (by, id) = (By::of(permit.actor(), cause), *app);
    let work = async move |tx: &mut WriteTx<'_>| actions::revoke(tx, &by, id).await;
    permit.write("apps.revoke", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
