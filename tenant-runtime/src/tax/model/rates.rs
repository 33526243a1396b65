//! Versions of rates.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use souk_kernel::{Country, Ppm, TaxRateId, TaxRegionId, Text};
use utoipa::{IntoParams, ToSchema};

use super::{ClassCode, TaxReason};

/// A version of a rate.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct TaxRateView {
    #[diesel(sql_type = SqlUuid)]
    pub id: TaxRateId,
    #[diesel(sql_type = SqlUuid)]
    #[diesel(column_name = region_id)]
    pub region: TaxRegionId,
    #[diesel(sql_type = SqlText)]
    pub country: Country,
    /// The region's code within its country: a province's, or that of a region of postal codes.
    #[diesel(sql_type = Nullable<SqlText>)]
    #[schema(example = "CA")]
    pub province: Option<String>,
    /// Rates of one region that are beside each other have different ones.
    #[diesel(sql_type = SqlText)]
    #[schema(example = "main")]
    pub component: String,
    /// The class of goods it is for; null for all that have no rate of their own in this component.
    #[diesel(sql_type = Nullable<SqlText>)]
    #[schema(example = "books")]
    pub class: Option<String>,
    #[diesel(sql_type = SqlText)]
    #[schema(example = "VAT")]
    pub name: String,
    #[diesel(sql_type = Integer)]
    pub rate_ppm: Ppm,
    /// Counted on the price and the taxes that are not compound.
    #[diesel(sql_type = Bool)]
    pub compound: bool,
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
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaxRateFilter {
    /// Only rates of this country.
    #[param(value_type = Option<String>, example = "DE")]
    pub country: Option<Country>,
    /// Only rates in force now, or only the others.
    pub in_force: Option<bool>,
}

/// How to write.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WriteFilter {
    /// Only say what would change; nothing is written.
    #[serde(default)]
    pub dry_run: bool,
}

/// A new version of a rate. It ends the one that the same component and class of the region has at that moment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "DE", "name": "VAT", "rate_ppm": 190000}))]
pub struct NewTaxRate {
    pub country: Country,
    /// The region's code within its country. A rate of a province adds to the one of its country, unless the region stands alone. One that is
    /// not known yet becomes a province.
    #[schema(example = "CA")]
    pub province: Option<Text<60>>,
    /// What tells rates of one region apart that are owed beside each other: `gst` and `qst`. Left out: `main`.
    #[schema(example = "main")]
    pub component: Option<Text<40>>,
    /// Only for goods of this class; left out: for all that have no rate of their own in this component.
    #[schema(value_type = Option<String>, max_length = 40, example = "books")]
    pub class: Option<ClassCode>,
    #[schema(example = "VAT")]
    pub name: Text<60>,
    /// At most 1000000, the whole.
    pub rate_ppm: Ppm,
    /// Counted on the price and the taxes that are not compound.
    #[serde(default)]
    pub compound: bool,
    /// Left out: `standard_rated`, `reduced_rated` for the rate of a class, or `zero_rated` for a rate of nothing.
    pub reason: Option<TaxReason>,
    /// Left out: now. Never in the past.
    pub valid_from: Option<DateTime<Utc>>,
    /// In force until the moment before. Left out: until the next version begins.
    pub valid_to: Option<DateTime<Utc>>,
}

/// What follows each other: the versions of one component of a region, for one class.
#[derive(Clone, Copy, Debug)]
pub struct Series<'r> {
    pub component: &'r str,
    pub class: Option<&'r str>,
}

impl NewTaxRate {
    /// Which versions it is one of.
    pub fn series(&self) -> Series<'_> {
        Series {
            component: self.component.as_ref().map_or("main", Text::as_str),
            class: self.class.as_ref().map(ClassCode::as_str),
        }
    }

    /// Its reason, said or usual.
    pub fn reason(&self) -> TaxReason {
        let usual = match (self.rate_ppm == Ppm::ZERO, &self.class) {
            (true, _) => TaxReason::ZeroRated,
            (false, Some(_)) => TaxReason::ReducedRated,
            (false, None) => TaxReason::StandardRated,
        };
        self.reason.unwrap_or(usual)
    }
}

/// What a new rate changes, or would.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxRateChange {
    /// As it would be; of a dry run, under an id that nothing will have.
    pub begins: TaxRateView,
    /// What would end with it; null when nothing is in force then.
    pub ends: Option<TaxRateView>,
    /// Always true: nothing was written.
    #[schema(example = true)]
    pub dry_run: bool,
}
