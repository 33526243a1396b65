//! The chain's rows.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{AuditEntry, Subject};

/// The digest of a row and of the rows that belong to it.
macro_rules! subject {
    ($from:literal, $which:literal $(, $part:literal)*) => {
        concat!(
            "SELECT encode(sha256(convert_to(t::text",
            $(" || coalesce((SELECT string_agg(v::text, E'\n' ORDER BY v::text) FROM ", $part, "), '')",)*
            ", 'UTF8')), 'hex') AS digest FROM ", $from, " WHERE ", $which
        )
    };
}

/// The end of the chain.
#[derive(QueryableByName)]
pub struct Head {
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = Binary)]
    pub hash: Vec<u8>,
}

/// The chain's end, locked.
pub async fn lock_head(tx: &mut WriteTx<'_>) -> Result<Head, DbError> {
    tx.one(sql("SELECT position, hash FROM audit_head FOR UPDATE")).await
}

/// The chain's end.
pub async fn head(tx: &mut ReadTx<'_>) -> Result<Head, DbError> {
    tx.one(sql("SELECT position, hash FROM audit_head")).await
}

/// Appends a sealed entry and makes it the end. One statement.
pub async fn append(tx: &mut WriteTx<'_>, entry: &AuditEntry) -> Result<(), DbError> {
    let query = sql("WITH head AS (UPDATE audit_head SET position = $1, hash = $10) \
         INSERT INTO audit_entries (position, id, at, actor, action, object, details, request_id, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind::<BigInt, _>(entry.position)
    .bind::<SqlUuid, _>(entry.id)
    .bind::<Timestamptz, _>(entry.at)
    .bind::<Text, _>(entry.actor.clone())
    .bind::<Text, _>(entry.action.clone())
    .bind::<Text, _>(entry.object.clone())
    .bind::<Jsonb, _>(entry.details.clone())
    .bind::<Nullable<Text>, _>(entry.request_id.clone())
    .bind::<Binary, _>(entry.previous.clone())
    .bind::<Binary, _>(entry.hash.clone());
    tx.execute(query).await.map(drop)
}

/// A page, newest first.
pub async fn list(tx: &mut ReadTx<'_>, before: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>, DbError> {
    let query = sql("SELECT position, id, at, actor, action, object, details, request_id, previous, hash FROM audit_entries \
         WHERE position < $1 ORDER BY position DESC LIMIT $2")
    .bind::<BigInt, _>(before.unwrap_or(i64::MAX))
    .bind::<BigInt, _>(limit);
    tx.load(query).await
}

/// A piece of the chain, oldest first.
pub async fn piece(tx: &mut ReadTx<'_>, after: i64, limit: i64) -> Result<Vec<AuditEntry>, DbError> {
    let query = sql("SELECT position, id, at, actor, action, object, details, request_id, previous, hash FROM audit_entries \
         WHERE position > $1 ORDER BY position LIMIT $2")
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit);
    tx.load(query).await
}

/// What is read and changed as one, by the word in its path: its rows as one text. `$1` is its id, `$2` its name.
const SUBJECTS: &[(&str, &str)] = &[
    (
        "products",
        subject!(
            "products t",
            "t.id = $1",
            "product_variants v WHERE v.product_id = t.id",
            "product_images v WHERE v.product_id = t.id",
            "metafields v WHERE v.product_id = t.id",
            "product_publications v WHERE v.product_id = t.id",
            "prices v JOIN product_variants o ON o.id = v.variant_id WHERE o.product_id = t.id"
        ),
    ),
    (
        "variants",
        subject!(
            "product_variants t",
            "t.id = $1",
            "prices v WHERE v.variant_id = t.id",
            "metafields v WHERE v.variant_id = t.id"
        ),
    ),
    (
        "collections",
        subject!(
            "collections t",
            "t.id = $1",
            "collection_products v WHERE v.collection_id = t.id",
            "metafields v WHERE v.collection_id = t.id"
        ),
    ),
    ("channels", subject!("sales_channels t", "t.id = $1")),
    ("categories", subject!("categories t", "t.id = $1")),
    ("customer-groups", subject!("customer_groups t", "t.id = $1")),
    ("customers", subject!("customers t", "t.id = $1", "customer_sessions v WHERE v.customer_id = t.id")),
    ("draft-orders", subject!("draft_orders t", "t.id = $1", "carts v WHERE v.id = t.id")),
    (
        "discounts",
        subject!(
            "discounts t",
            "t.id = $1",
            "discount_codes v WHERE v.discount_id = t.id",
            "discount_groups v WHERE v.discount_id = t.id"
        ),
    ),
    // One mail in every language.
    (
        "email-templates",
        "SELECT encode(sha256(convert_to(string_agg(t::text, E'\\n' ORDER BY t.locale), 'UTF8')), 'hex') AS digest \
             FROM email_templates t WHERE t.name = $2 HAVING count(*) > 0",
    ),
    (
        "fulfillments",
        subject!("fulfillments t", "t.id = $1", "fulfillment_lines v WHERE v.fulfillment_id = t.id"),
    ),
    ("gift-cards", subject!("credit_accounts t", "t.id = $1", "credit_entries v WHERE v.account_id = t.id")),
    (
        "store-credits",
        subject!("credit_accounts t", "t.id = $1", "credit_entries v WHERE v.account_id = t.id"),
    ),
    ("imports", subject!("imports t", "t.id = $1")),
    (
        "inventory-items",
        subject!("inventory_items t", "t.id = $1", "inventory_levels v WHERE v.item_id = t.id"),
    ),
    ("locations", subject!("locations t", "t.id = $1")),
    (
        "stock-transfers",
        subject!("stock_transfers t", "t.id = $1", "stock_transfer_lines v WHERE v.transfer_id = t.id"),
    ),
    ("invoice-settings", subject!("invoice_settings t", "$2 = ''")),
    ("markets", subject!("markets t", "t.id = $1")),
    ("menus", subject!("menus t", "t.id = $1")),
    (
        "orders",
        subject!(
            "orders t",
            "t.id = $1",
            "refunds v WHERE v.order_id = t.id",
            "payments v WHERE v.order_id = t.id"
        ),
    ),
    ("metafield-definitions", subject!("metafield_definitions t", "t.id = $1")),
    ("notice-settings", subject!("notice_settings t", "$2 = ''")),
    ("pages", subject!("pages t", "t.id = $1", "page_redirects v WHERE v.page_id = t.id")),
    ("payment-providers", subject!("payment_providers t", "t.code = $2")),
    // The last version is what holds.
    (
        "policies",
        "SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') AS digest FROM policy_versions t WHERE t.kind = $2 ORDER BY t.number DESC LIMIT 1",
    ),
    (
        "price-lists",
        subject!(
            "price_lists t",
            "t.id = $1",
            "price_list_prices v WHERE v.list_id = t.id",
            "price_list_groups v WHERE v.list_id = t.id"
        ),
    ),
    ("settings", subject!("store_settings t", "$2 = ''")),
    ("shipping-zones", subject!("shipping_zones t", "t.id = $1", "shipping_rates v WHERE v.zone_id = t.id")),
    ("tax-classes", subject!("tax_classes t", "t.code = $2")),
    ("tax-exemptions", subject!("tax_exemptions t", "t.id = $1")),
    ("tax-rates", subject!("tax_rates t", "t.id = $1")),
    ("tax-regions", subject!("tax_regions t", "t.id = $1")),
    ("tax-settings", subject!("tax_settings t", "$2 = ''")),
    ("webhook-endpoints", subject!("webhook_endpoints t", "t.id = $1")),
];

#[derive(QueryableByName)]
struct Digest {
    #[diesel(sql_type = Text)]
    digest: String,
}

/// SHA-256 of a thing's rows, as PostgreSQL writes them, hexadecimal; none for what is not there, or has no rows of its own. At most one
/// statement.
pub async fn digest_of(tx: &mut ReadTx<'_>, subject: Subject<'_>) -> Result<Option<String>, DbError> {
    let statement = SUBJECTS.iter().find(|(kind, _)| *kind == subject.kind).map(|(_, statement)| *statement);
    let Some(statement) = statement else { return Ok(None) };
    let query =
        sql(statement).bind::<Nullable<SqlUuid>, _>(subject.id).bind::<Text, _>(subject.name.to_owned());
    Ok(tx.optional::<Digest>(query).await?.map(|row| row.digest))
}
