//! Policies: what people agree to, version by version.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::{Locale, LongText, Text};
use utoipa::ToSchema;

use super::{MOST_MARKUP, NewTranslation, Translation, chosen};

/// What a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// Sending things back.
    Refund,
    /// What becomes of what the shop knows of people.
    Privacy,
    /// Terms of service.
    Terms,
    /// How things are sent.
    Shipping,
}

impl PolicyKind {
    /// The word in the database and in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Privacy => "privacy",
            Self::Terms => "terms",
            Self::Shipping => "shipping",
        }
    }

    /// The policy of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Refund, Self::Privacy, Self::Terms, Self::Shipping]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }

    /// What it is called where nobody says otherwise.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Refund => "Refund policy",
            Self::Privacy => "Privacy policy",
            Self::Terms => "Terms of service",
            Self::Shipping => "Shipping policy",
        }
    }
}

/// The next version of a policy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body_html": "<p>Send it back within 30 days.</p>"}))]
pub struct PutPolicy {
    /// `Refund policy` and the like when left out.
    #[schema(value_type = Option<String>, example = "Sending things back")]
    pub title: Option<Text<255>>,
    /// HTML of 1 to 50,000 characters. What could run, load or pose as a form is left out of it.
    #[schema(value_type = String, max_length = 50_000, example = "<p>Send it back within 30 days.</p>")]
    pub body_html: LongText<MOST_MARKUP>,
    /// At most 30, each language once.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub translations: Vec<NewTranslation>,
}

/// One version, as it is kept.
#[derive(Clone, Debug)]
pub struct PolicyVersion {
    pub kind: PolicyKind,
    pub number: i32,
    pub title: String,
    /// None: from this version on there is no such policy.
    pub body_html: Option<String>,
    pub translations: Vec<Translation>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

/// A version of a policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyView {
    pub policy: PolicyKind,
    /// From 1; the ETag, in quotes.
    #[schema(example = 3)]
    pub version: i32,
    #[schema(example = "Refund policy")]
    pub title: String,
    /// Null: withdrawn from this version on.
    pub body_html: Option<String>,
    pub translations: Vec<Translation>,
    /// Who wrote it.
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

impl From<PolicyVersion> for PolicyView {
    fn from(version: PolicyVersion) -> Self {
        Self {
            policy: version.kind,
            version: version.number,
            title: version.title,
            body_html: version.body_html,
            translations: version.translations,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

/// A policy as shoppers read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShopPolicyView {
    pub policy: PolicyKind,
    /// What whoever agrees agrees to: it can be read for good at `?version=`.
    #[schema(example = 3)]
    pub version: i32,
    #[schema(example = "Refund policy")]
    pub title: String,
    pub body_html: String,
    /// The language it is in; null for the shop's own.
    pub locale: Option<String>,
    /// Since when it holds.
    pub created_at: DateTime<Utc>,
}

impl ShopPolicyView {
    /// The version in a language, as far as there is one; none for one that says that the policy is withdrawn.
    pub fn of(version: PolicyVersion, locale: Option<&Locale>) -> Option<Self> {
        let own = version.body_html?;
        let text = chosen(&version.translations, locale, |text| text.locale.as_str()).cloned();
        let (title, body_html, locale) = match text {
            Some(text) => (text.title, text.body_html, Some(text.locale)),
            None => (version.title, own, None),
        };
        let (policy, version, created_at) = (version.kind, version.number, version.created_at);
        Some(Self { policy, version, title, body_html, locale, created_at })
    }
}
