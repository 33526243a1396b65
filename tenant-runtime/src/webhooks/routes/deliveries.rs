//! What became of telling, telling again, and trying an endpoint.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use souk_access::Permit;
use souk_api::{CursorKey, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::{WebhookDeliveryId, WebhookEndpointId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::super::error::WebhookError;
use super::super::model::{DeliveryDetailView, DeliveryView, ResendWish, Resent};
use super::super::permissions::{Edit, View};
use super::super::{actions, queries};

const SCOPE: &str = "/admin/v1/webhook-deliveries";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(one).service(test).service(resend).service(resend_one);
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Pending,
    Delivered,
    Failed,
}

/// Which deliveries are wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// In this state; all if absent.
    state: Option<Standing>,
}

/// Deliveries of an endpoint, newest first, for 30 days.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_deliveries_list", params(("id" = WebhookEndpointId, Path), Paging, Filter), responses((status = 200, body = Page<DeliveryView>)))]
#[get("/admin/v1/webhook-endpoints/{id}/deliveries")]
async fn list(
    permit: Permit<View>,
    id: Path<WebhookEndpointId>,
    paging: Paging,
    filter: Query<Filter>,
    key: web::Data<CursorKey>,
) -> Result<Page<DeliveryView>, Problem> {
    let (before, fetch) = (paging.position(&key, SCOPE)?, paging.fetch());
    let state = filter.state.map(|state| format!("{state:?}").to_lowercase());
    let look = async move |tx: &mut ReadTx<'_>| {
        actions::known(tx, *id).await?;
        Ok::<_, WebhookError>(queries::deliveries::list(tx, *id, state, before, fetch).await?)
    };
    let rows = permit.read("webhooks.deliveries", look).await?;
    Page::cut(rows, &paging, &key, SCOPE, |row| row.id)
}

/// One delivery: what was sent, and what came back each time.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_deliveries_get", params(("id" = WebhookDeliveryId, Path)), responses((status = 200, body = DeliveryDetailView)))]
#[get("/admin/v1/webhook-deliveries/{id}")]
async fn one(permit: Permit<View>, id: Path<WebhookDeliveryId>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::detail(tx, *id).await;
    let detail: DeliveryDetailView = permit.read("webhooks.delivery", look).await?;
    Ok(HttpResponse::Ok().json(detail))
}

/// Sends a made-up event of type `webhook_endpoint.test`, whatever types the endpoint wants.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_test", params(("id" = WebhookEndpointId, Path)), responses((status = 202, body = DeliveryDetailView)))]
#[post("/admin/v1/webhook-endpoints/{id}/test")]
async fn test(permit: Permit<Edit>, id: Path<WebhookEndpointId>) -> Result<HttpResponse, Problem> {
    let plan = async move |tx: &mut WriteTx<'_>| {
        let delivery = actions::test(tx, *id).await?;
        actions::detail(tx, delivery).await
    };
    Ok(HttpResponse::Accepted().json(permit.write("webhooks.test", plan).await?))
}

/// Tells an endpoint again: one event, or all of a time, and what of that it was never told. The `webhook-id` stays. What is still pending is left
/// alone. An event that there is not, or that is older than 30 days and was never told here, is 404.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_resend", params(("id" = WebhookEndpointId, Path)), request_body = ResendWish, responses((status = 202, body = Resent), (status = 404, body = Problem)))]
#[post("/admin/v1/webhook-endpoints/{id}/resend")]
async fn resend(
    permit: Permit<Edit>,
    id: Path<WebhookEndpointId>,
    body: Json<ResendWish>,
) -> Result<HttpResponse, Problem> {
    let plan = async move |tx: &mut WriteTx<'_>| actions::resend(tx, *id, &body.0).await;
    let count = permit.write("webhooks.resend", plan).await?;
    Ok(HttpResponse::Accepted().json(Resent { deliveries: count as i64 }))
}

/// Tells the event of one delivery again.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_deliveries_resend", params(("id" = WebhookDeliveryId, Path)), responses((status = 202, body = Resent)))]
#[post("/admin/v1/webhook-deliveries/{id}/resend")]
async fn resend_one(permit: Permit<Edit>, id: Path<WebhookDeliveryId>) -> Result<HttpResponse, Problem> {
    let plan = async move |tx: &mut WriteTx<'_>| actions::resend_one(tx, *id).await;
    let count = permit.write("webhooks.resend_one", plan).await?;
    Ok(HttpResponse::Accepted().json(Resent { deliveries: count as i64 }))
}
