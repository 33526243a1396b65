//! What people write: one line (`Text`) or many (`LongText`), free of what breaks databases, terminals and readers.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// One line of 1 to `MAX` characters, trimmed, normalised (NFC). Column type: `text`.
///
/// Refused: control characters (line breaks and NUL among them) and the characters that turn the reading direction
/// of what follows, with which a name can pose as another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Text<const MAX: usize>(String);

/// Any number of lines of together 0 to `MAX` characters, trimmed, normalised (NFC), line ends as `\n`. Column type:
/// `text`. Refuses what [`Text`] refuses, line breaks and tabs aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct LongText<const MAX: usize>(String);

/// The text was not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing that one could see.
    #[error("must not be empty")]
    Empty,
    /// Longer than this many characters.
    #[error("must be at most {0} characters long")]
    TooLong(usize),
    /// A control character, for one line also a line break.
    #[error("must not contain control characters or line breaks")]
    Control,
    /// A character that turns the reading direction.
    #[error("must not contain characters that override the reading direction")]
    Direction,
}

impl<const MAX: usize> Text<MAX> {
    /// The longest text, in characters.
    pub const MAX: usize = MAX;

    /// Trim, normalise, check.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = checked(text.trim(), MAX, is_control)?;
        if text.chars().all(|letter| letter.is_whitespace() || is_invisible(letter)) {
            return Err(TextError::Empty);
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> LongText<MAX> {
    /// The longest text, in characters.
    pub const MAX: usize = MAX;

    /// Make line ends `\n`, trim, normalise, check.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let one_kind_of_line_end = text.trim().replace("\r\n", "\n");
        let allowed = |letter| matches!(letter, '\n' | '\t');
        checked(&one_kind_of_line_end, MAX, |letter| is_control(letter) && !allowed(letter)).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn checked(text: &str, most: usize, refused: impl Fn(char) -> bool) -> Result<String, TextError> {
    // Both before normalising, which need not be paid for a text that is refused, and after it.
    if text.chars().count() > most.saturating_mul(4) {
        return Err(TextError::TooLong(most));
    }
    let text: String = text.nfc().collect();
    if text.chars().count() > most {
        return Err(TextError::TooLong(most));
    }
    if text.chars().any(refused) {
        return Err(TextError::Control);
    }
    if text.chars().any(turns_reading_direction) {
        return Err(TextError::Direction);
    }
    Ok(text)
}

/// Control characters, Unicode's own line and paragraph separators, and code points that are no characters.
fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}')
        || u32::from(letter) & 0xfffe == 0xfffe
}

/// Embeddings, overrides and isolates. The plain marks U+200E, U+200F and U+061C stay: right-to-left text needs them.
fn turns_reading_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{206a}'..='\u{206f}')
}

/// Characters without a shape of their own.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> fmt::Display for LongText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> String {
        text.0
    }
}

impl<const MAX: usize> From<LongText<MAX>> for String {
    fn from(text: LongText<MAX>) -> String {
        text.0
    }
}

crate::column::text_column!([const MAX: usize] Text<MAX>, TextError, "a line of text", stored = parse);
crate::column::text_column!([const MAX: usize] LongText<MAX>, TextError, "a text", stored = parse);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_trimmed_and_normalised() {
        assert_eq!(Text::<80>::parse("  Enamel mug \n").unwrap().as_str(), "Enamel mug");
        assert_eq!(Text::<80>::parse("Cafe\u{301}").unwrap().as_str(), "Café");
        assert_eq!(Text::<4>::parse("👩‍👩‍👧").unwrap_err(), TextError::TooLong(4));
        assert!(Text::<80>::parse("👩‍👩‍👧 שלום\u{200f} 東京").is_ok());
        assert!(Text::<4>::parse("abcd").is_ok());
        assert_eq!(Text::<4>::parse("abcde").unwrap_err().to_string(), "must be at most 4 characters long");
    }

    #[test]
    fn what_cannot_be_seen_is_empty() {
        for text in ["", "   ", "\t\n", "\u{200b}", "\u{2800}\u{3164} \u{ad}", "\u{feff}"] {
            assert_eq!(Text::<80>::parse(text), Err(TextError::Empty), "{text:?}");
        }
    }

    #[test]
    fn nul_controls_and_overrides_are_refused() {
        for text in
            ["a\0b", "a\nb", "a\tb", "a\u{7f}b", "a\u{85}b", "a\u{1b}[31mb", "a\u{2028}b", "a\u{ffff}b"]
        {
            assert_eq!(Text::<80>::parse(text), Err(TextError::Control), "{text:?}");
        }
        for text in ["a\u{202e}b", "a\u{2066}b", "\u{202d}ab"] {
            assert_eq!(Text::<80>::parse(text), Err(TextError::Direction), "{text:?}");
            assert_eq!(LongText::<80>::parse(text), Err(TextError::Direction), "{text:?}");
        }
    }

    #[test]
    fn long_text_keeps_its_lines() {
        assert_eq!(LongText::<80>::parse("a\r\n\tb\n").unwrap().as_str(), "a\n\tb");
        assert!(LongText::<80>::parse("").unwrap().is_empty());
        assert_eq!(LongText::<80>::parse("a\0b"), Err(TextError::Control));
        assert_eq!(LongText::<80>::parse("a\rb"), Err(TextError::Control));
    }

    #[test]
    fn json_is_checked() {
        assert_eq!(serde_json::from_str::<Text<9>>("\" mug \"").unwrap().as_str(), "mug");
        let error = serde_json::from_str::<Text<9>>("\"a\\u0000\"").unwrap_err().to_string();
        assert!(error.starts_with("must not contain control characters"), "{error}");
        assert!(serde_json::from_str::<Text<9>>("null").unwrap_err().to_string().contains("a line of text"));
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(text: String) {
            if let Ok(line) = Text::<60>::parse(&text) {
                prop_assert_eq!(Text::<60>::parse(line.as_str()), Ok(line.clone()));
            }
            if let Ok(lines) = LongText::<60>::parse(&text) {
                prop_assert_eq!(LongText::<60>::parse(lines.as_str()), Ok(lines.clone()));
            }
        }
    }
}
