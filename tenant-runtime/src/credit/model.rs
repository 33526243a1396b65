//! Gift cards and store credit as values.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_access::{LinkSecret, NoEntropy, SecretDigest};
use souk_kernel::{CreditId, CustomerId, Email, Locale, LongText, Money, MoneyError, OrderId};
use utoipa::{IntoParams, ToSchema};

/// The sort of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// Whoever has its code.
    GiftCard,
    /// One customer.
    StoreCredit,
}

impl CreditKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GiftCard => "gift_card",
            Self::StoreCredit => "store_credit",
        }
    }

    /// Reads what [`CreditKind::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::GiftCard, Self::StoreCredit].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Letters and digits that nobody confuses.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code of a gift card: 16 characters, 80 random bits. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GiftCode(String);

impl std::fmt::Debug for GiftCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GiftCode(…)")
    }
}

/// The text was not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the 16 letters and digits of a gift card, hyphens and spaces aside")]
pub struct GiftCodeError;

impl GiftCode {
    const LENGTH: usize = 16;

    /// A new code.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn mint() -> Result<Self, NoEntropy> {
        let secret = LinkSecret::mint()?.digest();
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
        Ok(Self(secret.as_bytes().iter().take(Self::LENGTH).map(letter).collect()))
    }

    /// Reads what a person types: small letters, hyphens and spaces are fine, and O, I and L are 0, 1 and 1.
    ///
    /// # Errors
    /// See [`GiftCodeError`].
    pub fn parse(text: &str) -> Result<Self, GiftCodeError> {
        if text.len() > 64 {
            return Err(GiftCodeError);
        }
        let letters = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| {
            match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                letter => letter,
            }
        });
        let code: String = letters.collect();
        let known = |byte: u8| ALPHABET.contains(&byte);
        if code.len() == Self::LENGTH && code.bytes().all(known) {
            Ok(Self(code))
        } else {
            Err(GiftCodeError)
        }
    }

    /// In groups of four.
    pub fn expose(&self) -> String {
        let groups: Vec<&str> =
            (0..Self::LENGTH).step_by(4).filter_map(|at| self.0.get(at..at + 4)).collect();
        groups.join("-")
    }

    /// What a person recognises it by.
    pub fn last_characters(&self) -> &str {
        self.0.get(Self::LENGTH - 4..).unwrap_or_default()
    }

    /// What is kept.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl TryFrom<String> for GiftCode {
    type Error = GiftCodeError;
    fn try_from(text: String) -> Result<Self, GiftCodeError> {
        Self::parse(&text)
    }
}

/// An account that may pay for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsableCredit {
    pub id: CreditId,
    pub kind: CreditKind,
    pub last_characters: Option<String>,
    pub balance: Money,
}

/// How much each account pays of a total: as much as it can, one after the other.
///
/// # Errors
/// Another currency than the total's.
pub fn shares(accounts: &[UsableCredit], total: Money) -> Result<Vec<(UsableCredit, Money)>, MoneyError> {
    let mut left = total;
    let mut paid = Vec::new();
    for account in accounts {
        let part = Money::new(account.balance.minor().min(left.minor()), account.balance.currency());
        if part.is_positive() {
            left = left.checked_sub(part)?;
            paid.push((account.clone(), part));
        }
    }
    Ok(paid)
}

/// Where the money of new credit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody has paid for it outside of the shop.
    Sold,
    /// The store gives it away.
    Granted,
}

/// A gift card to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount_minor": 5000, "currency": "EUR"}, "origin": "granted"}))]
pub struct IssueGiftCard {
    /// Above zero, at most 100000000 in the currency's smallest unit.
    pub amount: Money,
    pub origin: Origin,
    /// It cannot be used from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// For colleagues.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub note: Option<LongText<500>>,
    /// Mails the code to whom it is for; then no answer has it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "grace@example.com")]
    pub send_to: Option<Email>,
    /// For the mail: what the giver wants to say.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub message: Option<LongText<500>>,
    /// The language they read: the mail is in it where there are words for it, else in the one of their account, else in the store's.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 35, example = "de-AT")]
    pub locale: Option<Locale>,
}

/// Store credit to be given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueStoreCredit {
    pub customer: CustomerId,
    /// Above zero, at most 100000000 in the currency's smallest unit.
    pub amount: Money,
    pub origin: Origin,
}

/// How a gift card shall be from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutGiftCard {
    /// It cannot be used while it is.
    pub disabled: bool,
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub note: Option<LongText<500>>,
}

/// The largest amount of one issue, in the smallest unit.
const MOST: i64 = 100_000_000;

/// Whether so much may be issued.
pub fn check_amount(amount: Money) -> Result<(), &'static str> {
    if (1..=MOST).contains(&amount.minor()) {
        Ok(())
    } else {
        Err("must be above zero and at most 100000000 in the currency's smallest unit")
    }
}

/// A gift card or a customer's store credit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreditView {
    pub id: CreditId,
    pub kind: CreditKind,
    /// Only in the answer that makes a gift card that is not mailed. It is not kept: give it to whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7KQ2-9F4M-X0TZ-3HAB")]
    pub code: Option<String>,
    #[schema(example = "3HAB")]
    pub last_characters: Option<String>,
    pub customer: Option<CustomerId>,
    pub balance: Money,
    pub disabled: bool,
    pub expires_at: Option<DateTime<Utc>>,
    pub note: String,
    /// Oldest first; empty in lists.
    pub entries: Vec<CreditEntryView>,
    /// Grows with every change of its own fields; the ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

/// A movement of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreditEntryView {
    /// `issued`, `added`, `held` (for a checkout), `released` (it came to nothing) or `returned` (the order was cancelled).
    #[schema(example = "issued")]
    pub kind: String,
    /// What it did to the balance.
    pub amount: Money,
    pub order: Option<OrderId>,
    pub actor: String,
    pub at: DateTime<Utc>,
}

/// A gift card that was mailed to somebody. Its code is in the mail only.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailedCardView {
    /// What the giver said.
    pub message: String,
    #[schema(example = "3HAB")]
    pub last_characters: Option<String>,
    pub balance: Money,
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// Which accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CreditFilter {
    /// The last characters of a gift card's code.
    pub last_characters: Option<String>,
    /// The store credit of this customer.
    pub customer: Option<CustomerId>,
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = GiftCode::mint().unwrap();
        let shown = code.expose();
        assert_eq!((shown.len(), shown.matches('-').count()), (19, 3));
        assert_eq!(GiftCode::parse(&shown.to_lowercase().replace('-', " ")), Ok(code.clone()));
        assert_eq!(
            GiftCode::parse("OOOO-IIII-LLLL-0000").map(|code| code.expose()).as_deref(),
            Ok("0000-1111-1111-0000")
        );
        for wrong in ["", "0000-1111", "UUUU-1111-1111-1111", "0000-1111-1111-1111-1"] {
            assert_eq!(GiftCode::parse(wrong), Err(GiftCodeError), "{wrong}");
        }
        assert_ne!(GiftCode::mint().unwrap(), code);
        assert_eq!(format!("{code:?}"), "GiftCode(…)");
    }

    #[test]
    fn accounts_pay_one_after_the_other() {
        let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
        let account = |minor| UsableCredit {
            id: CreditId::new(),
            kind: CreditKind::GiftCard,
            last_characters: None,
            balance: eur(minor),
        };
        let paid = |accounts: &[i64], total| -> Vec<i64> {
            let accounts: Vec<_> = accounts.iter().copied().map(account).collect();
            shares(&accounts, eur(total)).unwrap().iter().map(|(_, part)| part.minor()).collect()
        };
        assert_eq!(paid(&[300, 500], 700), [300, 400]);
        assert_eq!(paid(&[300, 0, 500], 200), [200]);
        assert_eq!(paid(&[300], 1000), [300]);
        assert_eq!(paid(&[300], 0), [0_i64; 0]);
    }
}
