//! The statements of invoices.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, CustomerId, InvoiceId, Money, OrderId, RefundId};
use souk_tenancy::{DbError, Document as Json, ReadTx, WriteTx, sql};

use super::model::{
    Dates, Document, Invoice, InvoiceFilter, InvoiceKind, InvoiceSettings, InvoiceSummary, PutInvoiceSettings,
};

const SETTINGS: &str = "SELECT seller_name, seller_address, vat_id, tax_number, registration, footer, invoice_prefix, credit_note_prefix, \
     automatic, attach_to_mail, version FROM invoice_settings";
const SETTINGS_LOCKED: &str = "SELECT seller_name, seller_address, vat_id, tax_number, registration, footer, invoice_prefix, \
     credit_note_prefix, automatic, attach_to_mail, version FROM invoice_settings FOR UPDATE";

/// What stands on invoices. One statement, no lock.
pub async fn settings(tx: &mut ReadTx<'_>) -> Result<InvoiceSettings, DbError> {
    tx.one(sql(SETTINGS)).await
}

/// The same, locked until the transaction ends.
pub async fn lock_settings(tx: &mut WriteTx<'_>) -> Result<InvoiceSettings, DbError> {
    tx.one(sql(SETTINGS_LOCKED)).await
}

/// Replaces all of it and counts the version up.
pub async fn put_settings(
    tx: &mut WriteTx<'_>,
    wish: &PutInvoiceSettings,
) -> Result<InvoiceSettings, DbError> {
    let now = tx.now();
    let (invoice_prefix, credit_note_prefix) = wish.prefixes();
    let text = |word: Option<&str>| word.map(str::to_owned);
    let address = wish.seller_address.as_ref().and_then(|address| serde_json::to_value(address).ok());
    let statement = sql("UPDATE invoice_settings SET seller_name = $1, seller_address = $2, vat_id = $3, tax_number = $4, registration = $5, \
             footer = $6, invoice_prefix = $7, credit_note_prefix = $8, automatic = $9, attach_to_mail = $10, version = version + 1, \
             updated_at = $11 \
         RETURNING seller_name, seller_address, vat_id, tax_number, registration, footer, invoice_prefix, credit_note_prefix, automatic, \
             attach_to_mail, version")
    .bind::<Nullable<Text>, _>(text(wish.seller_name.as_ref().map(souk_kernel::Text::as_str)))
    .bind::<Nullable<Jsonb>, _>(address)
    .bind::<Nullable<Text>, _>(text(wish.vat_id.as_ref().map(souk_kernel::Text::as_str)))
    .bind::<Nullable<Text>, _>(text(wish.tax_number.as_ref().map(souk_kernel::Text::as_str)))
    .bind::<Nullable<Text>, _>(text(wish.registration.as_ref().map(souk_kernel::Text::as_str)))
    .bind::<Text, _>(wish.footer.as_ref().map(ToString::to_string).unwrap_or_default())
    .bind::<Text, _>(invoice_prefix.to_owned())
    .bind::<Text, _>(credit_note_prefix.to_owned())
    .bind::<Bool, _>(wish.automatic)
    .bind::<Bool, _>(wish.attach_to_mail)
    .bind::<Timestamptz, _>(now);
    tx.one(statement).await
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: InvoiceId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    refund_id: Option<RefundId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    corrects_id: Option<InvoiceId>,
    #[diesel(sql_type = Jsonb)]
    document: Json<Document>,
    #[diesel(sql_type = Timestamptz)]
    issued_at: DateTime<Utc>,
}

/// The check of the column holds the two kinds.
fn kind_of(text: &str) -> InvoiceKind {
    InvoiceKind::parse(text).unwrap_or(InvoiceKind::Invoice)
}

impl From<Row> for Invoice {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: kind_of(&row.kind),
            number: row.number,
            name: row.name,
            order: row.order_id,
            refund: row.refund_id,
            corrects: row.corrects_id,
            issued_at: row.issued_at,
            document: row.document.0,
        }
    }
}

/// One document, with all that it says.
///
/// # Errors
/// The database's only.
pub async fn find(tx: &mut ReadTx<'_>, id: InvoiceId) -> Result<Option<Invoice>, DbError> {
    let query = sql(
        "SELECT id, kind, number, name, order_id, refund_id, corrects_id, document, issued_at FROM invoices WHERE id = $1",
    );
    let row: Option<Row> = tx.optional(query.bind::<SqlUuid, _>(id)).await?;
    Ok(row.map(Invoice::from))
}

/// All documents of an order, in the order in which they were issued.
pub async fn of_order(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Vec<Invoice>, DbError> {
    let query = sql(
        "SELECT id, kind, number, name, order_id, refund_id, corrects_id, document, issued_at FROM invoices \
         WHERE order_id = $1 ORDER BY issued_at, id",
    );
    let rows: Vec<Row> = tx.load(query.bind::<SqlUuid, _>(order)).await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

/// All documents for orders of a customer, and of guests with this mailbox, as they were issued. One statement.
///
/// # Errors
/// The database's only.
pub async fn of_customer(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<Vec<Invoice>, DbError> {
    let query = sql(
        "SELECT i.id, i.kind, i.number, i.name, i.order_id, i.refund_id, i.corrects_id, i.document, i.issued_at \
         FROM orders o JOIN invoices i ON i.order_id = o.id \
         WHERE o.customer_id = $1 OR (o.customer_id IS NULL AND lower(o.email) = lower($2)) ORDER BY i.issued_at, i.id",
    );
    let query = query.bind::<SqlUuid, _>(customer).bind::<Nullable<Text>, _>(mailbox.map(str::to_owned));
    let rows: Vec<Row> = tx.load(query).await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

#[derive(QueryableByName)]
struct SummaryRow {
    #[diesel(sql_type = SqlUuid)]
    id: InvoiceId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    refund_id: Option<RefundId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    corrects_id: Option<InvoiceId>,
    #[diesel(sql_type = Date)]
    issued_on: NaiveDate,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    total_minor: i64,
    #[diesel(sql_type = BigInt)]
    tax_minor: i64,
    #[diesel(sql_type = Timestamptz)]
    issued_at: DateTime<Utc>,
}

impl From<SummaryRow> for InvoiceSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id,
            kind: kind_of(&row.kind),
            number: row.number,
            name: row.name,
            order: row.order_id,
            refund: row.refund_id,
            corrects: row.corrects_id,
            issued_on: row.issued_on,
            total: Money::new(row.total_minor, row.currency),
            tax: Money::new(row.tax_minor, row.currency),
            issued_at: row.issued_at,
        }
    }
}

/// A page of documents, newest first.
pub async fn page(
    tx: &mut ReadTx<'_>,
    filter: &InvoiceFilter,
    after: Option<InvoiceId>,
    fetch: i64,
) -> Result<Vec<InvoiceSummary>, DbError> {
    let query = sql("SELECT id, kind, number, name, order_id, refund_id, corrects_id, issued_on, currency, total_minor, tax_minor, issued_at \
         FROM invoices WHERE ($1 IS NULL OR kind = $1) AND ($2 IS NULL OR order_id = $2) AND ($3 IS NULL OR name = $3) \
         AND ($4 IS NULL OR issued_on >= $4) AND ($5 IS NULL OR issued_on < $5) AND ($6 IS NULL OR id < $6) ORDER BY id DESC LIMIT $7")
    .bind::<Nullable<Text>, _>(filter.kind.map(|kind| kind.as_str().to_owned()))
    .bind::<Nullable<SqlUuid>, _>(filter.order)
    .bind::<Nullable<Text>, _>(filter.name.clone())
    .bind::<Nullable<Date>, _>(filter.from)
    .bind::<Nullable<Date>, _>(filter.before)
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<BigInt, _>(fetch);
    let rows: Vec<SummaryRow> = tx.load(query).await?;
    Ok(rows.into_iter().map(InvoiceSummary::from).collect())
}

#[derive(QueryableByName)]
struct Days {
    #[diesel(sql_type = Date)]
    issued_on: NaiveDate,
    #[diesel(sql_type = Date)]
    ordered_on: NaiveDate,
}

/// Today, and the day of an order, where the store is.
pub async fn dates(tx: &mut ReadTx<'_>, placed_at: DateTime<Utc>, time_zone: &str) -> Result<Dates, DbError> {
    let now = tx.now();
    let query =
        sql("SELECT ($1 AT TIME ZONE $3)::date AS issued_on, ($2 AT TIME ZONE $3)::date AS ordered_on")
            .bind::<Timestamptz, _>(now)
            .bind::<Timestamptz, _>(placed_at)
            .bind::<Text, _>(time_zone.to_owned());
    let Days { issued_on, ordered_on } = tx.one(query).await?;
    Ok(Dates { issued_on, ordered_on })
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The next number of a kind. Nobody else gets one until the transaction ends, and a number that is not used is given again.
pub async fn next_number(tx: &mut WriteTx<'_>, kind: InvoiceKind) -> Result<i64, DbError> {
    let text = match kind {
        InvoiceKind::Invoice => {
            "UPDATE invoice_settings SET next_invoice_number = next_invoice_number + 1 RETURNING next_invoice_number - 1 AS number"
        }
        InvoiceKind::CreditNote => {
            "UPDATE invoice_settings SET next_credit_note_number = next_credit_note_number + 1 \
             RETURNING next_credit_note_number - 1 AS number"
        }
    };
    Ok(tx.one::<Number>(sql(text)).await?.number)
}

/// Keeps a document for ever.
pub async fn insert(
    tx: &mut WriteTx<'_>,
    invoice: &Invoice,
    document: serde_json::Value,
    actor: &str,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO invoices (id, kind, number, name, order_id, refund_id, corrects_id, issued_on, currency, total_minor, \
             tax_minor, document, issued_by, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
    .bind::<SqlUuid, _>(invoice.id)
    .bind::<Text, _>(invoice.kind.as_str())
    .bind::<BigInt, _>(invoice.number)
    .bind::<Text, _>(invoice.name.clone())
    .bind::<SqlUuid, _>(invoice.order)
    .bind::<Nullable<SqlUuid>, _>(invoice.refund)
    .bind::<Nullable<SqlUuid>, _>(invoice.corrects)
    .bind::<Date, _>(invoice.document.issued_on)
    .bind::<Text, _>(invoice.document.total.currency())
    .bind::<BigInt, _>(invoice.document.total.minor())
    .bind::<BigInt, _>(invoice.document.tax.minor())
    .bind::<Jsonb, _>(document)
    .bind::<Text, _>(actor.to_owned())
    .bind::<Timestamptz, _>(invoice.issued_at);
    tx.execute(query).await.map(drop)
}
