//! The statements of carts that lie.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::LinkSecret;
use souk_kernel::CartId;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

/// A cart as somebody left it.
#[derive(Clone, Debug, QueryableByName)]
pub struct LeftCart {
    #[diesel(sql_type = SqlUuid)]
    pub id: CartId,
    /// Whether it can still be bought.
    #[diesel(sql_type = Bool)]
    pub open: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_customers: bool,
    /// Whether its customer takes marketing; a guest does not.
    #[diesel(sql_type = Bool)]
    pub accepts_marketing: bool,
    /// The language its owner reads, if they said so.
    #[diesel(sql_type = Nullable<Text>)]
    pub locale: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub lines: i64,
}

/// What became of these carts. One statement.
///
/// # Errors
/// Only of the database.
pub async fn left(tx: &mut ReadTx<'_>, carts: &[CartId]) -> Result<Vec<LeftCart>, DbError> {
    let query = sql("SELECT c.id, c.state = 'active' AND c.terms IS NULL AS open, c.email, c.customer_id IS NOT NULL AS is_customers, \
             coalesce((SELECT m.accepts_marketing FROM customers m WHERE m.id = c.customer_id), false) AS accepts_marketing, c.updated_at, \
             coalesce(c.locale, (SELECT m.locale FROM customers m WHERE m.id = c.customer_id)) AS locale, \
             (SELECT count(*) FROM cart_lines l WHERE l.cart_id = c.id) AS lines FROM carts c WHERE c.id = ANY($1) ORDER BY c.id")
    .bind::<Array<SqlUuid>, _>(carts.iter().map(|id| id.uuid()).collect::<Vec<_>>());
    tx.load(query).await
}

/// What lies in a cart, as people know it.
#[derive(Clone, Debug, QueryableByName)]
pub struct LeftLine {
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub variant_title: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub quantity: i64,
}

/// The lines of a cart in their order. One statement.
///
/// # Errors
/// Only of the database.
pub async fn left_lines(tx: &mut ReadTx<'_>, cart: CartId) -> Result<Vec<LeftLine>, DbError> {
    let query = sql(
        "SELECT p.title, v.title AS variant_title, v.sku, l.quantity::bigint AS quantity FROM cart_lines l \
         JOIN product_variants v ON v.id = l.variant_id JOIN products p ON p.id = v.product_id \
         WHERE l.cart_id = $1 ORDER BY l.position, l.id",
    );
    tx.load(query.bind::<SqlUuid, _>(cart)).await
}

/// Lets a guest's cart be opened with a secret that goes to the mailbox it names; `false` when it is not a guest's open cart. The version
/// stays: nothing in the cart changed.
///
/// # Errors
/// Only of the database.
pub async fn open_by_mail(tx: &mut WriteTx<'_>, cart: CartId, secret: &LinkSecret) -> Result<bool, DbError> {
    let query = sql("UPDATE carts SET owner_secret_hash = $2 \
         WHERE id = $1 AND state = 'active' AND customer_id IS NULL AND terms IS NULL")
    .bind::<SqlUuid, _>(cart)
    .bind::<Binary, _>(secret.digest().as_bytes().to_vec());
    Ok(tx.execute(query).await? == 1)
}

/// Ends open carts of shoppers that nobody touched since `before`, at most `limit`; gives how many. One statement.
///
/// # Errors
/// Only of the database.
pub async fn expire(tx: &mut WriteTx<'_>, before: DateTime<Utc>, limit: u32) -> Result<usize, DbError> {
    let now = tx.now();
    let query = sql("UPDATE carts SET state = 'expired', version = version + 1, updated_at = $2 WHERE id IN ( \
         SELECT id FROM carts WHERE state = 'active' AND updated_at < $1 AND terms IS NULL ORDER BY updated_at LIMIT $3 FOR UPDATE SKIP LOCKED)")
    .bind::<Timestamptz, _>(before)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(i64::from(limit));
    tx.execute(query).await
}
