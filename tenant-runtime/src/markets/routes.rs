//! Markets over HTTP.

use actix_web::{HttpResponse, delete, get, post, put};
use souk_access::{Permit, Reply};
use souk_api::{ETag, IdempotencyKey, IfMatch, Json, Path, Problem};
use souk_kernel::MarketId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::MarketError;
use super::model::{Market, MarketList, PutMarket};
use super::permissions::{Edit, View, ViewStore};
use super::{actions, queries};

/// `/admin/v1/markets`, `/store/v1/markets`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(show).service(replace).service(remove).service(shop);
}

async fn all(tx: &mut ReadTx<'_>) -> Result<MarketList, MarketError> {
    Ok(MarketList { data: queries::all(tx, None).await? })
}

/// Where the store sells
///
/// A cart that is made with a `country` is priced in its market's currency.
#[utoipa::path(tag = "Shop", operation_id = "shopMarkets", responses((status = 200, body = MarketList)))]
#[get("/store/v1/markets")]
async fn shop(permit: Permit<ViewStore>) -> Result<Json<MarketList>, Problem> {
    Ok(Json::new(permit.read("shop.markets", async |tx: &mut ReadTx<'_>| all(tx).await).await?))
}

/// List markets
#[utoipa::path(tag = "Markets", operation_id = "listMarkets", responses(
    (status = 200, body = MarketList), (status = 403, body = Problem)))]
#[get("/admin/v1/markets")]
async fn list(permit: Permit<View>) -> Result<Json<MarketList>, Problem> {
    Ok(Json::new(permit.read("markets.list", async |tx: &mut ReadTx<'_>| all(tx).await).await?))
}

/// Make a market
#[utoipa::path(tag = "Markets", operation_id = "createMarket", request_body = PutMarket,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = Market),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/markets")]
async fn create(
    permit: Permit<Edit>,
    key: IdempotencyKey,
    body: Json<PutMarket>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish) = (body.digest(), &body.0);
    let work = async move |tx: &mut WriteTx<'_>| {
        let market = actions::create(tx, wish).await?;
        let place = format!("/admin/v1/markets/{}", market.id);
        Ok::<_, MarketError>(Reply::created(&market).location(&place).etag(&ETag::new(market.version)))
    };
    permit.write_once("markets.create", &key, digest, work).await
}

fn shown(market: &Market) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(market.version)).json(market)
}

/// Get a market
#[utoipa::path(tag = "Markets", operation_id = "getMarket", params(("id" = MarketId, Path)), responses(
    (status = 200, body = Market), (status = 404, body = Problem)))]
#[get("/admin/v1/markets/{id}")]
async fn show(permit: Permit<View>, id: Path<MarketId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id).await;
    Ok(shown(&permit.read("markets.show", find).await?))
}

/// Write a market anew
///
/// Carts that were made in it keep their currency.
#[utoipa::path(tag = "Markets", operation_id = "putMarket", request_body = PutMarket,
    params(("id" = MarketId, Path), ("If-Match" = String, Header)), responses((status = 200, body = Market),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
    (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/markets/{id}")]
async fn replace(
    permit: Permit<Edit>,
    id: Path<MarketId>,
    seen: IfMatch,
    body: Json<PutMarket>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::replace(tx, id, seen, wish).await;
    Ok(shown(&permit.write("markets.put", work).await?))
}

/// Delete a market and its price lists
///
/// The default one stays.
#[utoipa::path(tag = "Markets", operation_id = "deleteMarket", params(("id" = MarketId, Path)), responses(
    (status = 204, description = "Gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/markets/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<MarketId>) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, *id).await;
    permit.write("markets.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
