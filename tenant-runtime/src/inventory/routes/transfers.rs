//! Transfers over HTTP.

use actix_web::{HttpResponse, get, patch, post, web};
use souk_access::{Permit, Reply};
use souk_api::{
    CursorKey, Digest, DryRun, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Previewed, Problem,
    Query,
};
use souk_kernel::StockTransferId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{done, shown};
use crate::inventory::error::InventoryError;
use crate::inventory::model::{
    CreateTransfer, EditTransfer, ReceiveTransfer, StockChange, TransferFilter, TransferView,
};
use crate::inventory::permissions::{Adjust, View};
use crate::inventory::{actions, queries};

/// `/admin/v1/stock-transfers`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(edit);
    config.service(send).service(receive).service(cancel);
}

/// List transfers
///
/// Newest first.
#[utoipa::path(tag = "Inventory", operation_id = "list_stock_transfers", params(TransferFilter, Paging), responses(
    (status = 200, description = "One page", body = Page<TransferView>)))]
#[get("/admin/v1/stock-transfers")]
async fn list(
    permit: Permit<View>,
    filter: Query<TransferFilter>,
    paging: Paging,
    key: web::Data<CursorKey>,
) -> Result<Page<TransferView>, Problem> {
    let scope = format!("stock-transfers:{}:{:?}", permit.store(), filter.0);
    let before = paging.position::<StockTransferId>(&key, &scope)?;
    let (filter, limit) = (&filter.0, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, InventoryError>(queries::transfers(tx, filter, before, limit).await?)
    };
    let rows = permit.read("stock_transfers.list", load).await?;
    Page::cut(rows, &paging, &key, &scope, |transfer| transfer.id)
}

/// Put a transfer together
///
/// Nothing moves before it is sent.
#[utoipa::path(tag = "Inventory", operation_id = "create_stock_transfer", request_body = CreateTransfer,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, description = "Put together", body = TransferView),
    (status = 422, description = "The request breaks a rule", body = Problem)))]
#[post("/admin/v1/stock-transfers")]
async fn create(
    permit: Permit<Adjust>,
    key: IdempotencyKey,
    body: Json<CreateTransfer>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create_transfer(tx, wish).await?;
        let place = format!("/admin/v1/stock-transfers/{}", view.id);
        Ok::<_, InventoryError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("stock_transfers.create", &key, digest, work).await
}

fn transfer(view: &TransferView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Get a transfer
#[utoipa::path(tag = "Inventory", operation_id = "get_stock_transfer", params(("id" = StockTransferId, Path)), responses(
    (status = 200, description = "The transfer", body = TransferView), (status = 404, description = "There is no such transfer", body = Problem)))]
#[get("/admin/v1/stock-transfers/{id}")]
async fn show(permit: Permit<View>, id: Path<StockTransferId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show_transfer(tx, *id).await;
    Ok(transfer(&permit.read("stock_transfers.show", find).await?))
}

/// Change a draft of a transfer
#[utoipa::path(tag = "Inventory", operation_id = "edit_stock_transfer", request_body = EditTransfer,
    params(("id" = StockTransferId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Changed", body = TransferView), (status = 404, description = "There is no such transfer", body = Problem),
    (status = 409, description = "It has left", body = Problem), (status = 412, description = "It was changed meanwhile", body = Problem),
    (status = 422, description = "The request breaks a rule", body = Problem), (status = 428, description = "If-Match is missing", body = Problem)))]
#[patch("/admin/v1/stock-transfers/{id}")]
async fn edit(
    permit: Permit<Adjust>,
    id: Path<StockTransferId>,
    seen: IfMatch,
    body: Json<EditTransfer>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, &seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_transfer(tx, id, seen, wish).await;
    Ok(transfer(&permit.write("stock_transfers.edit", work).await?))
}

/// Send a transfer
///
/// Its pieces leave the shelves of the origin and are on their way: `incoming` at the destination. With `dry_run=true` answers with what would
/// change.
#[utoipa::path(tag = "Inventory", operation_id = "send_stock_transfer",
    params(("id" = StockTransferId, Path), DryRun, ("Idempotency-Key" = String, Header)), responses(
    (status = 200, description = "Sent, or previewed", body = Previewed<TransferView, StockChange>),
    (status = 404, description = "There is no such transfer", body = Problem),
    (status = 409, description = "Not so many are free, it has left, or the preview is stale", body = Problem)))]
#[post("/admin/v1/stock-transfers/{id}/send")]
async fn send(
    permit: Permit<Adjust>,
    id: Path<StockTransferId>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
) -> Result<HttpResponse, Problem> {
    let (id, dry, actor) = (*id, &dry.0, &permit.actor().to_string());
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_send(tx, id).await;
        return Ok(shown::<TransferView>(permit.read("stock_transfers.preview_send", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(done(actions::send_transfer(tx, id, dry, actor).await?))
    };
    permit.write_once("stock_transfers.send", &key, Digest::empty(), work).await
}

/// Receive a transfer, or a part of it
///
/// Without lines everything that is still on its way. With `dry_run=true` answers with what would change.
#[utoipa::path(tag = "Inventory", operation_id = "receive_stock_transfer", request_body = ReceiveTransfer,
    params(("id" = StockTransferId, Path), DryRun, ("Idempotency-Key" = String, Header)), responses(
    (status = 200, description = "Received, or previewed", body = Previewed<TransferView, StockChange>),
    (status = 404, description = "There is no such transfer", body = Problem),
    (status = 409, description = "Nothing is on its way, or the preview is stale", body = Problem),
    (status = 422, description = "The request breaks a rule", body = Problem)))]
#[post("/admin/v1/stock-transfers/{id}/receive")]
async fn receive(
    permit: Permit<Adjust>,
    id: Path<StockTransferId>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
    body: Json<ReceiveTransfer>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, dry, wish, actor) = (*id, body.digest(), &dry.0, &body.0, &permit.actor().to_string());
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_receive(tx, id, wish).await;
        return Ok(shown::<TransferView>(permit.read("stock_transfers.preview_receive", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(done(actions::receive_transfer(tx, id, wish, dry, actor).await?))
    };
    permit.write_once("stock_transfers.receive", &key, digest, work).await
}

/// Cancel a transfer
///
/// What is on its way goes back on the shelves of the origin. With `dry_run=true` answers with what would change.
#[utoipa::path(tag = "Inventory", operation_id = "cancel_stock_transfer",
    params(("id" = StockTransferId, Path), DryRun, ("Idempotency-Key" = String, Header)), responses(
    (status = 200, description = "Cancelled, or previewed", body = Previewed<TransferView, StockChange>),
    (status = 404, description = "There is no such transfer", body = Problem),
    (status = 409, description = "It is over, or the preview is stale", body = Problem)))]
#[post("/admin/v1/stock-transfers/{id}/cancel")]
async fn cancel(
    permit: Permit<Adjust>,
    id: Path<StockTransferId>,
    key: IdempotencyKey,
    dry: Query<DryRun>,
) -> Result<HttpResponse, Problem> {
    let (id, dry, actor) = (*id, &dry.0, &permit.actor().to_string());
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_cancel(tx, id).await;
        return Ok(shown::<TransferView>(permit.read("stock_transfers.preview_cancel", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, InventoryError>(done(actions::cancel_transfer(tx, id, dry, actor).await?))
    };
    permit.write_once("stock_transfers.cancel", &key, Digest::empty(), work).await
}
