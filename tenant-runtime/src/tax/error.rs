//! How tax fails.

use souk_api::{Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use crate::settings::SettingsError;

problems! { CATALOGUE;
    RATE_OVERLAP = 409, "tax_rate_overlap", "Another version of the rate is in force then", "End it first, or choose dates that do not meet: `valid_from` and `valid_to` of it are below.";
    REGION_TAKEN = 409, "tax_region_taken", "Another region has this code, or some of these postal codes", "Change that region instead, or take the codes out of it first.";
    REGION_USED = 409, "tax_region_used", "The region has or had rates, or regions below it", "End its rates; what was sold under them names the region for good.";
    CLASS_USED = 409, "tax_class_used", "Something is of this class", "Give its variants, rates and the delivery another class first.";
    TOTAL_TOO_LARGE = 422, "tax_total_too_large", "The amounts are more than can be counted", "Ask about less.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum TaxError {
    /// There is no such rate, region, class or exemption.
    #[error("there is none")]
    Unknown,
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(String, &'static str),
    /// A version that is in force at the same time: when it begins and ends.
    #[error("another version is in force from {0}")]
    Overlap(String, Option<String>),
    /// Another region has it.
    #[error("another region has this code or some of these postal codes")]
    RegionTaken(Option<String>),
    /// It has rates or regions below it.
    #[error("the region is in use")]
    RegionUsed,
    /// Variants, rates or the delivery are of it.
    #[error("the class is in use")]
    ClassUsed,
    /// More than can be counted.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// If-Match did not hold.
    #[error("the settings or the region changed")]
    Precondition(Problem),
    /// The store's settings could not be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl TaxError {
    /// A field does not hold what it must.
    pub fn field(pointer: &str, message: &'static str) -> Self {
        Self::Field(pointer.to_owned(), message)
    }
}

impl From<DbError> for TaxError {
    fn from(error: DbError) -> Self {
        match error.constraint() {
            Some("tax_rates_class_fkey") => Self::field("/class", "must be one of the tax classes"),
            Some("tax_settings_shipping_class_fkey") => {
                Self::field("/shipping_class", "must be one of the tax classes")
            }
            Some("tax_exemptions_customer_id_fkey") => {
                Self::field("/customer", "must be a customer of this store")
            }
            Some("tax_exemptions_group_id_fkey") => {
                Self::field("/customer_group", "must be a group of this store")
            }
            // Somebody made it a moment before.
            Some("tax_regions_country_province_key") => Self::RegionTaken(None),
            _ => Self::Db(error),
        }
    }
}

impl From<TaxError> for Problem {
    fn from(error: TaxError) -> Self {
        match error {
            TaxError::Unknown => Self::new(&problem::NOT_FOUND),
            TaxError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            TaxError::Overlap(from, to) => {
                Self::new(&RATE_OVERLAP).extension("valid_from", from).extension("valid_to", to)
            }
            TaxError::RegionTaken(region) => Self::new(&REGION_TAKEN).extension("region", region),
            TaxError::RegionUsed => Self::new(&REGION_USED),
            TaxError::ClassUsed => Self::new(&CLASS_USED),
            TaxError::Money(error) => Self::new(&TOTAL_TOO_LARGE).source(error),
            TaxError::Precondition(problem) => problem,
            TaxError::Settings(error) => error.into(),
            TaxError::Db(error) => souk_access::database_problem(error.into()),
            TaxError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
