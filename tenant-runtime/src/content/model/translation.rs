//! The same text in another language, and which one somebody reads.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use souk_api::FieldError;
use souk_kernel::{Locale, LongText, Text};
use utoipa::{IntoParams, ToSchema};

use super::{MOST_MARKUP, clean};

/// Most languages of one text, its own aside.
const MOST: usize = 30;

/// A text in another language, to be kept.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"locale": "de", "title": "Über uns", "body_html": "<p>Wir sind zu dritt.</p>"}))]
pub struct NewTranslation {
    /// A BCP 47 tag; `de` serves whoever asks for `de-CH`, too.
    #[schema(value_type = String, example = "de")]
    pub locale: Locale,
    #[schema(value_type = String, example = "Über uns")]
    pub title: Text<255>,
    /// Cleaned as the text itself.
    #[schema(value_type = String, max_length = 50_000, example = "<p>Wir sind zu dritt.</p>")]
    pub body_html: LongText<MOST_MARKUP>,
    #[schema(value_type = Option<String>)]
    pub seo_title: Option<Text<255>>,
    #[schema(value_type = Option<String>)]
    pub seo_description: Option<Text<500>>,
}

/// A text in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Translation {
    #[schema(example = "de")]
    pub locale: String,
    #[schema(example = "Über uns")]
    pub title: String,
    pub body_html: String,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
}

/// In which language.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InLocale {
    /// A BCP 47 tag. Without a text in it, one in its language; without that, the shop's own.
    #[param(value_type = Option<String>, example = "de-CH")]
    pub locale: Option<Locale>,
}

/// All of them, cleaned.
///
/// # Errors
/// A language that is there twice, or too many of them, by their place below `/translations`.
pub fn translated(wishes: &[NewTranslation]) -> Result<Vec<Translation>, Vec<FieldError>> {
    distinct("/translations", wishes.iter().map(|wish| &wish.locale))?;
    let kept = |wish: &NewTranslation| Translation {
        locale: wish.locale.as_str().to_owned(),
        title: wish.title.to_string(),
        body_html: clean(wish.body_html.as_str()),
        seo_title: wish.seo_title.as_ref().map(ToString::to_string),
        seo_description: wish.seo_description.as_ref().map(ToString::to_string),
    };
    Ok(wishes.iter().map(kept).collect())
}

/// Whether every language is there once.
///
/// # Errors
/// See [`translated`].
pub fn distinct<'l>(at: &str, locales: impl Iterator<Item = &'l Locale>) -> Result<(), Vec<FieldError>> {
    let (mut seen, mut errors) = (HashSet::new(), Vec::new());
    for (place, locale) in locales.enumerate() {
        if place == MOST {
            errors.push(FieldError::new(at.to_owned(), "too_many", "must be at most 30"));
        }
        if !seen.insert(locale.as_str()) {
            errors.push(FieldError::new(format!("{at}/{place}/locale"), "duplicate", "must be named once"));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The one that somebody reads: of exactly that tag, else of its language.
pub fn chosen<'t, T>(texts: &'t [T], wanted: Option<&Locale>, locale: impl Fn(&T) -> &str) -> Option<&'t T> {
    let wanted = wanted?.as_str();
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let exact = texts.iter().find(|text| locale(text).eq_ignore_ascii_case(wanted));
    exact.or_else(|| texts.iter().find(|text| language(locale(text)) == language(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reads_their_own_language_or_one_like_it() {
        let texts = ["de-AT", "de", "fr"];
        let read = |tag: &str| chosen(&texts, Locale::parse(tag).ok().as_ref(), |text| *text).copied();
        assert_eq!(
            [read("de-AT"), read("de-CH"), read("fr-CA"), read("it")],
            [Some("de-AT"), Some("de-AT"), Some("fr"), None]
        );
        assert_eq!(read("de"), Some("de"));
        assert_eq!(chosen(&texts, None, |text| *text), None);
    }
}
