//! The statements of carts.

mod drafts;
pub mod idle;
mod owner;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Json, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use serde::Deserialize;
use souk_access::LinkSecret;
use souk_kernel::{
    CartId, CartLineId, CreditId, Currency, CustomerId, Email, Locale, MarketId, Quantity, ShippingRateId,
    VariantId,
};
use souk_tenancy::{DbError, Document, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::error::CartError;
use super::model::{Address, Attributes, Cart, CartLine, Terms};
use super::state::CartState;

pub use drafts::{end, find_draft, open_to, take_draft, update_terms};
pub use owner::{active_of, all_of, forget, give, merge};

const LOAD: &str = include_str!("load.sql");
const LOCK: &str = concat!(include_str!("load.sql"), "   FOR UPDATE OF cart\n");

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Binary)]
    secret_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    owner_secret_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completing_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    market_id: Option<MarketId>,
    #[diesel(sql_type = Nullable<Bool>)]
    prices_include_tax: Option<bool>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<CustomerId>,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<Email>,
    #[diesel(sql_type = Text)]
    note: String,
    #[diesel(sql_type = Jsonb)]
    attributes: serde_json::Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    shipping_address: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    billing_address: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    shipping_rate_id: Option<ShippingRateId>,
    #[diesel(sql_type = Array<Text>)]
    discount_codes: Vec<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    gift_cards: Vec<CreditId>,
    #[diesel(sql_type = Bool)]
    use_store_credit: bool,
    #[diesel(sql_type = Nullable<Text>)]
    locale: Option<Locale>,
    #[diesel(sql_type = Nullable<Text>)]
    vat_number: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    terms: Option<serde_json::Value>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    lines_version: i64,
    #[diesel(sql_type = Json)]
    lines: Document<Vec<LineJson>>,
}

/// A line as the cart's JSON holds it: ids as the database writes them.
#[derive(Deserialize)]
struct LineJson {
    id: Uuid,
    variant_id: Uuid,
    quantity: Quantity,
    position: i32,
}

fn unreadable(error: serde_json::Error) -> DbError {
    DbError::Other(Box::new(error))
}

fn terms(json: Option<serde_json::Value>) -> Result<Option<Terms>, DbError> {
    json.map(|json| Terms::deserialize(json).map_err(unreadable)).transpose()
}

fn address(json: Option<serde_json::Value>) -> Result<Option<Address>, DbError> {
    json.map(|json| Address::deserialize(json).map_err(unreadable)).transpose()
}

impl Row {
    /// Whether the secret is the cart's, or the one its owner's devices have.
    fn opens_with(&self, secret: &LinkSecret) -> bool {
        let digest = secret.digest();
        digest.matches(&self.secret_hash)
            || self.owner_secret_hash.as_ref().is_some_and(|hash| digest.matches(hash))
    }

    fn cart(self, id: CartId, now: DateTime<Utc>) -> Result<Cart, DbError> {
        let line = |line: LineJson| CartLine {
            id: CartLineId::from_uuid(line.id),
            variant: VariantId::from_uuid(line.variant_id),
            quantity: line.quantity,
            position: line.position,
        };
        let terms = terms(self.terms)?;
        let valid_until = terms.as_ref().and_then(|terms| terms.valid_until);
        let state = CartState::stored(&self.state).effective(self.completing_until, now);
        Ok(Cart {
            id,
            state: state.while_valid(valid_until, now),
            currency: self.currency,
            market: self.market_id,
            prices_include_tax: self.prices_include_tax,
            customer: self.customer_id,
            email: self.email,
            note: self.note,
            attributes: Attributes::stored(self.attributes),
            shipping_address: address(self.shipping_address)?,
            billing_address: address(self.billing_address)?,
            shipping_rate: self.shipping_rate_id,
            discount_codes: self.discount_codes,
            gift_cards: self.gift_cards,
            use_store_credit: self.use_store_credit,
            locale: self.locale,
            vat_number: self.vat_number,
            lines: self.lines.0.into_iter().map(line).collect(),
            terms,
            version: self.version,
        })
    }
}

/// The cart, if this secret opens it. One statement.
pub async fn find(tx: &mut ReadTx<'_>, id: CartId, secret: &LinkSecret) -> Result<Option<Cart>, CartError> {
    let now = tx.now();
    let row: Option<Row> = tx.optional(sql(LOAD).bind::<SqlUuid, _>(id)).await?;
    let row = row.filter(|row| row.opens_with(secret));
    Ok(row.map(|row| row.cart(id, now)).transpose()?)
}

/// The cart in whatever state, if this secret opens it; its row is locked until the transaction ends. One statement, two when
/// somebody else changed it while we waited.
///
/// # Errors
/// The database's only.
pub async fn take(tx: &mut WriteTx<'_>, id: CartId, secret: &LinkSecret) -> Result<Option<Cart>, CartError> {
    let now = tx.now();
    let mut row: Option<Row> = tx.optional(sql(LOCK).bind::<SqlUuid, _>(id)).await?;
    // Who waits for a lock gets the new row, but sub-selects as they were before the wait.
    if row.as_ref().is_some_and(|row| row.version != row.lines_version) {
        row = tx.optional(sql(LOCK).bind::<SqlUuid, _>(id)).await?;
    }
    let row = row.filter(|row| row.opens_with(secret));
    Ok(row.map(|row| row.cart(id, now)).transpose()?)
}

fn kept(part: Option<&impl serde::Serialize>) -> Result<Option<serde_json::Value>, DbError> {
    part.map(|part| serde_json::to_value(part).map_err(unreadable)).transpose()
}

/// Writes a new cart and its lines. One statement.
pub async fn insert(tx: &mut WriteTx<'_>, cart: &Cart, secret: &LinkSecret) -> Result<(), CartError> {
    let now = tx.now();
    let column = |of: fn(&CartLine) -> Uuid| cart.lines.iter().map(of).collect::<Vec<_>>();
    let statement = sql(include_str!("insert.sql"))
        .bind::<SqlUuid, _>(cart.id)
        .bind::<Binary, _>(secret.digest().as_bytes().to_vec())
        .bind::<Text, _>(cart.currency)
        .bind::<Nullable<SqlUuid>, _>(cart.customer)
        .bind::<Nullable<Text>, _>(cart.email.clone())
        .bind::<Text, _>(cart.note.clone())
        .bind::<Nullable<Jsonb>, _>(kept(cart.shipping_address.as_ref())?)
        .bind::<Nullable<Jsonb>, _>(kept(cart.billing_address.as_ref())?)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(column(|line| line.id.uuid()))
        .bind::<Array<SqlUuid>, _>(column(|line| line.variant.uuid()))
        .bind::<Array<Integer>, _>(cart.lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(&cart.discount_codes)
        .bind::<Nullable<SqlUuid>, _>(cart.market)
        .bind::<Jsonb, _>(cart.attributes.to_json())
        .bind::<Nullable<Text>, _>(cart.locale.clone())
        .bind::<Nullable<Jsonb>, _>(kept(cart.terms.as_ref())?)
        .bind::<Nullable<SqlUuid>, _>(cart.shipping_rate)
        .bind::<Nullable<Text>, _>(cart.vat_number.clone());
    Ok(tx.execute(statement).await.map(drop)?)
}

/// Writes a line, new or with a new quantity, and counts the cart's version up. The cart is locked.
pub async fn put_line(tx: &mut WriteTx<'_>, cart: CartId, line: &CartLine) -> Result<(), CartError> {
    let now = tx.now();
    let statement = sql(include_str!("put_line.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(line.id)
        .bind::<SqlUuid, _>(line.variant)
        .bind::<Integer, _>(line.quantity)
        .bind::<Integer, _>(line.position)
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await.map(drop)?)
}

/// Takes a line out and counts the cart's version up. The cart is locked.
pub async fn delete_line(tx: &mut WriteTx<'_>, cart: CartId, line: CartLineId) -> Result<(), CartError> {
    let now = tx.now();
    let statement = sql(include_str!("delete_line.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<SqlUuid, _>(line)
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await.map(drop)?)
}

/// Writes everything but the lines and counts the version up. The cart is locked.
pub async fn update(tx: &mut WriteTx<'_>, cart: &Cart) -> Result<(), CartError> {
    let now = tx.now();
    let statement = sql(include_str!("update.sql"))
        .bind::<SqlUuid, _>(cart.id)
        .bind::<Nullable<Text>, _>(cart.email.clone())
        .bind::<Text, _>(cart.note.clone())
        .bind::<Nullable<Jsonb>, _>(kept(cart.shipping_address.as_ref())?)
        .bind::<Nullable<Jsonb>, _>(kept(cart.billing_address.as_ref())?)
        .bind::<Nullable<SqlUuid>, _>(cart.shipping_rate)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(&cart.discount_codes)
        .bind::<Array<SqlUuid>, _>(&cart.gift_cards)
        .bind::<Bool, _>(cart.use_store_credit)
        .bind::<Jsonb, _>(cart.attributes.to_json())
        .bind::<Nullable<Text>, _>(cart.locale.clone())
        .bind::<Nullable<Text>, _>(cart.vat_number.clone());
    Ok(tx.execute(statement).await.map(drop)?)
}

#[derive(QueryableByName)]
struct TermsRow {
    #[diesel(sql_type = Nullable<Jsonb>)]
    terms: Option<serde_json::Value>,
}

/// Changes the state; the terms of a draft order that was changed.
async fn turn(tx: &mut WriteTx<'_>, text: &'static str, cart: CartId) -> Result<Option<Terms>, CartError> {
    let now = tx.now();
    let statement = sql(text)
        .bind::<SqlUuid, _>(cart)
        .bind::<Nullable<Timestamptz>, _>(None::<DateTime<Utc>>)
        .bind::<Timestamptz, _>(now);
    let row: Option<TermsRow> = tx.optional(statement).await?;
    Ok(terms(row.and_then(|row| row.terms))?)
}

/// A checkout has it until then; nothing else may change it. The cart was [`take`]n in this transaction and is active.
pub async fn mark_completing(
    tx: &mut WriteTx<'_>,
    cart: CartId,
    until: DateTime<Utc>,
) -> Result<(), CartError> {
    let now = tx.now();
    let statement = sql(include_str!("mark_completing.sql"))
        .bind::<SqlUuid, _>(cart)
        .bind::<Nullable<Timestamptz>, _>(Some(until))
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await.map(drop)?)
}

/// The checkout came to nothing: it may be changed and bought again. Does nothing to a cart that no checkout has. Gives the terms if it is a
/// draft order.
///
/// # Errors
/// The database's only.
pub async fn reopen(tx: &mut WriteTx<'_>, cart: CartId) -> Result<Option<Terms>, CartError> {
    turn(tx, include_str!("reopen.sql"), cart).await
}

/// It is bought. Does nothing to a cart that is. Gives the terms if it is a draft order.
///
/// # Errors
/// The database's only.
pub async fn mark_completed(tx: &mut WriteTx<'_>, cart: CartId) -> Result<Option<Terms>, CartError> {
    turn(tx, include_str!("mark_completed.sql"), cart).await
}
