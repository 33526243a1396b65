//! Addresses that are not written to.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use souk_kernel::Email;
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::messages::model::SuppressionView;

#[derive(QueryableByName)]
struct Reason {
    #[diesel(sql_type = Text)]
    reason: String,
}

/// Why an address is not written to, if it is not.
pub async fn reason(tx: &mut ReadTx<'_>, recipient: &str) -> Result<Option<String>, DbError> {
    // What is no address is not on the list, and fails when it is sent.
    let Ok(email) = Email::parse(recipient) else { return Ok(None) };
    let query =
        sql("SELECT reason FROM email_suppressions WHERE email_key = $1").bind::<Text, _>(email.key());
    let row: Option<Reason> = tx.optional(query).await?;
    Ok(row.map(|row| row.reason))
}

/// Puts an address on the list. One that is there keeps its reason, but for one that unsubscribed: every other reason is stronger.
pub async fn put(
    tx: &mut WriteTx<'_>,
    email: &Email,
    reason: &str,
    detail: &str,
) -> Result<SuppressionView, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO email_suppressions AS s (email_key, email, reason, detail, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (email_key) DO UPDATE SET \
             reason = CASE WHEN s.reason = 'unsubscribed' THEN excluded.reason ELSE s.reason END, \
             detail = CASE WHEN s.reason = 'unsubscribed' THEN excluded.detail ELSE s.detail END \
         RETURNING email, reason, detail, created_at")
    .bind::<Text, _>(email.key())
    .bind::<Text, _>(email.as_str().to_owned())
    .bind::<Text, _>(reason.to_owned())
    .bind::<Text, _>(detail.to_owned())
    .bind::<Timestamptz, _>(now);
    tx.one(query).await
}

/// `false` when it was not there.
pub async fn remove(tx: &mut WriteTx<'_>, email: &Email) -> Result<bool, DbError> {
    let query = sql("DELETE FROM email_suppressions WHERE email_key = $1").bind::<Text, _>(email.key());
    Ok(tx.execute(query).await? == 1)
}

/// By address, after `after`.
pub async fn list(
    tx: &mut ReadTx<'_>,
    after: Option<String>,
    most: i64,
) -> Result<Vec<SuppressionView>, DbError> {
    let query = sql("SELECT email, reason, detail, created_at FROM email_suppressions \
         WHERE $1::text IS NULL OR email_key COLLATE \"C\" > $1 COLLATE \"C\" ORDER BY email_key COLLATE \"C\" LIMIT $2")
    .bind::<Nullable<Text>, _>(after)
    .bind::<BigInt, _>(most);
    tx.load(query).await
}

/// Forgets a mailbox (SHA-256 of the address in lower case, hexadecimal).
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), DbError> {
    let query = sql(
        "DELETE FROM email_suppressions WHERE encode(sha256(convert_to(lower(email), 'UTF8')), 'hex') = $1",
    );
    tx.execute(query.bind::<Text, _>(email_sha256.to_owned())).await.map(drop)
}
