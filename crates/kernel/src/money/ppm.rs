//! Rates without fractions: parts per million.

/// Parts per million, 0 to 10,000,000: 190,000 is 19 %, 1,000,000 the whole, the largest ten times the whole. Column
/// type: `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Integer)
)]
pub struct Ppm(u32);

/// The number was not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 0 to 10000000 (parts per million)")]
pub struct PpmError;

impl Ppm {
    /// The largest rate: 1000 %.
    pub const MAX: u32 = 10_000_000;
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// 100 %.
    pub const WHOLE: Self = Self(1_000_000);

    /// The rate, if it is not above [`Ppm::MAX`].
    pub const fn new(parts: u32) -> Result<Self, PpmError> {
        if parts <= Self::MAX { Ok(Self(parts)) } else { Err(PpmError) }
    }

    /// The parts per million.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Two rates on the same base, such as a state's and a county's tax.
    pub const fn checked_add(self, other: Self) -> Result<Self, PpmError> {
        // Two rates are far below u32::MAX.
        Self::new(self.0 + other.0)
    }
}

crate::column::integer_column!(Ppm, PpmError);
