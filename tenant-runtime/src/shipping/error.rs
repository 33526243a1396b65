//! How changing zones and rates fails.

use souk_api::{Problem, problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Taken;

problems! { CATALOGUE;
    ZONE_OVERLAP = 409, "shipping_zone_overlap", "A place belongs to another shipping zone already", "Take what `countries` and `places` name out of the other zone first; if they are empty, it takes the rest of the world.";
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
    /// Zones, and rates within a zone, have different names.
    #[error("the name is taken")]
    NameTaken,
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
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
            ShippingError::Db(error) => souk_access::database_problem(error.into()),
            ShippingError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
