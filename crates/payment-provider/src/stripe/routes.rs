//! Stripe's paths: forms in, JSON out.

use super::Stripe;
use super::account::{Account, Card, Given};
use super::control::Decision;
use super::form::Form;
use super::refusal::Refusal;
use super::sender::Manners;
use crate::routes::Pace;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

type Outcome = Result<Value, Refusal>;

/// Adds Stripe's paths to a server that has a [`Pace`].
pub fn routes(stripe: Stripe) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(web::Data::new(stripe));
        for kind in
            ["payment_intents", "refunds", "disputes", "events", "webhook_endpoints", "checkout/sessions"]
        {
            config
                .route(&format!("/v1/{kind}"), web::get().to(read))
                .route(&format!("/v1/{kind}"), web::post().to(change))
                .route(&format!("/v1/{kind}/{{id}}"), web::get().to(read))
                .route(&format!("/v1/{kind}/{{id}}/{{what}}"), web::post().to(change));
        }
        config
            .route("/stripe/pay/{id}", web::get().to(page))
            .route("/stripe/pay/{id}", web::post().to(decide))
            .route("/stripe/settle/{id}", web::post().to(settle))
            .route("/stripe/dispute/{id}", web::post().to(dispute));
    }
}

/// The account of a call.
fn key_of(request: &HttpRequest) -> Result<String, Refusal> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let key = header.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
    let known = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"].iter().any(|start| key.starts_with(start));
    if known && !key.contains("revoked") {
        return Ok(key.to_owned());
    }
    Err(Refusal::of(401, "invalid_request_error", "", "Invalid API Key provided."))
}

/// The kind of thing a path is about, its name, and what is done.
fn parts_of(path: &str) -> (&str, Option<&str>, Option<&str>) {
    let path = path.trim_start_matches("/v1/");
    let (kind, rest) = match path.strip_prefix("checkout/sessions") {
        Some(rest) => ("checkout/sessions", rest.trim_start_matches('/')),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let mut rest = rest.split('/').filter(|part| !part.is_empty());
    (kind, rest.next(), rest.next())
}

async fn read(stripe: web::Data<Stripe>, request: HttpRequest) -> HttpResponse {
    let form = Form::read(request.query_string());
    let outcome = key_of(&request).and_then(|key| {
        stripe.within(&key, |account| {
            let (kind, id, _) = parts_of(request.path());
            let object = match kind {
                "payment_intents" => "payment_intent",
                "checkout/sessions" => "checkout.session",
                "refunds" => "refund",
                "disputes" => "dispute",
                "events" => "event",
                _ => "webhook_endpoint",
            };
            match id {
                Some(id) => Ok(account.expanded(account.find(object, id)?, &form.expansions())),
                None => list(account, object, &form),
            }
        })
    });
    answer(outcome)
}

fn list(account: &Account, object: &str, form: &Form) -> Outcome {
    form.only(&["limit", "created", "starting_after", "payment_intent", "type"])?;
    let (from, to) = (form.number("created[gte]")?, form.number("created[lte]")?);
    let limit = usize::try_from(form.number("limit")?.unwrap_or(10)).unwrap_or(10);
    let fits = |thing: &Value| {
        let made = thing["created"].as_i64().unwrap_or_default();
        let same = |name: &str| form.get(name).is_none_or(|wanted| thing[name] == wanted);
        from.is_none_or(|from| made >= from)
            && to.is_none_or(|to| made <= to)
            && same("payment_intent")
            && same("type")
    };
    let mut found = account.all(object, fits);
    if let Some(last) = form.get("starting_after") {
        let place = found.iter().position(|thing| thing["id"] == last).map_or(found.len(), |place| place + 1);
        found.drain(..place);
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    Ok(json!({ "object": "list", "data": found, "has_more": has_more }))
}

async fn change(
    stripe: web::Data<Stripe>,
    pace: web::Data<Pace>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let key = match key_of(&request) {
        Ok(key) => key,
        Err(refusal) => return answer(Err(refusal)),
    };
    let form = Form::read(&String::from_utf8_lossy(&body));
    let idempotency = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    let idempotency = idempotency.map(str::to_owned);
    let path = request.path().to_owned();
    let digest = Sha256::new().chain_update(&path).chain_update([0]).chain_update(&body).finalize();
    let fingerprint: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = form.get("payment_method").unwrap_or_default().to_owned();
    let (given, replayed) = stripe.within(&key, |account| {
        if let Some(known) = idempotency.as_ref().and_then(|name| account.answers.get(name)) {
            if known.fingerprint == fingerprint {
                return (known.clone(), true);
            }
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return (given(Err(Refusal::of(400, "idempotency_error", "", message)), &fingerprint), false);
        }
        let name = idempotency.clone().unwrap_or_default();
        if token == "pm_fake_500_then_ok" && !account.failed_once.contains(&name) {
            account.failed_once.push(name);
            return (given(Err(Refusal::of(500, "api_error", "", "Something went wrong.")), &fingerprint), false);
        }
        let outcome = work(account, &path, &form);
        let kept = !matches!(&outcome, Err(refusal) if refusal.status == 400 || refusal.status == 404);
        let given = given(outcome, &fingerprint);
        if let Some(name) = idempotency.clone().filter(|_| kept) {
            account.answers.insert(name, given.clone());
        }
        (given, false)
    });
    if token == "pm_fake_timeout" && !replayed {
        tokio::time::sleep(pace.silence).await;
        return HttpResponse::GatewayTimeout().finish();
    }
    let mut response =
        HttpResponse::build(StatusCode::from_u16(given.status).unwrap_or(StatusCode::BAD_REQUEST));
    if replayed {
        response.insert_header(("idempotent-replayed", "true"));
    }
    response.content_type(ContentType::json()).body(given.body)
}

fn given(outcome: Outcome, fingerprint: &str) -> Given {
    let (status, body) = match outcome {
        Ok(thing) => (200, thing),
        Err(refusal) => (refusal.status, refusal.body),
    };
    Given { fingerprint: fingerprint.to_owned(), status, body: body.to_string() }
}

fn work(account: &mut Account, path: &str, form: &Form) -> Outcome {
    let thing = match parts_of(path) {
        ("payment_intents", None, None) => confirm(account, form)?,
        ("payment_intents", Some(id), Some("capture")) => account.capture(id, form)?,
        ("payment_intents", Some(id), Some("cancel")) => account.cancel(id, form)?,
        ("checkout/sessions", None, None) => account.open_page(form)?,
        ("checkout/sessions", Some(id), Some("expire")) => account.expire(id)?,
        ("refunds", None, None) => account.refund(form)?,
        ("webhook_endpoints", None, None) => {
            form.only(&["url", "enabled_events", "metadata"])?;
            let manners = form.get("metadata[souk_delivery]").unwrap_or_default();
            if Manners::of(manners).is_none() {
                let message = "metadata[souk_delivery] must be of duplicate, delay and reorder, with commas.";
                return Err(Refusal::invalid("parameter_invalid", message));
            }
            let endpoint = json!({ "id": Account::name("we"), "object": "webhook_endpoint", "url": form.need("url")?,
                "secret": Account::name("whsec"), "metadata": form.map("metadata"), "created": account.now });
            account.keep(&endpoint);
            endpoint
        }
        _ => return Err(Refusal::of(404, "invalid_request_error", "", "Unrecognized request URL.")),
    };
    Ok(account.expanded(thing, &form.expansions()))
}

fn confirm(account: &mut Account, form: &Form) -> Outcome {
    form.only(&[
        "amount",
        "currency",
        "confirm",
        "payment_method",
        "confirmation_token",
        "automatic_payment_methods",
        "capture_method",
        "return_url",
        "metadata",
    ])?;
    let amount = form.number("amount")?.filter(|amount| (1..=99_999_999).contains(amount));
    let amount =
        amount.ok_or_else(|| Refusal::invalid("parameter_missing", "Missing required param: amount."))?;
    let token = form.get("payment_method").or_else(|| form.get("confirmation_token")).unwrap_or_default();
    let card = Card::of(token)?;
    let manual = form.get("capture_method") == Some("manual");
    let mut intent = account.new_intent(amount, form.need("currency")?, manual, &form.map("metadata"));
    intent["return_url"] = json!(form.need("return_url")?);
    let intent = account.pay(intent, &card);
    if let Card::Declined(code) = card {
        let mut refusal = Refusal::declined(code);
        refusal.body["error"]["payment_intent"] = intent;
        return Err(refusal);
    }
    Ok(intent)
}

async fn page(stripe: web::Data<Stripe>, id: web::Path<String>) -> HttpResponse {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Test payment</title>\
        <h1>Pay</h1><p>No real money moves: this is a test.</p><form method=\"post\">\
        <button name=\"decision\" value=\"approve\">Approve</button> <button name=\"decision\" value=\"decline\">Decline</button> \
        <button name=\"decision\" value=\"debit\">Pay by direct debit</button></form></html>";
    match stripe.beside(&id, |_| ()) {
        Some(()) => HttpResponse::Ok().content_type(ContentType::html()).body(page),
        None => answer(Err(Refusal::missing(&id))),
    }
}

async fn decide(stripe: web::Data<Stripe>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let form = Form::read(&String::from_utf8_lossy(&body));
    let Some(decision) = form.get("decision").and_then(Decision::of) else {
        return answer(Err(Refusal::invalid(
            "parameter_missing",
            "decision must be approve, decline or debit",
        )));
    };
    match stripe.beside(&id, |account| account.decide(&id, decision)) {
        Some(Ok(Some(next))) => HttpResponse::SeeOther().insert_header(("location", next)).finish(),
        Some(Ok(None)) => HttpResponse::NoContent().finish(),
        Some(Err(refusal)) => answer(Err(refusal)),
        None => answer(Err(Refusal::missing(&id))),
    }
}

async fn settle(stripe: web::Data<Stripe>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let form = Form::read(&String::from_utf8_lossy(&body));
    let arrives = form.get("outcome") == Some("succeeded");
    let outcome = stripe.beside(&id, |account| account.settle(&id, arrives));
    answer(outcome.unwrap_or_else(|| Err(Refusal::missing(&id))))
}

async fn dispute(stripe: web::Data<Stripe>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let form = Form::read(&String::from_utf8_lossy(&body));
    let status = form.get("status").unwrap_or("needs_response").to_owned();
    let outcome = stripe.beside(&id, |account| account.dispute_is(&id, &status));
    answer(outcome.unwrap_or_else(|| Err(Refusal::missing(&id))))
}

fn answer(outcome: Outcome) -> HttpResponse {
    match outcome {
        Ok(thing) => HttpResponse::Ok().json(thing),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            HttpResponse::build(status).json(refusal.body)
        }
    }
}
