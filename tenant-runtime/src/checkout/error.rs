//! How a checkout fails. Whatever is said here, the cart is as it was before.

use souk_access::NoEntropy;
use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::{Money, MoneyError};
use souk_tenancy::{DbError, TenancyError};

use crate::cart::CartError;
use crate::credit::{CREDIT_GONE, CreditError};
use crate::customers::CustomerError;
use crate::discounts::DiscountError;
use crate::drafts::DraftError;
use crate::inventory::InventoryError;
use crate::ledger::LedgerError;
use crate::orders::OrderError;
use crate::payments::PaymentError;
use crate::settings::SettingsError;

problems! { CATALOGUE;
    PAYMENT_DECLINED = 402, "payment_declined", "The payment was declined", "The cart is open again: try another way to pay, with a new Idempotency-Key.";
    PRICE_CHANGED = 409, "price_changed", "The total is not the one you expected", "Show the shopper `total`, and what of `lines` changed, and send it as `expected_total`, with a new Idempotency-Key.";
    CART_CLOSED = 409, "cart_closed", "This cart cannot be bought any more", "Make a new cart.";
    CHECKOUT_INCOMPLETE = 422, "checkout_incomplete", "Something is missing before this cart can be bought", "`errors` says what.";
    TERMS_NOT_ACCEPTED = 422, "terms_not_accepted", "The terms in force are not accepted", "Show the shopper `GET /store/v1/policies/terms` and send its `version` as `accepted_terms`, with a new Idempotency-Key; leave it out where there are none.";
    CARD_NUMBER = 422, "card_number", "This looks like a card number", "Never send card numbers here; use a token of the payment provider.";
    RETURN_URL = 422, "return_url_not_allowed", "The shopper may not be sent there", "Use an address of the store, or add the host to the payment provider's settings.";
    PAYMENT_UNAVAILABLE = 503, "payment_unavailable", "The payment provider does not answer", "Nothing was charged and the cart is open again; try again in a moment, with a new Idempotency-Key.";
}

/// Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// There is no such cart, or the secret is another's.
    #[error("no such cart")]
    CartUnknown,
    /// It is bought, merged or expired.
    #[error("the cart is closed")]
    CartClosed,
    /// Parts that are missing: pointer and what it must be.
    #[error("the cart is incomplete")]
    Incomplete(Vec<FieldError>),
    /// The terms that the shopper agreed to are not those in force.
    #[error("the terms in force are {current:?}")]
    Terms { current: Option<i32> },
    /// A field holds what may be a card number.
    #[error("card number in {0}")]
    CardNumber(&'static str),
    /// The shopper would be sent to a host that is not the store's.
    #[error("the return address is not allowed")]
    ReturnUrl,
    /// There is no such payment session here.
    #[error("no such payment session")]
    SessionUnknown,
    /// Money cannot be taken this way from where the order stands.
    #[error("the order does not allow this now")]
    OrderState,
    /// The provider said no, or nothing, to a request of staff.
    #[error("the provider did not do it: {0}")]
    Provider(String),
    /// A problem of a door that speaks HTTP already.
    #[error("{0}")]
    Problem(Problem),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Cart(#[from] CartError),
    /// Gift cards or store credit pay another part than the shopper saw.
    #[error("what is left to pay is {due:?} and not {expected:?}")]
    DueChanged { expected: Money, due: Money },
    #[error(transparent)]
    Credit(#[from] CreditError),
    /// Too many payments were declined here.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Discount(#[from] DiscountError),
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<Problem> for CheckoutError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<CheckoutError> for Problem {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::CartUnknown | CheckoutError::SessionUnknown => Self::new(&problem::NOT_FOUND),
            CheckoutError::CartClosed => Self::new(&CART_CLOSED),
            CheckoutError::Incomplete(missing) => {
                missing.into_iter().fold(Self::new(&CHECKOUT_INCOMPLETE), Self::error)
            }
            CheckoutError::Terms { current } => Self::new(&TERMS_NOT_ACCEPTED)
                .field("/accepted_terms", "outdated", "must be the version of the terms in force")
                .extension("terms_version", serde_json::json!(current)),
            CheckoutError::CardNumber(pointer) => {
                Self::new(&CARD_NUMBER).field(pointer, "card_number", "must not hold a card number")
            }
            CheckoutError::ReturnUrl => Self::new(&RETURN_URL).field(
                "/payment/return_url",
                "not_allowed",
                "must be an address of the store",
            ),
            CheckoutError::OrderState => Self::new(&crate::orders::ORDER_STATE),
            CheckoutError::Provider(cause) => Self::new(&PAYMENT_UNAVAILABLE).retry_after(5).source(cause),
            CheckoutError::Problem(problem) => problem,
            CheckoutError::Entropy(error) => Self::new(&problem::INTERNAL).source(error),
            CheckoutError::Money(error) => Self::new(&problem::INTERNAL).source(error),
            CheckoutError::Cart(error) => error.into(),
            CheckoutError::DueChanged { expected, due } => Self::new(&CREDIT_GONE)
                .detail(format!("{due} are left to pay."))
                .extension("amount_due", serde_json::json!(due))
                .extension("expected_due", serde_json::json!(expected)),
            CheckoutError::Credit(error) => error.into(),
            CheckoutError::Customer(error) => error.into(),
            CheckoutError::Discount(error) => error.into(),
            CheckoutError::Draft(error) => error.into(),
            CheckoutError::Inventory(error) => error.into(),
            CheckoutError::Ledger(error) => error.into(),
            CheckoutError::Order(error) => error.into(),
            CheckoutError::Payment(error) => error.into(),
            CheckoutError::Settings(error) => error.into(),
            CheckoutError::Db(error) => souk_access::database_problem(error.into()),
            CheckoutError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
