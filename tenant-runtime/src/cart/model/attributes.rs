//! What a shop wants to know with a cart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use souk_kernel::{LongText, Text};
use utoipa::ToSchema;

/// Most attributes of a cart.
const MOST: usize = 50;

/// Names and words: gift wrapping, a delivery day, a campaign. At most 50; names of 1 to 64 characters, words of at most 500.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "BTreeMap<String, String>")]
#[schema(value_type = BTreeMap<String, String>, example = json!({ "gift_wrap": "yes" }))]
pub struct Attributes(BTreeMap<String, String>);

/// Why a map is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    #[error("must be at most 50 attributes")]
    TooMany,
    #[error("must have names of 1 to 64 characters without control characters")]
    Name,
    #[error("must have words of at most 500 characters without control characters")]
    Word,
}

impl TryFrom<BTreeMap<String, String>> for Attributes {
    type Error = AttributesError;

    fn try_from(map: BTreeMap<String, String>) -> Result<Self, AttributesError> {
        if map.len() > MOST {
            return Err(AttributesError::TooMany);
        }
        for (name, word) in &map {
            Text::<64>::parse(name).map_err(|_| AttributesError::Name)?;
            LongText::<500>::parse(word).map_err(|_| AttributesError::Word)?;
        }
        Ok(Self(map))
    }
}

impl Attributes {
    /// As kept in the database; what cannot be read back is nothing.
    pub fn stored(json: serde_json::Value) -> Self {
        serde_json::from_value(json).map(Self).unwrap_or_default()
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// As kept in the database.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn names_and_words_are_bounded() {
        let of = |name: &str, word: &str| {
            Attributes::try_from(BTreeMap::from([(name.to_owned(), word.to_owned())]))
        };
        assert!(of("gift_wrap", "yes").is_ok() && of("note", "").is_ok());
        assert_eq!(of("", "x"), Err(AttributesError::Name));
        assert_eq!(of(&"n".repeat(65), "x"), Err(AttributesError::Name));
        assert_eq!(of("n", &"w".repeat(501)), Err(AttributesError::Word));
        assert_eq!(of("n", "\0"), Err(AttributesError::Word));
        let many: BTreeMap<String, String> =
            (0..51).map(|number| (number.to_string(), String::new())).collect();
        assert_eq!(Attributes::try_from(many), Err(AttributesError::TooMany));
    }
}
