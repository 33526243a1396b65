//! Carriers' programs: how a merchant names one, what it is asked and what it may answer.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use souk_access::Sealed;
use souk_kernel::{Currency, Money, ShippingCalculatorId, ShippingRateId, Text};
use utoipa::ToSchema;

use super::{MOST_PRICE, Parcel, ShippingOption};

/// Services that one answer may have.
pub const MOST_SERVICES: usize = 20;

/// A carrier's program as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Parcel service", "url": "https://rates.example.com/souk", "fallback_price": {"amount_minor": 690, "currency": "EUR"}}))]
pub struct NewCalculator {
    pub name: Text<60>,
    /// Asked by POST, signed as webhooks are. An `https` address of the open internet.
    #[schema(example = "https://rates.example.com/souk")]
    pub url: Text<2000>,
    /// How long a whole answer may take, in milliseconds. A shopper waits for it.
    #[serde(default = "usual_timeout")]
    #[schema(minimum = 100, maximum = 5000, default = 2000)]
    pub timeout_ms: i32,
    /// For how long an answer about the same parcel holds.
    #[serde(default = "usual_cache")]
    #[schema(minimum = 60, maximum = 86_400, default = 900)]
    pub cache_seconds: i32,
    /// Offered under the rate's name while no answer can be had, by rates of its currency, with their mark-up. Without it, nothing is.
    pub fallback_price: Option<Money>,
}

const fn usual_timeout() -> i32 {
    2000
}

const fn usual_cache() -> i32 {
    900
}

impl NewCalculator {
    /// What the types cannot say, the address aside: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(100..=5000).contains(&self.timeout_ms) {
            return Err(("/timeout_ms", "must be 100 to 5000"));
        }
        if !(60..=86_400).contains(&self.cache_seconds) {
            return Err(("/cache_seconds", "must be 60 to 86400"));
        }
        match self.fallback_price {
            Some(price) if !(0..=MOST_PRICE).contains(&price.minor()) => {
                Err(("/fallback_price", "must be 0 to 1000000000000"))
            }
            _ => Ok(()),
        }
    }
}

/// A carrier's program.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CalculatorView {
    pub id: ShippingCalculatorId,
    #[schema(example = "Parcel service")]
    pub name: String,
    #[schema(example = "https://rates.example.com/souk")]
    pub url: String,
    pub timeout_ms: i32,
    pub cache_seconds: i32,
    pub fallback_price: Option<Money>,
    /// Why its last answer could not be used; none once one can.
    #[schema(example = "no whole answer in time")]
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A carrier's program, and the secret that signs what it is asked. Shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct CalculatorSecretView {
    #[serde(flatten)]
    pub calculator: CalculatorView,
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// What is needed to ask a program. Its secret is worth nothing without the deployment's.
#[derive(Clone, Debug)]
pub struct CalculatorAccount {
    pub id: ShippingCalculatorId,
    pub url: String,
    pub secret: Sealed,
    pub timeout_ms: i32,
    pub cache_seconds: i32,
}

/// What a program has to be asked: a rate of it delivers there, and there is no answer that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub calculator: ShippingCalculatorId,
    pub parcel: Parcel,
}

/// What delivers a parcel, cheapest first, and who has to be asked to know all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    pub options: Vec<ShippingOption>,
    pub asks: Vec<Ask>,
}

/// What came of asking, as it is kept.
#[derive(Clone, Debug)]
pub struct Answered {
    pub calculator: ShippingCalculatorId,
    pub question: [u8; 32],
    /// The services, or why there are none to be had.
    pub outcome: Result<Vec<Service>, String>,
    pub good_until: DateTime<Utc>,
}

/// A service that a carrier offers for a parcel, in the parcel's currency; the form it is kept in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    pub code: String,
    pub title: String,
    pub amount_minor: i64,
    pub min_days: Option<i32>,
    pub max_days: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAnswer {
    services: Vec<WireService>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireService {
    code: Text<64>,
    title: Text<60>,
    price: Money,
    min_days: Option<i32>,
    max_days: Option<i32>,
}

impl Parcel {
    /// What a program is asked about it. The same parcel, the same text. Nobody's name is in it.
    pub fn question(&self) -> String {
        let (value, country) = (self.merchandise_total, self.to.code());
        serde_json::json!({
            "type": "shipping.rates",
            "currency": value.currency(),
            "destination": { "country": country, "province": self.province, "postal_code": self.postal_code },
            "parcels": [{ "weight_grams": self.weight_grams, "pieces": self.pieces, "value": value }],
        })
        .to_string()
    }

    /// SHA-256 of what a program is asked about it: answers are kept by it.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.question().as_bytes()).into()
    }
}

/// Reads an answer. Whatever is wrong with a part of it makes all of it worth nothing.
///
/// # Errors
/// What is wrong.
pub fn services(answer: &[u8], currency: Currency) -> Result<Vec<Service>, String> {
    let answer: WireAnswer = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    if answer.services.len() > MOST_SERVICES {
        return Err(format!("it has more than {MOST_SERVICES} services"));
    }
    let mut codes = BTreeSet::new();
    let service = |service: WireService| {
        let WireService { code, title, price, min_days, max_days } = service;
        let code = code.into_string();
        if !codes.insert(code.clone()) {
            return Err(format!("it has two services {code:?}"));
        }
        if price.currency() != currency {
            return Err(format!("the price of {code:?} is not in {}", currency.code()));
        }
        if !(0..=MOST_PRICE).contains(&price.minor()) {
            return Err(format!("the price of {code:?} is none that anybody pays"));
        }
        if [min_days, max_days].into_iter().flatten().any(|days| !(0..=365).contains(&days))
            || min_days.zip(max_days).is_some_and(|(least, most)| least > most)
        {
            return Err(format!("the days of {code:?} must be 0 to 365, and in order"));
        }
        Ok(Service { code, title: title.into_string(), amount_minor: price.minor(), min_days, max_days })
    };
    answer.services.into_iter().map(service).collect()
}

/// What shoppers choose a service of a rate by: the same whenever it is offered.
pub fn option_id(rate: ShippingRateId, service: &str) -> ShippingRateId {
    let mut digest = Sha256::new();
    digest.update(rate.uuid().as_bytes());
    digest.update(service.as_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    ShippingRateId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod rules {
    use super::*;

    const EXPRESS: &str = r#"{"code":"x","title":"Express","price":{"amount_minor":990,"currency":"EUR"}"#;

    fn read(services: &str) -> Result<Vec<Service>, String> {
        super::services(format!(r#"{{"services":[{services}]}}"#).as_bytes(), Currency::EUR)
    }

    #[test]
    fn an_answer_is_sound_or_worth_nothing() {
        let service = Service {
            code: "x".to_owned(),
            title: "Express".to_owned(),
            amount_minor: 990,
            min_days: Some(1),
            max_days: None,
        };
        assert_eq!(read(&format!(r#"{EXPRESS},"min_days":1}}"#)), Ok(vec![service]));
        assert_eq!(read(""), Ok(Vec::new()));
        let many = (0..=MOST_SERVICES)
            .map(|n| format!(r#"{{"code":"{n}","title":"T","price":{{"amount_minor":1,"currency":"EUR"}}}}"#))
            .collect::<Vec<_>>()
            .join(",");
        for wrong in [
            format!("{EXPRESS}}},{EXPRESS}}}"),
            format!(r#"{EXPRESS},"max_days":-1}}"#),
            format!(r#"{EXPRESS},"min_days":3,"max_days":2}}"#),
            format!(r#"{EXPRESS},"max_day":2}}"#),
            EXPRESS.replace("EUR", "USD") + "}",
            EXPRESS.replace("990", "-1") + "}",
            EXPRESS.replace("990", "9.9") + "}",
            EXPRESS.replace("Express", "") + "}",
            EXPRESS.replace("990", "1000000000001") + "}",
            EXPRESS.to_owned(),
            many,
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_keeps_its_id_and_shares_it_with_no_other() {
        let (one, other) = (ShippingRateId::new(), ShippingRateId::new());
        assert_eq!(option_id(one, "x"), option_id(one, "x"));
        let ids = BTreeSet::from([one, option_id(one, "x"), option_id(one, "y"), option_id(other, "x")]);
        assert_eq!(ids.len(), 4);
        assert_eq!(ShippingRateId::parse(&option_id(one, "x").to_string()), Ok(option_id(one, "x")));
    }
}
