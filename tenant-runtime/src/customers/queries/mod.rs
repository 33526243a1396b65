//! The rows of customers. Those of sessions, links and addresses are beside it.

mod addresses;
mod links;
mod sessions;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::PasswordHash;
use souk_kernel::{CustomerId, Email};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::model::{Customer, EditAccount, EditCustomer, ListFilter};

pub use addresses::{add, addresses, count_addresses, find_address, put, remove};
pub use links::{
    confirm_change, forget_change, insert_secret, lock_change, use_secret, void_secrets, wish_change, wished,
};
pub use sessions::{
    count_attempt, end, end_all, find as find_session, forget, forget_counters, forgive_attempt, full_until,
    insert_session, insert_token, is_known_here, is_new_device, list as sessions, lock_token, proved_at,
    use_token,
};

macro_rules! customer_by {
    ($condition:literal) => {
        concat!(
            "SELECT id, email, first_name, last_name, phone, state, accepts_marketing, locale, note, verified_at, order_count, epoch, \
             version, created_at, updated_at FROM customers WHERE ",
            $condition
        )
    };
}

#[derive(QueryableByName)]
struct Reads {
    #[diesel(sql_type = Nullable<Text>)]
    locale: Option<String>,
}

/// The language that the customer of a mailbox reads, if there is one and they said so.
///
/// # Errors
/// The database's only.
pub async fn locale_of(tx: &mut ReadTx<'_>, mailbox: &str) -> Result<Option<String>, DbError> {
    let Ok(email) = Email::parse(mailbox) else { return Ok(None) };
    let query = sql("SELECT locale FROM customers WHERE email_key = $1");
    let found: Option<Reads> = tx.optional(query.bind::<Text, _>(email.key())).await?;
    Ok(found.and_then(|found| found.locale))
}

/// A new customer to be written.
pub struct NewCustomer<'a> {
    pub id: CustomerId,
    pub email: &'a Email,
    pub hash: Option<&'a PasswordHash>,
    pub first_name: String,
    pub last_name: String,
    pub accepts_marketing: bool,
    pub verified: bool,
}

/// Adds a customer; `false` when the mailbox has one.
pub async fn insert(tx: &mut WriteTx<'_>, new: NewCustomer<'_>) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO customers (id, email, email_key, first_name, last_name, password, accepts_marketing, verified_at, \
         state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'enabled', $9, $9) ON CONFLICT DO NOTHING")
    .bind::<SqlUuid, _>(new.id)
    .bind::<Text, _>(new.email.as_str().to_owned())
    .bind::<Text, _>(new.email.key())
    .bind::<Text, _>(new.first_name)
    .bind::<Text, _>(new.last_name)
    .bind::<Nullable<Text>, _>(new.hash.map(|hash| hash.as_str().to_owned()))
    .bind::<Bool, _>(new.accepts_marketing)
    .bind::<Nullable<Timestamptz>, _>(new.verified.then_some(now))
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// A customer in whatever state, unless the person is gone.
pub async fn find(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Option<Customer>, DbError> {
    tx.optional(sql(customer_by!("id = $1 AND state <> 'erased'")).bind::<SqlUuid, _>(id)).await
}

/// The same, locked until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<Option<Customer>, DbError> {
    tx.optional(sql(customer_by!("id = $1 AND state <> 'erased' FOR UPDATE")).bind::<SqlUuid, _>(id)).await
}

/// A customer who may sign in, by mailbox.
pub async fn find_by_email(tx: &mut ReadTx<'_>, email: &Email) -> Result<Option<Customer>, DbError> {
    let query = sql(customer_by!("email_key = $1 AND state = 'enabled'"));
    tx.optional(query.bind::<Text, _>(email.key())).await
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Nullable<Text>)]
    password: Option<String>,
}

/// The hash of a customer who may sign in; none for one who has no password.
pub async fn password(tx: &mut ReadTx<'_>, id: CustomerId) -> Result<Option<PasswordHash>, DbError> {
    let query = sql("SELECT password FROM customers WHERE id = $1 AND state = 'enabled'");
    let row: Option<HashRow> = tx.optional(query.bind::<SqlUuid, _>(id)).await?;
    Ok(row.and_then(|row| row.password).map(PasswordHash::stored))
}

/// Sets the password and raises the epoch: every token that is out dies.
pub async fn set_password(tx: &mut WriteTx<'_>, id: CustomerId, hash: &PasswordHash) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE customers SET password = $2, epoch = epoch + 1, version = version + 1, updated_at = $3 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(hash.as_str().to_owned())
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Raises the epoch: every access token that is out dies.
pub async fn raise_epoch(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<(), DbError> {
    let query = sql("UPDATE customers SET epoch = epoch + 1 WHERE id = $1").bind::<SqlUuid, _>(id);
    tx.execute(query).await.map(drop)
}

pub async fn mark_verified(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE customers SET verified_at = $2, version = version + 1, updated_at = $2 \
         WHERE id = $1 AND verified_at IS NULL")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Gives a customer another mailbox, confirmed; `false` when another customer has it.
pub async fn set_email(
    tx: &mut WriteTx<'_>,
    id: CustomerId,
    email: &str,
    email_key: &str,
) -> Result<bool, DbError> {
    let now = tx.now();
    let query = sql("UPDATE customers SET email = $2, email_key = $3, verified_at = $4, epoch = epoch + 1, version = version + 1, \
         updated_at = $4 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM customers o WHERE o.email_key = $3 AND o.id <> $1)")
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(email.to_owned())
    .bind::<Text, _>(email_key.to_owned())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await? == 1)
}

/// Writes what is given of the profile.
pub async fn edit_account(tx: &mut WriteTx<'_>, id: CustomerId, wish: &EditAccount) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE customers SET first_name = coalesce($2, first_name), last_name = coalesce($3, last_name), \
         phone = CASE WHEN $4::text IS NULL THEN phone ELSE nullif($4, '') END, \
         accepts_marketing = coalesce($5, accepts_marketing), locale = coalesce($7, locale), version = version + 1, updated_at = $6 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(wish.first_name.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.last_name.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.phone.as_ref().map(ToString::to_string))
    .bind::<Nullable<Bool>, _>(wish.accepts_marketing)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Text>, _>(wish.locale.clone());
    tx.execute(query).await.map(drop)
}

/// Writes what is given by the people of the store. Disabling raises the epoch.
pub async fn edit(tx: &mut WriteTx<'_>, id: CustomerId, wish: &EditCustomer) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql(
        "UPDATE customers SET first_name = coalesce($2, first_name), last_name = coalesce($3, last_name), \
         phone = CASE WHEN $4::text IS NULL THEN phone ELSE nullif($4, '') END, note = coalesce($5, note), \
         state = coalesce($6, state), epoch = epoch + CASE WHEN $6 = 'disabled' THEN 1 ELSE 0 END, \
         version = version + 1, updated_at = $7 WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(wish.first_name.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.last_name.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.phone.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.note.as_ref().map(ToString::to_string))
    .bind::<Nullable<Text>, _>(wish.state.map(super::model::WishedState::as_str))
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// One order more.
pub async fn count_orders(tx: &mut WriteTx<'_>, id: CustomerId, orders: i64) -> Result<(), DbError> {
    let query = sql("UPDATE customers SET order_count = order_count + $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(orders);
    tx.execute(query).await.map(drop)
}

/// A page, newest first. `q` begins an address or a name; wildcards in it are letters.
pub async fn list(tx: &mut ReadTx<'_>, filter: ListFilter) -> Result<Vec<Customer>, DbError> {
    let query = sql(customer_by!(
        "state <> 'erased' AND ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR id < $2) \
         AND ($3::text IS NULL OR email_key LIKE lower($3) || '%' OR lower(last_name) LIKE lower($3) || '%' \
         OR lower(first_name) LIKE lower($3) || '%') ORDER BY id DESC LIMIT $4"
    ))
    .bind::<Nullable<Text>, _>(filter.state)
    .bind::<Nullable<SqlUuid>, _>(filter.before)
    .bind::<Nullable<Text>, _>(filter.q)
    .bind::<BigInt, _>(filter.fetch);
    tx.load(query).await
}

/// Takes everything personal out of a customer's row and removes what hangs on it; the row stays, because orders name it.
pub async fn erase(tx: &mut WriteTx<'_>, id: CustomerId) -> Result<(), DbError> {
    let now: DateTime<Utc> = tx.now();
    for text in [
        "DELETE FROM customer_addresses WHERE customer_id = $1",
        "DELETE FROM customer_sessions WHERE customer_id = $1",
        "DELETE FROM customer_secrets WHERE customer_id = $1",
        "DELETE FROM customer_email_changes WHERE customer_id = $1",
    ] {
        tx.execute(sql(text).bind::<SqlUuid, _>(id)).await?;
    }
    let query = sql("UPDATE customers SET email = 'erased@invalid', email_key = 'erased:' || id, first_name = '', last_name = '', \
         phone = NULL, note = '', password = NULL, verified_at = NULL, accepts_marketing = false, locale = NULL, state = 'erased', \
         epoch = epoch + 1, version = version + 1, erased_at = $2, updated_at = $2 WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
