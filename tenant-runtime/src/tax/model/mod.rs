//! Destinations, rules and lines of tax.

pub mod arithmetic;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Money, Ppm, Quantity, TaxRateId, Text};
use utoipa::ToSchema;

/// Where the goods go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub country: Country,
    /// As the shopper wrote it; compared without regard to case.
    pub province: Option<String>,
}

/// Why a line is taxed as it is. Every line has one, above all the untaxed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, diesel::deserialize::FromSqlRow,
)]
#[serde(rename_all = "snake_case")]
pub enum TaxReason {
    StandardRated,
    ReducedRated,
    ZeroRated,
    ReverseCharge,
    IntraCommunitySupply,
    Export,
    CustomerExempt,
    ProductExempt,
    NotCollecting,
}

/// The text was not a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a tax reason")]
pub struct TaxReasonError;

impl TaxReason {
    const ALL: [Self; 9] = [
        Self::StandardRated,
        Self::ReducedRated,
        Self::ZeroRated,
        Self::ReverseCharge,
        Self::IntraCommunitySupply,
        Self::Export,
        Self::CustomerExempt,
        Self::ProductExempt,
        Self::NotCollecting,
    ];

    /// As in the column and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StandardRated => "standard_rated",
            Self::ReducedRated => "reduced_rated",
            Self::ZeroRated => "zero_rated",
            Self::ReverseCharge => "reverse_charge",
            Self::IntraCommunitySupply => "intra_community_supply",
            Self::Export => "export",
            Self::CustomerExempt => "customer_exempt",
            Self::ProductExempt => "product_exempt",
            Self::NotCollecting => "not_collecting",
        }
    }

    /// Whether tax is owed under this reason.
    pub const fn is_owed(self) -> bool {
        matches!(self, Self::StandardRated | Self::ReducedRated)
    }
}

impl diesel::deserialize::FromSql<SqlText, diesel::pg::Pg> for TaxReason {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        let text: String = diesel::deserialize::FromSql::<SqlText, diesel::pg::Pg>::from_sql(value)?;
        Ok(Self::try_from(text)?)
    }
}

impl TryFrom<String> for TaxReason {
    type Error = TaxReasonError;
    fn try_from(text: String) -> Result<Self, TaxReasonError> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(TaxReasonError)
    }
}

/// One rate in force at a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRule {
    pub name: String,
    /// `DE`, `US-CA`.
    pub jurisdiction: String,
    pub rate: Ppm,
    pub reason: TaxReason,
}

/// All rates in force at a destination; they add up. Empty: this store does not collect there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxRules {
    /// The destination, for the lines of what is not taxed.
    pub jurisdiction: String,
    pub rules: Vec<TaxRule>,
}

/// What a tax is worked out on: the amount of a line, after discounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taxable {
    pub base: Money,
    pub quantity: Quantity,
    /// Whether this product is taxed at all.
    pub taxable: bool,
}

/// The tax of one rate on one line. `taxable` is always net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    pub name: String,
    pub jurisdiction: String,
    pub rate: Ppm,
    pub reason: TaxReason,
    pub taxable: Money,
    pub amount: Money,
}

/// A tax line on the wire.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxLineView {
    #[schema(example = "VAT")]
    pub name: String,
    #[schema(example = "DE")]
    pub jurisdiction: String,
    pub rate_ppm: Ppm,
    pub reason: TaxReason,
    /// Net.
    pub taxable: Money,
    pub amount: Money,
}

impl From<&TaxLine> for TaxLineView {
    fn from(line: &TaxLine) -> Self {
        Self {
            name: line.name.clone(),
            jurisdiction: line.jurisdiction.clone(),
            rate_ppm: line.rate,
            reason: line.reason,
            taxable: line.taxable,
            amount: line.amount,
        }
    }
}

/// A version of a rate.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxRateView {
    #[diesel(sql_type = SqlUuid)]
    pub id: TaxRateId,
    #[diesel(sql_type = SqlText)]
    pub country: Country,
    #[diesel(sql_type = Nullable<SqlText>)]
    #[schema(example = "CA")]
    pub province: Option<String>,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "VAT")]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub rate_ppm: Ppm,
    #[diesel(sql_type = SqlText)]
    pub reason: TaxReason,
    #[diesel(sql_type = Timestamptz)]
    pub valid_from: DateTime<Utc>,
    /// In force until the moment before.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub valid_to: Option<DateTime<Utc>>,
}

/// All rates, past ones included.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxRateList {
    pub data: Vec<TaxRateView>,
}

/// Which rates.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaxRateFilter {
    /// Only rates of this country.
    #[param(value_type = Option<String>, example = "DE")]
    pub country: Option<Country>,
    /// Only rates in force now, or only the others.
    pub in_force: Option<bool>,
}

/// A new rate. It ends the one that the same region has at that moment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "DE", "name": "VAT", "rate_ppm": 190000}))]
pub struct NewTaxRate {
    pub country: Country,
    /// A rate of a province adds to the one of its country.
    #[schema(example = "CA")]
    pub province: Option<Text<60>>,
    #[schema(example = "VAT")]
    pub name: Text<60>,
    /// At most 1000000, the whole.
    pub rate_ppm: Ppm,
    /// Left out: `standard_rated`, or `zero_rated` for a rate of nothing.
    pub reason: Option<TaxReason>,
    /// Left out: now. Never in the past.
    pub valid_from: Option<DateTime<Utc>>,
}
