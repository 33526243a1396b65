//! Sending over HTTP.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::Deserialize;
use souk_access::{LinkSecret, Permit, Reply};
use souk_api::{ETag, IdempotencyKey, IfMatch, Json, Page, Path, Problem};
use souk_kernel::{FulfillmentId, OrderId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::ToSchema;

use super::actions;
use super::error::FulfillmentError;
use super::model::{EditFulfillment, FulfillmentView, NewFulfillment};
use super::permissions::Fulfil;
use crate::orders;
use crate::orders::permissions::{LookUp, View};

/// Mounts the room.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(fulfil_order).service(list).service(get).service(track).service(cancel).service(list_own);
}

/// Send an order, or a part of it
///
/// Takes the pieces off the shelves, counts them at the order's lines, and tells the shopper by mail unless `notify` says otherwise.
#[utoipa::path(tag = "Orders", operation_id = "fulfillOrder",
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = NewFulfillment, responses(
    (status = 201, body = FulfillmentView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/orders/{id}/fulfillments")]
async fn fulfil_order(
    permit: Permit<Fulfil>,
    id: Path<OrderId>,
    key: IdempotencyKey,
    body: Json<NewFulfillment>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, actor) = (*id, body.digest(), permit.actor().to_string());
    let wish = body.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| {
        let made = actions::fulfil(tx, id, &wish, &actor).await?;
        let place = format!("/admin/v1/fulfillments/{}", made.id);
        Ok::<_, FulfillmentError>(Reply::created(&made).etag(&ETag::new(made.version)).location(&place))
    };
    permit.write_once("fulfillment.create", &key, digest, work).await
}

/// List what was sent of an order
///
/// Oldest first, those that were cancelled too.
#[utoipa::path(tag = "Orders", operation_id = "listFulfillments", params(("id" = OrderId, Path)), responses(
    (status = 200, body = Page<FulfillmentView>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/orders/{id}/fulfillments")]
async fn list(permit: Permit<View>, id: Path<OrderId>) -> Result<Page<FulfillmentView>, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::list(tx, *id).await;
    Ok(Page::whole(permit.read("fulfillment.list", look).await?))
}

/// Get a fulfillment
#[utoipa::path(tag = "Orders", operation_id = "getFulfillment", params(("id" = FulfillmentId, Path)), responses(
    (status = 200, body = FulfillmentView), (status = 304, description = "Not changed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/fulfillments/{id}")]
async fn get(
    permit: Permit<View>,
    id: Path<FulfillmentId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    let found = permit.look_up("fulfillment.get", look).await?;
    let etag = ETag::new(found.version);
    if let Some(unchanged) = souk_api::not_modified(&request, &etag) {
        return Ok(unchanged);
    }
    Ok(HttpResponse::Ok().insert_header(etag).json(found))
}

/// Say how to follow a fulfillment
///
/// What the carrier said later, or corrected. The shopper is told only if `notify` says so.
#[utoipa::path(tag = "Orders", operation_id = "updateFulfillment",
    params(("id" = FulfillmentId, Path), ("If-Match" = String, Header)), request_body = EditFulfillment, responses(
    (status = 200, body = FulfillmentView), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[patch("/admin/v1/fulfillments/{id}")]
async fn track(
    permit: Permit<Fulfil>,
    id: Path<FulfillmentId>,
    seen: IfMatch,
    body: Json<EditFulfillment>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish, actor) = (*id, seen.required()?, body.into_inner(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| actions::track(tx, id, &seen, &wish, &actor).await;
    let view = permit.write("fulfillment.update", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view))
}

/// `{}`: there is nothing to choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelFulfillment {}

/// Cancel a fulfillment
///
/// For what did not leave after all: its pieces go back on their shelves, for the order as far as it still wants them. Nobody is written to.
#[utoipa::path(tag = "Orders", operation_id = "cancelFulfillment",
    params(("id" = FulfillmentId, Path), ("Idempotency-Key" = String, Header)), request_body = CancelFulfillment, responses(
    (status = 200, body = FulfillmentView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/fulfillments/{id}/cancel")]
async fn cancel(
    permit: Permit<Fulfil>,
    id: Path<FulfillmentId>,
    key: IdempotencyKey,
    body: Json<CancelFulfillment>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, actor) = (*id, body.digest(), permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::cancel(tx, id, &actor).await?;
        Ok::<_, FulfillmentError>(Reply::ok(&view).etag(&ETag::new(view.version)))
    };
    permit.write_once("fulfillment.cancel", &key, digest, work).await
}

/// Where one's order is
///
/// What was sent of it and how to follow it: with the order's secret in `X-Order-Secret`, or signed in as the customer who placed it.
#[utoipa::path(tag = "Shopping", operation_id = "listOwnFulfillments",
    params(("id" = OrderId, Path), ("X-Order-Secret" = Option<String>, Header)), responses(
    (status = 200, body = Page<FulfillmentView>), (status = 404, body = Problem)))]
#[get("/store/v1/orders/{id}/fulfillments")]
async fn list_own(
    permit: Permit<LookUp>,
    id: Path<OrderId>,
    request: HttpRequest,
) -> Result<Page<FulfillmentView>, Problem> {
    let secret = request.headers().get("x-order-secret").and_then(|value| value.to_str().ok());
    let (id, secret, reach) = (*id, secret.and_then(LinkSecret::parse), permit.reach());
    let look = async move |tx: &mut ReadTx<'_>| {
        if orders::name_for(tx, id, secret.as_ref(), reach).await?.is_none() {
            return Err(FulfillmentError::Unknown);
        }
        actions::list(tx, id).await
    };
    Ok(Page::whole(permit.look_up("fulfillment.own", look).await?))
}
