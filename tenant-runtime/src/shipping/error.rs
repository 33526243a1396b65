//! How changing zones and rates fails.

use souk_api::{Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Taken;

problems! { CATALOGUE;
    ZONE_OVERLAP = 409, "shipping_zone_overlap", "A place belongs to another shipping zone already", "Take what `countries` and `places` name out of the other zone first; if they are empty, it takes the rest of the world.";
    CALCULATOR_IN_USE = 409, "shipping_calculator_in_use", "Shipping rates are of this calculator", "Remove those rates first, or give them another calculator.";
    TOO_MANY_CALCULATORS = 409, "too_many_shipping_calculators", "There are as many shipping calculators as there may be", "Delete one that is no longer needed.";
    TOO_MANY_PROFILES = 409, "too_many_shipping_profiles", "There are as many shipping profiles as there may be", "Delete one that is no longer needed.";
    QUOTES_PENDING = 409, "shipping_quotes_pending", "A carrier has to be asked what delivery costs", "Read the cart again: it is asked then.";
    NAME_TAKEN = 409, "shipping_name_taken", "The name is taken", "Choose another name.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ShippingError {
    /// There is no such zone or rate.
    #[error("no such zone or rate")]
    Unknown,
    /// What another zone takes already.
    #[error("another zone takes {0:?}")]
    Overlap(Taken),
    /// Zones, profiles, and rates within a zone, have different names.
    #[error("the name is taken")]
    NameTaken,
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The caller saw an earlier version, or none.
    #[error("the precondition failed")]
    Precondition(Problem),
    /// A program cannot be there: what would have been right.
    #[error("the address {0}")]
    Address(String),
    /// Rates are of the calculator.
    #[error("rates are of the calculator")]
    CalculatorInUse,
    /// There are as many calculators as there may be.
    #[error("there are as many calculators as there may be")]
    TooManyCalculators,
    /// There are as many profiles as there may be.
    #[error("there are as many profiles as there may be")]
    TooManyProfiles,
    /// A secret could not be sealed.
    #[error("a secret cannot be sealed: {0}")]
    Sealing(String),
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for ShippingError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unique { .. } => Self::NameTaken,
            DbError::Foreign { constraint } if constraint == "shipping_rates_calculator_id_fkey" => {
                Self::Field("/calculator", "must be a calculator of this store")
            }
            DbError::Foreign { constraint } if constraint == "shipping_zones_profile_id_fkey" => {
                Self::Field("/profile", "must be a shipping profile of this store")
            }
            error => Self::Db(error),
        }
    }
}

impl From<ShippingError> for Problem {
    fn from(error: ShippingError) -> Self {
        match error {
            ShippingError::Unknown => Self::new(&problem::NOT_FOUND),
            ShippingError::Overlap(taken) => Self::new(&ZONE_OVERLAP)
                .extension("countries", taken.countries)
                .extension("places", taken.places),
            ShippingError::NameTaken => {
                Self::new(&NAME_TAKEN).field("/name", "taken", "must be another name")
            }
            ShippingError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            ShippingError::Precondition(problem) => problem,
            ShippingError::Address(message) => {
                Self::new(&problem::VALIDATION).field("/url", "invalid", message)
            }
            ShippingError::CalculatorInUse => Self::new(&CALCULATOR_IN_USE),
            ShippingError::TooManyCalculators => Self::new(&TOO_MANY_CALCULATORS),
            ShippingError::TooManyProfiles => Self::new(&TOO_MANY_PROFILES),
            ShippingError::Sealing(_) | ShippingError::Random(_) => {
                Self::new(&problem::INTERNAL).source(error)
            }
            ShippingError::Db(error) => souk_access::database_problem(error.into()),
            ShippingError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
