//! Endpoints and deliveries over HTTP.

mod deliveries;

use actix_web::{HttpResponse, delete, get, patch, post, web};
use souk_access::Permit;
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::WebhookEndpointId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::WebhookError;
use super::model::{EditEndpoint, EndpointSecretView, EndpointView, NewEndpoint, Rules};
use super::permissions::{Edit, View};
use super::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(one).service(edit).service(remove).service(rotate);
    config.configure(deliveries::routes);
}

/// Endpoints, oldest first.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_list", responses((status = 200, body = Page<EndpointView>)))]
#[get("/admin/v1/webhook-endpoints")]
async fn list(permit: Permit<View>) -> Result<Page<EndpointView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, WebhookError>(queries::endpoints(tx).await?);
    Ok(Page::whole(permit.read("webhooks.list", look).await?))
}

/// Makes an endpoint. The answer shows the secret that signs what is sent there.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_create", request_body = NewEndpoint, responses((status = 201, body = EndpointSecretView)))]
#[post("/admin/v1/webhook-endpoints")]
async fn create(
    permit: Permit<Edit>,
    rules: web::Data<Rules>,
    body: Json<NewEndpoint>,
) -> Result<HttpResponse, Problem> {
    let make = async move |tx: &mut WriteTx<'_>| {
        let is_kind = |kind: &str| rules.kinds.contains(&kind);
        actions::create(tx, &body.0, is_kind, rules.private).await
    };
    let (endpoint, secret) = permit.write("webhooks.create", make).await?;
    Ok(HttpResponse::Created().json(EndpointSecretView { endpoint, secret: secret.expose() }))
}

/// One endpoint.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_get", params(("id" = WebhookEndpointId, Path)), responses((status = 200, body = EndpointView)))]
#[get("/admin/v1/webhook-endpoints/{id}")]
async fn one(permit: Permit<View>, id: Path<WebhookEndpointId>) -> Result<HttpResponse, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| actions::known(tx, *id).await;
    Ok(HttpResponse::Ok().json(permit.read("webhooks.get", look).await?))
}

/// Changes an endpoint; absent fields stay. `{"enabled": true}` brings back one that was disabled, and what waited for it.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_edit", params(("id" = WebhookEndpointId, Path)), request_body = EditEndpoint, responses((status = 200, body = EndpointView)))]
#[patch("/admin/v1/webhook-endpoints/{id}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<WebhookEndpointId>,
    rules: web::Data<Rules>,
    body: Json<EditEndpoint>,
) -> Result<HttpResponse, Problem> {
    let change = async move |tx: &mut WriteTx<'_>| {
        let is_kind = |kind: &str| rules.kinds.contains(&kind);
        actions::edit(tx, *id, &body.0, is_kind, rules.private).await
    };
    Ok(HttpResponse::Ok().json(permit.write("webhooks.edit", change).await?))
}

/// Removes an endpoint with its deliveries and their log.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_delete", params(("id" = WebhookEndpointId, Path)), responses((status = 204)))]
#[delete("/admin/v1/webhook-endpoints/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<WebhookEndpointId>) -> Result<HttpResponse, Problem> {
    let end = async move |tx: &mut WriteTx<'_>| match queries::delete(tx, *id).await? {
        true => Ok(()),
        false => Err(WebhookError::Unknown),
    };
    permit.write("webhooks.delete", end).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives an endpoint a new secret, shown here. For a day both sign, so that the receiver can change over.
#[utoipa::path(tag = "Webhooks", operation_id = "webhook_endpoints_rotate_secret", params(("id" = WebhookEndpointId, Path)), responses((status = 200, body = EndpointSecretView)))]
#[post("/admin/v1/webhook-endpoints/{id}/rotate-secret")]
async fn rotate(permit: Permit<Edit>, id: Path<WebhookEndpointId>) -> Result<HttpResponse, Problem> {
    let change = async move |tx: &mut WriteTx<'_>| actions::rotate(tx, *id).await;
    let (endpoint, secret) = permit.write("webhooks.rotate", change).await?;
    Ok(HttpResponse::Ok().json(EndpointSecretView { endpoint, secret: secret.expose() }))
}
