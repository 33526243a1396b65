//! Stock over HTTP.

use actix_web::{HttpResponse, get, post, web};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, IdempotencyKey, Json, Page, Paging, Problem, Query};
use souk_kernel::{InventoryItemId, LocationId, StockMovementId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::InventoryError;
use super::model::{
    AdjustStock, LevelCheck, LevelFilter, LevelView, LocationView, MovementFilter, MovementView,
};
use super::{actions, permissions, queries};

/// `/admin/v1/locations`, `/admin/v1/inventory-levels`, `/admin/v1/stock-movements`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(locations).service(levels).service(check).service(adjust).service(movements);
}

/// Where goods are.
#[utoipa::path(
    tag = "Inventory", operation_id = "list_locations",
    responses((status = 200, description = "All of them, in the order they serve", body = Page<LocationView>))
)]
#[get("/admin/v1/locations")]
async fn locations(permit: Permit<permissions::View>) -> Result<Page<LocationView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, InventoryError>(queries::locations(tx).await?);
    Ok(Page::whole(permit.read("inventory.locations", load).await?))
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

/// Change what is on hand of one variant at one location. Answers with the level as it is then.
#[utoipa::path(
    tag = "Inventory", operation_id = "adjust_inventory_level", request_body = AdjustStock,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Changed", body = LevelView),
        (status = 409, description = "That much is promised", body = Problem),
        (status = 422, description = "The request breaks a rule", body = Problem)
    )
)]
#[post("/admin/v1/inventory-levels:adjust")]
async fn adjust(
    permit: Permit<permissions::Adjust>,
    key: IdempotencyKey,
    body: Json<AdjustStock>,
) -> Result<HttpResponse, Problem> {
    let (digest, actor, wish) = (body.digest(), permit.actor().to_string(), &body.0);
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(Reply::ok(&actions::adjust(tx, wish, actor).await?))
    };
    permit.write_once("inventory.adjust", &key, digest, work).await
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
