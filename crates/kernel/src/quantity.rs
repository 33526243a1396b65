//! How many pieces: a whole number that is never zero.

/// 1 to 999,999 pieces. Column type: `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Integer)
)]
pub struct Quantity(u32);

/// The number was not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 999999")]
pub struct QuantityError;

impl Quantity {
    /// The smallest quantity.
    pub const MIN: u32 = 1;
    /// The largest quantity: 999,999.
    pub const MAX: u32 = 999_999;
    /// One piece.
    pub const ONE: Self = Self(1);

    /// The quantity, if it is within [`Quantity::MIN`] and [`Quantity::MAX`].
    pub const fn new(number: u32) -> Result<Self, QuantityError> {
        if number >= Self::MIN && number <= Self::MAX { Ok(Self(number)) } else { Err(QuantityError) }
    }

    /// The number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Both together, if that is still a quantity.
    pub const fn checked_add(self, more: Self) -> Result<Self, QuantityError> {
        // Two quantities are far below u32::MAX.
        Self::new(self.0 + more.0)
    }
}

crate::column::integer_column!(Quantity, QuantityError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_kept() {
        assert_eq!(Quantity::new(0), Err(QuantityError));
        assert_eq!(Quantity::new(1), Ok(Quantity::ONE));
        assert_eq!(Quantity::new(999_999).map(Quantity::get), Ok(999_999));
        assert_eq!(Quantity::new(1_000_000), Err(QuantityError));
        assert_eq!(Quantity::new(999_999).unwrap().checked_add(Quantity::ONE), Err(QuantityError));
        assert_eq!("3".parse::<Quantity>().map(Quantity::get), Ok(3));
    }

    #[test]
    fn json_is_a_whole_number() {
        assert_eq!(serde_json::from_str::<Quantity>("7").unwrap().get(), 7);
        assert_eq!(serde_json::to_string(&Quantity::ONE).unwrap(), "1");
        for refused in ["0", "-1", "1000000", "99999999999"] {
            let error = serde_json::from_str::<Quantity>(refused).unwrap_err().to_string();
            assert!(error.starts_with("must be a whole number from 1 to 999999"), "{error}");
        }
        for refused in ["1.5", "\"1\"", "null", "true", "1e400"] {
            assert!(serde_json::from_str::<Quantity>(refused).is_err(), "{refused}");
        }
    }
}
