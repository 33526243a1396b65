//! Discounts over HTTP, for those who run the store. Shoppers meet them in their cart.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use chrono::{DateTime, Utc};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::DiscountId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::DiscountError;
use super::model::{DiscountFilter, DiscountView, PutDiscount};
use super::permissions::{Edit, View};
use super::{actions, queries};

/// `/admin/v1/discounts`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(replace).service(remove);
}

/// List discounts
///
/// Newest first.
#[utoipa::path(tag = "Discounts", operation_id = "listDiscounts", params(DiscountFilter, Paging), responses(
    (status = 200, body = Page<DiscountView>), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/discounts")]
async fn list(
    permit: Permit<View>,
    filter: Query<DiscountFilter>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<DiscountView>, Problem> {
    let scope = format!("discounts:{}:{:?}", permit.store(), filter.0);
    let key = CursorKey::of(&request)?;
    let after = paging.position::<(DateTime<Utc>, Uuid)>(key, &scope)?;
    let (filter, fetch) = (&filter.0, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, DiscountError>(queries::page(tx, None, filter, after, fetch).await?)
    };
    let rows = permit.read("discounts.list", load).await?;
    Page::cut(rows, &paging, key, &scope, |row| (row.created_at, row.id.uuid()))
}

/// Make a discount
#[utoipa::path(tag = "Discounts", operation_id = "createDiscount", request_body = PutDiscount,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = DiscountView),
    (status = 400, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/discounts")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<PutDiscount>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/discounts/{}", view.id);
        Ok::<_, DiscountError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("discounts.create", &key, digest, work).await
}

fn shown(view: &DiscountView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Get a discount
#[utoipa::path(tag = "Discounts", operation_id = "getDiscount", params(("id" = DiscountId, Path)), responses(
    (status = 200, body = DiscountView), (status = 404, body = Problem)))]
#[get("/admin/v1/discounts/{id}")]
async fn show(permit: Permit<View>, id: Path<DiscountId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    Ok(shown(&permit.read("discounts.show", find).await?))
}

/// Write a discount anew
///
/// What has been used stays used. Orders keep what they were given.
#[utoipa::path(tag = "Discounts", operation_id = "putDiscount", request_body = PutDiscount,
    params(("id" = DiscountId, Path), ("If-Match" = String, Header)), responses((status = 200, body = DiscountView),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
    (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/discounts/{id}")]
async fn replace(
    permit: Permit<Edit>,
    id: Path<DiscountId>,
    seen: IfMatch,
    body: Json<PutDiscount>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::replace(tx, id, seen, wish).await;
    Ok(shown(&permit.write("discounts.put", work).await?))
}

/// Delete a discount
///
/// Carts lose it; orders keep what they were given.
#[utoipa::path(tag = "Discounts", operation_id = "deleteDiscount", params(("id" = DiscountId, Path)), responses(
    (status = 204, description = "Gone"), (status = 404, body = Problem)))]
#[delete("/admin/v1/discounts/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<DiscountId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, *id).await;
    permit.write("discounts.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
