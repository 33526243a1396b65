//! The readable part of an address inside a store: `/products/enamel-mug`.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower-case ASCII letters, digits and inner hyphens, 1 to 255 of them. Column type: `text`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Handle(String);

/// The text was not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 lower-case letters, digits and hyphens, with a letter or digit at both ends")]
pub struct HandleError;

impl Handle {
    /// The longest handle.
    pub const MAX: usize = 255;

    /// Read a handle; nothing is trimmed or changed.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let fits = (1..=Self::MAX).contains(&text.len());
        if fits && is_hyphenated(text) { Ok(Self(text.to_owned())) } else { Err(HandleError) }
    }

    /// A handle for a title: `Crème brûlée (2 pcs.)` → `creme-brulee-2-pcs`. A title without a Latin letter or digit
    /// gives `item`. Not unique by itself: see [`Handle::numbered`].
    pub fn slug_of(title: &str) -> Self {
        let mut slug = String::new();
        for letter in title.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
            if slug.len() >= Self::MAX {
                break;
            }
            match letter {
                'a'..='z' | '0'..='9' => slug.push(letter),
                // An apostrophe joins: "children's" is "childrens".
                '\'' | '’' | 'ʼ' => {}
                _ => match latin(letter) {
                    "" if slug.is_empty() || slug.ends_with('-') => {}
                    "" => slug.push('-'),
                    letters => slug.push_str(letters),
                },
            }
        }
        slug.truncate(Self::MAX);
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() { Self("item".to_owned()) } else { Self(slug.to_owned()) }
    }

    /// The same handle with a number behind it, shortened where it must be: `mug` and 2 → `mug-2`.
    pub fn numbered(&self, number: u32) -> Self {
        let tail = format!("-{number}");
        let head = self.0.get(..Self::MAX - tail.len()).unwrap_or(&self.0).trim_end_matches('-');
        Self(format!("{head}{tail}"))
    }

    /// The handle.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `[a-z0-9]([a-z0-9-]*[a-z0-9])?`
pub(crate) fn is_hyphenated(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| plain(byte) || byte == b'-')
        && text.bytes().next().is_some_and(plain)
        && text.bytes().next_back().is_some_and(plain)
}

/// Letters that decomposition leaves whole, as one writes them without a special key.
fn latin(letter: char) -> &'static str {
    match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŋ' => "ng",
        _ => "",
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

crate::column::text_column!(Handle, HandleError, "a handle in a string");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn handles() {
        for text in ["a", "7", "mug", "enamel-mug", "a--b", "2024-01"] {
            assert_eq!(Handle::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "-", "-a", "a-", "A", "a b", "a_b", "é", "a/b", "a\0", "a.b"] {
            assert_eq!(Handle::parse(text), Err(HandleError), "{text:?}");
        }
        assert!(Handle::parse(&"a".repeat(255)).is_ok());
        assert!(Handle::parse(&"a".repeat(256)).is_err());
    }

    #[test]
    fn slugs() {
        for (title, slug) in [
            ("Enamel Mug", "enamel-mug"),
            ("  Crème brûlée (2 pcs.) ", "creme-brulee-2-pcs"),
            ("Straße & Café", "strasse-cafe"),
            ("Smørrebrød Łódź", "smorrebrod-lodz"),
            ("Children's book", "childrens-book"),
            ("½ l", "1-2-l"),
            ("İstanbul", "istanbul"),
            ("東京", "item"),
            ("", "item"),
            ("--", "item"),
        ] {
            assert_eq!(Handle::slug_of(title).as_str(), slug, "{title}");
        }
    }

    #[test]
    fn numbers_fit() {
        assert_eq!(Handle::slug_of("Mug").numbered(2).as_str(), "mug-2");
        let long = Handle::parse(&"a".repeat(255)).unwrap().numbered(u32::MAX);
        assert_eq!(long.as_str().len(), 255);
        assert!(long.as_str().ends_with("a-4294967295"));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_handle(title in "\\PC{0,300}", number: u32) {
            let slug = Handle::slug_of(&title);
            prop_assert!(Handle::parse(slug.as_str()).is_ok());
            prop_assert!(Handle::parse(slug.numbered(number).as_str()).is_ok());
        }
    }
}
