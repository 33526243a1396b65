//! Stores over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use souk_access::{Audience, Cause, ControlPermit, MAX_LIFETIME, Permission, Reply, Subject};
use souk_api::{
    CursorKey, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Problem, Query, not_modified,
};
use souk_kernel::{OperationId, StoreId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, Change};
use super::error::StoreError;
use super::model::{
    ConfirmDelete, EditStore, OpenStore, PresentAt, StaffToken, Store, StoreFilter, StoreView,
};
use super::state::StoreState;
use super::{permissions, queries};
use crate::audit::By;
use crate::operations::{self, OperationView};
use crate::plane::Plane;
use crate::sessions;

/// `/v1/stores`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(open).service(list).service(show).service(edit);
    config.service(suspend).service(resume).service(remove).service(restore).service(enter).service(present);
    config.service(take_over).service(hand_over);
}

/// Open a store. Follow the operation until it has succeeded, usually well within a second; then take its keys once.
/// Repeating the request with its Idempotency-Key gives the same store.
#[utoipa::path(
    tag = "Stores", request_body = OpenStore, params(("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued; Location is the operation", body = OperationView))
)]
#[post("/v1/stores")]
async fn open(
    permit: ControlPermit<permissions::Request>,
    plane: Plane,
    cause: Cause,
    key: IdempotencyKey,
    body: Json<OpenStore>,
) -> Result<HttpResponse, Problem> {
    let (by, account, digest) = (By::of(permit.actor(), &cause), permit.account()?, body.digest());
    let (plane, by, wish) = (&plane, &by, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let operation = actions::open(tx, plane, by, account, wish).await?;
        accepted(tx, plane, operation).await
    };
    let reply = permit.write_once("stores.open", &key, digest, work).await?;
    plane.wake();
    Ok(reply)
}

/// 202 with the operation and where to follow it.
async fn accepted(tx: &mut WriteTx<'_>, plane: &Plane, operation: OperationId) -> Result<Reply, StoreError> {
    let whole = operations::view(tx, operation).await?.ok_or(StoreError::Unknown)?;
    let view = whole.view(tx.now(), |handle| plane.settings().store_url(handle));
    Ok(Reply::accepted(&view).location(&format!("/v1/operations/{operation}")))
}

/// The stores of your organizations, newest first. Those being opened are operations until they have an id.
#[utoipa::path(
    tag = "Stores", params(StoreFilter, Paging),
    responses((status = 200, description = "One page", body = Page<StoreView>))
)]
#[get("/v1/stores")]
async fn list(
    permit: ControlPermit<permissions::List>,
    plane: Plane,
    filter: Query<StoreFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<StoreView>, Problem> {
    let (account, organization) = (permit.account()?, filter.organization);
    let scope = format!("stores:{account}:{organization:?}");
    let (before, limit) = (paging.position::<OperationId>(&key, &scope)?, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, StoreError>(queries::list(tx, account, organization, before, limit).await?)
    };
    let rows = permit.read("stores.list", load).await?;
    let page = Page::cut(rows, &paging, &key, &scope, |store| store.request_id)?;
    Ok(page.map(|store| store.view(|handle| plane.settings().store_url(handle))))
}

/// One store.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path)),
    responses((status = 200, description = "It", body = StoreView))
)]
#[get("/v1/stores/{store}")]
async fn show(
    permit: ControlPermit<permissions::View>,
    plane: Plane,
    id: Path<StoreId>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, StoreError>(queries::find(tx, *id).await?);
    let store = permit.read("stores.show", find).await?.ok_or(StoreError::Unknown)?;
    Ok(not_modified(&req, &ETag::new(store.version)).unwrap_or_else(|| shown(&plane, store)))
}

fn shown(plane: &Plane, store: Store) -> HttpResponse {
    let etag = ETag::new(store.version);
    HttpResponse::Ok().insert_header(etag).json(store.view(|handle| plane.settings().store_url(handle)))
}

/// Rename a store, or give it another plan. Runtimes follow within a second; a new handle changes its host.
#[utoipa::path(
    tag = "Stores", request_body = EditStore,
    params(("store" = StoreId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Changed", body = StoreView))
)]
#[patch("/v1/stores/{store}")]
async fn edit(
    permit: ControlPermit<permissions::Edit>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    if_match: IfMatch,
    body: Json<EditStore>,
) -> Result<HttpResponse, Problem> {
    let (by, account) = (By::of(permit.actor(), &cause), permit.account()?);
    let may_choose = permit.holds(<permissions::ChoosePlan as Permission>::KEY);
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::edit(tx, &by, account, *id, &if_match, &body, may_choose).await
    };
    let (store, _) = permit.write("stores.edit", work).await?;
    plane.wake();
    Ok(shown(&plane, store))
}

/// Suspend a store: it answers nobody until it is resumed.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[post("/v1/stores/{store}/suspend")]
async fn suspend(
    permit: ControlPermit<permissions::Suspend>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::Suspend, None).await
}

/// Resume a suspended store.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[post("/v1/stores/{store}/resume")]
async fn resume(
    permit: ControlPermit<permissions::Suspend>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::Resume, None).await
}

/// Delete a store: it answers nobody at once, and can be restored until `purge_after`.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ConfirmDelete, ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[delete("/v1/stores/{store}")]
async fn remove(
    permit: ControlPermit<permissions::Delete>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
    query: Query<ConfirmDelete>,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::Delete, Some(&query.confirm)).await
}

/// Restore a deleted store with all its data.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[post("/v1/stores/{store}/restore")]
async fn restore(
    permit: ControlPermit<permissions::Delete>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::Restore, None).await
}

/// Take over a store's object in the cluster: it becomes as it is here, whoever else changed it, and its changes are asked for
/// here from now on. One that is gone is made anew around its data.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[post("/v1/stores/{store}/take-over")]
async fn take_over(
    permit: ControlPermit<permissions::Place>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::TakeOver, None).await
}

/// Hand a store's object over to the cluster: it stays as it is, whoever applies it has the say, and this plane shows what it
/// says.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "The work is queued", body = OperationView))
)]
#[post("/v1/stores/{store}/hand-over")]
async fn hand_over(
    permit: ControlPermit<permissions::Place>,
    plane: Plane,
    id: Path<StoreId>,
    cause: Cause,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    change(&permit, &plane, *id, &cause, &key, Change::HandOver, None).await
}

async fn change<P: Permission<Access = souk_access::Writes>>(
    permit: &ControlPermit<P>,
    plane: &Plane,
    id: StoreId,
    cause: &Cause,
    key: &IdempotencyKey,
    change: Change,
    confirm: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let (by, account) = (By::of(permit.actor(), cause), permit.account()?);
    let work = async move |tx: &mut WriteTx<'_>| {
        let operation = actions::request(tx, &by, account, id, change, confirm).await?;
        accepted(tx, plane, operation).await
    };
    let reply = permit.write_once("stores.change", key, souk_api::Digest::empty(), work).await?;
    plane.wake();
    Ok(reply)
}

/// A token that tells any store who you are, whether or not you are a member of its organization: for accepting a store's invitation, and for
/// working where you were invited. The store decides what its bearer may do there; to a store that never heard of you it opens nothing.
#[utoipa::path(
    tag = "Stores", request_body = PresentAt,
    responses((status = 201, description = "A token for 15 minutes", body = StaffToken))
)]
#[post("/v1/store-tokens")]
async fn present(
    permit: ControlPermit<permissions::Present>,
    plane: Plane,
    body: Json<PresentAt>,
) -> Result<HttpResponse, Problem> {
    match token_for(&permit, &plane, body.store).await {
        // Whoever is no member here learns nothing of a store's state.
        Err(StoreError::State(_)) => Err(StoreError::Unknown.into()),
        told => Ok(told?),
    }
}

/// A staff token for the store's own API. The store decides what its bearer may do there.
#[utoipa::path(
    tag = "Stores", params(("store" = StoreId, Path)),
    responses((status = 201, description = "A token for 15 minutes", body = StaffToken))
)]
#[post("/v1/stores/{store}/tokens")]
async fn enter(
    permit: ControlPermit<permissions::Enter>,
    plane: Plane,
    id: Path<StoreId>,
) -> Result<HttpResponse, Problem> {
    Ok(token_for(&permit, &plane, *id).await?)
}

/// The token says when its bearer last proved who they are, as the session has it now.
async fn token_for<P: Permission>(
    permit: &ControlPermit<P>,
    plane: &Plane,
    id: StoreId,
) -> Result<HttpResponse, StoreError> {
    let (account, session, now) = (permit.account()?, permit.session(), permit.clock().now());
    let find = async move |tx: &mut ReadTx<'_>| {
        let session = session.ok_or(StoreError::Unknown)?;
        let proved_at = sessions::standing(tx, account, session).await?.and_then(|(_, proved_at)| proved_at);
        Ok::<_, StoreError>((queries::find(tx, id).await?.ok_or(StoreError::Unknown)?, proved_at))
    };
    let (store, proved_at) = permit.read("stores.enter", find).await?;
    if store.state != StoreState::Live {
        return Err(StoreError::State(store.state));
    }
    let subject = Subject::Staff(account, proved_at);
    let token = plane.signing().issue(Audience::Store(id), subject, 0, session, now, MAX_LIFETIME)?;
    let view = StaffToken::new(token, now, plane.settings().store_url(store.handle.as_str()));
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}
