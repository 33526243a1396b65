//! Languages, as people and stores name them.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};

/// A language tag: `en`, `en-GB`, `zh-Hant-TW`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

impl TryFrom<String> for Locale {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let lower = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
        let starts = (2..=3).contains(&language.len()) && lower(language);
        let rest = parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if starts && rest && text.len() <= 35 {
            Ok(Self(text))
        } else {
            Err("must be a language tag, like en or pt-BR")
        }
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0
    }
}

impl Locale {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the caller's client asks for first (RFC 9110 §12.5.4); none without a header that says so. Clients list by preference, so
    /// weights are not compared.
    pub fn preferred(req: &HttpRequest) -> Option<Self> {
        let header = req.headers().get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        let first = header.split([',', ';']).next()?.trim();
        Self::try_from(first.to_owned()).ok()
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn the_first_language_of_the_header_is_taken() {
        let preferred = |header: &str| {
            let req = actix_web::test::TestRequest::default().insert_header((ACCEPT_LANGUAGE, header));
            Locale::preferred(&req.to_http_request()).map(String::from)
        };
        assert_eq!(preferred("de-AT,de;q=0.9,en;q=0.8").as_deref(), Some("de-AT"));
        assert_eq!(preferred("fr;q=0.5").as_deref(), Some("fr"));
        for nothing in ["*", "", "DE", "english"] {
            assert_eq!(preferred(nothing), None, "{nothing}");
        }
    }
}
