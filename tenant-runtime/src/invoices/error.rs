//! How working with invoices fails.

use souk_api::{FieldError, Problem, problem, problems};
use souk_kernel::MoneyError;
use souk_tenancy::{DbError, TenancyError};

use super::model::PdfError;
use crate::orders::OrderError;
use crate::settings::SettingsError;

problems! { CATALOGUE;
    INVOICE_NOT_DUE = 409, "invoice_not_due", "There is nothing to issue for this order", "An order has an invoice once it is paid, and a credit note for each refund after that.";
    SELLER_INCOMPLETE = 409, "seller_incomplete", "An invoice must say more of the seller", "Say who you are: PUT /admin/v1/invoice-settings. `errors` names what is missing.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InvoiceError {
    /// There is no such invoice, or no such order.
    #[error("no such invoice")]
    Unknown,
    #[error("nothing is due")]
    NotDue,
    /// What an invoice must say of the seller and nobody has said, as places in the settings.
    #[error("the seller is not known well enough")]
    Seller(Vec<&'static str>),
    /// Pointer and what would have been right.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    #[error("{0}")]
    Precondition(Problem),
    /// What the order says of itself does not add up: a mistake of ours.
    #[error("the parts of the document do not add up")]
    DoesNotAddUp,
    #[error(transparent)]
    Pdf(#[from] PdfError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<InvoiceError> for Problem {
    fn from(error: InvoiceError) -> Self {
        match error {
            InvoiceError::Unknown => Self::new(&problem::NOT_FOUND),
            InvoiceError::NotDue => Self::new(&INVOICE_NOT_DUE),
            InvoiceError::Seller(missing) => missing
                .into_iter()
                .map(|pointer| FieldError::new(pointer, "required", "must be given"))
                .fold(Self::new(&SELLER_INCOMPLETE), Self::error),
            InvoiceError::Field(pointer, message) => {
                Self::new(&problem::VALIDATION).field(pointer, "invalid", message)
            }
            InvoiceError::Precondition(problem) => problem,
            InvoiceError::DoesNotAddUp
            | InvoiceError::Pdf(_)
            | InvoiceError::Json(_)
            | InvoiceError::Money(_) => Self::new(&problem::INTERNAL).source(error),
            InvoiceError::Order(error) => error.into(),
            InvoiceError::Settings(error) => error.into(),
            InvoiceError::Db(error) => souk_access::database_problem(error.into()),
            InvoiceError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
