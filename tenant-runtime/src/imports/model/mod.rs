//! Files of products: what is asked for, what is shown, and how they are read and written.

mod cells;
mod columns;
mod groups;
mod records;
mod rows;
mod written;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_kernel::ImportId;
use utoipa::{IntoParams, ToSchema};

pub use columns::Header;
pub use groups::{Group, Groups, Inspector};
pub use records::Mark;
pub use rows::{Complaint, Level, Read, read};
pub use written::{begin, line, table};

use super::state::ImportState;
use crate::catalog::PutBy;

/// Most rows of a file, without its header.
pub const MOST_ROWS: u64 = 100_000;
/// Most bytes of a file.
pub const MOST_BYTES: u64 = 100 << 20;
/// Most entries of a report.
pub const MOST_ENTRIES: i64 = 1000;
/// Bytes of a piece that a file is kept in; only the last one has fewer.
pub const PIECE: usize = 256 << 10;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table with Shopify's columns for products, in UTF-8.
    Csv,
    /// A body of `POST /admin/v1/products` on each line.
    Jsonl,
}

impl Format {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format of a word.
    pub fn stored(word: &str) -> Self {
        if word == "jsonl" { Self::Jsonl } else { Self::Csv }
    }
}

/// By what a product of the store is found that a row is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// By its handle, and its variants by their options.
    #[default]
    Handle,
    /// By the SKUs of its variants.
    Sku,
}

impl MatchBy {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Sku => "sku",
        }
    }

    /// What a word means.
    pub fn stored(word: &str) -> Self {
        if word == "sku" { Self::Sku } else { Self::Handle }
    }

    /// As the catalogue says it.
    pub const fn put_by(self) -> PutBy {
        match self {
            Self::Handle => PutBy::Handle,
            Self::Sku => PutBy::Sku,
        }
    }
}

/// What to do with the file.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Upload {
    pub format: Format,
    /// `handle` when left out.
    #[serde(rename = "match")]
    pub match_by: Option<MatchBy>,
    /// Report what would be done, and do nothing. False when left out.
    pub dry_run: Option<bool>,
}

/// How to write the file.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportWish {
    pub format: Format,
}

/// What is wrong with a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// 0 when it is about no row.
    pub row: u64,
    /// A column's name, or empty.
    pub field: String,
    pub code: &'static str,
    pub message: String,
}

impl FileFault {
    /// Of a row and a column.
    pub fn new(row: u64, field: &str, code: &'static str, message: String) -> Self {
        Self { row, field: field.to_owned(), code, message }
    }
}

/// How many rows of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowCounts {
    /// Without the header.
    #[schema(example = 1200)]
    pub total: i64,
    /// Looked at so far, with or without success.
    #[schema(example = 300)]
    pub done: i64,
}

/// What became of the products that the rows are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProductCounts {
    #[schema(example = 80)]
    pub created: i64,
    #[schema(example = 12)]
    pub updated: i64,
    /// They were so already.
    #[schema(example = 3)]
    pub unchanged: i64,
    /// Nothing of them was applied; see the report.
    #[schema(example = 1)]
    pub failed: i64,
}

/// An import and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportView {
    pub id: ImportId,
    pub format: Format,
    #[serde(rename = "match")]
    pub match_by: MatchBy,
    /// Whether nothing is kept of what it does but this report.
    pub dry_run: bool,
    pub state: ImportState,
    pub rows: RowCounts,
    pub products: ProductCounts,
    /// Errors found; the report keeps the first 1,000 entries.
    pub errors: i64,
    /// Things that were left out or changed, while the rest of the product was applied.
    pub warnings: i64,
    /// Columns of the file that mean nothing here.
    #[schema(example = json!(["Image Src", "Gift Card"]))]
    pub ignored_columns: Vec<String>,
    /// Size of the file.
    pub bytes: i64,
    /// Why it failed.
    pub cause: Option<String>,
    /// Who sent it.
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// An entry of an import's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryView {
    #[serde(skip)]
    pub number: i64,
    /// `error`: nothing of the product was applied. `warning`: the rest of it was.
    pub level: Level,
    /// As a spreadsheet counts: the header is row 1. Of JSON: the line.
    #[schema(example = 17)]
    pub row: i64,
    /// The column, or a JSON pointer; empty when it is about the whole product.
    #[schema(example = "Variant Price")]
    pub field: String,
    /// The product's handle, as far as the row has one.
    #[schema(example = "linen-shirt")]
    pub product: Option<String>,
    #[schema(example = "invalid")]
    pub code: String,
    #[schema(example = "must be a decimal number with at most 2 decimals, such as 12.34")]
    pub message: String,
}
