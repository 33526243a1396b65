//! Gift cards that are mailed.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::SecretDigest;
use souk_kernel::{CreditId, Currency, Email, Locale, Money};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::credit::model::MailedCardView;

/// Whom a card is for, and what the giver says.
#[derive(QueryableByName)]
pub struct LetterRow {
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub message: String,
    /// The language they read, if the giver said so.
    #[diesel(sql_type = Nullable<Text>)]
    pub locale: Option<String>,
}

pub async fn insert(
    tx: &mut WriteTx<'_>,
    credit: CreditId,
    email: &Email,
    message: &str,
    locale: Option<&Locale>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query =
        sql("INSERT INTO credit_letters (account_id, email, message, created_at, locale) VALUES ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(credit)
            .bind::<Text, _>(email.as_str().to_owned())
            .bind::<Text, _>(message.to_owned())
            .bind::<Timestamptz, _>(now)
            .bind::<Nullable<Text>, _>(locale.cloned());
    tx.execute(query).await.map(drop)
}

pub async fn find(tx: &mut ReadTx<'_>, credit: CreditId) -> Result<Option<LetterRow>, DbError> {
    let query = sql("SELECT email, message, locale FROM credit_letters WHERE account_id = $1");
    tx.optional(query.bind::<SqlUuid, _>(credit)).await
}

/// The card has another code; the one before opens nothing.
pub async fn put_code(
    tx: &mut WriteTx<'_>,
    credit: CreditId,
    digest: &SecretDigest,
    last: &str,
) -> Result<(), DbError> {
    let query = sql("UPDATE credit_accounts SET code_hash = $2, last_characters = $3 WHERE id = $1")
        .bind::<SqlUuid, _>(credit)
        .bind::<Binary, _>(digest.as_bytes().to_vec())
        .bind::<Text, _>(last.to_owned());
    tx.execute(query).await.map(drop)
}

#[derive(QueryableByName)]
struct MailedRow {
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Nullable<Text>)]
    last_characters: Option<String>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    balance_minor: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// The cards that were mailed to a mailbox, oldest first, for its owner's export.
///
/// # Errors
/// The database's only.
pub async fn mailed(tx: &mut ReadTx<'_>, mailbox: &str) -> Result<Vec<MailedCardView>, DbError> {
    let query =
        sql("SELECT l.message, a.last_characters, a.currency, a.balance_minor, a.expires_at, l.created_at \
         FROM credit_letters l JOIN credit_accounts a ON a.id = l.account_id \
         WHERE lower(l.email) = lower($1) ORDER BY l.created_at, l.account_id");
    let rows: Vec<MailedRow> = tx.load(query.bind::<Text, _>(mailbox.to_owned())).await?;
    let view = |row: MailedRow| MailedCardView {
        message: row.message,
        last_characters: row.last_characters,
        balance: Money::new(row.balance_minor, row.currency),
        expires_at: row.expires_at,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Forgets whom cards were for (SHA-256 of the address in lower case, hexadecimal).
///
/// # Errors
/// The database's only.
pub async fn forget(tx: &mut WriteTx<'_>, email_sha256: &str) -> Result<(), DbError> {
    let query =
        sql("DELETE FROM credit_letters WHERE encode(sha256(convert_to(lower(email), 'UTF8')), 'hex') = $1");
    tx.execute(query.bind::<Text, _>(email_sha256.to_owned())).await.map(drop)
}
