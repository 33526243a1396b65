//! The protocol as a caller sees it, every behaviour once.

use crate::book::Book;
use crate::couriers::Couriers;
use crate::desk::Desk;
use crate::routes::{Pace, routes};
use actix_web::dev::ServiceResponse;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, test, web};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn desk() -> Desk {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let couriers = Couriers::new(SECRET.parse().unwrap()).unwrap();
    let book = Book::open(None).unwrap();
    Desk::new(book, couriers, souk_kernel::Clock::system(), "http://127.0.0.1:8082".into())
}

async fn send(desk: &Desk, request: test::TestRequest) -> ServiceResponse {
    let pace = Pace { slow: Duration::from_millis(150), silence: Duration::from_millis(300) };
    let app = test::init_service(App::new().configure(routes(desk.clone(), pace))).await;
    test::call_service(&app, request.to_request()).await
}

async fn post(desk: &Desk, path: &str, key: &str, body: Value) -> (u16, Value) {
    let request = test::TestRequest::post().uri(path).insert_header(("idempotency-key", key)).set_json(body);
    let response = send(desk, request).await;
    let status = response.status().as_u16();
    let bytes = test::read_body(response).await;
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn get(desk: &Desk, path: &str) -> Value {
    test::read_body_json(send(desk, test::TestRequest::get().uri(path)).await).await
}

fn wish(token: &str) -> Value {
    json!({ "amount_minor": 1999, "currency": "EUR", "reference": "pse_1", "token": token })
}

fn path_of(payment: &Value, movement: &str) -> String {
    format!("/v1/payments/{}/{movement}", payment["id"].as_str().unwrap())
}

/// An ear on a real port: hears webhooks, answers 500 to the first `deaf` of them.
async fn ear(deaf: usize) -> (String, Arc<Mutex<Vec<Value>>>) {
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let remembers = Arc::clone(&heard);
    let refusals = Arc::new(Mutex::new(deaf));
    let server = HttpServer::new(move || {
        let (remembers, refusals) = (Arc::clone(&remembers), Arc::clone(&refusals));
        let hear = move |request: HttpRequest, body: String| {
            let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
            let (id, at) = (header("webhook-id"), header("webhook-timestamp").parse().unwrap());
            let secret: crate::webhook::WebhookSecret = SECRET.parse().unwrap();
            assert_eq!(header("webhook-signature"), secret.sign(&id, at, &body));
            let mut left = refusals.lock().unwrap();
            let answer = if *left > 0 {
                *left -= 1;
                HttpResponse::InternalServerError().finish()
            } else {
                remembers.lock().unwrap().push(serde_json::from_str(&body).unwrap());
                HttpResponse::NoContent().finish()
            };
            async move { answer }
        };
        App::new().route("/hook", web::post().to(hear))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    // A name below localhost, as the stores of a local Souk have.
    (format!("http://acme.localhost:{}/hook", address.port()), heard)
}

async fn kinds(heard: &Mutex<Vec<Value>>, count: usize) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while heard.lock().unwrap().len() < count && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    heard.lock().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_payment_is_captured_once_and_never_over_refunded() {
    let desk = desk();
    let (status, payment) = post(&desk, "/v1/payments", "k1", wish("tok_ok")).await;
    assert_eq!(
        (status, &payment["status"], &payment["captured_minor"]),
        (201, &json!("captured"), &json!(1999))
    );
    let (status, again) = post(&desk, "/v1/payments", "k1", wish("tok_ok")).await;
    assert_eq!((status, &again), (201, &payment));
    let (status, other) = post(&desk, "/v1/payments", "k1", wish("tok_declined")).await;
    assert_eq!((status, &other["error"]["code"]), (422, &json!("idempotency_key_reused")));
    let refund = path_of(&payment, "refund");
    assert_eq!(post(&desk, &refund, "k2", json!({ "amount_minor": 1500 })).await.0, 200);
    assert_eq!(post(&desk, &refund, "k2", json!({ "amount_minor": 1500 })).await.0, 200);
    assert_eq!(post(&desk, &refund, "k3", json!({ "amount_minor": 500 })).await.0, 422);
    let (_, payment) = post(&desk, &refund, "k4", json!({})).await;
    assert_eq!(payment["refunded_minor"], 1999);
    assert_eq!(get(&desk, "/book").await["totals"]["EUR"]["refunded_minor"], 1999);
    let found = get(&desk, "/v1/payments?reference=pse_1").await;
    assert_eq!(found["data"], json!([payment]));
}

#[actix_web::test]
async fn what_is_held_is_captured_in_parts_and_the_rest_released() {
    let desk = desk();
    let mut held = wish("tok_ok");
    held["capture"] = json!(false);
    let (_, payment) = post(&desk, "/v1/payments", "k1", held).await;
    assert_eq!(payment["status"], "authorized");
    let capture = path_of(&payment, "capture");
    assert_eq!(post(&desk, &capture, "k2", json!({ "amount_minor": 2000 })).await.0, 422);
    let (_, payment) = post(&desk, &capture, "k3", json!({ "amount_minor": 999 })).await;
    assert_eq!((&payment["status"], &payment["captured_minor"]), (&json!("captured"), &json!(999)));
    let (_, payment) = post(&desk, &path_of(&payment, "void"), "k4", json!({})).await;
    assert_eq!(payment["voided_minor"], 1000);
    assert_eq!(post(&desk, &capture, "k5", json!({})).await.1["error"]["code"], "not_authorized");
}

#[actix_web::test]
async fn bad_requests_are_refused_and_change_nothing() {
    let desk = desk();
    let changed = |field: &str, value: Value| {
        let mut wish = wish("tok_ok");
        wish[field] = value;
        wish
    };
    for (wrong, status) in [
        (changed("amount_minor", json!(0)), 422),
        (changed("amount_minor", json!(-5)), 422),
        (changed("amount_minor", json!(i64::MAX)), 422),
        (changed("amount_minor", json!(1.5)), 422),
        (changed("currency", json!("EUX")), 422),
        (changed("token", json!("4242424242424242")), 422),
        (changed("return_url", json!("javascript:alert(1)")), 422),
        (changed("surprise", json!(1)), 422),
        (json!([]), 422),
    ] {
        assert_eq!(post(&desk, "/v1/payments", "k", wrong.clone()).await.0, status, "{wrong}");
    }
    assert_eq!(post(&desk, "/v1/payments", "", wish("tok_ok")).await.0, 400);
    assert_eq!(post(&desk, "/v1/payments/pp_none/refund", "k", json!({})).await.0, 404);
    assert_eq!(get(&desk, "/book").await["payments"], json!([]));
}

#[actix_web::test]
async fn an_account_sees_only_its_own() {
    let desk = desk();
    let (_, payment) = post(&desk, "/v1/payments", "k", wish("tok_ok")).await;
    let path = format!("/v1/payments/{}", payment["id"].as_str().unwrap());
    let stranger = test::TestRequest::get().uri(&path).insert_header(("authorization", "Bearer acme"));
    assert_eq!(send(&desk, stranger).await.status(), 404);
}

#[actix_web::test]
async fn the_shopper_decides_on_the_hosted_page() {
    let desk = desk();
    let mut asked = wish("tok_3ds");
    asked["return_url"] = json!("https://shop.example/back?session=1");
    let (_, payment) = post(&desk, "/v1/payments", "k1", asked).await;
    let id = payment["id"].as_str().unwrap().to_owned();
    assert_eq!(payment["next_action"]["url"], format!("http://127.0.0.1:8082/pay/{id}"));
    let page = format!("/pay/{id}");
    let shown = test::read_body(send(&desk, test::TestRequest::get().uri(&page)).await).await;
    assert!(String::from_utf8_lossy(&shown).contains("Pay 19.99 EUR"));
    let decide = |choice: &'static str| test::TestRequest::post().uri(&page).set_payload(choice);
    assert_eq!(send(&desk, decide("decision=maybe")).await.status(), 422);
    let response = send(&desk, decide("decision=approve")).await;
    let location = response.headers().get("location").unwrap().to_str().unwrap();
    assert_eq!(
        (response.status().as_u16(), location),
        (303, &*format!("https://shop.example/back?session=1&payment={id}"))
    );
    send(&desk, decide("decision=decline")).await;
    assert_eq!(get(&desk, &format!("/v1/payments/{id}")).await["status"], "captured");

    let (_, payment) = post(&desk, "/v1/payments", "k2", wish("tok_3ds")).await;
    let page = format!("/pay/{}", payment["id"].as_str().unwrap());
    send(&desk, test::TestRequest::post().uri(&page).set_payload("decision=decline")).await;
    let found = get(&desk, "/v1/payments?reference=pse_1").await;
    assert_eq!(found["data"][0]["failure"]["code"], "authentication_failed");
}

#[actix_web::test]
async fn answers_go_wrong_but_the_money_does_not() {
    let desk = desk();
    let (status, declined) = post(&desk, "/v1/payments", "k1", wish("tok_declined")).await;
    assert_eq!((status, &declined["failure"]["code"]), (201, &json!("card_declined")));

    let (status, _) = post(&desk, "/v1/payments", "k2", wish("tok_timeout_after_capture")).await;
    assert_eq!(status, 504);
    let (status, payment) = post(&desk, "/v1/payments", "k2", wish("tok_timeout_after_capture")).await;
    assert_eq!((status, &payment["captured_minor"]), (201, &json!(1999)));

    let broken = wish("tok_500_then_ok");
    assert_eq!(post(&desk, "/v1/payments", "k3", broken.clone()).await.0, 500);
    assert_eq!(post(&desk, "/v1/payments", "k3", broken).await.0, 201);

    let (status, half) = post(&desk, "/v1/payments", "k4", wish("tok_broken_json")).await;
    assert_eq!((status, half), (200, Value::Null));
    assert_eq!(post(&desk, "/v1/payments", "k4", wish("tok_broken_json")).await.1["status"], "captured");

    let started = Instant::now();
    post(&desk, "/v1/payments", "k5", wish("tok_slow")).await;
    assert!(started.elapsed() >= Duration::from_millis(150));

    let (_, payment) = post(&desk, "/v1/payments", "k6", wish("tok_refund_declined")).await;
    let (status, refund) = post(&desk, &path_of(&payment, "refund"), "k7", json!({})).await;
    assert_eq!((status, &refund["error"]["code"]), (409, &json!("refund_declined")));
    let totals = get(&desk, "/book").await["totals"]["EUR"].clone();
    assert_eq!(totals["captured_minor"], 1999 * 5);
}

#[actix_web::test]
async fn webhooks_are_signed_ordered_and_tried_again() {
    let desk = desk();
    let (url, heard) = ear(1).await;
    let mut asked = wish("tok_ok");
    asked["webhook_url"] = json!(url);
    post(&desk, "/v1/payments", "k1", asked).await;
    assert_eq!(kinds(&heard, 2).await, ["payment.authorized", "payment.captured"]);
    let events = heard.lock().unwrap().clone();
    assert_eq!([&events[0]["sequence"], &events[1]["sequence"]], [1, 2]);
    let shown = &events[1]["data"]["payment"];
    assert_eq!((&shown["captured_minor"], shown.get("behaviour")), (&json!(1999), None));
    let book = get(&desk, "/book").await;
    assert_eq!(book["webhooks"][0]["attempts"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn webhooks_go_wrong_on_request() {
    for (token, expected) in [
        ("tok_duplicate_webhooks", vec!["payment.authorized"; 3]),
        ("tok_reordered_webhooks", vec!["payment.captured", "payment.authorized"]),
        ("tok_lost_webhook", vec![]),
    ] {
        let desk = desk();
        let (url, heard) = ear(0).await;
        let mut asked = wish(token);
        asked["webhook_url"] = json!(url);
        asked["capture"] = json!(token == "tok_reordered_webhooks");
        post(&desk, "/v1/payments", "k1", asked).await;
        if expected.is_empty() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_eq!(kinds(&heard, expected.len()).await, expected, "{token}");
    }
}

#[actix_web::test]
async fn a_wrong_amount_is_only_in_the_webhook() {
    let desk = desk();
    let (url, heard) = ear(0).await;
    let mut asked = wish("tok_wrong_amount");
    asked["webhook_url"] = json!(url);
    let (_, payment) = post(&desk, "/v1/payments", "k1", asked).await;
    kinds(&heard, 2).await;
    let told = heard.lock().unwrap()[1]["data"]["payment"]["captured_minor"].clone();
    assert_eq!((told, &payment["captured_minor"]), (json!(1998), &json!(1999)));
}
