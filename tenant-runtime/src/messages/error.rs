//! What can go wrong with a mail.

use souk_access::Refusal;
use souk_tenancy::{DbError, TenancyError};

/// Workers log it; requests meet only the database part.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    #[error(transparent)]
    Customer(#[from] crate::customers::CustomerError),
    #[error(transparent)]
    Staff(#[from] crate::staff::StaffError),
    #[error("the template: {0}")]
    Template(#[from] minijinja::Error),
    #[error("SMTP_URL: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("the event: {0}")]
    Event(#[from] serde_json::Error),
}

impl From<MessageError> for souk_api::Problem {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Db(error) => Refusal::from(error).into(),
            MessageError::Tenancy(error) => Refusal::from(error).into(),
            MessageError::Settings(error) => error.into(),
            MessageError::Customer(error) => error.into(),
            MessageError::Staff(error) => error.into(),
            MessageError::Template(_) | MessageError::Smtp(_) | MessageError::Event(_) => {
                Self::new(&souk_api::problem::INTERNAL).source(error)
            }
        }
    }
}
