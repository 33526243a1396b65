//! Buying over HTTP, and the doors for the provider and for the shopper it sends back.

mod drafts;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use souk_access::{LinkSecret, Permit};
use souk_api::{IdempotencyKey, Json, Path, Problem, problem};
use souk_kernel::{CartId, CheckoutSessionId, Email, Money, OrderId, PaymentSessionId, Text};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa::ToSchema;

use super::actions::capture::{capture, mark_paid};
use super::actions::dispute::contest;
use super::actions::pay::{outlive, pay};
use super::actions::prepare::{Door, Purchase};
use super::actions::settle::{Settled, settle};
use super::error::CheckoutError;
use super::model::{CheckoutStatus, CheckoutView, SeenLine, Till, Wish, may_return_to, return_address};
use super::permissions::Use;
use crate::cart::{self, Address, CART_SECRET, NewCart, NewCartLine};
use crate::customers::Origin;
use crate::orders::{self, OrderView};
use crate::payments::permissions::{Capture, MarkPaid};
use crate::payments::{
    self, About, PROVIDER_AWAY, ProviderCode, Setup, WEBHOOK_REFUSED, WebhookError, WebhookHeaders,
    resembles_card_number,
};

/// The most lines a checkout is held against.
const MOST_SEEN_LINES: usize = 500;

/// Mounts the room.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(checkout)
        .service(create_checkout_session)
        .service(payment_return)
        .service(payment_webhook)
        .service(capture_order)
        .service(mark_order_paid)
        .service(drafts::checkout_draft_order)
        .service(drafts::complete_draft_order);
}

/// What to buy a cart with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expected_total": {"amount_minor": 4290, "currency": "EUR"}, "payment": {"provider": "test", "token": "tok_ok", "return_url": "https://shop.example.com/thanks"}}))]
struct Checkout {
    /// The total the shopper saw. If it is another by now, nothing is bought and the answer says which.
    expected_total: Money,
    /// Where gift cards or store credit pay: the cart's `amount_due` as the shopper saw it.
    expected_due: Option<Money>,
    /// Lines as the shopper saw them, at most 500. If one costs something else by now, nothing is bought and the answer says which, with both prices.
    #[serde(default)]
    #[schema(max_items = 500)]
    expected_lines: Vec<SeenLine>,
    /// The version of the terms that the shopper agreed to: `version` of `GET /store/v1/policies/terms`. Must be given where the store's
    /// `terms_required` says so; the order keeps it.
    #[schema(minimum = 1)]
    accepted_terms: Option<i32>,
    payment: PaymentChoice,
}

/// How to pay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentChoice {
    #[schema(example = "test")]
    provider: ProviderCode,
    /// What the provider's own page or script gave for the card. Never a card number.
    #[serde(default)]
    #[schema(example = "tok_ok")]
    token: Option<Text<255>>,
    /// Where the shopper is sent after the provider's page: an address of the store, or one the merchant has listed.
    #[serde(default)]
    #[schema(example = "https://shop.example.com/thanks")]
    return_url: Option<Text<2048>>,
}

impl Checkout {
    fn wish(self) -> Result<Wish, CheckoutError> {
        let token = self.payment.token.as_ref().map(|token| token.as_str().to_owned());
        if token.as_deref().is_some_and(resembles_card_number) {
            return Err(CheckoutError::CardNumber("/payment/token"));
        }
        let return_url = self.payment.return_url.as_ref().map(|url| url.as_str().to_owned());
        if self.expected_lines.len() > MOST_SEEN_LINES {
            let refusal = Problem::new(&problem::VALIDATION);
            return Err(refusal.field("/expected_lines", "too_many", "must be at most 500").into());
        }
        let Self { expected_total, expected_due, expected_lines, accepted_terms, payment } = self;
        let provider = payment.provider;
        Ok(Wish { expected_total, expected_due, provider, token, return_url, expected_lines, accepted_terms })
    }
}

/// The cart's secret of this request; without one the cart is not there.
fn cart_secret(request: &HttpRequest) -> Result<LinkSecret, Problem> {
    let header = request.headers().get(CART_SECRET).and_then(|value| value.to_str().ok());
    header.and_then(LinkSecret::parse).ok_or_else(|| Problem::new(&problem::NOT_FOUND))
}

/// Buy a cart
///
/// Reserves the stock, takes the money and places the order. Repeat it with the same key when the answer got lost: it buys once. Whoever calls
/// with a live key does not pay with the `test` provider.
#[utoipa::path(tag = "Shopping", operation_id = "checkout",
    params(("id" = CartId, Path), ("X-Cart-Secret" = String, Header), ("Idempotency-Key" = String, Header)),
    request_body = Checkout, responses(
    (status = 201, body = CheckoutView, description = "The order is placed"),
    (status = 200, body = CheckoutView, description = "The cart was bought before: its order"),
    (status = 202, body = CheckoutView, description = "Send the shopper to `next_action`, or read the order again in a moment"),
    (status = 400, body = Problem), (status = 402, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
#[post("/store/v1/carts/{id}/checkout")]
async fn checkout(
    permit: Permit<Use>,
    till: web::Data<Till>,
    id: Path<CartId>,
    key: IdempotencyKey,
    body: Json<Checkout>,
    request: HttpRequest,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let (secret, digest) = (cart_secret(&request)?, body.digest());
    let (wish, entry, actor) =
        (body.into_inner().wish()?, permit.entry().clone(), permit.actor().to_string());
    let mode = payments::demand_mode(permit.actor(), wish.provider)?;
    let (door, network) = (Door::Carts, origin.network);
    let purchase = Purchase { entry, door, cart: *id, secret, wish, actor, mode, network };
    let (till, inside) = (till.get_ref().clone(), permit.clone());
    let (reply, kept) = outlive(async move { pay(till, inside, key, digest, purchase).await }).await?;
    if kept { permit.replay(reply) } else { permit.send(reply) }
}

/// A cart to be bought on the hosted page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCheckoutSession {
    lines: Vec<NewCartLine>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    email: Option<Email>,
    #[serde(default)]
    shipping_address: Option<Address>,
    /// Where the shopper goes when the order is placed.
    #[serde(default)]
    success_url: Option<Text<2048>>,
    /// Where the shopper goes who changes their mind.
    #[serde(default)]
    cancel_url: Option<Text<2048>>,
}

/// A hosted checkout.
#[derive(Debug, Serialize, ToSchema)]
struct CheckoutSessionView {
    id: CheckoutSessionId,
    /// Send the shopper there.
    #[schema(example = "https://acme.example.com/checkout/cks_01h455vb4pex5vsknk084sn02q#Vd3iP0f0…")]
    url: String,
    cart: CartId,
    /// The cart's secret; also behind the `#` of the URL, where servers do not see it.
    secret: String,
}

/// Start a hosted checkout in one call
#[utoipa::path(tag = "Shopping", operation_id = "createCheckoutSession", request_body = NewCheckoutSession, responses(
    (status = 201, body = CheckoutSessionView), (status = 400, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/checkout-sessions")]
async fn create_checkout_session(
    permit: Permit<Use>,
    till: web::Data<Till>,
    body: Json<NewCheckoutSession>,
) -> Result<HttpResponse, Problem> {
    let (entry, customer) = (permit.entry().clone(), permit.actor().customer());
    let NewCheckoutSession { lines, email, shipping_address, success_url, cancel_url } = body.into_inner();
    let mut url = url::Url::parse(&till.address.of(&entry))
        .map_err(|error| Problem::new(&problem::INTERNAL).source(error))?;
    for (name, address) in [("success_url", &success_url), ("cancel_url", &cancel_url)] {
        let Some(address) = address else { continue };
        // Hosts that only a provider's settings allow are checked again, with them, when it is paid.
        if !may_return_to(address.as_str(), &entry, &Setup::default(), ProviderCode::Test) {
            return Err(CheckoutError::ReturnUrl.into());
        }
        url.query_pairs_mut().append_pair(name, address.as_str());
    }
    let new = NewCart { lines, email, shipping_address, customer, ..NewCart::default() };
    let (cart, secret) = permit
        .write("checkout.session", async move |tx: &mut WriteTx<'_>| cart::create(tx, new).await)
        .await?;
    let id = CheckoutSessionId::from_uuid(cart.id.uuid());
    url.set_path(&format!("/checkout/{id}"));
    url.set_fragment(Some(secret.expose()));
    let view = CheckoutSessionView { id, url: url.into(), cart: cart.id, secret: secret.expose().to_owned() };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// How a payment went, for whoever has no page to go to.
#[derive(Debug, Serialize, ToSchema)]
struct ReturnView {
    order: OrderId,
    status: CheckoutStatus,
}

/// Where the provider sends the shopper
///
/// Asks the provider how it went, settles it, and sends the shopper on to the address given at the checkout. Nothing in this request's
/// address is believed.
#[utoipa::path(tag = "Shopping", operation_id = "paymentReturn", params(("session" = PaymentSessionId, Path)), responses(
    (status = 303, description = "On to the storefront, with `order` and `status`"),
    (status = 200, body = ReturnView), (status = 404, body = Problem)))]
#[get("/store/v1/payment-return/{session}")]
async fn payment_return(
    permit: Permit<Use>,
    till: web::Data<Till>,
    session: Path<PaymentSessionId>,
) -> Result<HttpResponse, Problem> {
    let (id, till, inside) = (*session, till.get_ref().clone(), permit.clone());
    let (session, status) = outlive(async move { Ok(come_back(&till, &inside, id).await?) }).await?;
    let next = session.return_url.as_deref().and_then(|url| return_address(url, session.order, status));
    let mut reply = match &next {
        Some(_) => HttpResponse::SeeOther(),
        None => HttpResponse::Ok(),
    };
    reply.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(match next {
        Some(next) => reply.insert_header((header::LOCATION, next)).finish(),
        None => reply.json(ReturnView { order: session.order, status }),
    })
}

/// Settles what the provider says now. A provider that does not answer leaves it to the poller.
async fn come_back(
    till: &Till,
    permit: &Permit<Use>,
    id: PaymentSessionId,
) -> Result<(payments::PaymentSession, CheckoutStatus), CheckoutError> {
    let held = permit
        .read::<_, CheckoutError, _>(
            "checkout.return.look",
            async move |tx| Ok(payments::held(tx, id).await?),
        )
        .await?
        .ok_or(CheckoutError::SessionUnknown)?;
    let said = match till.providers.of(held.session.provider) {
        Some(provider) => provider.fetch(permit.store(), &held.session).await.unwrap_or_default(),
        None => None,
    };
    let (order, actor) = (held.session.order, permit.actor().to_string());
    let work = async move |tx: &mut WriteTx<'_>| {
        if let Some(fact) = said {
            settle(tx, id, &fact, &actor).await?;
        }
        Ok(CheckoutStatus::of(&orders::view(tx, order).await?))
    };
    let status = permit.write::<_, CheckoutError, _>("checkout.return.settle", work).await?;
    Ok((held.session, status))
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookView {
    /// `settled`, `known`, `flagged`, `duplicate`, or `ignored` for what is about nothing of ours.
    #[schema(example = "settled")]
    outcome: &'static str,
}

/// Where a provider tells what happened
///
/// Signed as Standard Webhooks say; those of `stripe` by `Stripe-Signature`, with the signing secret of the store's own endpoint. Each event is
/// taken in once; another store's is not found here.
#[utoipa::path(tag = "Providers", operation_id = "paymentWebhook",
    params(("provider" = String, Path), ("webhook-id" = Option<String>, Header), ("webhook-timestamp" = Option<String>, Header),
        ("webhook-signature" = Option<String>, Header), ("Stripe-Signature" = Option<String>, Header)),
    request_body(content = serde_json::Value, content_type = "application/json",
        example = json!({"type": "payment.updated", "data": {"id": "pay_1"}})), responses(
    (status = 200, body = WebhookView), (status = 400, body = Problem), (status = 404, body = Problem),
    (status = 503, body = Problem)))]
#[post("/webhooks/payments/{provider}")]
async fn payment_webhook(
    permit: Permit<Use>,
    till: web::Data<Till>,
    provider: Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = souk_api::whole_body(payload, MOST_BYTES).await?;
    let unknown = || Problem::new(&problem::NOT_FOUND);
    let code = ProviderCode::parse(&provider).ok_or_else(unknown)?;
    let provider = till.providers.of(code).ok_or_else(unknown)?;
    let account = if code.has_account() {
        let look =
            async move |tx: &mut ReadTx<'_>| Ok::<_, CheckoutError>(payments::account(tx, code).await?);
        permit.read("checkout.webhook.account", look).await?
    } else {
        None
    };
    let headers = signature_of(&request);
    let event = provider.read_webhook(permit.store(), account.as_ref(), &headers, &body).await;
    let event = event.map_err(|error| match error {
        // Sent again, it is heard.
        WebhookError::Away(_) => Problem::new(&PROVIDER_AWAY).retry_after(5).source(error),
        _ => Problem::new(&WEBHOOK_REFUSED).source(error),
    })?;
    let session = match &event.about {
        About::Payment(session, _) => session.ok_or_else(unknown)?,
        About::Dispute(session, _) => *session,
        About::Nothing => return Ok(HttpResponse::Ok().json(WebhookView { outcome: "ignored" })),
    };
    let actor = format!("provider:{}", code.as_str());
    let work = async move |tx: &mut WriteTx<'_>| {
        if payments::held(tx, session).await?.is_none() {
            return Err(CheckoutError::SessionUnknown);
        }
        if !payments::hear(tx, code, &event).await? {
            return Ok("duplicate");
        }
        let settled = match &event.about {
            About::Payment(_, fact) => settle(tx, session, fact, &actor).await?,
            About::Dispute(_, fact) => contest(tx, session, fact, &actor).await?,
            About::Nothing => Settled::Known,
        };
        payments::record_outcome(tx, code, &event, settled.as_str()).await?;
        Ok(settled.as_str())
    };
    let outcome = permit.write::<_, CheckoutError, _>("checkout.webhook", work).await?;
    Ok(HttpResponse::Ok().json(WebhookView { outcome }))
}

/// No notification of a provider is larger.
const MOST_BYTES: usize = 256 * 1024;

fn signature_of(request: &HttpRequest) -> WebhookHeaders {
    let text =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    WebhookHeaders {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        stripe: text("stripe-signature"),
    }
}

/// Take the money that is held for an order
///
/// All of it, or `amount`; what is not taken is let go, so there is one capture per payment. The order is `partially_paid` then, and no more than was
/// taken can be refunded.
#[utoipa::path(tag = "Orders", operation_id = "captureOrder",
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = CaptureWish, responses(
    (status = 200, body = OrderView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
#[post("/admin/v1/orders/{id}/capture")]
async fn capture_order(
    permit: Permit<Capture>,
    till: web::Data<Till>,
    id: Path<OrderId>,
    key: IdempotencyKey,
    body: Json<CaptureWish>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, till, inside) = (*id, body.digest(), till.get_ref().clone(), permit.clone());
    let amount = body.amount;
    let (reply, kept) = outlive(async move { capture(till, inside, key, digest, id, amount).await }).await?;
    if kept { permit.replay(reply) } else { permit.send(reply) }
}

/// How much to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount_minor": 100, "currency": "EUR"}}))]
struct CaptureWish {
    /// More than nothing and at most what is held; all of it when left out.
    amount: Option<Money>,
}

/// `{}`: there is nothing to choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoWish {}

/// Say that an order was paid outside of any provider
#[utoipa::path(tag = "Orders", operation_id = "markOrderPaid",
    params(("id" = OrderId, Path), ("Idempotency-Key" = String, Header)), request_body = NoWish, responses(
    (status = 200, body = OrderView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/admin/v1/orders/{id}/mark-paid")]
async fn mark_order_paid(
    permit: Permit<MarkPaid>,
    id: Path<OrderId>,
    key: IdempotencyKey,
    body: Json<NoWish>,
) -> Result<HttpResponse, Problem> {
    let (id, digest, actor) = (*id, body.digest(), permit.actor().to_string());
    permit
        .write_once("orders.mark_paid", &key, digest, async move |tx: &mut WriteTx<'_>| {
            mark_paid(tx, id, &actor).await
        })
        .await
}
