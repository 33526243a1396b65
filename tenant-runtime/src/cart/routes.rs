//! Carts over HTTP.

mod owner;
mod tax;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post, put};
use souk_access::{LinkSecret, Permit};
use souk_api::{Json, Path, Problem, problem};
use souk_kernel::{CartId, CartLineId, CreditId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::model::{
    CartView, ChooseShipping, CreateCart, EditCart, EditCartLine, EnterCode, EnterGiftCard, NewCartLine,
    Priced, QuoteView, ShippingOptionList,
};
use super::permissions::Use;
use crate::discounts::Code;

/// The header that opens a cart.
pub const CART_SECRET: &str = "x-cart-secret";

/// `/store/v1/carts`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_cart).service(show_cart).service(edit_cart);
    config.service(add_line).service(change_line).service(remove_line);
    config.service(shipping_options).service(choose_shipping);
    config.service(owner::claim_cart).service(owner::own_cart);
    config.service(enter_code).service(remove_code).service(tax::put_vat_number);
    config.service(quote);
    config.service(enter_gift_card).service(remove_gift_card);
}

/// The cart's secret of a request; without one the cart is not there.
struct Secret(LinkSecret);

impl FromRequest for Secret {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get(CART_SECRET).and_then(|value| value.to_str().ok());
        let secret = header.and_then(LinkSecret::parse).map(Self);
        ready(secret.ok_or_else(|| Problem::new(&problem::NOT_FOUND)))
    }
}

fn shown(status: StatusCode, priced: Priced) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(CartView::from(priced))
}

/// Make a cart
///
/// The answer has the cart's `secret`, once. Send it as `X-Cart-Secret` with every later call.
#[utoipa::path(tag = "Shopping", operation_id = "createCart", request_body = CreateCart, responses(
    (status = 201, body = CartView), (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/carts")]
async fn create_cart(permit: Permit<Use>, body: Json<CreateCart>) -> Result<HttpResponse, Problem> {
    let new = body.into_inner().of(permit.actor().customer());
    let work = async move |tx: &mut WriteTx<'_>| actions::open(tx, new).await;
    Ok(shown(StatusCode::CREATED, permit.write("carts.create", work).await?))
}

/// Price a basket without making anything
///
/// As a cart of the same lines would be priced, with taxes, discounts and what delivery costs.
#[utoipa::path(tag = "Shopping", operation_id = "quote", request_body = CreateCart, responses(
    (status = 200, body = QuoteView), (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/quotes")]
async fn quote(permit: Permit<Use>, body: Json<CreateCart>) -> Result<HttpResponse, Problem> {
    let new = body.into_inner().of(permit.actor().customer());
    let work = async move |tx: &mut ReadTx<'_>| actions::price_only(tx, new).await;
    let view = QuoteView::from(permit.read("quotes.price", work).await?);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(view))
}

/// Show a cart at today's prices
#[utoipa::path(tag = "Shopping", operation_id = "getCart",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = CartView), (status = 404, body = Problem)))]
#[get("/store/v1/carts/{id}")]
async fn show_cart(permit: Permit<Use>, id: Path<CartId>, secret: Secret) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id, &secret.0).await;
    Ok(shown(StatusCode::OK, permit.look_up("carts.show", work).await?))
}

/// Say who buys and where it goes
#[utoipa::path(tag = "Shopping", operation_id = "editCart",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = EditCart,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[patch("/store/v1/carts/{id}")]
async fn edit_cart(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<EditCart>,
) -> Result<HttpResponse, Problem> {
    let edit = body.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, *id, &secret.0, edit).await;
    Ok(shown(StatusCode::OK, permit.write("carts.edit", work).await?))
}

/// Put something into a cart
///
/// The same variant adds up. What is not there is not put in, and `warnings` says so.
#[utoipa::path(tag = "Shopping", operation_id = "addCartLine",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = NewCartLine,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[post("/store/v1/carts/{id}/lines")]
async fn add_line(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<NewCartLine>,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::add_line(tx, *id, &secret.0, body.0).await;
    Ok(shown(StatusCode::OK, permit.write("carts.add_line", work).await?))
}

/// Change how many
#[utoipa::path(tag = "Shopping", operation_id = "changeCartLine",
    params(("id" = CartId, Path), ("line" = CartLineId, Path), ("X-Cart-Secret" = String, Header)),
    request_body = EditCartLine, responses((status = 200, body = CartView), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/store/v1/carts/{id}/lines/{line}")]
async fn change_line(
    permit: Permit<Use>,
    ids: Path<(CartId, CartLineId)>,
    secret: Secret,
    body: Json<EditCartLine>,
) -> Result<HttpResponse, Problem> {
    let (id, line) = ids.into_inner();
    let quantity = body.into_inner().quantity;
    let work =
        async move |tx: &mut WriteTx<'_>| actions::change_line(tx, id, &secret.0, line, quantity).await;
    Ok(shown(StatusCode::OK, permit.write("carts.change_line", work).await?))
}

/// Take something out of a cart
#[utoipa::path(tag = "Shopping", operation_id = "removeCartLine",
    params(("id" = CartId, Path), ("line" = CartLineId, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/store/v1/carts/{id}/lines/{line}")]
async fn remove_line(
    permit: Permit<Use>,
    ids: Path<(CartId, CartLineId)>,
    secret: Secret,
) -> Result<HttpResponse, Problem> {
    let (id, line) = ids.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_line(tx, id, &secret.0, line).await;
    Ok(shown(StatusCode::OK, permit.write("carts.remove_line", work).await?))
}

/// What delivers a cart to its address
#[utoipa::path(tag = "Shopping", operation_id = "listCartShippingOptions",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = ShippingOptionList), (status = 404, body = Problem)))]
#[get("/store/v1/carts/{id}/shipping-options")]
async fn shipping_options(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
) -> Result<HttpResponse, Problem> {
    let work = async move |tx: &mut ReadTx<'_>| actions::show(tx, *id, &secret.0).await;
    let priced = permit.look_up("carts.shipping_options", work).await?;
    let data = priced.quote.shipping_options;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(ShippingOptionList { data }))
}

/// Choose a delivery
///
/// Without a choice the cheapest is taken.
#[utoipa::path(tag = "Shopping", operation_id = "chooseCartShippingOption",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = ChooseShipping,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[put("/store/v1/carts/{id}/shipping-option")]
async fn choose_shipping(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<ChooseShipping>,
) -> Result<HttpResponse, Problem> {
    let rate = body.into_inner().shipping_rate;
    let work = async move |tx: &mut WriteTx<'_>| actions::choose_shipping(tx, *id, &secret.0, rate).await;
    Ok(shown(StatusCode::OK, permit.write("carts.choose_shipping", work).await?))
}

/// Enter a discount code
///
/// A code that runs now is kept even if it does not apply yet; `discount_codes` says why. One that is unknown, over or used up is refused.
#[utoipa::path(tag = "Shopping", operation_id = "enterCartDiscountCode",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = EnterCode,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[post("/store/v1/carts/{id}/discount-codes")]
async fn enter_code(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<EnterCode>,
) -> Result<HttpResponse, Problem> {
    let code = body.into_inner().code;
    let work = async move |tx: &mut WriteTx<'_>| actions::enter_code(tx, *id, &secret.0, &code).await;
    Ok(shown(StatusCode::OK, permit.write("carts.enter_code", work).await?))
}

/// Take a discount code out of a cart
///
/// One that is not in it is fine.
#[utoipa::path(tag = "Shopping", operation_id = "removeCartDiscountCode",
    params(("id" = CartId, Path), ("code" = String, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/store/v1/carts/{id}/discount-codes/{code}")]
async fn remove_code(
    permit: Permit<Use>,
    ids: Path<(CartId, Code)>,
    secret: Secret,
) -> Result<HttpResponse, Problem> {
    let (id, code) = ids.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_code(tx, id, &secret.0, &code).await;
    Ok(shown(StatusCode::OK, permit.write("carts.remove_code", work).await?))
}

/// Enter a gift card
///
/// It pays as much of the total as it can, after those that were entered before.
#[utoipa::path(tag = "Shopping", operation_id = "enterCartGiftCard",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header)), request_body = EnterGiftCard,
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[post("/store/v1/carts/{id}/gift-cards")]
async fn enter_gift_card(
    permit: Permit<Use>,
    id: Path<CartId>,
    secret: Secret,
    body: Json<EnterGiftCard>,
) -> Result<HttpResponse, Problem> {
    let code = body.into_inner().code;
    let work = async move |tx: &mut WriteTx<'_>| actions::enter_gift_card(tx, *id, &secret.0, &code).await;
    Ok(shown(StatusCode::OK, permit.write("carts.enter_gift_card", work).await?))
}

/// Take a gift card out of a cart
///
/// One that is not in it is fine.
#[utoipa::path(tag = "Shopping", operation_id = "removeCartGiftCard",
    params(("id" = CartId, Path), ("card" = CreditId, Path), ("X-Cart-Secret" = String, Header)),
    responses((status = 200, body = CartView), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/store/v1/carts/{id}/gift-cards/{card}")]
async fn remove_gift_card(
    permit: Permit<Use>,
    ids: Path<(CartId, CreditId)>,
    secret: Secret,
) -> Result<HttpResponse, Problem> {
    let (id, card) = ids.into_inner();
    let work = async move |tx: &mut WriteTx<'_>| actions::remove_gift_card(tx, id, &secret.0, card).await;
    Ok(shown(StatusCode::OK, permit.write("carts.remove_gift_card", work).await?))
}
