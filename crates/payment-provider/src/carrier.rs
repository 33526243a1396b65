//! A carrier's program that says what a parcel costs, well or badly: the README's "Carrier".

use crate::payment::Refusal;
use crate::routes::{Pace, parsed, refused};
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More than anybody wants to read.
const FLOOD: usize = 5 * 1024 * 1024;

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Two services: `standard` for 5.00 and 1.00 for each kilogram begun, `express` for 12.00.
    #[default]
    Answers,
    /// The answer does not come in time.
    Hangs,
    /// 500.
    Fails,
    /// The prices are in another currency.
    WrongCurrency,
    /// A price is negative.
    Negative,
    /// Half a JSON document.
    BrokenJson,
    /// 5 MB.
    Floods,
    /// Sends the caller to another address.
    Redirects,
}

/// What it was asked.
#[derive(Clone, Debug, Serialize)]
struct Asked {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

#[derive(Default)]
struct State {
    manner: Manner,
    asked: Vec<Asked>,
}

/// The program; clones share what it remembers.
#[derive(Clone, Default)]
pub struct Carrier(Arc<Mutex<State>>);

impl Carrier {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `/carrier`.
pub fn routes(carrier: Carrier) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(carrier))
            .route("/carrier/rates", web::post().to(rates))
            .route("/carrier", web::get().to(show))
            .route("/carrier", web::put().to(behave));
    }
}

async fn rates(
    carrier: web::Data<Carrier>,
    pace: web::Data<Pace>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let asked = Asked {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let manner = {
        let mut state = carrier.state();
        state.asked.push(asked);
        state.manner
    };
    let question: Value = match parsed(&body) {
        Ok(question) => question,
        Err(refusal) => return refused(&refusal),
    };
    match manner {
        Manner::Answers | Manner::Negative | Manner::WrongCurrency => {
            HttpResponse::Ok().json(services(&question, manner))
        }
        Manner::Hangs => {
            tokio::time::sleep(pace.silence).await;
            HttpResponse::Ok().json(services(&question, manner))
        }
        Manner::Fails => refused(&Refusal::new(500, "internal", "the carrier is broken")),
        Manner::BrokenJson => {
            HttpResponse::Ok().content_type(ContentType::json()).body(r#"{"services":[{"code":"#)
        }
        Manner::Floods => HttpResponse::Ok().content_type(ContentType::json()).body(" ".repeat(FLOOD)),
        Manner::Redirects => {
            HttpResponse::TemporaryRedirect().insert_header(("location", "/carrier/rates")).finish()
        }
    }
}

fn services(question: &Value, manner: Manner) -> Value {
    let grams = question["parcels"][0]["weight_grams"].as_i64().unwrap_or_default().max(0);
    let currency = match manner {
        Manner::WrongCurrency => json!("CHF"),
        _ => question["currency"].clone(),
    };
    let price = |minor: i64| json!({ "amount_minor": minor, "currency": currency });
    let standard = if manner == Manner::Negative {
        -1
    } else {
        500 + 100 * (grams / 1000 + i64::from(grams % 1000 > 0))
    };
    json!({ "services": [
        { "code": "standard", "title": "Standard parcel", "price": price(standard), "min_days": 2, "max_days": 4 },
        { "code": "express", "title": "Express parcel", "price": price(1200), "min_days": 1, "max_days": 1 },
    ] })
}

async fn show(carrier: web::Data<Carrier>) -> HttpResponse {
    let state = carrier.state();
    HttpResponse::Ok().json(json!({ "manner": state.manner, "asked": state.asked }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Behave {
    manner: Manner,
}

async fn behave(carrier: web::Data<Carrier>, body: web::Bytes) -> HttpResponse {
    match parsed::<Behave>(&body) {
        Ok(wish) => {
            carrier.state().manner = wish.manner;
            HttpResponse::NoContent().finish()
        }
        Err(refusal) => refused(&refusal),
    }
}
