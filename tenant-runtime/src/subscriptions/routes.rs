//! Wishes to be told, over HTTP.

use actix_web::{HttpRequest, HttpResponse, get, post, put};
use souk_access::{LinkSecret, Permit};
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem, problem};
use souk_kernel::{CartId, OrderId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::SubscriptionError;
use super::model::{
    Asked, ConfirmWish, FollowOrder, NoticeSettings, NoticeSettingsView, PutNoticeSettings, RemindWish,
    WaitForStock, WaitingView,
};
use super::permissions::{Ask, Edit, View};
use super::{actions, queries};
use crate::cart;

/// Of variants that somebody waits for.
const MOST: i64 = 200;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(wait).service(follow).service(confirm).service(remind);
    config.service(waiting).service(show).service(replace);
}

fn header(request: &HttpRequest, name: &str) -> Option<LinkSecret> {
    request.headers().get(name).and_then(|value| value.to_str().ok()).and_then(LinkSecret::parse)
}

/// Be told when something can be bought again
///
/// The address is asked by mail first. The answer is the same whatever is true of it.
#[utoipa::path(tag = "Shopping", operation_id = "waitForStock", security(()), request_body = WaitForStock, responses(
    (status = 202, body = Asked), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/stock-subscriptions")]
async fn wait(permit: Permit<Ask>, body: Json<WaitForStock>) -> Result<HttpResponse, Problem> {
    let wish = body.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::wait_for_stock(tx, &wish).await;
    permit.write("subscriptions.wait", work).await?;
    Ok(HttpResponse::Accepted().json(Asked::ASKED))
}

/// Have another address told what becomes of an order
///
/// With the order's secret in `X-Order-Secret`, or signed in as the customer who placed it. The address is asked by mail first.
#[utoipa::path(tag = "Shopping", operation_id = "followOrder", security(()), params(("id" = OrderId, Path), ("X-Order-Secret" = Option<String>, Header)),
    request_body = FollowOrder, responses((status = 202, body = Asked), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/orders/{id}/subscriptions")]
async fn follow(
    permit: Permit<Ask>,
    id: Path<OrderId>,
    request: HttpRequest,
    body: Json<FollowOrder>,
) -> Result<HttpResponse, Problem> {
    let (secret, reach, wish) = (header(&request, "x-order-secret"), permit.reach(), body.into_inner());
    let work =
        async move |tx: &mut WriteTx<'_>| actions::follow(tx, *id, secret.as_ref(), reach, &wish).await;
    permit.write("subscriptions.follow", work).await?;
    Ok(HttpResponse::Accepted().json(Asked::ASKED))
}

/// Confirm with the token of the mailed link
///
/// It works once, for three days.
#[utoipa::path(tag = "Shopping", operation_id = "confirmSubscription", security(()), request_body = ConfirmWish, responses(
    (status = 204, description = "Confirmed"), (status = 410, body = Problem)))]
#[post("/store/v1/subscriptions/confirm")]
async fn confirm(permit: Permit<Ask>, body: Json<ConfirmWish>) -> Result<HttpResponse, Problem> {
    let token = body.into_inner().token;
    let work = async move |tx: &mut WriteTx<'_>| actions::confirm(tx, token.as_str()).await;
    permit.write("subscriptions.confirm", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Be reminded of a cart, or not
///
/// Only with the shopper's consent: tick no box for them. One mail, once the cart has lain for as long as the store says.
#[utoipa::path(tag = "Shopping", operation_id = "remindOfCart", security(()), params(("cart" = CartId, Path), ("X-Cart-Secret" = String, Header)),
    request_body = RemindWish, responses((status = 204, description = "Noted"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[put("/store/v1/carts/{cart}/reminder")]
async fn remind(
    permit: Permit<Ask>,
    cart: Path<CartId>,
    request: HttpRequest,
    body: Json<RemindWish>,
) -> Result<HttpResponse, Problem> {
    let secret = header(&request, cart::CART_SECRET).ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let wanted = body.into_inner().wanted;
    let work = async move |tx: &mut WriteTx<'_>| actions::remind(tx, *cart, &secret, wanted).await;
    permit.write("subscriptions.remind", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What shoppers wait for
///
/// How many mailboxes wait for what, most first; the 200 most wanted.
#[utoipa::path(tag = "Inventory", operation_id = "stock_subscriptions_list", responses((status = 200, body = Page<WaitingView>)))]
#[get("/admin/v1/stock-subscriptions")]
async fn waiting(permit: Permit<View>) -> Result<Page<WaitingView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, SubscriptionError>(queries::waiting(tx, MOST).await?);
    Ok(Page::whole(permit.read("subscriptions.waiting", look).await?))
}

fn answer(row: NoticeSettings) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(row.version)).json(NoticeSettingsView::from(row))
}

/// When staff and shoppers are told things
#[utoipa::path(tag = "Messages", operation_id = "notice_settings_get", responses((status = 200, body = NoticeSettingsView, headers(("ETag" = String)))))]
#[get("/admin/v1/notice-settings")]
async fn show(permit: Permit<View>) -> Result<HttpResponse, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, SubscriptionError>(queries::settings(tx).await?);
    Ok(answer(permit.read("subscriptions.settings", look).await?))
}

/// Say when staff and shoppers are told things
#[utoipa::path(tag = "Messages", operation_id = "notice_settings_put", params(("If-Match" = String, Header)), request_body = PutNoticeSettings, responses(
    (status = 200, body = NoticeSettingsView, headers(("ETag" = String))), (status = 412, body = Problem), (status = 422, body = Problem), (status = 428, body = Problem)))]
#[put("/admin/v1/notice-settings")]
async fn replace(
    permit: Permit<Edit>,
    seen: IfMatch,
    body: Json<PutNoticeSettings>,
) -> Result<HttpResponse, Problem> {
    let (seen, wish) = (seen.required()?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::put_settings(tx, &seen, &wish).await;
    Ok(answer(permit.write("subscriptions.put_settings", work).await?))
}
