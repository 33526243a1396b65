//! How working with markets fails.

use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_api::{Problem, problems};
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    MARKET_OVERLAP = 409, "market_overlap", "A country belongs to another market already", "Take the country out of the other market first.";
    MARKET_NAME_TAKEN = 409, "market_name_taken", "Another market has this name", "Choose another name.";
    DEFAULT_MARKET = 409, "default_market", "A store keeps one default market", "Make another market the default one first.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// There is no such market.
    #[error("no such market")]
    Unknown,
    /// Countries that another market names.
    #[error("another market names {0:?}")]
    Overlap(Vec<String>),
    #[error("the name is taken")]
    NameTaken,
    /// The default market can be neither deleted nor made an ordinary one.
    #[error("it is the default market")]
    Default,
    /// A field does not hold what it must: pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The caller saw an earlier version.
    #[error("the precondition failed")]
    Precondition(Problem),
    /// A statement failed.
    #[error(transparent)]
    Db(DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<DbError> for MarketError {
    fn from(error: DbError) -> Self {
        if error.is_unique("markets_name_key") { Self::NameTaken } else { Self::Db(error) }
    }
}

impl From<MarketError> for Problem {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::Unknown => Self::new(&NOT_FOUND),
            MarketError::Overlap(countries) => Self::new(&MARKET_OVERLAP).extension("countries", countries),
            MarketError::NameTaken => {
                Self::new(&MARKET_NAME_TAKEN).field("/name", "taken", "must be another name")
            }
            MarketError::Default => Self::new(&DEFAULT_MARKET),
            MarketError::Field(pointer, message) => Self::new(&VALIDATION).field(pointer, "invalid", message),
            MarketError::Precondition(problem) => problem,
            MarketError::Db(error) => souk_access::database_problem(error.into()),
            MarketError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
