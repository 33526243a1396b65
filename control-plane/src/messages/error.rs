//! What can go wrong with a mail.

use souk_tenancy::{DbError, TenancyError};

#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("a template cannot be rendered")]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Smtp(#[from] souk_smtp::MailerError),
    #[error(transparent)]
    Database(#[from] TenancyError),
}

impl From<DbError> for MessageError {
    fn from(error: DbError) -> Self {
        Self::Database(error.into())
    }
}
