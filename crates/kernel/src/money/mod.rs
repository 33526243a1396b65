//! Amounts of money: whole minor units and a currency, and arithmetic that never loses a cent or mixes two currencies.
//!
//! There is no `Add`, no float and no `Default`: a sum can fail, and nothing is "0 of no currency". Every result that
//! does not fit 64 bits is [`MoneyError::Overflow`]; in between we count in 128.

mod ppm;
mod rounding;
mod split;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use ppm::{Ppm, PpmError};
pub use rounding::{Rounding, RoundingError};
pub use split::refund_share;

use crate::{Currency, Quantity};

/// An amount in the smallest unit of its currency: 1234 with EUR is €12.34, with JPY ¥1234. May be negative.
///
/// JSON: `{"amount_minor": 1234, "currency": "EUR"}`. In the database: a `…_minor bigint` column, and one `currency`
/// column per document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[serde(rename = "amount_minor")]
    minor: i64,
    currency: Currency,
}

/// An amount could not be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More than 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// Two currencies in one sum.
    #[error("amounts in {0} and {1} cannot be combined")]
    CurrencyMismatch(Currency, Currency),
    /// An amount to share out, and nobody with a weight above zero to take it.
    #[error("there is nothing to share the amount over")]
    NoWeight,
    /// `k of Q` with k above Q, or of nothing.
    #[error("must be a part of the whole")]
    NoPart,
    /// Text that is not a decimal of the currency.
    #[error("must be a decimal number with at most {0} decimals, such as 12.34")]
    Decimal(u32),
}

impl Money {
    /// `minor` smallest units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, of `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in the currency's smallest unit.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Below zero?
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Nothing?
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Above zero?
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Both together. Errors: another currency, overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.exactly(i128::from(self.minor) + i128::from(other.minor))
    }

    /// This without the other. Errors: another currency, overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.exactly(i128::from(self.minor) - i128::from(other.minor))
    }

    /// The other way round: a charge as a credit. Overflows for the one amount that has no opposite, `i64::MIN`.
    pub fn negated(self) -> Result<Self, MoneyError> {
        self.exactly(-i128::from(self.minor))
    }

    /// Unit price times pieces, exactly.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        self.exactly(i128::from(self.minor) * i128::from(quantity.get()))
    }

    /// The part of this amount that `share` says, rounded once: tax on a net amount, a percentage off.
    pub fn portion(self, share: Ppm, rounding: Rounding) -> Result<Self, MoneyError> {
        let parts = i128::from(self.minor) * i128::from(share.get());
        self.exactly(rounding.divide(parts, i64::from(Ppm::WHOLE.get())))
    }

    /// The tax inside a gross amount: `gross − gross / (1 + rate)`, where the net is what is rounded. The gross is
    /// sacred, so net and tax always add up to it.
    pub fn included_portion(self, rate: Ppm, rounding: Rounding) -> Result<Self, MoneyError> {
        let whole = i64::from(Ppm::WHOLE.get());
        let net = rounding.divide(i128::from(self.minor) * i128::from(whole), whole + i64::from(rate.get()));
        self.exactly(i128::from(self.minor) - net)
    }

    /// What `part` of `whole` equal pieces of this amount are worth, rounded once; nothing when `whole` is zero. All pieces are
    /// worth exactly the amount.
    pub fn fraction(self, part: i64, whole: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        self.exactly(rounding.divide(i128::from(self.minor) * i128::from(part), whole))
    }

    /// The sum, or zero of `currency` when there is nothing to add. Errors: another currency, overflow of the total
    /// (a subtotal may pass 64 bits on the way).
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        let zero = Self::zero(currency);
        let total = amounts.into_iter().try_fold(0_i128, |total, amount| {
            zero.same_currency(amount)?;
            Ok(total.saturating_add(i128::from(amount.minor)))
        })?;
        zero.exactly(total)
    }

    /// Which is more. Error: another currency.
    pub fn cmp_same_currency(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The amount as a decimal with all decimals of the currency and a point: `12.34`, `-0.05`, `1234` for JPY.
    pub fn decimal_string(self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let decimals = usize::try_from(self.currency.exponent()).unwrap_or_default();
        // One digit more than the decimals, so that there is always one before the point.
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    /// Read `12.34`, `12.3`, `12` or `-0.05`; more decimals than the currency has are refused, not rounded. Errors:
    /// [`MoneyError::Decimal`], overflow.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        let refused = MoneyError::Decimal(exponent);
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let decimals = usize::try_from(exponent).unwrap_or_default();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // "12.0" is a whole number of yen; every other decimal needs room.
        let part = if part.bytes().all(|byte| byte == b'0') && !part.is_empty() { "" } else { part };
        if !is_number(whole)
            || !(part.is_empty() || is_number(part))
            || part.len() > decimals
            || digits.ends_with('.')
        {
            return Err(refused);
        }
        if whole.len() > 20 {
            return Err(MoneyError::Overflow);
        }
        let minor: i128 = format!("{whole}{part:0<decimals$}").parse().map_err(|_| refused)?;
        Self::zero(currency).exactly(sign * minor)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch(self.currency, other.currency))
        }
    }

    /// This many minor units of the same currency, if they fit.
    fn exactly(self, minor: i128) -> Result<Self, MoneyError> {
        i64::try_from(minor).map(|minor| Self::new(minor, self.currency)).map_err(|_| MoneyError::Overflow)
    }
}

impl fmt::Display for Money {
    /// `12.34 EUR`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal_string(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
