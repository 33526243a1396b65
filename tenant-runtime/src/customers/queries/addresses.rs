//! The address book.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Jsonb, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize as _;
use souk_kernel::{AddressId, CustomerId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use crate::customers::model::{Address, AddressView, NewAddress};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: AddressId,
    #[diesel(sql_type = Jsonb)]
    address: serde_json::Value,
    #[diesel(sql_type = Bool)]
    default_shipping: bool,
    #[diesel(sql_type = Bool)]
    default_billing: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl Row {
    fn view(self) -> Result<(AddressView, i64), DbError> {
        let address = Address::deserialize(self.address).map_err(|error| DbError::Other(Box::new(error)))?;
        let Self { id, default_shipping, default_billing, version, created_at, updated_at, .. } = self;
        Ok((AddressView { id, address, default_shipping, default_billing, created_at, updated_at }, version))
    }
}

fn kept(address: &Address) -> Result<serde_json::Value, DbError> {
    serde_json::to_value(address).map_err(|error| DbError::Other(Box::new(error)))
}

/// The whole book, oldest first.
pub async fn addresses(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<AddressView>, DbError> {
    let query =
        sql("SELECT id, address, default_shipping, default_billing, version, created_at, updated_at \
         FROM customer_addresses WHERE customer_id = $1 ORDER BY id");
    let rows: Vec<Row> = tx.load(query.bind::<SqlUuid, _>(customer)).await?;
    rows.into_iter().map(|row| row.view().map(|(view, _)| view)).collect()
}

/// One address of this customer's, and its version.
pub async fn find_address(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    id: AddressId,
) -> Result<Option<(AddressView, i64)>, DbError> {
    let query =
        sql("SELECT id, address, default_shipping, default_billing, version, created_at, updated_at \
         FROM customer_addresses WHERE customer_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(customer)
        .bind::<SqlUuid, _>(id);
    let row: Option<Row> = tx.optional(query).await?;
    row.map(Row::view).transpose()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many there are. The customer's row is locked, so it stays true.
pub async fn count_addresses(tx: &mut WriteTx<'_>, customer: CustomerId) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM customer_addresses WHERE customer_id = $1");
    Ok(tx.one::<Count>(query.bind::<SqlUuid, _>(customer)).await?.count)
}

/// Takes the defaults away that the address is about to get. The customer's row is locked.
async fn make_way(tx: &mut WriteTx<'_>, customer: CustomerId, wish: &NewAddress) -> Result<(), DbError> {
    if !wish.default_shipping && !wish.default_billing {
        return Ok(());
    }
    let query = sql("UPDATE customer_addresses SET default_shipping = default_shipping AND NOT $2, \
         default_billing = default_billing AND NOT $3, version = version + 1 \
         WHERE customer_id = $1 AND ((default_shipping AND $2) OR (default_billing AND $3))")
    .bind::<SqlUuid, _>(customer)
    .bind::<Bool, _>(wish.default_shipping)
    .bind::<Bool, _>(wish.default_billing);
    tx.execute(query).await.map(drop)
}

/// Adds an address.
pub async fn add(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    id: AddressId,
    wish: &NewAddress,
) -> Result<(), DbError> {
    make_way(tx, customer, wish).await?;
    let now = tx.now();
    let query = sql("INSERT INTO customer_addresses (id, customer_id, address, default_shipping, default_billing, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(customer)
    .bind::<Jsonb, _>(kept(&wish.address)?)
    .bind::<Bool, _>(wish.default_shipping)
    .bind::<Bool, _>(wish.default_billing)
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Replaces an address.
pub async fn put(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    id: AddressId,
    wish: &NewAddress,
) -> Result<(), DbError> {
    make_way(tx, customer, wish).await?;
    let now = tx.now();
    let query =
        sql("UPDATE customer_addresses SET address = $3, default_shipping = $4, default_billing = $5, \
         version = version + 1, updated_at = $6 WHERE id = $1 AND customer_id = $2")
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(customer)
        .bind::<Jsonb, _>(kept(&wish.address)?)
        .bind::<Bool, _>(wish.default_shipping)
        .bind::<Bool, _>(wish.default_billing)
        .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Removes an address; `false` when there is no such one.
pub async fn remove(tx: &mut WriteTx<'_>, customer: CustomerId, id: AddressId) -> Result<bool, DbError> {
    let query = sql("DELETE FROM customer_addresses WHERE id = $1 AND customer_id = $2")
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(customer);
    Ok(tx.execute(query).await? == 1)
}
