//! What a store says beyond what everybody says: definitions, and what fits them. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use souk_api::FieldError;
use souk_kernel::{LongText, MetafieldDefinitionId, Text};
use url::Url;
use utoipa::{IntoParams, ToSchema};

use crate::catalog::error::CatalogError;

/// Most definitions of one kind of owner.
pub const MOST: usize = 250;
/// Most values of a list, most choices, and most metafields of one request.
const MANY: usize = 128;
/// Most bytes of a JSON value.
const JSON: usize = 65_536;

/// What may have a metafield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetafieldOwner {
    Product,
    Variant,
    Collection,
}

impl MetafieldOwner {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Variant => "variant",
            Self::Collection => "collection",
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetafieldKind {
    /// One line of at most 255 characters.
    Text,
    /// Several lines, at most 50,000 characters.
    LongText,
    /// A whole number of 64 bits.
    Integer,
    /// A number written as text, `-12.5`: at most 18 digits before the point and 9 after it.
    Decimal,
    Boolean,
    /// `2026-11-30`.
    Date,
    /// RFC 3339: `2026-11-30T12:00:00Z`.
    DateTime,
    /// `https://`, `http://` or `mailto:`.
    Url,
    /// `#12ab9f`.
    Color,
    /// Any JSON of at most 64 KiB.
    Json,
}

/// What a value must keep to besides its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"min": 1, "max": 120}))]
pub struct MetafieldLimits {
    /// The least: of an integer; of words, how many characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Of `text`: one of these, at most 128.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub choices: Vec<Text<255>>,
}

/// What there may be of something, and what it must be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DefinitionView {
    pub id: MetafieldDefinitionId,
    pub owner: MetafieldOwner,
    #[schema(example = "custom")]
    pub namespace: String,
    #[schema(example = "burning_time")]
    pub key: String,
    #[schema(example = "Burning time in hours")]
    pub name: String,
    pub description: String,
    pub kind: MetafieldKind,
    /// Whether there are several values, in their order.
    pub list: bool,
    pub limits: MetafieldLimits,
    /// Whether shoppers see it.
    pub shown: bool,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A new definition.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"owner": "product", "key": "burning_time", "name": "Burning time in hours", "kind": "integer", "limits": {"min": 1}}))]
pub struct CreateDefinition {
    pub owner: MetafieldOwner,
    /// 2 to 64 lower-case letters, digits, `_` and `-`; `custom` when left out.
    #[schema(value_type = Option<String>, example = "custom")]
    pub namespace: Option<Text<64>>,
    /// 2 to 64 lower-case letters, digits, `_` and `-`; one of a kind in the namespace.
    #[schema(value_type = String, example = "burning_time")]
    pub key: Text<64>,
    #[schema(value_type = String, example = "Burning time in hours")]
    pub name: Text<255>,
    #[schema(value_type = Option<String>)]
    pub description: Option<LongText<1000>>,
    pub kind: MetafieldKind,
    /// Whether there may be several values, at most 128.
    #[serde(default)]
    pub list: bool,
    #[serde(default, deserialize_with = "souk_api::json::object")]
    pub limits: MetafieldLimits,
    /// Whether shoppers see it; true when left out.
    pub shown: Option<bool>,
}

/// What is left out stays. Values that there are stay too; the next write of one has to keep to new limits.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Burning time"}))]
pub struct EditDefinition {
    #[schema(value_type = Option<String>)]
    pub name: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub description: Option<LongText<1000>>,
    #[serde(default, deserialize_with = "limits")]
    pub limits: Option<MetafieldLimits>,
    pub shown: Option<bool>,
}

/// An object or nothing.
fn limits<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MetafieldLimits>, D::Error> {
    #[derive(Deserialize)]
    struct Object(#[serde(deserialize_with = "souk_api::json::object")] MetafieldLimits);
    Ok(Option::<Object>::deserialize(from)?.map(|Object(limits)| limits))
}

/// Which definitions.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DefinitionFilter {
    /// Only of these.
    #[param(inline)]
    pub owner: Option<MetafieldOwner>,
}

/// A value with what it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MetafieldView {
    #[schema(example = "custom")]
    pub namespace: String,
    #[schema(example = "burning_time")]
    pub key: String,
    pub kind: MetafieldKind,
    pub list: bool,
    /// As its kind says.
    #[schema(value_type = Value, example = 40)]
    pub value: Value,
    #[serde(skip)]
    pub shown: bool,
}

/// What to say of something; what is not named stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metafields": [{"key": "maker", "value": "Atelier Noord"}]}))]
pub struct SetMetafields {
    /// At most 128, each once.
    pub metafields: Vec<SetMetafield>,
}

/// One value.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "maker", "value": "Atelier Noord"}))]
pub struct SetMetafield {
    /// `custom` when left out.
    #[schema(example = "custom")]
    pub namespace: Option<String>,
    #[schema(example = "burning_time")]
    pub key: String,
    /// As the definition's kind says, of a list several of them; null takes it away.
    #[schema(value_type = Value, example = 40)]
    pub value: Value,
}

/// A value that fits, by its definition; null takes it away.
#[derive(Clone, Debug, Serialize)]
pub struct Fitting {
    pub definition: uuid::Uuid,
    pub value: Value,
}

/// The namespace of who does not care.
pub const CUSTOM: &str = "custom";

fn is_key(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (2..=64).contains(&text.len()) && text.bytes().all(sound)
}

impl CreateDefinition {
    /// Everything that is wrong with it.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`].
    pub fn check(&self) -> Result<(), CatalogError> {
        let mut errors = Vec::new();
        let keys = [("/namespace", self.namespace.as_ref()), ("/key", Some(&self.key))];
        for (pointer, word) in keys {
            if word.is_some_and(|word| !is_key(word.as_str())) {
                let message = "must be 2 to 64 lower-case letters, digits, _ and -";
                errors.push(FieldError::new(pointer, "invalid", message));
            }
        }
        errors.extend(self.limits.complaint(self.kind));
        if errors.is_empty() { Ok(()) } else { Err(CatalogError::Invalid(errors)) }
    }
}

impl MetafieldLimits {
    /// What does not go with a kind.
    pub fn complaint(&self, kind: MetafieldKind) -> Option<FieldError> {
        use MetafieldKind as K;
        let bounded = matches!(kind, K::Text | K::LongText | K::Integer);
        let (bounds, choices) = (self.min.is_some() || self.max.is_some(), !self.choices.is_empty());
        if bounds && !bounded {
            return Some(FieldError::new(
                "/limits",
                "invalid",
                "only words and integers have a least and a most",
            ));
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            return Some(FieldError::new("/limits/min", "out_of_range", "must not be more than max"));
        }
        if choices && kind != K::Text {
            return Some(FieldError::new("/limits/choices", "invalid", "only text has choices"));
        }
        if self.choices.len() > MANY {
            return Some(FieldError::new("/limits/choices", "too_many", "must be at most 128"));
        }
        None
    }

    fn bounds(&self, number: i64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }
}

impl DefinitionView {
    /// Why a value does not fit: what would have been right.
    fn complaint(&self, value: &Value) -> Option<&'static str> {
        if !self.list {
            return self.complaint_of_one(value);
        }
        match value {
            Value::Array(values) if values.is_empty() || values.len() > MANY => {
                Some("must be a list of 1 to 128 values; null takes it away")
            }
            Value::Array(values) => values.iter().find_map(|value| self.complaint_of_one(value)),
            _ => Some("must be a list"),
        }
    }

    fn complaint_of_one(&self, value: &Value) -> Option<&'static str> {
        use MetafieldKind as K;
        let text = value.as_str();
        let long = |text: &str| self.limits.bounds(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
        let (fits, right) = match self.kind {
            K::Text => (
                text.and_then(|text| Text::<255>::parse(text).ok().filter(|kept| kept.as_str() == text))
                    .is_some_and(|text| {
                        long(text.as_str())
                            && (self.limits.choices.is_empty() || self.limits.choices.contains(&text))
                    }),
                "must be one line of 1 to 255 characters, within the definition's limits",
            ),
            K::LongText => (
                text.and_then(|text| LongText::<50000>::parse(text).ok())
                    .is_some_and(|text| long(text.as_str())),
                "must be text of at most 50000 characters, within the definition's limits",
            ),
            K::Integer => (
                value.as_i64().is_some_and(|number| self.limits.bounds(number)),
                "must be an integer, within the definition's limits",
            ),
            K::Decimal => (text.is_some_and(is_decimal), "must be a number written as text, like \"-12.5\""),
            K::Boolean => (value.is_boolean(), "must be true or false"),
            K::Date => (
                text.is_some_and(|text| text.len() == 10 && text.parse::<NaiveDate>().is_ok()),
                "must be a day, like \"2026-11-30\"",
            ),
            K::DateTime => (
                text.is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
                "must be a time, like \"2026-11-30T12:00:00Z\"",
            ),
            K::Url => (
                text.is_some_and(is_address),
                "must be a whole address beginning with https:, http: or mailto:",
            ),
            K::Color => (
                text.and_then(|text| text.strip_prefix('#'))
                    .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())),
                "must be a colour, like \"#12ab9f\"",
            ),
            K::Json => (value.to_string().len() <= JSON, "must be at most 64 KiB"),
        };
        (!fits).then_some(right)
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole, 18) && digits(part, 9),
        None => digits(text, 18),
    }
}

fn is_address(text: &str) -> bool {
    let allowed = |url: &Url| ["https", "http", "mailto"].contains(&url.scheme());
    text.len() <= 2048 && Url::parse(text).is_ok_and(|url| allowed(&url))
}

/// Values of a request by their definitions.
///
/// # Errors
/// [`CatalogError::Invalid`]: everything that does not fit, at its place.
pub fn fitting(wish: &SetMetafields, definitions: &[DefinitionView]) -> Result<Vec<Fitting>, CatalogError> {
    fitted(&wish.metafields, definitions, MANY).map_err(CatalogError::Invalid)
}

/// At most so many values by their definitions, in their order.
///
/// # Errors
/// Everything that does not fit, at its place.
pub fn fitted(
    wishes: &[SetMetafield],
    definitions: &[DefinitionView],
    most: usize,
) -> Result<Vec<Fitting>, Vec<FieldError>> {
    let (mut errors, mut fitting) = (Vec::new(), Vec::<Fitting>::new());
    if wishes.len() > most {
        errors.push(FieldError::new("/metafields", "too_many", format!("must be at most {most}")));
    }
    for (number, wish) in wishes.iter().take(most).enumerate() {
        let at = |name: &str| format!("/metafields/{number}/{name}");
        let namespace = wish.namespace.as_deref().unwrap_or(CUSTOM);
        let known = definitions.iter().find(|known| known.namespace == namespace && known.key == wish.key);
        let Some(known) = known else {
            errors.push(FieldError::new(
                at("key"),
                "unknown",
                "must be defined: POST /admin/v1/metafield-definitions",
            ));
            continue;
        };
        if fitting.iter().any(|other| other.definition == known.id.uuid()) {
            errors.push(FieldError::new(at("key"), "duplicate", "must be named once"));
        }
        if !wish.value.is_null()
            && let Some(right) = known.complaint(&wish.value)
        {
            errors.push(FieldError::new(at("value"), "invalid", right));
        }
        fitting.push(Fitting { definition: known.id.uuid(), value: wish.value.clone() });
    }
    if errors.is_empty() { Ok(fitting) } else { Err(errors) }
}
