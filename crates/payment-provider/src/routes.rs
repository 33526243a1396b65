//! The wire: HTTP in, HTTP out. The protocol is described in the README.

use crate::behaviour::Behaviour;
use crate::desk::{Call, Desk, Mishap, Movement, Reply, Wish, not_found};
use crate::page::{hosted_page, return_address};
use crate::payment::Refusal;
use crate::stripe;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long the misbehaviours take; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What a slow call takes.
    pub slow: Duration,
    /// How long an answer that does not come keeps the caller waiting before the 504.
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { slow: Duration::from_secs(3), silence: Duration::from_secs(30) }
    }
}

/// The whole service.
pub fn routes(desk: Desk, pace: Pace) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let stripe = desk.stripe();
        config
            .configure(stripe::routes::routes(stripe))
            .app_data(web::Data::new(desk))
            .app_data(web::Data::new(pace))
            .app_data(web::PayloadConfig::new(64 * 1024))
            .route("/v1/payments", web::post().to(create))
            .route("/v1/payments", web::get().to(list))
            .route("/v1/payments/{id}", web::get().to(show))
            .route("/v1/payments/{id}/{movement}", web::post().to(move_money))
            .route("/pay/{id}", web::get().to(page))
            .route("/pay/{id}", web::post().to(decide))
            .route("/book", web::get().to(book))
            .default_service(web::to(async || {
                refused(&Refusal::new(404, "not_found", "there is no such path"))
            }));
    }
}

async fn create(
    desk: web::Data<Desk>,
    pace: web::Data<Pace>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let checked = call(&request, &body).and_then(|call| {
        let wish: Wish = parsed(&body)?;
        Ok((call, wish.checked()?))
    });
    match checked {
        Err(refusal) => refused(&refusal),
        Ok((call, wish)) => {
            take_time(wish.behaviour(), &pace).await;
            answered(desk.create(&call, wish), &pace).await
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MovementBody {
    amount_minor: Option<i64>,
    #[serde(rename = "reason")]
    _reason: Option<String>,
}

async fn move_money(
    desk: web::Data<Desk>,
    pace: web::Data<Pace>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Bytes,
) -> HttpResponse {
    let (id, movement) = path.into_inner();
    let checked = call(&request, &body).and_then(|call| {
        let body: MovementBody = if body.is_empty() { MovementBody::default() } else { parsed(&body)? };
        let movement = match movement.as_str() {
            "capture" => Movement::Capture(body.amount_minor),
            "refund" => Movement::Refund(body.amount_minor),
            "void" if body.amount_minor.is_none() => Movement::Void,
            "void" => {
                return Err(Refusal::new(
                    422,
                    "invalid_request",
                    "a void releases everything: no amount_minor",
                ));
            }
            _ => return Err(Refusal::new(404, "not_found", "there is no such path")),
        };
        Ok((call, movement))
    });
    match checked {
        Err(refusal) => refused(&refusal),
        Ok((call, movement)) => {
            take_time(desk.behaviour_of(&call.account, &id), &pace).await;
            answered(desk.move_money(&call, &id, movement), &pace).await
        }
    }
}

async fn show(desk: web::Data<Desk>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let book = desk.book();
    let found = account(&request).and_then(|account| book.payment_of(&account, &id).ok_or_else(not_found));
    match found {
        Ok(payment) => HttpResponse::Ok().json(payment.shown()),
        Err(refusal) => refused(&refusal),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    reference: String,
}

async fn list(desk: web::Data<Desk>, request: HttpRequest) -> HttpResponse {
    let Ok(query) = web::Query::<ListQuery>::from_query(request.query_string()) else {
        return refused(&Refusal::new(422, "invalid_request", "the one query parameter is reference"));
    };
    match account(&request) {
        Err(refusal) => refused(&refusal),
        Ok(account) => {
            let book = desk.book();
            let data: Vec<_> =
                book.by_reference(&account, &query.reference).into_iter().map(|p| p.shown()).collect();
            HttpResponse::Ok().json(json!({ "data": data }))
        }
    }
}

async fn page(desk: web::Data<Desk>, id: web::Path<String>) -> HttpResponse {
    match desk.book().payment(&id) {
        Some(payment) => HttpResponse::Ok().content_type(ContentType::html()).body(hosted_page(payment)),
        None => refused(&not_found()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Approve,
    Decline,
}

#[derive(Deserialize)]
struct Decision {
    decision: Choice,
}

async fn decide(desk: web::Data<Desk>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let form = std::str::from_utf8(&body).ok().and_then(|text| web::Query::<Decision>::from_query(text).ok());
    let Some(form) = form else {
        return refused(&Refusal::new(422, "invalid_request", "decision must be approve or decline"));
    };
    match desk.decide(&id, matches!(form.decision, Choice::Approve)) {
        Err(refusal) => refused(&refusal),
        Ok(payment) => match return_address(&payment) {
            Some(address) => HttpResponse::SeeOther().insert_header(("location", address)).finish(),
            None => HttpResponse::Ok().content_type(ContentType::html()).body(hosted_page(&payment)),
        },
    }
}

async fn book(desk: web::Data<Desk>) -> HttpResponse {
    HttpResponse::Ok().json(desk.book().shown())
}

fn call(request: &HttpRequest, body: &[u8]) -> Result<Call, Refusal> {
    let malformed = || {
        let message = "Idempotency-Key must be 1 to 255 visible ASCII characters";
        Refusal::new(400, "idempotency_key_missing", message)
    };
    let key =
        request.headers().get("idempotency-key").and_then(|key| key.to_str().ok()).ok_or_else(malformed)?;
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed());
    }
    let mut digest = Sha256::new();
    digest.update(request.path());
    digest.update([0]);
    digest.update(body);
    let fingerprint = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Call { account: account(request)?, key: key.to_owned(), fingerprint })
}

fn account(request: &HttpRequest) -> Result<String, Refusal> {
    let Some(header) = request.headers().get("authorization") else { return Ok("default".to_owned()) };
    let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
    match token {
        Some(token) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err(Refusal::new(401, "unauthorized", "Authorization must be: Bearer <account>")),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let status = if error.is_data() { 422 } else { 400 };
        Refusal::new(status, "invalid_request", error.to_string())
    })
}

async fn take_time(behaviour: Behaviour, pace: &Pace) {
    if behaviour == Behaviour::Slow {
        tokio::time::sleep(pace.slow).await;
    }
}

async fn answered(outcome: Result<Reply, Refusal>, pace: &Pace) -> HttpResponse {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(refusal) => return refused(&refusal),
    };
    match reply.mishap {
        Some(Mishap::Silence) => {
            tokio::time::sleep(pace.silence).await;
            refused(&Refusal::new(504, "timeout", "the answer did not come in time"))
        }
        Some(Mishap::HalfAnswer) => {
            let half: String = reply.body.chars().take(reply.body.chars().count() / 2).collect();
            HttpResponse::Ok().content_type(ContentType::json()).body(half)
        }
        None => {
            let mut response = builder(reply.status);
            if reply.replayed {
                response.insert_header(("idempotent-replayed", "true"));
            }
            response.content_type(ContentType::json()).body(reply.body)
        }
    }
}

fn refused(refusal: &Refusal) -> HttpResponse {
    builder(refusal.status).json(json!({ "error": { "code": refusal.code, "message": refusal.message } }))
}

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}
