//! The orders of one person.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CustomerId, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: OrderId,
}

/// Ids of the customer's placed orders, oldest first, at most a thousand.
pub async fn placed_by(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<OrderId>, DbError> {
    let query = sql(
        "SELECT id FROM orders WHERE customer_id = $1 AND number IS NOT NULL ORDER BY created_at, id LIMIT 1000",
    );
    let found: Vec<Found> = tx.load(query.bind::<SqlUuid, _>(customer)).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many orders of a customer, or of guests with this mailbox, still have something to be delivered or paid.
pub async fn under_way(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<i64, DbError> {
    let query = sql("SELECT count(*) AS count FROM orders o \
         WHERE (o.customer_id = $1 OR (o.customer_id IS NULL AND lower(o.email) = lower($2))) \
         AND (o.state = 'pending_payment' OR (o.state = 'open' AND o.fulfillment_status IN ('unfulfilled', 'partially_fulfilled') \
         AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.requires_shipping)))")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox.map(str::to_owned));
    Ok(tx.one::<Count>(query).await?.count)
}

/// Takes the person out of their orders. Country and province stay, because the tax was counted by them.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE orders SET email = 'erased@invalid', note = '', \
         shipping_address = jsonb_strip_nulls(jsonb_build_object('country', shipping_address -> 'country', 'province', shipping_address -> 'province')), \
         billing_address = jsonb_strip_nulls(jsonb_build_object('country', billing_address -> 'country', 'province', billing_address -> 'province')), \
         version = version + 1, updated_at = $3 \
         WHERE customer_id = $1 OR (customer_id IS NULL AND lower(email) = lower($2))")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox.map(str::to_owned))
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
