//! What shoppers search for, and what they find.

use serde::{Deserialize, Serialize};
use souk_api::{FieldError, PageInfo};
use souk_kernel::{ImageId, Money, ProductId};
use utoipa::{IntoParams, ToSchema};

use crate::catalog::error::CatalogError;

/// Most words of a search that count.
const MOST_WORDS: usize = 8;

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum SearchSort {
    /// What fits best; newest first when nothing was typed.
    #[default]
    #[serde(rename = "relevance")]
    Relevance,
    #[serde(rename = "price")]
    Cheapest,
    #[serde(rename = "-price")]
    Dearest,
    #[serde(rename = "newest")]
    Newest,
}

impl SearchSort {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Cheapest => "price",
            Self::Dearest => "-price",
            Self::Newest => "newest",
        }
    }
}

/// A search. Lists are comma separated: whatever is in one of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, the last of which may be unfinished; a SKU or a barcode. At most 200 characters. Everything without it.
    #[param(example = "enamel mu")]
    pub q: Option<String>,
    #[serde(default)]
    #[param(style = Form, explode = false)]
    pub vendor: Vec<String>,
    #[serde(default)]
    #[param(style = Form, explode = false)]
    pub product_type: Vec<String>,
    #[serde(default)]
    #[param(style = Form, explode = false)]
    pub tag: Vec<String>,
    /// In the smallest unit of the store's currency.
    #[param(minimum = 0)]
    pub min_price: Option<i64>,
    #[param(minimum = 0)]
    pub max_price: Option<i64>,
    #[serde(default)]
    #[param(inline, required = false)]
    pub sort: SearchSort,
}

impl SearchQuery {
    /// What the types cannot say.
    pub fn check(&self) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &'static str, message: &'static str| {
            faults.push(FieldError::new(pointer, "out_of_range", message));
        };
        if self.q.as_ref().is_some_and(|q| q.chars().count() > 200) {
            fault("?q", "must be at most 200 characters");
        }
        for (list, pointer) in
            [(&self.vendor, "?vendor"), (&self.product_type, "?product_type"), (&self.tag, "?tag")]
        {
            if list.len() > 20 {
                fault(pointer, "must be at most 20");
            }
        }
        if self.min_price.is_some_and(|price| price < 0) {
            fault("?min_price", "must not be negative");
        }
        match (self.min_price, self.max_price) {
            (Some(least), Some(most)) if least > most => fault("?max_price", "must not be below min_price"),
            (_, Some(most)) if most < 0 => fault("?max_price", "must not be negative"),
            _ => {}
        }
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(faults)) }
    }

    /// What was typed, in small letters.
    pub fn typed(&self) -> String {
        self.q.as_deref().unwrap_or_default().trim().to_lowercase()
    }

    /// The words as PostgreSQL wants them: all of them, each also as a beginning. Only letters and digits get there.
    pub fn words(&self) -> String {
        let typed = self.typed();
        let words = typed.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(MOST_WORDS).map(|word| format!("{word}:*")).collect();
        words.join(" & ")
    }
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchResult {
    pub data: Vec<SearchHit>,
    pub page: PageInfo,
    /// How many there are in all.
    #[schema(example = 42)]
    pub total: i64,
    /// Whether nothing fits exactly and what comes close is shown instead.
    pub corrected: bool,
    pub facets: Facets,
}

/// What can be narrowed down to, counted over all that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Facets {
    pub vendors: Vec<Facet>,
    pub product_types: Vec<Facet>,
    pub tags: Vec<Facet>,
    pub lowest_price: Option<Money>,
    pub highest_price: Option<Money>,
}

/// A value and how many have it. At most the 50 most frequent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    #[schema(example = "Falcon")]
    pub value: String,
    #[schema(example = 12)]
    pub count: i64,
}

/// A product that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchHit {
    pub product: ProductId,
    #[schema(example = "enamel-mug")]
    pub handle: String,
    #[schema(example = "Enamel mug")]
    pub title: String,
    pub vendor: String,
    pub product_type: String,
    pub tags: Vec<String>,
    /// Of its cheapest variant; none without a price in the store's currency.
    pub price_from: Option<Money>,
    pub image: Option<ImageId>,
    #[schema(example = "/store/v1/images/img_01h455vb4pex5vsknk084sn02q")]
    pub image_url: Option<String>,
    /// Where it stands in this order.
    #[serde(skip)]
    pub place: i64,
}

/// What the shopper may be about to type.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suggestions {
    pub products: Vec<Suggestion>,
}

/// A product that begins so.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suggestion {
    pub product: ProductId,
    pub handle: String,
    #[schema(example = "Enamel mug")]
    pub title: String,
    pub image_url: Option<String>,
}

/// What was typed so far.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestionQuery {
    /// 1 to 200 characters.
    #[param(example = "ena")]
    pub q: String,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn only_letters_and_digits_reach_the_query() {
        let words = |q: &str| SearchQuery { q: Some(q.to_owned()), ..SearchQuery::default() }.words();
        assert_eq!(words("  Enamel Mu"), "enamel:* & mu:*");
        assert_eq!(words("a&b | !c <-> 'd' \\ (e):*"), "a:* & b:* & c:* & d:* & e:*");
        assert_eq!(words("Tasse für Café"), "tasse:* & für:* & café:*");
        assert_eq!(words("!?"), "");
        assert_eq!(words(&"x ".repeat(50)).matches('&').count(), 7);
    }
}
