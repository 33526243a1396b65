//! Gift cards and store credit over HTTP, for those who run the store. Shoppers meet them in their cart.

use actix_web::{HttpRequest, HttpResponse, get, post, put};
use chrono::{DateTime, Utc};
use souk_access::{Permit, Reply};
use souk_api::{CursorKey, ETag, IdempotencyKey, IfMatch, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::CreditId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::CreditError;
use super::model::{CreditFilter, CreditKind, CreditView, IssueGiftCard, IssueStoreCredit, PutGiftCard};
use super::permissions::{Issue, View};
use super::{actions, queries};

/// `/admin/v1/gift-cards`, `/admin/v1/store-credits`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_gift_cards).service(issue_gift_card).service(show_gift_card).service(put_gift_card);
    config.service(list_store_credits).service(issue_store_credit).service(show_store_credit);
}

async fn page(
    permit: Permit<View>,
    kind: CreditKind,
    filter: CreditFilter,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<CreditView>, Problem> {
    let key = CursorKey::of(&request)?;
    let scope = format!("credits:{}:{kind:?}:{filter:?}", permit.store());
    let after = paging.position::<(DateTime<Utc>, Uuid)>(key, &scope)?;
    let (filter, fetch) = (&filter, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, CreditError>(queries::page(tx, kind, None, filter, after, fetch).await?)
    };
    let rows = permit.read("credits.list", load).await?;
    Page::cut(rows, &paging, key, &scope, |row| (row.created_at, row.id.uuid()))
}

fn shown(view: &CreditView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(view.version)).json(view)
}

fn made(view: &CreditView, place: &str) -> Reply {
    let place = format!("/admin/v1/{place}/{}", view.id);
    Reply::created(view).location(&place).etag(&ETag::new(view.version)).header("cache-control", "no-store")
}

/// List gift cards
///
/// Newest first.
#[utoipa::path(tag = "Credit", operation_id = "listGiftCards", params(CreditFilter, Paging), responses(
    (status = 200, body = Page<CreditView>), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/gift-cards")]
async fn list_gift_cards(
    permit: Permit<View>,
    filter: Query<CreditFilter>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<CreditView>, Problem> {
    page(permit, CreditKind::GiftCard, filter.0, paging, request).await
}

/// Issue a gift card
///
/// The answer has the `code`, and only it; a repeat with the same Idempotency-Key gives the same answer for 48 hours.
#[utoipa::path(tag = "Credit", operation_id = "issueGiftCard", request_body = IssueGiftCard,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = CreditView),
    (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/gift-cards")]
async fn issue_gift_card(
    permit: Permit<Issue>,
    key: IdempotencyKey,
    body: Json<IssueGiftCard>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish, actor) = (body.digest(), &body.0, permit.actor().to_string());
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::issue_gift_card(tx, wish, actor).await?;
        Ok::<_, CreditError>(made(&view, "gift-cards"))
    };
    permit.write_once("gift_cards.issue", &key, digest, work).await
}

/// Get a gift card with its movements
#[utoipa::path(tag = "Credit", operation_id = "getGiftCard", params(("id" = CreditId, Path)), responses(
    (status = 200, body = CreditView), (status = 404, body = Problem)))]
#[get("/admin/v1/gift-cards/{id}")]
async fn show_gift_card(permit: Permit<View>, id: Path<CreditId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, CreditKind::GiftCard, *id).await;
    Ok(shown(&permit.read("gift_cards.show", find).await?))
}

/// Stop a gift card, let it go on, or change until when it may be used
#[utoipa::path(tag = "Credit", operation_id = "putGiftCard", request_body = PutGiftCard,
    params(("id" = CreditId, Path), ("If-Match" = String, Header)), responses((status = 200, body = CreditView),
    (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/gift-cards/{id}")]
async fn put_gift_card(
    permit: Permit<Issue>,
    id: Path<CreditId>,
    seen: IfMatch,
    body: Json<PutGiftCard>,
) -> Result<HttpResponse, Problem> {
    let (id, seen, wish) = (*id, seen.required()?, &body.0);
    let work = async move |tx: &mut WriteTx<'_>| actions::put_gift_card(tx, id, seen, wish).await;
    Ok(shown(&permit.write("gift_cards.put", work).await?))
}

/// List store credit
///
/// Newest first; one account for each customer and currency.
#[utoipa::path(tag = "Credit", operation_id = "listStoreCredits", params(CreditFilter, Paging), responses(
    (status = 200, body = Page<CreditView>), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/store-credits")]
async fn list_store_credits(
    permit: Permit<View>,
    filter: Query<CreditFilter>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<CreditView>, Problem> {
    page(permit, CreditKind::StoreCredit, filter.0, paging, request).await
}

/// Give a customer store credit
///
/// On top of what there is in that currency. The customer uses it with `use_store_credit` in a cart.
#[utoipa::path(tag = "Credit", operation_id = "issueStoreCredit", request_body = IssueStoreCredit,
    params(("Idempotency-Key" = String, Header)), responses((status = 201, body = CreditView),
    (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/store-credits")]
async fn issue_store_credit(
    permit: Permit<Issue>,
    key: IdempotencyKey,
    body: Json<IssueStoreCredit>,
) -> Result<HttpResponse, Problem> {
    let (digest, wish, actor) = (body.digest(), &body.0, permit.actor().to_string());
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| {
        let view = actions::issue_store_credit(tx, wish, actor).await?;
        Ok::<_, CreditError>(made(&view, "store-credits"))
    };
    permit.write_once("store_credits.issue", &key, digest, work).await
}

/// Get a store credit account with its movements
#[utoipa::path(tag = "Credit", operation_id = "getStoreCredit", params(("id" = CreditId, Path)), responses(
    (status = 200, body = CreditView), (status = 404, body = Problem)))]
#[get("/admin/v1/store-credits/{id}")]
async fn show_store_credit(permit: Permit<View>, id: Path<CreditId>) -> Result<HttpResponse, Problem> {
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, CreditKind::StoreCredit, *id).await;
    Ok(shown(&permit.read("store_credits.show", find).await?))
}
