//! The name of a store in its host: `mugs` in `mugs.example.com`.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use unicode_security::confusable_detection::skeleton;

use crate::handle::is_hyphenated;

/// A DNS label of 3 to 40 characters that no part of the platform needs for itself. Column type: `text`.
///
/// A stored label is read back by its form alone: a name that was given before a word became reserved stays good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct HostLabel(String);

/// The text was not a free label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostLabelError {
    /// Shorter than 3 or longer than 40 characters.
    #[error("must be 3 to 40 characters long")]
    Length,
    /// Other characters than those of a label, or a hyphen at an end.
    #[error("must be lower-case letters, digits and hyphens, with a letter or digit at both ends")]
    Form,
    /// `xn--…` and its kind: the form of encoded names, which can show as anything.
    #[error("must not have two hyphens as its third and fourth character")]
    Encoded,
    /// A word the platform keeps, or one that looks like it.
    #[error("is reserved; choose another name")]
    Reserved,
}

impl HostLabel {
    /// The shortest label.
    pub const MIN: usize = 3;
    /// The longest label.
    pub const MAX: usize = 40;

    /// Read a label; nothing is trimmed or changed. Says nothing about whether another store has it, or one that
    /// looks alike: that is [`HostLabel::skeleton`] under a unique index.
    pub fn parse(text: &str) -> Result<Self, HostLabelError> {
        let label = Self::of_form(text)?;
        if RESERVED.contains(&label.skeleton()) { Err(HostLabelError::Reserved) } else { Ok(label) }
    }

    fn of_form(text: &str) -> Result<Self, HostLabelError> {
        if !(Self::MIN..=Self::MAX).contains(&text.chars().count()) {
            return Err(HostLabelError::Length);
        }
        if !is_hyphenated(text) {
            return Err(HostLabelError::Form);
        }
        if text.get(2..4) == Some("--") {
            return Err(HostLabelError::Encoded);
        }
        Ok(Self(text.to_owned()))
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like: two labels with one skeleton could be taken for each other (`moon` and `m00n`, `modern`
    /// and `modem`). A key to compare, never to show.
    pub fn skeleton(&self) -> String {
        look(&self.0)
    }
}

/// Unicode's confusable skeleton, in which an `m` is `rn`; then the look-alikes it leaves: 0 as o, 1 as l, vv as w.
fn look(text: &str) -> String {
    let pieces: String = skeleton(text).flat_map(char::to_lowercase).collect();
    // Both letters of a pair are taken apart before they are joined, so that `vw` and `wv` meet in `vvv`.
    pieces
        .replace('0', "o")
        .replace('1', "l")
        .replace('m', "rn")
        .replace('w', "vv")
        .replace("rn", "m")
        .replace("vv", "w")
}

/// The looks of the reserved words, so that `adm1n`'s like cannot slip past the list.
static RESERVED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    include_str!("reserved_host_labels.txt")
        .lines()
        .map(str::trim)
        .filter(|word| !word.is_empty() && !word.starts_with('#'))
        .map(look)
        .collect()
});

impl fmt::Display for HostLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

crate::column::text_column!([] HostLabel, HostLabelError, "a host name in a string", stored = of_form);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels() {
        for text in ["mugs", "abc", "mugs-of-bern", "24h", "a-b", &"a".repeat(40)] {
            assert_eq!(HostLabel::parse(text).unwrap().as_str(), text);
        }
        for (text, error) in [
            ("", HostLabelError::Length),
            ("ab", HostLabelError::Length),
            (&"a".repeat(41), HostLabelError::Length),
            ("Mugs", HostLabelError::Form),
            ("-mugs", HostLabelError::Form),
            ("mugs-", HostLabelError::Form),
            ("mu.gs", HostLabelError::Form),
            ("mügs", HostLabelError::Form),
            ("mu_gs", HostLabelError::Form),
            ("mug\0", HostLabelError::Form),
            ("xn--mgs-hoa", HostLabelError::Encoded),
            ("ab--cd", HostLabelError::Encoded),
            ("www", HostLabelError::Reserved),
            ("admin", HostLabelError::Reserved),
            ("api", HostLabelError::Reserved),
            ("acc0unts", HostLabelError::Reserved),
            ("adrnin", HostLabelError::Reserved),
            ("vvvvvv", HostLabelError::Reserved),
        ] {
            assert_eq!(HostLabel::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn look_alikes_share_a_skeleton() {
        for (a, b) in
            [("moon", "m00n"), ("modern", "modem"), ("salt", "sa1t"), ("corner", "comer"), ("vwx", "wvx")]
        {
            assert_eq!(look(a), look(b), "{a} {b}");
        }
        for (a, b) in [("moon", "noon"), ("mugs", "mug-s"), ("salt", "sait"), ("mugs", "mugs2")] {
            assert_ne!(look(a), look(b), "{a} {b}");
        }
    }

    #[test]
    fn the_reserved_list_is_sorted_and_well_formed() {
        let words: Vec<_> =
            include_str!("reserved_host_labels.txt").lines().filter(|l| !l.starts_with('#')).collect();
        assert!(words.is_sorted_by(|a, b| a < b));
        for word in words {
            assert!(is_hyphenated(word), "{word}");
        }
    }

    #[test]
    fn a_stored_label_outlives_the_list() {
        assert!(HostLabel::of_form("admin").is_ok());
    }

    proptest! {
        #[test]
        fn the_skeleton_of_a_skeleton_is_itself(text in "[a-z0-9-]{3,40}") {
            prop_assert_eq!(look(&look(&text)), look(&text));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,50}") {
            let _ = HostLabel::parse(&text);
        }
    }
}
