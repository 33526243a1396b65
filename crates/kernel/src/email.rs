//! E-mail addresses: checked enough to send to, compared so that one mailbox is one address.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// A mailbox. Column type: `text`; keep [`Email::key`] in a second column with the unique index.
///
/// It has no `Display`, and `Debug` shows `a…@example.com`: addresses do not belong in logs. Two addresses are equal
/// when their text is; to ask whether they are the same mailbox, compare keys. Mail goes to the *stored* address,
/// never to the one that was typed to find it.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct Email(String);

/// The text was not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// More than 254 bytes, the limit of the mail protocol.
    #[error("must be at most 254 bytes long")]
    TooLong,
    /// Not of the form `name@domain.tld`.
    #[error("must be an e-mail address such as ada@example.com")]
    Form,
}

impl Email {
    /// The longest address, in bytes.
    pub const MAX: usize = 254;

    /// Trim and normalise (NFKC), then check: one unquoted name of 1 to 64 bytes, one `@`, a domain of at least two
    /// labels. Letters of any script pass; spaces, controls, quotes and brackets do not.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        // Before normalising, so that a megabyte is not normalised only to be refused.
        if text.trim().len() > Self::MAX {
            return Err(EmailError::TooLong);
        }
        let address: String = text.trim().nfkc().collect();
        if address.len() > Self::MAX {
            return Err(EmailError::TooLong);
        }
        let (name, domain) = address.split_once('@').ok_or(EmailError::Form)?;
        if is_name(name) && is_domain(domain) { Ok(Self(address)) } else { Err(EmailError::Form) }
    }

    /// The address as it was given, trimmed and normalised, capitals kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes a mailbox unique: the address in lower case, normalised again.
    pub fn key(&self) -> String {
        // By character: the lower case of a final sigma must not depend on its neighbours.
        self.0.chars().flat_map(char::to_lowercase).nfkc().collect()
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_atom(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter) || is_letter_beyond_ascii(letter)
}

fn is_domain(domain: &str) -> bool {
    let labels = domain.split('.');
    let tld_is_a_name =
        domain.rsplit('.').next().is_some_and(|tld| !tld.bytes().all(|byte| byte.is_ascii_digit()));
    tld_is_a_name && labels.clone().count() >= 2 && labels.into_iter().all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || is_letter_beyond_ascii(letter))
}

/// Letters, digits and the marks that belong to them; nothing invisible, nothing that turns the reading direction.
fn is_letter_beyond_ascii(letter: char) -> bool {
    !letter.is_ascii()
        && (letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter))
        && !crate::text::is_invisible(letter)
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, domain) = self.0.split_once('@').unwrap_or_default();
        let first: String = name.chars().take(1).collect();
        write!(f, "{first}…@{domain}")
    }
}

crate::column::text_column!(Email, EmailError, "an e-mail address in a string");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_pass() {
        for text in [
            "ada@example.com",
            "Ada.Lovelace+souk@mail.example.co.uk",
            "o'brien@example.ie",
            "x@xn--bcher-kva.example",
            "用户@例子.广告",
            "jürgen@bücher.example",
            "1@2.de",
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(Email::parse("  Ada@Example.COM\n").unwrap().as_str(), "Ada@Example.COM");
        assert_eq!(Email::parse("ada@example.com").unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@-example.com",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "a da@example.com",
            "ada@exam ple.com",
            "ada@b@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "\"ada\"@example.com",
            "Ada <ada@example.com>",
            "ada@example.com,bob@example.com",
            "ada@example.com\nBcc: bob@example.com",
            "ada\0@example.com",
            "a\u{202e}da@example.com",
            "a\u{200b}da@example.com",
            "ada@exam\u{ad}ple.com",
        ] {
            assert_eq!(Email::parse(text), Err(EmailError::Form), "{text:?}");
        }
        let longest_name = format!("{}@example.com", "a".repeat(64));
        assert!(Email::parse(&longest_name).is_ok());
        assert_eq!(Email::parse(&format!("a{longest_name}")), Err(EmailError::Form));
        assert_eq!(Email::parse(&format!("a@{}", "example.".repeat(40))), Err(EmailError::TooLong));
        // One character that NFKC makes eighteen of.
        assert_eq!(Email::parse(&format!("{}@example.com", "\u{fdfa}".repeat(30))), Err(EmailError::TooLong));
    }

    #[test]
    fn one_mailbox_has_one_key() {
        let key = |text| Email::parse(text).unwrap().key();
        assert_eq!(key("Ada@Example.COM"), "ada@example.com");
        assert_eq!(key("ada@example.com"), key("ada@example.com"));
        assert_eq!(key("JÜRGEN@example.com"), key("ju\u{308}rgen@example.com"));
        assert_ne!(key("strasse@example.com"), key("straße@example.com"));
        assert_eq!(key("ΟΔΟΣ@example.com"), key("οδοσ@example.com"));
    }

    #[test]
    fn debug_is_redacted() {
        assert_eq!(format!("{:?}", Email::parse("ada@example.com").unwrap()), "a…@example.com");
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent_and_keys_are_stable(text in "\\PC{0,20}@\\PC{0,20}|[A-Za-zÄß.]{1,9}@[a-zA-Zé.]{1,9}\\.com") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
                if let Ok(lower) = Email::parse(&email.key()) {
                    prop_assert_eq!(lower.key(), email.key());
                }
            }
        }
    }
}
