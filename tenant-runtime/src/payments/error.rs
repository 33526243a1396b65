//! How paying fails.

use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    PROVIDER_UNKNOWN = 422, "payment_provider_unknown", "The store does not take payments this way", "Choose one of the store's payment providers.";
    KEY_MODE = 422, "payment_key_mode", "A key of this mode does not pay with this provider", "A live key takes another provider than `test`; to try things out take a test key.";
    WEBHOOK_REFUSED = 400, "webhook_refused", "The webhook is not signed by the provider, too old, or unreadable", "Check the signing secret and the clock.";
}

/// A payment could not be worked on. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The store does not take payments this way, or not any more.
    #[error("the store has no payment provider `{0}`")]
    ProviderUnknown(&'static str),
    /// Play money, and a live key.
    #[error("a key of mode `{0}` does not pay with `{1}`")]
    KeyMode(&'static str, &'static str),
    /// There is no such provider to set up.
    #[error("no such payment provider")]
    SetUpUnknown,
    /// The precondition of the request was not met.
    #[error("{0}")]
    Precondition(Problem),
    /// A set-up that makes no sense, with its places in the request.
    #[error("the request breaks a rule")]
    Fields(Vec<FieldError>),
    /// The session is not there.
    #[error("no such payment session")]
    SessionUnknown,
    /// An amount that cannot be counted.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The transaction failed.
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::ProviderUnknown(code) => Self::new(&PROVIDER_UNKNOWN)
                .detail(format!("There is no payment provider `{code}` here."))
                .field("/payment/provider", "not_allowed", "must be a payment provider of the store"),
            PaymentError::KeyMode(mode, code) => {
                Self::new(&KEY_MODE).detail(format!("A {mode} key does not pay with `{code}`.")).field(
                    "/payment/provider",
                    "not_allowed",
                    "must be a payment provider for keys of this mode",
                )
            }
            PaymentError::SetUpUnknown => Self::new(&problem::NOT_FOUND),
            PaymentError::Precondition(problem) => problem,
            PaymentError::Fields(errors) => {
                errors.into_iter().fold(Self::new(&problem::VALIDATION), Self::error)
            }
            PaymentError::SessionUnknown => Self::new(&problem::NOT_FOUND),
            PaymentError::Money(error) => Self::new(&problem::INTERNAL).source(error),
            PaymentError::Db(error) => souk_access::database_problem(error.into()),
            PaymentError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
