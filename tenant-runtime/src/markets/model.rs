//! Markets as values, as answers and as wishes.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Text as SqlText, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Currency, MarketId, Text};
use utoipa::ToSchema;

/// Countries that are sold to in the same way.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct Market {
    #[diesel(sql_type = SqlUuid)]
    pub id: MarketId,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "Switzerland")]
    pub name: String,
    /// ISO 3166-1 codes.
    #[diesel(sql_type = Array<SqlText>)]
    #[schema(example = json!(["CH", "LI"]))]
    pub countries: Vec<String>,
    #[diesel(sql_type = SqlText)]
    pub currency: Currency,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "de-CH")]
    pub locale: String,
    #[diesel(sql_type = Bool)]
    pub prices_include_tax: bool,
    /// It takes every country that no market names.
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
    /// Grows with every change; the ETag.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// All markets.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MarketList {
    pub data: Vec<Market>,
}

/// A market as it shall be. A change sends all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Switzerland", "countries": ["CH"], "currency": "CHF", "locale": "de-CH", "prices_include_tax": true}))]
pub struct PutMarket {
    #[schema(example = "Switzerland")]
    pub name: Text<60>,
    /// Each in one market only.
    pub countries: Vec<Country>,
    pub currency: Currency,
    /// A BCP 47 tag of language and region.
    #[schema(value_type = String, example = "de-CH")]
    pub locale: Text<35>,
    pub prices_include_tax: bool,
    /// It takes every country that no market names; the one that did so before does no more.
    #[serde(default)]
    pub is_default: bool,
}

impl PutMarket {
    /// What the types cannot say: pointer and what would have been right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let locale = self.locale.as_str();
        let part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let language = locale.split('-').next().is_some_and(|first| {
            (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        if !language || !locale.split('-').all(part) {
            return Err(("/locale", "must be a language tag such as de-CH"));
        }
        if self.countries.is_empty() && !self.is_default {
            return Err(("/countries", "must name a country, unless the market is the default one"));
        }
        if self.countries.len() > 250 {
            return Err(("/countries", "must be at most 250"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_market_names_a_language_and_countries() {
        let check = |locale: &str, countries: &str, default: bool| {
            let text = format!(
                r#"{{"name":"x","countries":{countries},"currency":"CHF","locale":"{locale}","prices_include_tax":true,"is_default":{default}}}"#
            );
            serde_json::from_str::<PutMarket>(&text).unwrap().check().map_err(|(pointer, _)| pointer)
        };
        assert_eq!(check("de-CH", r#"["CH"]"#, false), Ok(()));
        assert_eq!(check("de", "[]", true), Ok(()));
        assert_eq!(check("de", "[]", false), Err("/countries"));
        for wrong in ["d", "de_CH", "de-", "12-CH", "german-DE"] {
            assert_eq!(check(wrong, r#"["CH"]"#, false), Err("/locale"), "{wrong}");
        }
    }
}
