//! How working with groups of customers fails.

use souk_api::problem::{CONFLICT, NOT_FOUND, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Uses;

problems! { CATALOGUE;
    GROUP_IN_USE = 409, "customer_group_in_use", "Something is only for this group", "Without the group it would be for everybody or for nobody. `price_lists`, `discounts` and `tax_exemptions` say what it is: take the group out there first.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// There is no such group or customer.
    #[error("no such group or customer")]
    Unknown,
    /// The request breaks rules.
    #[error("the request breaks a rule")]
    Invalid(Vec<FieldError>),
    /// Another group has this name or handle.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// Prices, discounts or exemptions are only for this group.
    #[error("the group is in use")]
    InUse(Uses),
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

impl From<DbError> for GroupError {
    fn from(error: DbError) -> Self {
        match error.constraint() {
            Some("customer_groups_name_key") => Self::Taken("/name"),
            Some("customer_groups_handle_key") => Self::Taken("/handle"),
            // Somebody was a moment faster than our look at what uses it.
            Some("price_list_groups_group_id_fkey" | "discount_groups_group_id_fkey") => {
                Self::InUse(Uses::default())
            }
            _ => Self::Db(error),
        }
    }
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Unknown => Self::new(&NOT_FOUND),
            GroupError::Invalid(errors) => errors.into_iter().fold(Self::new(&VALIDATION), Self::error),
            GroupError::Taken(pointer) => Self::new(&CONFLICT)
                .detail("Another group of customers has this name or handle.")
                .field(pointer, "taken", "must be free"),
            GroupError::InUse(uses) => Self::new(&GROUP_IN_USE)
                .extension("price_lists", uses.price_lists)
                .extension("discounts", uses.discounts)
                .extension("tax_exemptions", uses.tax_exemptions),
            GroupError::Precondition(problem) => problem,
            GroupError::Db(error) => souk_access::database_problem(error.into()),
            GroupError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
