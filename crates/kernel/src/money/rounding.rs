//! What happens to exactly half a minor unit.

use std::fmt;

/// A store's rule for exact halves; every other fraction goes to the nearest unit. Column type: `text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub enum Rounding {
    /// Away from zero: 0.5 → 1, −0.5 → −1. What a new store has.
    #[default]
    HalfUp,
    /// To the even neighbour: 0.5 → 0, 1.5 → 2.
    HalfEven,
    /// Towards zero: 0.5 → 0, −0.5 → 0.
    HalfDown,
}

/// The text was not a rounding rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be half_up, half_even or half_down")]
pub struct RoundingError;

impl Rounding {
    /// Read `half_up`, `half_even` or `half_down`.
    pub fn parse(text: &str) -> Result<Self, RoundingError> {
        match text {
            "half_up" => Ok(Self::HalfUp),
            "half_even" => Ok(Self::HalfEven),
            "half_down" => Ok(Self::HalfDown),
            _ => Err(RoundingError),
        }
    }

    /// The text form.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::HalfUp => "half_up",
            Self::HalfEven => "half_even",
            Self::HalfDown => "half_down",
        }
    }

    /// `number / by`, rounded; by zero it is zero, which no caller here asks for. The sign does not matter to the
    /// result's size: a refund rounds like the sale it takes back.
    pub(super) fn divide(self, number: i128, by: i64) -> i128 {
        let by = i128::from(by);
        let (Some(quotient), Some(rest)) = (number.checked_div(by), number.checked_rem(by)) else { return 0 };
        let twice = rest.abs() * 2;
        let away = match self {
            Self::HalfUp => twice >= by,
            Self::HalfEven => twice > by || (twice == by && quotient % 2 != 0),
            Self::HalfDown => twice > by,
        };
        if away { quotient + number.signum() } else { quotient }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

crate::column::text_column!(Rounding, RoundingError, "half_up, half_even or half_down");
