//! Stock over HTTP.

mod places;
mod transfers;

use actix_web::{HttpResponse, get, post, web};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, DryRun, IdempotencyKey, Json, Page, Paging, Preview, Previewed, Problem, Query};
use souk_kernel::{InventoryItemId, LocationId, StockMovementId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::InventoryError;
use super::model::{
    AdjustStock, LevelCheck, LevelFilter, LevelView, MovementFilter, MovementView, StockChange, StockCount,
    StockCountView,
};
use super::{actions, permissions, queries};

/// `/admin/v1/inventory-levels`, `/admin/v1/stock-movements`, and those of places and transfers.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(levels).service(check).service(adjust).service(count).service(movements);
    places::routes(config);
    transfers::routes(config);
}

/// Nothing was done.
fn shown<D: serde::Serialize>(preview: Preview<StockChange>) -> HttpResponse {
    HttpResponse::Ok().json(Previewed::<D, StockChange>::Preview(preview))
}

/// It was done.
fn done<D: serde::Serialize>(view: D) -> Reply {
    Reply::ok(&Previewed::<D, StockChange>::Done(view))
}

/// How much there is of everything.
#[utoipa::path(
    tag = "Inventory", operation_id = "list_inventory_levels", params(LevelFilter, Paging),
    responses((status = 200, description = "One page", body = Page<LevelView>))
)]
#[get("/admin/v1/inventory-levels")]
async fn levels(
    permit: Permit<permissions::View>,
    filter: Query<LevelFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<LevelView>, Problem> {
    let scope = format!("inventory-levels:{}:{:?}", permit.store(), filter.0);
    let after = paging.position::<(InventoryItemId, LocationId)>(&key, &scope)?;
    let (filter, limit) = (&filter.0, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, InventoryError>(queries::levels(tx, filter, after, limit).await?)
    };
    let rows = permit.read("inventory.levels", load).await?;
    Page::cut(rows, &paging, &key, &scope, |level| (level.item, level.location))
}

/// Hold every level against the sum of its movements. They are equal, unless somebody wrote past the API.
#[utoipa::path(
    tag = "Inventory", operation_id = "check_inventory_levels",
    responses((status = 200, description = "Levels that differ, at most 100", body = LevelCheck))
)]
#[get("/admin/v1/inventory-levels:check")]
async fn check(permit: Permit<permissions::View>) -> Result<Json<LevelCheck>, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, InventoryError>(queries::check(tx).await?);
    Ok(Json::new(permit.read("inventory.check", work).await?))
}

/// Change what is on hand of one variant at one location
///
/// Answers with the level as it is then; with `dry_run=true` with what would change.
#[utoipa::path(
    tag = "Inventory", operation_id = "adjust_inventory_level", request_body = AdjustStock,
    params(DryRun, ("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Changed, or previewed", body = Previewed<LevelView, StockChange>),
        (status = 409, description = "That much is promised, or the preview is stale", body = Problem),
        (status = 422, description = "The request breaks a rule", body = Problem)
    )
)]
#[post("/admin/v1/inventory-levels:adjust")]
async fn adjust(
    permit: Permit<permissions::Adjust>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
    body: Json<AdjustStock>,
) -> Result<HttpResponse, Problem> {
    let (digest, actor, wish, dry) = (body.digest(), permit.actor().to_string(), &body.0, &dry.0);
    let actor = actor.as_str();
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_adjust(tx, wish).await;
        return Ok(shown::<LevelView>(permit.read("inventory.preview_adjust", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(done(actions::adjust(tx, wish, dry, actor).await?))
    };
    permit.write_once("inventory.adjust", &key, digest, work).await
}

/// Take over what was counted at one location
///
/// All of it or nothing. Each line says what the counter was shown; a line of which something left or came since is refused with
/// `stock_moved`. With `dry_run=true` answers with what would change.
#[utoipa::path(
    tag = "Inventory", operation_id = "count_inventory", request_body = StockCount,
    params(DryRun, ("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Taken over, or previewed", body = Previewed<StockCountView, StockChange>),
        (status = 409, description = "The stock moved, more is promised, or the preview is stale", body = Problem),
        (status = 422, description = "The request breaks a rule", body = Problem)
    )
)]
#[post("/admin/v1/inventory-levels:count")]
async fn count(
    permit: Permit<permissions::Adjust>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
    body: Json<StockCount>,
) -> Result<HttpResponse, Problem> {
    let (digest, actor, wish, dry) = (body.digest(), permit.actor().to_string(), &body.0, &dry.0);
    let actor = actor.as_str();
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_count(tx, wish).await;
        return Ok(shown::<StockCountView>(permit.read("inventory.preview_count", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(done(actions::count(tx, wish, dry, actor).await?))
    };
    permit.write_once("inventory.count", &key, digest, work).await
}

/// What happened to the stock, latest first.
#[utoipa::path(
    tag = "Inventory", operation_id = "list_stock_movements", params(MovementFilter, Paging),
    responses((status = 200, description = "One page", body = Page<MovementView>))
)]
#[get("/admin/v1/stock-movements")]
async fn movements(
    permit: Permit<permissions::View>,
    filter: Query<MovementFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<MovementView>, Problem> {
    let scope = format!("stock-movements:{}:{:?}", permit.store(), filter.0);
    let before = paging.position::<StockMovementId>(&key, &scope)?;
    let (filter, limit) = (&filter.0, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, InventoryError>(queries::movements(tx, filter, before, limit).await?)
    };
    let rows = permit.read("inventory.movements", load).await?;
    Page::cut(rows, &paging, &key, &scope, |movement| movement.id)
}
