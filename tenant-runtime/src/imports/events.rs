//! What imports tell the rest of the house.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::ImportId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::ImportView;
use super::state::ImportState;

/// `import.finished`: a file of products was carried out to its end, or could not go on. Not told of a dry run, nor of one that was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportFinished {
    pub import_id: ImportId,
    /// `done`, or `failed` when it could not go on.
    pub state: ImportState,
    /// Rows looked at.
    pub rows: i64,
    /// Products that were made.
    pub created: i64,
    /// Products that were changed.
    pub updated: i64,
    /// Products that were so already.
    pub unchanged: i64,
    /// Products that were refused.
    pub failed: i64,
}

impl ImportFinished {
    /// Of an import that is over.
    pub fn of(import: &ImportView) -> Self {
        let products = import.products;
        Self {
            import_id: import.id,
            state: import.state,
            rows: import.rows.done,
            created: products.created,
            updated: products.updated,
            unchanged: products.unchanged,
            failed: products.failed,
        }
    }
}

impl Fact for ImportFinished {
    const KIND: &'static str = "import.finished";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "import";
    fn aggregate_id(&self) -> Uuid {
        self.import_id.uuid()
    }
}
