//! Mailed links and wished addresses.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::SecretDigest;
use souk_kernel::{CustomerId, Email};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::customers::model::Purpose;

/// Keeps the digest of a link's secret; earlier links for the same purpose stop working.
pub async fn insert_secret(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    purpose: Purpose,
    email_key: &str,
    digest: &SecretDigest,
) -> Result<(), DbError> {
    let now = tx.now();
    void_secrets(tx, customer, purpose).await?;
    let query = sql(
        "INSERT INTO customer_secrets (secret_hash, customer_id, purpose, email_key, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Binary, _>(digest.as_bytes().to_vec())
    .bind::<SqlUuid, _>(customer)
    .bind::<Text, _>(purpose.as_str())
    .bind::<Text, _>(email_key.to_owned())
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + purpose.lifetime());
    tx.execute(query).await.map(drop)
}

/// Ends every open link for this purpose.
pub async fn void_secrets(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    purpose: Purpose,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM customer_secrets WHERE customer_id = $1 AND purpose = $2")
        .bind::<SqlUuid, _>(customer)
        .bind::<Text, _>(purpose.as_str());
    tx.execute(query).await.map(drop)
}

/// A link that was good until now.
#[derive(QueryableByName)]
pub struct UsedLink {
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: CustomerId,
    #[diesel(sql_type = Text)]
    pub email_key: String,
    #[diesel(sql_type = Bool)]
    pub from_old: bool,
}

/// Uses a link up; none when it is unknown, was used, is too old or for something else. Of parallel uses one gets it.
pub async fn use_secret(
    tx: &mut WriteTx<'_>,
    purposes: &[Purpose],
    digest: &SecretDigest,
) -> Result<Option<UsedLink>, DbError> {
    let now = tx.now();
    let names: Vec<String> = purposes.iter().map(|purpose| purpose.as_str().to_owned()).collect();
    let query = sql("UPDATE customer_secrets SET used_at = $2 \
         WHERE secret_hash = $1 AND purpose = ANY($3) AND used_at IS NULL AND expires_at > $2 \
         RETURNING customer_id, email_key, purpose = 'email_old' AS from_old")
    .bind::<Binary, _>(digest.as_bytes().to_vec())
    .bind::<Timestamptz, _>(now)
    .bind::<diesel::sql_types::Array<Text>, _>(names);
    tx.optional(query).await
}

/// A wished address.
#[derive(Clone, QueryableByName)]
pub struct Change {
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub email_key: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub old_confirmed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub new_confirmed_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Wished {
    #[diesel(sql_type = Text)]
    wished: String,
}

/// Keeps the wish; an earlier one is forgotten.
pub async fn wish_change(tx: &mut WriteTx<'_>, customer: CustomerId, email: &Email) -> Result<(), DbError> {
    let now = tx.now();
    let query =
        sql("INSERT INTO customer_email_changes (customer_id, email, email_key, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (customer_id) DO UPDATE SET email = excluded.email, \
         email_key = excluded.email_key, old_confirmed_at = NULL, new_confirmed_at = NULL, \
         created_at = excluded.created_at, expires_at = excluded.expires_at")
        .bind::<SqlUuid, _>(customer)
        .bind::<Text, _>(email.as_str().to_owned())
        .bind::<Text, _>(email.key())
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now + Purpose::EmailNew.lifetime());
    tx.execute(query).await.map(drop)
}

/// The open wish of a customer, locked.
pub async fn lock_change(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<Option<Change>, DbError> {
    let now = tx.now();
    let query =
        sql("SELECT email, email_key, old_confirmed_at, new_confirmed_at FROM customer_email_changes \
         WHERE customer_id = $1 AND expires_at > $2 FOR UPDATE")
        .bind::<SqlUuid, _>(customer)
        .bind::<Timestamptz, _>(now);
    tx.optional(query).await
}

/// The address a customer wishes for, if they do.
pub async fn wished(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Option<String>, DbError> {
    let now = tx.now();
    let query =
        sql("SELECT email AS wished FROM customer_email_changes WHERE customer_id = $1 AND expires_at > $2")
            .bind::<SqlUuid, _>(customer)
            .bind::<Timestamptz, _>(now);
    Ok(tx.optional::<Wished>(query).await?.map(|row| row.wished))
}

/// One of the two mailboxes has agreed.
pub async fn confirm_change(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    from_old: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = if from_old {
        "UPDATE customer_email_changes SET old_confirmed_at = $2 WHERE customer_id = $1"
    } else {
        "UPDATE customer_email_changes SET new_confirmed_at = $2 WHERE customer_id = $1"
    };
    tx.execute(sql(text).bind::<SqlUuid, _>(customer).bind::<Timestamptz, _>(now)).await.map(drop)
}

/// The wish is fulfilled or given up.
pub async fn forget_change(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let query = sql("DELETE FROM customer_email_changes WHERE customer_id = $1");
    tx.execute(query.bind::<SqlUuid, _>(customer)).await.map(drop)
}
