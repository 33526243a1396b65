//! The statements of imports.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::ImportId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{
    Complaint, EntryView, Format, ImportView, Level, MOST_ENTRIES, Mark, MatchBy, PIECE, ProductCounts,
    RowCounts,
};
use super::state::ImportState;

/// Imports of a store that are not over.
const SLOTS: i32 = 5;

/// A new import.
pub struct NewImport<'a> {
    pub id: ImportId,
    pub format: Format,
    pub match_by: MatchBy,
    pub dry_run: bool,
    pub may_adjust: bool,
    pub may_publish: bool,
    pub actor: &'a str,
}

/// Makes it where there is a place for it; `false` when there is none. Another request that took the same place at this moment counts as none
/// too: ask again.
pub async fn begin(tx: &mut WriteTx<'_>, import: &NewImport<'_>) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql(include_str!("queries/begin.sql"))
        .bind::<SqlUuid, _>(import.id)
        .bind::<Text, _>(import.format.as_str())
        .bind::<Text, _>(import.match_by.as_str())
        .bind::<Bool, _>(import.dry_run)
        .bind::<Bool, _>(import.may_adjust)
        .bind::<Text, _>(import.actor.to_owned())
        .bind::<Timestamptz, _>(now)
        .bind::<Integer, _>(SLOTS)
        .bind::<Bool, _>(import.may_publish);
    Ok(tx.execute(query).await? > 0)
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Whether another import may begin.
pub async fn has_place(tx: &mut ReadTx<'_>) -> Result<bool, DbError> {
    let row: NumberRow = tx.one(sql("SELECT count(*) AS number FROM imports WHERE slot IS NOT NULL")).await?;
    Ok(row.number < i64::from(SLOTS))
}

/// Keeps a piece of the file. `false` when the import is no longer waiting for one.
pub async fn keep(
    tx: &mut WriteTx<'_>,
    import: ImportId,
    number: i32,
    bytes: &[u8],
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("WITH import AS (UPDATE imports SET touched_at = $4, bytes = bytes + length($3::bytea) \
             WHERE id = $1 AND state = 'uploading' RETURNING id) \
         INSERT INTO import_pieces (import_id, number, bytes) SELECT id, $2, $3 FROM import")
    .bind::<SqlUuid, _>(import)
    .bind::<Integer, _>(number)
    .bind::<Binary, _>(bytes.to_vec())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? > 0)
}

/// What was seen of a file that has arrived.
pub struct Seen {
    pub delimiter: String,
    pub header: Vec<String>,
    pub ignored: Vec<String>,
    pub rows: i64,
}

/// The whole file is there: workers may take it. `false` when it was given up meanwhile.
pub async fn arrive(tx: &mut WriteTx<'_>, import: ImportId, seen: Seen) -> Result<bool, DbError> {
    let now = tx.now();
    let query =
        sql("UPDATE imports SET state = 'queued', next_attempt_at = $2, touched_at = $2, delimiter = $3, \
         header = $4, ignored_columns = $5, rows_total = $6 WHERE id = $1 AND state = 'uploading'")
        .bind::<SqlUuid, _>(import)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(seen.delimiter)
        .bind::<Array<Text>, _>(seen.header)
        .bind::<Array<Text>, _>(seen.ignored)
        .bind::<BigInt, _>(seen.rows);
    Ok(tx.execute(query).await? > 0)
}

/// Forgets a file that did not arrive.
pub async fn abandon(tx: &mut WriteTx<'_>, import: ImportId) -> Result<(), DbError> {
    let query = sql("DELETE FROM imports WHERE id = $1 AND state = 'uploading'").bind::<SqlUuid, _>(import);
    tx.execute(query).await.map(|_| ())
}

/// Forgets files of which nothing came since then.
pub async fn abandon_stale(tx: &mut WriteTx<'_>, since: DateTime<Utc>) -> Result<usize, DbError> {
    let query = sql("DELETE FROM imports WHERE state = 'uploading' AND touched_at < $1")
        .bind::<Timestamptz, _>(since);
    tx.execute(query).await
}

/// Forgets imports that were over before then, at most so many.
pub async fn forget(tx: &mut WriteTx<'_>, before: DateTime<Utc>, most: i64) -> Result<usize, DbError> {
    let query = sql("DELETE FROM imports WHERE id IN \
         (SELECT i.id FROM imports i WHERE i.finished_at < $1 ORDER BY i.id LIMIT $2)")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(most);
    tx.execute(query).await
}

#[derive(QueryableByName)]
struct ImportRow {
    #[diesel(sql_type = SqlUuid)]
    id: ImportId,
    #[diesel(sql_type = Text)]
    format: String,
    #[diesel(sql_type = Text)]
    match_by: String,
    #[diesel(sql_type = Bool)]
    dry_run: bool,
    #[diesel(sql_type = Bool)]
    may_adjust: bool,
    #[diesel(sql_type = Bool)]
    may_publish: bool,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    delimiter: String,
    #[diesel(sql_type = Array<Text>)]
    header: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    ignored_columns: Vec<String>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    rows_total: i64,
    #[diesel(sql_type = BigInt)]
    rows_done: i64,
    #[diesel(sql_type = BigInt)]
    created: i64,
    #[diesel(sql_type = BigInt)]
    updated: i64,
    #[diesel(sql_type = BigInt)]
    unchanged: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    errors: i64,
    #[diesel(sql_type = BigInt)]
    warnings: i64,
    #[diesel(sql_type = BigInt)]
    at_byte: i64,
    #[diesel(sql_type = BigInt)]
    at_row: i64,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    cause: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
}

/// An import with what a worker has to know of it.
#[derive(Clone, Debug)]
pub struct Job {
    pub view: ImportView,
    pub state: ImportState,
    pub may_adjust: bool,
    pub may_publish: bool,
    pub delimiter: u8,
    pub header: Vec<String>,
    pub mark: Mark,
    pub attempts: i32,
}

impl From<ImportRow> for Job {
    fn from(row: ImportRow) -> Self {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let state = ImportState::stored(&row.state);
        let view = ImportView {
            id: row.id,
            format: Format::stored(&row.format),
            match_by: MatchBy::stored(&row.match_by),
            dry_run: row.dry_run,
            state,
            rows: RowCounts { total: row.rows_total, done: row.rows_done },
            products: ProductCounts {
                created: row.created,
                updated: row.updated,
                unchanged: row.unchanged,
                failed: row.failed,
            },
            errors: row.errors,
            warnings: row.warnings,
            ignored_columns: row.ignored_columns,
            bytes: row.bytes,
            cause: row.cause,
            by: row.actor,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        };
        Self {
            view,
            state,
            may_adjust: row.may_adjust,
            may_publish: row.may_publish,
            delimiter: row.delimiter.bytes().next().unwrap_or(b','),
            header: row.header,
            mark: Mark { byte: count(row.at_byte), row: count(row.at_row) },
            attempts: row.attempts,
        }
    }
}

macro_rules! import_columns {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.format, i.match_by, i.dry_run, i.may_adjust, i.may_publish, i.actor, i.state, i.delimiter, i.header, \
             i.ignored_columns, i.bytes, i.rows_total, i.rows_done, i.created, i.updated, i.unchanged, i.failed, \
             i.errors, i.warnings, i.at_byte, i.at_row, i.attempts, i.cause, i.created_at, i.started_at, \
             i.finished_at FROM imports i ",
            $rest
        )
    };
}

/// One page, newest first.
pub async fn page(
    tx: &mut ReadTx<'_>,
    before: Option<ImportId>,
    limit: i64,
) -> Result<Vec<ImportView>, DbError> {
    let query = sql(import_columns!(
        "WHERE i.state <> 'uploading' AND ($1::uuid IS NULL OR i.id < $1) ORDER BY i.id DESC LIMIT $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(limit);
    let rows: Vec<ImportRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(|row| Job::from(row).view).collect())
}

/// One whose file is there.
pub async fn find(tx: &mut ReadTx<'_>, import: ImportId) -> Result<Option<ImportView>, DbError> {
    let query = sql(import_columns!("WHERE i.id = $1 AND i.state <> 'uploading'")).bind::<SqlUuid, _>(import);
    let row: Option<ImportRow> = tx.optional(query).await?;
    Ok(row.map(|row| Job::from(row).view))
}

/// The same, locked until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, import: ImportId) -> Result<Option<Job>, DbError> {
    let query = sql(import_columns!("WHERE i.id = $1 AND i.state <> 'uploading' FOR UPDATE"))
        .bind::<SqlUuid, _>(import);
    let row: Option<ImportRow> = tx.optional(query).await?;
    Ok(row.map(Job::from))
}

/// The same for a worker; none also while somebody else has it.
pub async fn seize(tx: &mut WriteTx<'_>, import: ImportId) -> Result<Option<Job>, DbError> {
    let query = sql(import_columns!("WHERE i.id = $1 AND i.state <> 'uploading' FOR UPDATE SKIP LOCKED"))
        .bind::<SqlUuid, _>(import);
    let row: Option<ImportRow> = tx.optional(query).await?;
    Ok(row.map(Job::from))
}

/// The oldest that workers have something to do for.
pub async fn next(tx: &mut ReadTx<'_>) -> Result<Option<Job>, DbError> {
    let query = sql(import_columns!("WHERE i.next_attempt_at IS NOT NULL ORDER BY i.id LIMIT 1"));
    let row: Option<ImportRow> = tx.optional(query).await?;
    Ok(row.map(Job::from))
}

#[derive(QueryableByName)]
struct PieceRow {
    #[diesel(sql_type = Binary)]
    bytes: Vec<u8>,
}

/// The piece that has this byte of the file, and how far into it the byte is; none behind the end.
pub async fn piece(
    tx: &mut ReadTx<'_>,
    import: ImportId,
    byte: u64,
) -> Result<Option<(Vec<u8>, usize)>, DbError> {
    let size = PIECE as u64;
    let (number, offset) = (i32::try_from(byte / size).unwrap_or(i32::MAX), byte % size);
    let query = sql("SELECT p.bytes FROM import_pieces p WHERE p.import_id = $1 AND p.number = $2")
        .bind::<SqlUuid, _>(import)
        .bind::<Integer, _>(number);
    let row: Option<PieceRow> = tx.optional(query).await?;
    Ok(row.map(|row| (row.bytes, usize::try_from(offset).unwrap_or_default())))
}

/// What some rows came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub rows: u64,
    pub products: ProductCounts,
    pub errors: i64,
    pub warnings: i64,
}

/// Counts a step and moves the mark. The import is locked.
pub async fn advance(
    tx: &mut WriteTx<'_>,
    import: ImportId,
    state: ImportState,
    step: &Step,
    mark: Mark,
) -> Result<(), DbError> {
    let now = tx.now();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let query = sql(include_str!("queries/advance.sql"))
        .bind::<SqlUuid, _>(import)
        .bind::<Text, _>(state.as_str())
        .bind::<BigInt, _>(number(step.rows))
        .bind::<BigInt, _>(step.products.created)
        .bind::<BigInt, _>(step.products.updated)
        .bind::<BigInt, _>(step.products.unchanged)
        .bind::<BigInt, _>(step.products.failed)
        .bind::<BigInt, _>(step.errors)
        .bind::<BigInt, _>(step.warnings)
        .bind::<BigInt, _>(number(mark.byte))
        .bind::<BigInt, _>(number(mark.row))
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Ends one before its last row. It is locked.
pub async fn end(
    tx: &mut WriteTx<'_>,
    import: ImportId,
    state: ImportState,
    cause: Option<&str>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE imports SET state = $2, cause = $3, finished_at = $4, next_attempt_at = NULL, slot = NULL \
         WHERE id = $1",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(cause.map(str::to_owned))
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(|_| ())
}

/// Counts a visit that came to nothing.
pub async fn attempted(tx: &mut WriteTx<'_>, import: ImportId) -> Result<(), DbError> {
    let query = sql("UPDATE imports SET attempts = attempts + 1 WHERE id = $1").bind::<SqlUuid, _>(import);
    tx.execute(query).await.map(|_| ())
}

/// The file of an import that is over.
pub async fn drop_file(tx: &mut WriteTx<'_>, import: ImportId) -> Result<(), DbError> {
    let query = sql("DELETE FROM import_pieces WHERE import_id = $1").bind::<SqlUuid, _>(import);
    tx.execute(query).await.map(|_| ())
}

/// Most characters of a word of the report, which may quote the file.
const WORD: usize = 300;

/// As the database takes it.
fn fitting(text: &str) -> String {
    text.chars().take(WORD).map(|letter| if letter == '\0' { '\u{fffd}' } else { letter }).collect()
}

/// Writes into the report, as long as there is room. The import is locked.
pub async fn note(
    tx: &mut WriteTx<'_>,
    import: ImportId,
    entries: &[(Option<String>, Complaint)],
) -> Result<(), DbError> {
    let texts = |text: fn(&Complaint) -> &str| -> Vec<String> {
        entries.iter().map(|(_, complaint)| fitting(text(complaint))).collect()
    };
    let rows: Vec<i64> =
        entries.iter().map(|(_, complaint)| i64::try_from(complaint.row).unwrap_or_default()).collect();
    let products: Vec<Option<String>> =
        entries.iter().map(|(product, _)| product.as_deref().map(fitting)).collect();
    let query = sql(include_str!("queries/note.sql"))
        .bind::<SqlUuid, _>(import)
        .bind::<Array<Text>, _>(texts(|complaint| complaint.level.as_str()))
        .bind::<Array<BigInt>, _>(rows)
        .bind::<Array<Text>, _>(texts(|complaint| &complaint.field))
        .bind::<Array<Nullable<Text>>, _>(products)
        .bind::<Array<Text>, _>(texts(|complaint| &complaint.code))
        .bind::<Array<Text>, _>(texts(|complaint| &complaint.message))
        .bind::<BigInt, _>(MOST_ENTRIES);
    tx.execute(query).await.map(|_| ())
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    level: String,
    #[diesel(sql_type = BigInt)]
    row_number: i64,
    #[diesel(sql_type = Text)]
    field: String,
    #[diesel(sql_type = Nullable<Text>)]
    product: Option<String>,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    message: String,
}

/// One page of a report, in the order of the file.
pub async fn entries(
    tx: &mut ReadTx<'_>,
    import: ImportId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<EntryView>, DbError> {
    let query = sql("SELECT e.number, e.level, e.row_number, e.field, e.product, e.code, e.message \
         FROM import_entries e WHERE e.import_id = $1 AND ($2::bigint IS NULL OR e.number > $2) \
         ORDER BY e.number LIMIT $3")
    .bind::<SqlUuid, _>(import)
    .bind::<Nullable<BigInt>, _>(after)
    .bind::<BigInt, _>(limit);
    let rows: Vec<EntryRow> = tx.load(query).await?;
    let view = |row: EntryRow| EntryView {
        number: row.number,
        level: Level::stored(&row.level),
        row: row.row_number,
        field: row.field,
        product: row.product,
        code: row.code,
        message: row.message,
    };
    Ok(rows.into_iter().map(view).collect())
}
