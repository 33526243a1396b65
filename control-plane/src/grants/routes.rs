//! Grants over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, post, web};
use souk_access::{Audience, Cause, ControlPermit, MAX_LIFETIME, Subject};
use souk_api::{CursorKey, Json, Page, Paging, PagingOnly, Path, Problem};
use souk_kernel::{StoreGrantId, StoreId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::GrantError;
use super::model::{GrantView, NewGrant};
use super::{actions, permissions, queries};
use crate::audit::By;
use crate::plane::Plane;
use crate::stores::StaffToken;

/// `/v1/store-grants`, `/v1/stores/{store}/grants`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(request).service(enter).service(list).service(withdraw);
}

/// Ask to look at somebody's store, as one of the platform: with a reason, for at most an hour. Its owner sees it at once and can take it
/// back.
#[utoipa::path(
    tag = "Grants", operation_id = "grants_request", request_body = NewGrant,
    responses((status = 201, description = "Granted", body = GrantView))
)]
#[post("/v1/store-grants")]
async fn request(
    permit: ControlPermit<permissions::Request>,
    plane: Plane,
    cause: Cause,
    body: Json<NewGrant>,
) -> Result<HttpResponse, Problem> {
    let (by, account, settings) = (&By::of(permit.actor(), &cause), permit.account()?, plane.settings());
    let wish = &body.0;
    let work = async move |tx: &mut WriteTx<'_>| actions::request(tx, settings, by, account, wish).await;
    let grant = permit.write("store_grants.request", work).await?;
    plane.wake();
    Ok(HttpResponse::Created().json(GrantView::of(grant, permit.clock().now())))
}

/// A token for the store's API, while the grant lasts. It only looks, and everything it asks is in the store's log.
#[utoipa::path(
    tag = "Grants", operation_id = "grants_enter", params(("grant" = StoreGrantId, Path)),
    responses((status = 201, description = "A token for 15 minutes at most", body = StaffToken))
)]
#[post("/v1/store-grants/{grant}/tokens")]
async fn enter(
    permit: ControlPermit<permissions::Use>,
    plane: Plane,
    id: Path<StoreGrantId>,
) -> Result<HttpResponse, Problem> {
    let (account, id, settings) = (permit.account()?, *id, plane.settings());
    let find = async move |tx: &mut ReadTx<'_>| actions::enter(tx, settings, account, id).await;
    let (grant, store) = permit.read("store_grants.enter", find).await?;
    let now = permit.clock().now();
    let rest = grant.rest(now).and_then(|rest| rest.to_std().ok()).ok_or(GrantError::Over)?;
    let (audience, life) = (Audience::Store(grant.store_id), rest.min(MAX_LIFETIME));
    let token = plane.signing().issue(audience, Subject::Platform(id), 0, permit.session(), now, life);
    let view =
        StaffToken::new(token.map_err(GrantError::from)?, now, settings.store_url(store.handle.as_str()));
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Who of the platform was granted a look at the store, newest first.
#[utoipa::path(
    tag = "Grants", operation_id = "grants_list", params(("store" = StoreId, Path), Paging),
    responses((status = 200, description = "One page", body = Page<GrantView>))
)]
#[get("/v1/stores/{store}/grants")]
async fn list(
    permit: ControlPermit<permissions::View>,
    store: Path<StoreId>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<GrantView>, Problem> {
    let store = *store;
    let scope = format!("grants:{store}");
    let (before, limit) = (paging.position::<StoreGrantId>(&key, &scope)?, paging.fetch());
    let load =
        async move |tx: &mut ReadTx<'_>| Ok::<_, GrantError>(queries::list(tx, store, before, limit).await?);
    let rows = permit.read("store_grants.list", load).await?;
    let now = permit.clock().now();
    Ok(Page::cut(rows, &paging, &key, &scope, |grant| grant.id)?.map(|grant| GrantView::of(grant, now)))
}

/// Take a grant back. What was entered with it is closed within a second.
#[utoipa::path(
    tag = "Grants", operation_id = "grants_withdraw",
    params(("store" = StoreId, Path), ("grant" = StoreGrantId, Path)),
    responses((status = 204, description = "Taken back"))
)]
#[delete("/v1/stores/{store}/grants/{grant}")]
async fn withdraw(
    permit: ControlPermit<permissions::Withdraw>,
    path: Path<(StoreId, StoreGrantId)>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (by, organization, (store, id)) = (&By::of(permit.actor(), &cause), permit.organization()?, path.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::withdraw(tx, by, organization, store, id).await;
    permit.write("store_grants.withdraw", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
