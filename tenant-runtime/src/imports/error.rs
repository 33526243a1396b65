//! How working with files of products fails.

use souk_api::problem::{NOT_FOUND, PAYLOAD_TOO_LARGE, VALIDATION};
use souk_api::{FieldError, Problem, problems};
use souk_tenancy::{DbError, TenancyError};

use super::model::{FileFault, MOST_BYTES};
use super::state::IllegalTransition;
use crate::catalog::CatalogError;
use crate::channels::ChannelError;

problems! { CATALOGUE;
    IMPORT_FILE = 422, "import_file", "The file cannot be imported", "See `row` and `field`; correct the file and send it again. Nothing was imported.";
    IMPORTS_WAITING = 409, "imports_waiting", "Five imports are not finished yet", "Wait until one is done, or cancel one.";
    IMPORT_OVER = 409, "import_over", "The import is over already", "What it changed stays; see its report.";
}

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("no such import")]
    Unknown,
    /// Nobody says what the file is.
    #[error("the format is missing")]
    Format(FieldError),
    /// The file as a whole is refused.
    #[error("the file is refused: {}", .0.message)]
    File(FileFault),
    /// More bytes than a file may have.
    #[error("the file is too large")]
    TooLarge,
    /// The store has as many unfinished imports as it may.
    #[error("too many imports are waiting")]
    Waiting,
    #[error(transparent)]
    Over(#[from] IllegalTransition),
    /// The body broke off.
    #[error("{0}")]
    Body(Problem),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
}

impl From<FileFault> for ImportError {
    fn from(fault: FileFault) -> Self {
        Self::File(fault)
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Unknown => Self::new(&NOT_FOUND),
            ImportError::Format(fault) => Self::new(&VALIDATION).error(fault),
            ImportError::File(fault) => {
                let FileFault { row, field, code, message } = fault;
                let problem = Self::new(&IMPORT_FILE).detail(message).extension("reason", code);
                let problem = if row > 0 { problem.extension("row", row) } else { problem };
                if field.is_empty() { problem } else { problem.extension("field", field) }
            }
            ImportError::TooLarge => Self::new(&PAYLOAD_TOO_LARGE)
                .detail(format!("A file may have {} MiB; split it.", MOST_BYTES >> 20)),
            ImportError::Waiting => Self::new(&IMPORTS_WAITING),
            ImportError::Over(refusal) => Self::new(&IMPORT_OVER).detail(refusal.to_string()),
            ImportError::Body(problem) => problem,
            ImportError::Catalog(error) => error.into(),
            ImportError::Channel(error) => error.into(),
            ImportError::Settings(error) => error.into(),
            ImportError::Db(error) => souk_access::database_problem(error.into()),
            ImportError::Tenancy(error) => souk_access::database_problem(error),
        }
    }
}
