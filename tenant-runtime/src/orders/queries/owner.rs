//! The orders of one person.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{CustomerId, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use crate::customers::Mailbox;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: OrderId,
}

/// Ids of the placed orders of a customer, and of guests with this mailbox, oldest first, at most a thousand.
pub async fn placed_by(
    tx: &mut ReadTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<Vec<OrderId>, DbError> {
    let query = sql("SELECT id FROM orders WHERE (customer_id = $1 OR (customer_id IS NULL AND lower(email) = lower($2))) \
         AND number IS NOT NULL ORDER BY created_at, id LIMIT 1000")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox.map(str::to_owned));
    let found: Vec<Found> = tx.load(query).await?;
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

/// Makes placed guest orders of a confirmed mailbox its customer's, at most a thousand, oldest first. Their ids. One statement.
pub async fn claim(tx: &mut WriteTx<'_>, mailbox: &Mailbox) -> Result<Vec<OrderId>, DbError> {
    let now = tx.now();
    let query = sql("UPDATE orders SET customer_id = $1, version = version + 1, updated_at = $3 WHERE id IN (SELECT o.id FROM orders o \
         WHERE o.customer_id IS NULL AND o.number IS NOT NULL AND lower(o.email) = lower($2) ORDER BY o.id LIMIT 1000 FOR UPDATE) \
         RETURNING id")
    .bind::<SqlUuid, _>(mailbox.customer())
    .bind::<Text, _>(mailbox.address().to_owned())
    .bind::<Timestamptz, _>(now);
    let found: Vec<Found> = tx.load(query).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// Writes into the timelines of orders that they were claimed. One statement.
pub async fn note_claimed(tx: &mut WriteTx<'_>, orders: &[OrderId], actor: &str) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("INSERT INTO order_events (id, order_id, kind, actor, details, at) \
         SELECT n.id, n.order_id, 'order.claimed', $3, '{}', $4 FROM unnest($1::uuid[], $2::uuid[]) AS n (id, order_id)")
    .bind::<Array<SqlUuid>, _>(orders.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(orders.iter().map(|order| order.uuid()).collect::<Vec<_>>())
    .bind::<Text, _>(actor.to_owned())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}

/// Whoever reads mails about an order.
#[derive(QueryableByName)]
pub struct Reader {
    /// Whether they were taken out of it.
    #[diesel(sql_type = Bool)]
    pub forgotten: bool,
    /// The language it was bought in.
    #[diesel(sql_type = Nullable<Text>)]
    pub locale: Option<String>,
}

/// Whoever reads mails about an order; none without the order.
pub async fn reader(tx: &mut ReadTx<'_>, order: OrderId) -> Result<Option<Reader>, DbError> {
    let query = sql("SELECT email = 'erased@invalid' AS forgotten, locale FROM orders WHERE id = $1");
    tx.optional(query.bind::<SqlUuid, _>(order)).await
}

/// Takes the person out of their orders. Country and province stay, because the tax was counted by them.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<(), DbError> {
    let now = tx.now();
    let query = sql("UPDATE orders SET email = 'erased@invalid', note = '', attributes = '{}', terms_network = NULL, \
         shipping_address = jsonb_strip_nulls(jsonb_build_object('country', shipping_address -> 'country', 'province', shipping_address -> 'province')), \
         billing_address = jsonb_strip_nulls(jsonb_build_object('country', billing_address -> 'country', 'province', billing_address -> 'province')), \
         version = version + 1, updated_at = $3 \
         WHERE customer_id = $1 OR (customer_id IS NULL AND lower(email) = lower($2))")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox.map(str::to_owned))
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await.map(drop)
}
