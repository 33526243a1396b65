//! The statements of carts that belong to a customer.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_access::LinkSecret;
use souk_kernel::{CartId, CustomerId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::{LOAD, Row, kept};
use crate::cart::error::CartError;
use crate::cart::model::Cart;
use crate::customers::Buyer;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: CartId,
}

/// The customer's active carts but this one, locked, the one used last first.
pub async fn active_of(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    but: Option<CartId>,
) -> Result<Vec<CartId>, CartError> {
    let query =
        sql("SELECT id FROM carts WHERE customer_id = $1 AND state = 'active' AND id IS DISTINCT FROM $2 \
         AND terms IS NULL ORDER BY updated_at DESC, id LIMIT 20 FOR UPDATE")
        .bind::<SqlUuid, _>(customer)
        .bind::<Nullable<SqlUuid>, _>(but);
    let found: Vec<Found> = tx.load(query).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

/// Moves what lies in other carts into one, the larger quantity of each variant and at most a hundred lines, and ends the others.
pub async fn merge(tx: &mut WriteTx<'_>, into: CartId, others: &[CartId]) -> Result<(), CartError> {
    let now = tx.now();
    let ids: Vec<Uuid> = others.iter().map(|id| id.uuid()).collect();
    let query = sql("INSERT INTO cart_lines AS held (id, cart_id, variant_id, quantity, position, added_at) \
         SELECT gen_random_uuid(), $1, l.variant_id, max(l.quantity), \
         (SELECT coalesce(max(position), 0) FROM cart_lines WHERE cart_id = $1) + row_number() OVER (ORDER BY min(l.added_at), l.variant_id), $3 \
         FROM cart_lines l WHERE l.cart_id = ANY($2) GROUP BY l.variant_id ORDER BY min(l.added_at) \
         LIMIT 100 - least(100, (SELECT count(*) FROM cart_lines WHERE cart_id = $1)) \
         ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = greatest(held.quantity, excluded.quantity)")
    .bind::<SqlUuid, _>(into)
    .bind::<Array<SqlUuid>, _>(ids.clone())
    .bind::<Timestamptz, _>(now);
    tx.execute(query).await?;
    let query =
        sql("UPDATE carts SET state = 'merged', version = version + 1, updated_at = $2 WHERE id = ANY($1)")
            .bind::<Array<SqlUuid>, _>(ids)
            .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await.map(drop)?)
}

/// Makes a cart the buyer's: it opens with `secret` too, and takes from the address book what it lacks.
pub async fn give(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    buyer: &Buyer,
    secret: &LinkSecret,
) -> Result<(), CartError> {
    let now = tx.now();
    let query = sql("UPDATE carts SET customer_id = $2, email = coalesce(email, $3), shipping_address = coalesce(shipping_address, $4), \
         billing_address = coalesce(billing_address, $5), owner_secret_hash = $6, version = version + 1, updated_at = $7 WHERE id = $1")
    .bind::<SqlUuid, _>(cart)
    .bind::<SqlUuid, _>(buyer.id)
    .bind::<Text, _>(buyer.email.clone())
    .bind::<Nullable<Jsonb>, _>(kept(buyer.shipping.as_ref())?)
    .bind::<Nullable<Jsonb>, _>(kept(buyer.billing.as_ref())?)
    .bind::<Binary, _>(secret.digest().as_bytes().to_vec())
    .bind::<Timestamptz, _>(now);
    Ok(tx.execute(query).await.map(drop)?)
}

/// Carts of a customer that are open, at most 20.
pub async fn all_of(tx: &mut ReadTx<'_>, customer: CustomerId) -> Result<Vec<Cart>, CartError> {
    let query = sql(
        "SELECT id FROM carts WHERE customer_id = $1 AND state IN ('active', 'completing') ORDER BY id LIMIT 20",
    );
    let found: Vec<Found> = tx.load(query.bind::<SqlUuid, _>(customer)).await?;
    let now = tx.now();
    let mut carts = Vec::with_capacity(found.len());
    for Found { id } in found {
        let row: Option<Row> = tx.optional(sql(LOAD).bind::<SqlUuid, _>(id)).await?;
        carts.extend(row.map(|row| row.cart(id, now)).transpose()?);
    }
    Ok(carts)
}

/// Takes the person out of their carts, also those they filled as a guest of this mailbox; open ones end.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    customer: CustomerId,
    mailbox: Option<&str>,
) -> Result<(), CartError> {
    let (now, mailbox) = (tx.now(), mailbox.map(str::to_owned));
    let lines = "DELETE FROM cart_lines WHERE cart_id IN (SELECT id FROM carts \
         WHERE (customer_id = $1 OR (customer_id IS NULL AND lower(email) = lower($2))) AND state <> 'completed')";
    let lines = sql(lines).bind::<SqlUuid, _>(customer).bind::<Nullable<Text>, _>(mailbox.clone());
    tx.execute(lines).await?;
    let query = sql("UPDATE carts SET email = NULL, note = '', attributes = '{}', shipping_address = NULL, billing_address = NULL, vat_number = NULL, \
         owner_secret_hash = NULL, \
         terms = CASE WHEN terms IS NULL OR state = 'completed' THEN terms ELSE '{}' END, state = CASE WHEN state = 'active' THEN 'expired' ELSE state END, version = version + 1, updated_at = $3 \
         WHERE customer_id = $1 OR (customer_id IS NULL AND lower(email) = lower($2))")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(mailbox)
    .bind::<Timestamptz, _>(now);
    let done: Result<usize, DbError> = tx.execute(query).await;
    Ok(done.map(drop)?)
}
