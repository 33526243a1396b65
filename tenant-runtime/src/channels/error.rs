//! How working with sales channels fails.

use souk_api::problem::{CONFLICT, NOT_FOUND, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    CHANNEL_FIXED = 409, "channel_fixed", "The default channel stays", "Everybody without a key sees it. Rename it, or take products off it.";
    CHANNEL_IN_USE = 409, "channel_in_use", "Keys belong to this channel", "Revoke them first: DELETE /admin/v1/api-keys/{key}.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is no such channel or product.
    #[error("there is no such thing")]
    Unknown,
    /// The request breaks a rule.
    #[error("the request breaks a rule")]
    Field(FieldError),
    /// Another channel has this name.
    #[error("the name is taken")]
    NameTaken,
    /// It is the default one.
    #[error("the default channel stays")]
    Fixed,
    /// Keys that are good belong to it.
    #[error("keys belong to the channel")]
    InUse,
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

impl From<DbError> for ChannelError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unique { constraint } if constraint == "sales_channels_name_key" => Self::NameTaken,
            DbError::Foreign { constraint } if constraint.starts_with("product_publications_") => {
                Self::Unknown
            }
            _ => Self::Db(error),
        }
    }
}

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Unknown => Self::new(&NOT_FOUND),
            ChannelError::Field(error) => Self::new(&VALIDATION).error(error),
            ChannelError::NameTaken => Self::new(&CONFLICT).detail("There is a channel of this name."),
            ChannelError::Fixed => Self::new(&CHANNEL_FIXED),
            ChannelError::InUse => Self::new(&CHANNEL_IN_USE),
            ChannelError::Precondition(problem) => problem,
            ChannelError::Db(error) => souk_access::database_problem(error.into()),
            ChannelError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
