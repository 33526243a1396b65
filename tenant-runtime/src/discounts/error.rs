//! How working with discounts fails.

use souk_api::problem::{NOT_FOUND, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::Refusal;

problems! { CATALOGUE;
    CODE_TAKEN = 409, "discount_code_taken", "Another discount has this code", "Choose another code, or change the discount that has it.";
    TOO_MANY_AUTOMATIC = 409, "too_many_automatic_discounts", "There are 25 automatic discounts already", "Delete or pause one that is no longer wanted.";
    DISCOUNT_GONE = 409, "discount_gone", "A discount does not apply any more", "Read the cart again, show the shopper the new total and try with a new Idempotency-Key.";
    CODE_REFUSED = 422, "discount_code_refused", "This code cannot be used", "`reason` says why; correct the code or leave it out.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DiscountError {
    /// There is no such discount.
    #[error("there is no such discount")]
    Unknown,
    /// The request breaks rules.
    #[error("the request breaks a rule")]
    Invalid(Vec<FieldError>),
    /// A code names another discount.
    #[error("the code is taken")]
    CodeTaken,
    /// Every cart looks at every automatic discount, so there is a limit.
    #[error("too many automatic discounts")]
    TooManyAutomatic,
    /// The code will never apply to this cart.
    #[error("the code is refused: {1:?}")]
    Refused(String, Refusal),
    /// Ended, paused or used up between the shopper's last look and now.
    #[error("{0} does not apply any more")]
    Gone(String),
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

impl From<DbError> for DiscountError {
    fn from(error: DbError) -> Self {
        match error.constraint() {
            Some("discount_codes_pkey") => Self::CodeTaken,
            Some("discount_groups_group_id_fkey") => {
                let fault = FieldError::new("/customer_groups", "unknown", "must be groups of this store");
                Self::Invalid(vec![fault])
            }
            _ => Self::Db(error),
        }
    }
}

impl From<DiscountError> for Problem {
    fn from(error: DiscountError) -> Self {
        match error {
            DiscountError::Unknown => Self::new(&NOT_FOUND),
            DiscountError::Invalid(errors) => errors.into_iter().fold(Self::new(&VALIDATION), Self::error),
            DiscountError::CodeTaken => Self::new(&CODE_TAKEN).field("/codes", "taken", "must be free"),
            DiscountError::TooManyAutomatic => Self::new(&TOO_MANY_AUTOMATIC),
            DiscountError::Refused(code, refusal) => Self::new(&CODE_REFUSED)
                .detail(refusal.message())
                .extension("discount_code", code)
                .extension("reason", refusal.as_str())
                .field("/code", refusal.as_str(), refusal.message()),
            DiscountError::Gone(title) => Self::new(&DISCOUNT_GONE)
                .detail(format!("\u{201c}{title}\u{201d} has ended or was used up."))
                .extension("discount", title),
            DiscountError::Precondition(problem) => problem,
            DiscountError::Db(error) => souk_access::database_problem(error.into()),
            DiscountError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
