//! Price lists, for those who run the store; and what a piece costs, for everybody.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use chrono::{DateTime, Utc};
use souk_access::{Permission, Permit, Reply};
use souk_api::{
    CursorKey, DryRun, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, PagingOnly, Path, Previewed,
    Problem, Query,
};
use souk_kernel::{CustomerId, PriceListId, Quantity, VariantId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::prices::shown as previewed;
use crate::catalog::actions::price_lists as actions;
use crate::catalog::error::CatalogError;
use crate::catalog::model::{
    ListPrice, Looker, PriceChange, PriceExplained, PriceListView, PriceQuestion, PricesQuestion, PricesView,
    PutPriceList, SetListPrices,
};
use crate::catalog::permissions::{Browse, Edit, View};
use crate::catalog::queries::price_lists as queries;
use crate::groups;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(replace).service(remove);
    config.service(prices).service(set_prices).service(explain).service(of_many);
}

/// List price lists. Newest first.
#[utoipa::path(tag = "Prices", operation_id = "listPriceLists", params(Paging), responses(
    (status = 200, body = Page<PriceListView>), (status = 403, body = Problem)))]
#[get("/admin/v1/price-lists")]
async fn list(
    permit: Permit<View>,
    paging: PagingOnly,
    request: HttpRequest,
) -> Result<Page<PriceListView>, Problem> {
    let (key, scope) = (CursorKey::of(&request)?, format!("price-lists:{}", permit.store()));
    let after = paging.position::<(DateTime<Utc>, Uuid)>(key, &scope)?;
    let fetch = paging.fetch();
    let load =
        async move |tx: &mut ReadTx<'_>| Ok::<_, CatalogError>(queries::page(tx, None, after, fetch).await?);
    let rows = permit.read("price_lists.list", load).await?;
    Page::cut(rows, &paging, key, &scope, |row| (row.created_at, row.id.uuid()))
}

/// Make a price list without prices.
#[utoipa::path(tag = "Prices", operation_id = "createPriceList", request_body = PutPriceList,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = PriceListView),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/price-lists")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<PutPriceList>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/price-lists/{}", view.id);
        Ok::<_, CatalogError>(Reply::created(&view).location(&place).etag(&ETag::new(view.version)))
    };
    permit.write_once("price_lists.create", &key, digest, work).await
}

fn shown(view: &PriceListView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

/// Get a price list.
#[utoipa::path(tag = "Prices", operation_id = "getPriceList", params(("id" = PriceListId, Path)), responses(
    (status = 200, body = PriceListView), (status = 404, body = Problem)))]
#[get("/admin/v1/price-lists/{id}")]
async fn show(permit: Permit<View>, id: Path<PriceListId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    Ok(shown(&permit.read("price_lists.show", find).await?))
}

/// Write a price list anew. Orders keep their prices.
#[utoipa::path(tag = "Prices", operation_id = "putPriceList", request_body = PutPriceList,
    params(("id" = PriceListId, Path), ("If-Match" = String, Header)), responses((status = 200, body = PriceListView),
    (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/price-lists/{id}")]
async fn replace(
    permit: Permit<Edit>,
    id: Path<PriceListId>,
    seen: IfMatch,
    body: Json<PutPriceList>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::replace(tx, id, seen, wish).await;
    Ok(shown(&permit.write("price_lists.put", work).await?))
}

/// Delete a price list and its prices. Orders keep theirs.
#[utoipa::path(tag = "Prices", operation_id = "deletePriceList", params(("id" = PriceListId, Path)), responses(
    (status = 204, description = "Gone"), (status = 404, body = Problem)))]
#[delete("/admin/v1/price-lists/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<PriceListId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, *id).await;
    permit.write("price_lists.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The prices of a list.
#[utoipa::path(tag = "Prices", operation_id = "listPriceListPrices", params(("id" = PriceListId, Path), Paging), responses(
    (status = 200, body = Page<ListPrice>), (status = 404, body = Problem)))]
#[get("/admin/v1/price-lists/{id}/prices")]
async fn prices(
    permit: Permit<View>,
    id: Path<PriceListId>,
    paging: PagingOnly,
    request: HttpRequest,
) -> Result<Page<ListPrice>, Problem> {
    let (key, scope) = (CursorKey::of(&request)?, format!("price-list-prices:{}:{}", permit.store(), *id));
    let after = paging.position::<(VariantId, Quantity)>(key, &scope)?;
    let fetch = paging.fetch();
    let load = async move |tx: &mut ReadTx<'_>| {
        actions::show(tx, *id).await?;
        Ok::<_, CatalogError>(queries::prices(tx, *id, after, fetch).await?)
    };
    let rows = permit.read("price_lists.prices", load).await?;
    Page::cut(rows, &paging, key, &scope, |row| (row.variant, row.min_quantity))
}

/// Set prices in a list, with steps by quantity. All or none; a `null` removes a step. With `dry_run=true` answers with what would change, and a
/// token; sent as `preview`, it is done only if exactly that would change.
#[utoipa::path(tag = "Prices", operation_id = "setPriceListPrices", request_body = SetListPrices,
    params(DryRun, ("id" = PriceListId, Path), ("If-Match" = String, Header)),
    responses((status = 200, description = "The list, or what would change", body = Previewed<PriceListView, PriceChange>),
    (status = 404, body = Problem), (status = 409, description = "The preview is stale", body = Problem), (status = 412, body = Problem),
    (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/price-lists/{id}/prices")]
async fn set_prices(
    permit: Permit<Edit>,
    id: Path<PriceListId>,
    seen: IfMatch,
    dry: Query<DryRun>,
    body: Json<SetListPrices>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish, dry) = (*id, seen.required()?, &body.0, &dry.0);
    if dry.only() {
        let look = async move |tx: &mut ReadTx<'_>| actions::preview_set_prices(tx, id, seen, wish).await;
        return Ok(previewed::<PriceListView>(permit.read("price_lists.preview_prices", look).await?));
    }
    let work = async move |tx: &mut WriteTx<'_>| actions::set_prices(tx, id, seen, wish, dry).await;
    Ok(shown(&permit.write("price_lists.set_prices", work).await?))
}

/// Whose prices are looked at: the caller's own, or those of the customer whom somebody who may see groups asks about.
fn looker(permit: &Permit<Browse>, asked: Option<CustomerId>) -> Result<Looker, Problem> {
    let own = permit.actor().customer();
    let sees_all = permit.reach().is_any() && permit.holds(<groups::permissions::View as Permission>::KEY);
    if asked.is_some() && asked != own && !sees_all {
        return Err(CatalogError::Unknown.into());
    }
    Ok(Looker { customer: asked.or(own), sees_all })
}

/// What many variants cost whoever asks
///
/// Pages of the catalogue are the same for everybody and show base prices; here are those of the shopper who is signed in, with price lists for
/// their market and groups, and where they change with the quantity.
#[utoipa::path(tag = "Shop", operation_id = "listPrices", params(PricesQuestion), responses(
    (status = 200, body = PricesView), (status = 422, body = Problem)))]
#[get("/store/v1/prices")]
async fn of_many(
    permit: Permit<Browse>,
    question: Query<PricesQuestion>,
) -> Result<Json<PricesView>, Problem> {
    let (question, looker) = (&question.0, Looker::shopper(permit.actor().customer()));
    let work = async move |tx: &mut ReadTx<'_>| actions::prices(tx, question, looker).await;
    Ok(Json::new(permit.read("shop.prices", work).await?))
}

/// What a piece costs somewhere, and why: every price that was looked at, and the one that counts.
#[utoipa::path(tag = "Shop", operation_id = "explainPrice", params(("variant" = VariantId, Path), PriceQuestion), responses(
    (status = 200, body = PriceExplained), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/store/v1/variants/{variant}/price")]
async fn explain(
    permit: Permit<Browse>,
    variant: Path<VariantId>,
    question: Query<PriceQuestion>,
) -> Result<Json<PriceExplained>, Problem> {
    let (question, looker) = (&question.0, looker(&permit, question.0.customer)?);
    let work = async move |tx: &mut ReadTx<'_>| actions::explain(tx, *variant, question, looker).await;
    Ok(Json::new(permit.read("shop.price", work).await?))
}
