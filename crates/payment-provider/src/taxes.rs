//! A tax service: everything taxable owes ten per cent, and it misbehaves on request. Stores ask it at `/taxes/estimates`, signed as webhooks are;
//! what becomes of orders is told
//! there too. `PUT /taxes/behaviour` says how it answers from now on.

use crate::webhook::WebhookSecret;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What it takes of everything: ten per cent.
const RATE: i64 = 100_000;
const WHOLE: i64 = 1_000_000;
/// Longer than any store waits.
const SILENCE: Duration = Duration::from_secs(15);
/// More than the question about the longest cart has.
const LARGEST_QUESTION: usize = 1024 * 1024;
/// More than any store reads.
const HUGE: usize = 5 * 1024 * 1024;

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxBehaviour {
    /// As it should.
    #[default]
    Well,
    /// Not for a long time.
    Hangs,
    /// With 503.
    Down,
    /// With 200 and a page for people.
    Nonsense,
    /// With 200 and five megabytes.
    Huge,
    /// More tax than the goods cost.
    Greedy,
    /// In another currency.
    Foreign,
    /// Without the last line.
    Forgetful,
}

/// The service; clones share it.
#[derive(Clone)]
pub struct Taxes {
    secret: WebhookSecret,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    behaviour: TaxBehaviour,
    asked: u32,
    /// What became of orders, each once, by the id it came with.
    filed: Vec<(String, Value)>,
}

/// How it shall answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BehaviourBody {
    behaviour: TaxBehaviour,
}

impl Taxes {
    /// A service that believes questions signed with `secret`.
    #[must_use]
    pub fn new(secret: WebhookSecret) -> Self {
        Self { secret, state: Arc::default() }
    }

    /// How it answers from now on.
    pub fn behave(&self, behaviour: TaxBehaviour) {
        self.with(|state| state.behaviour = behaviour);
    }

    /// What it was told of orders, each once, in the order it came.
    #[must_use]
    pub fn filed(&self) -> Vec<Value> {
        self.with(|state| state.filed.iter().map(|(_, news)| news.clone()).collect())
    }

    /// How often it was asked what something owes, however it answered.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.with(|state| state.asked)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn signed(&self, request: &HttpRequest, body: &str) -> bool {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let timestamp = header("webhook-timestamp").and_then(|text| text.parse().ok());
        let parts = header("webhook-id").zip(timestamp).zip(header("webhook-signature"));
        parts.is_some_and(|((id, timestamp), signature)| self.secret.sign(id, timestamp, body) == signature)
    }
}

/// The service's paths. Mount them before what takes every path.
pub fn routes(taxes: Taxes) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let scope = web::scope("/taxes")
            .app_data(web::Data::new(taxes))
            .app_data(web::PayloadConfig::new(LARGEST_QUESTION))
            .route("/estimates", web::post().to(estimate))
            .route("/behaviour", web::put().to(behave));
        config.service(scope);
    }
}

async fn behave(taxes: web::Data<Taxes>, body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<BehaviourBody>(&body) {
        Ok(wish) => {
            taxes.behave(wish.behaviour);
            HttpResponse::Ok().json(wish)
        }
        Err(error) => HttpResponse::BadRequest().json(json!({ "error": error.to_string() })),
    }
}

async fn estimate(taxes: web::Data<Taxes>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    if !taxes.signed(&request, text) {
        return HttpResponse::Unauthorized().json(json!({ "error": "the signature is not right" }));
    }
    let Ok(question) = serde_json::from_str::<Value>(text) else {
        return HttpResponse::BadRequest().json(json!({ "error": "the question cannot be read" }));
    };
    let behaviour = taxes.with(|state| state.behaviour);
    if question["type"] != "tax.estimate" {
        if behaviour != TaxBehaviour::Well {
            return HttpResponse::ServiceUnavailable().finish();
        }
        let id =
            request.headers().get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
        taxes.with(|state| {
            if state.filed.iter().all(|(known, _)| known != id) {
                state.filed.push((id.to_owned(), question));
            }
        });
        return HttpResponse::Ok().json(json!({}));
    }
    taxes.with(|state| state.asked += 1);
    let mut answer = answer_to(&question);
    match behaviour {
        TaxBehaviour::Well => {}
        TaxBehaviour::Hangs => tokio::time::sleep(SILENCE).await,
        TaxBehaviour::Down => return HttpResponse::ServiceUnavailable().finish(),
        TaxBehaviour::Nonsense => return HttpResponse::Ok().content_type("text/html").body("<h1>Hello</h1>"),
        TaxBehaviour::Huge => answer["padding"] = json!("x".repeat(HUGE)),
        TaxBehaviour::Greedy => {
            let price = question["lines"][0]["amount_minor"].as_i64().unwrap_or_default();
            answer["lines"][0]["tax_lines"] = json!([tax_line(price.saturating_add(1))]);
        }
        TaxBehaviour::Foreign => answer["currency"] = json!("XAF"),
        TaxBehaviour::Forgetful => {
            answer["lines"].as_array_mut().and_then(Vec::pop);
        }
    }
    HttpResponse::Ok().json(answer)
}

fn answer_to(question: &Value) -> Value {
    let inclusive = question["prices_include_tax"] == true;
    let exempt = !question["exemption"].is_null();
    let taxes = |amount: &Value, taxable: bool| {
        let owed = amount.as_i64().filter(|_| taxable && !exempt);
        owed.map(|amount| tax_line(tax_on(amount, inclusive))).into_iter().collect::<Vec<_>>()
    };
    let lines = question["lines"].as_array().into_iter().flatten().map(|line| {
        let taxable = line["taxable"] == true;
        json!({ "reference": line["reference"], "tax_lines": taxes(&line["amount_minor"], taxable) })
    });
    let delivery = &question["shipping_minor"];
    let shipping =
        if delivery.is_null() { Value::Null } else { json!({ "tax_lines": taxes(delivery, true) }) };
    json!({
        "currency": question["currency"], "prices_include_tax": inclusive,
        "lines": lines.collect::<Vec<_>>(), "shipping": shipping,
    })
}

fn tax_line(amount: i64) -> Value {
    json!({ "name": "Sales tax", "jurisdiction": "DE-BE", "rate_ppm": RATE, "amount_minor": amount })
}

/// Half up; of prices that include tax, what is inside.
fn tax_on(amount: i64, inclusive: bool) -> i64 {
    let rounded = |part: i64, whole: i64| {
        let (part, whole) = (i128::from(part), i128::from(whole));
        i64::try_from((part * 2 + whole) / (whole * 2)).unwrap_or(i64::MAX)
    };
    if inclusive {
        amount.saturating_sub(rounded(amount.saturating_mul(WHOLE), WHOLE + RATE))
    } else {
        rounded(amount.saturating_mul(RATE), WHOLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_per_cent_of_everything() {
        assert_eq!((tax_on(1000, false), tax_on(1000, true), tax_on(490, true)), (100, 91, 45));
        let question = json!({ "currency": "EUR", "prices_include_tax": true, "exemption": null, "shipping_minor": null,
            "lines": [{ "reference": 0, "amount_minor": 1000, "taxable": true }, { "reference": 1, "amount_minor": 5, "taxable": false }] });
        let answer = answer_to(&question);
        assert_eq!(answer["lines"][0]["tax_lines"][0]["amount_minor"], 91);
        assert_eq!((&answer["lines"][1]["tax_lines"], &answer["shipping"]), (&json!([]), &Value::Null));
    }
}
