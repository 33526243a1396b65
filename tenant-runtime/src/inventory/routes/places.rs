//! Locations and the terms of items.

use actix_web::{HttpResponse, get, patch, post, put};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IdempotencyKey, IfMatch, Json, Page, Path, Problem};
use souk_kernel::{InventoryItemId, LocationId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::inventory::error::InventoryError;
use crate::inventory::model::{
    CreateLocation, EditLocation, InventoryItemView, LocationView, PutInventoryItem,
};
use crate::inventory::permissions::{Arrange, View};
use crate::inventory::{actions, queries};

/// `/admin/v1/locations`, `/admin/v1/inventory-items`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(locations).service(create_location).service(show_location).service(edit_location);
    config.service(show_item).service(put_item);
}

/// Where goods are.
#[utoipa::path(
    tag = "Inventory", operation_id = "list_locations",
    responses((status = 200, description = "All of them, in the order they serve", body = Page<LocationView>))
)]
#[get("/admin/v1/locations")]
async fn locations(permit: Permit<View>) -> Result<Page<LocationView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, InventoryError>(queries::locations(tx).await?);
    Ok(Page::whole(permit.read("inventory.locations", load).await?))
}

/// Open a location
#[utoipa::path(tag = "Inventory", operation_id = "create_location", request_body = CreateLocation,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, description = "Opened", body = LocationView),
    (status = 409, description = "The name is taken", body = Problem), (status = 422, description = "The request breaks a rule", body = Problem)))]
#[post("/admin/v1/locations")]
async fn create_location(
    permit: Permit<Arrange>,
    key: IdempotencyKey,
    body: Json<CreateLocation>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create_location(tx, wish).await?;
        let place = format!("/admin/v1/locations/{}", view.id);
        Ok::<_, InventoryError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("inventory.create_location", &key, digest, work).await
}

fn location(view: &LocationView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Get a location
#[utoipa::path(tag = "Inventory", operation_id = "get_location", params(("id" = LocationId, Path)), responses(
    (status = 200, description = "The location", body = LocationView), (status = 404, description = "There is no such location", body = Problem)))]
#[get("/admin/v1/locations/{id}")]
async fn show_location(permit: Permit<View>, id: Path<LocationId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show_location(tx, *id).await;
    Ok(location(&permit.read("inventory.location", find).await?))
}

/// Change a location
///
/// `active: false` takes it out of service; that is refused while anything lies there, is promised from there or is on its way there.
#[utoipa::path(tag = "Inventory", operation_id = "edit_location", request_body = EditLocation,
    params(("id" = LocationId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = LocationView), (status = 404, description = "There is no such location", body = Problem),
    (status = 409, description = "It is in use, the last one, or the name is taken", body = Problem),
    (status = 412, description = "It was changed meanwhile", body = Problem),
    (status = 422, description = "The request breaks a rule", body = Problem), (status = 428, description = "If-Match is missing", body = Problem)))]
#[patch("/admin/v1/locations/{id}")]
async fn edit_location(
    permit: Permit<Arrange>,
    id: Path<LocationId>,
    seen: IfMatch,
    body: Json<EditLocation>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, &seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_location(tx, id, seen, wish).await;
    Ok(location(&permit.write("inventory.edit_location", work).await?))
}

fn item(view: &InventoryItemView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Get what an item asks of its stock
#[utoipa::path(tag = "Inventory", operation_id = "get_inventory_item", params(("id" = InventoryItemId, Path)), responses(
    (status = 200, description = "The item", body = InventoryItemView), (status = 404, description = "There is no such item", body = Problem)))]
#[get("/admin/v1/inventory-items/{id}")]
async fn show_item(permit: Permit<View>, id: Path<InventoryItemId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show_item(tx, *id).await;
    Ok(item(&permit.read("inventory.item", find).await?))
}

/// Write anew what an item asks of its stock
#[utoipa::path(tag = "Inventory", operation_id = "put_inventory_item", request_body = PutInventoryItem,
    params(("id" = InventoryItemId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = InventoryItemView), (status = 404, description = "There is no such item", body = Problem),
    (status = 412, description = "It was changed meanwhile", body = Problem),
    (status = 422, description = "The request breaks a rule", body = Problem), (status = 428, description = "If-Match is missing", body = Problem)))]
#[put("/admin/v1/inventory-items/{id}")]
async fn put_item(
    permit: Permit<Arrange>,
    id: Path<InventoryItemId>,
    seen: IfMatch,
    body: Json<PutInventoryItem>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish, actor) = (*id, &seen.required()?, &body.0, &permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_item(tx, id, seen, wish, actor).await;
    Ok(item(&permit.write("inventory.put_item", work).await?))
}
