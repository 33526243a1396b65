//! How paying fails.

use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

problems! { CATALOGUE;
    PROVIDER_UNKNOWN = 422, "payment_provider_unknown", "The store does not take payments this way", "Choose one of the store's payment providers.";
    KEY_MODE = 422, "payment_key_mode", "A key of this mode does not pay with this provider", "A live key takes another provider than `test`; to try things out take a test key.";
    PROVIDER_AWAY = 503, "payment_provider_away", "The payment provider does not answer", "Nothing was changed; try again in a moment.";
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
    /// The provider has no keys.
    #[error("`{0}` takes no credentials")]
    NoCredentials(String),
    /// A provider that takes payments with keys has none.
    #[error("the store has no credentials at the provider")]
    CredentialsMissing,
    /// The provider does not know these keys.
    #[error("the provider refuses the credentials: {0}")]
    CredentialsRefused(String),
    /// The provider could not be asked.
    #[error("the provider does not answer: {0}")]
    Away(String),
    /// Keys could not be sealed, or not be opened again.
    #[error("sealed credentials: {0}")]
    Sealing(String),
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
            PaymentError::NoCredentials(code) => Self::new(&problem::NOT_FOUND)
                .detail(format!("The payment provider `{code}` takes no credentials.")),
            PaymentError::CredentialsMissing => Self::new(&problem::VALIDATION).field(
                "/enabled",
                "not_allowed",
                "must be false until the store's credentials at the provider are set",
            ),
            PaymentError::CredentialsRefused(message) => Self::new(&problem::VALIDATION)
                .detail(message)
                .field("/secret_key", "refused", "must be a key that the provider accepts"),
            PaymentError::Away(cause) => Self::new(&PROVIDER_AWAY).retry_after(5).source(cause),
            PaymentError::Sealing(cause) => Self::new(&problem::INTERNAL).source(cause),
            PaymentError::SessionUnknown => Self::new(&problem::NOT_FOUND),
            PaymentError::Money(error) => Self::new(&problem::INTERNAL).source(error),
            PaymentError::Db(error) => souk_access::database_problem(error.into()),
            PaymentError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
