//! The language somebody reads: `de`, `de-AT`, `zh-Hant-TW`.

/// A language of two or three small letters, and subtags of two to eight letters or digits (BCP 47), 35 bytes at most. Column type: `text`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Locale(String);

/// The text was not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag such as de-DE")]
pub struct LocaleError;

impl Locale {
    /// The longest tag, in bytes.
    pub const MAX: usize = 35;

    /// Read a tag; nothing is trimmed or changed.
    pub fn parse(text: &str) -> Result<Self, LocaleError> {
        let mut parts = text.split('-');
        let language = parts
            .next()
            .is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase()));
        let subtag =
            |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if language && parts.all(subtag) && text.len() <= Self::MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(LocaleError)
        }
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::column::text_column!(Locale, LocaleError, "a language tag in a string");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_what_is_none() {
        for text in ["de", "de-DE", "zh-Hant-TW"] {
            assert_eq!(Locale::parse(text).map(|locale| locale.as_str().to_owned()), Ok(text.to_owned()));
        }
        let long = format!("de{}", "-abcdefgh".repeat(4));
        for text in ["", "d", "DE", "de_DE", "de-", "de-x", "deutsch", &long] {
            assert_eq!(Locale::parse(text), Err(LocaleError), "{text}");
        }
    }
}
