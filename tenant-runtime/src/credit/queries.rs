//! The statements of gift cards and store credit.

pub mod letters;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize;
use souk_access::SecretDigest;
use souk_kernel::{CreditId, Currency, CustomerId, Money, OrderId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{CreditEntryView, CreditFilter, CreditKind, CreditView, PutGiftCard, UsableCredit};

fn kind_of(text: &str) -> Result<CreditKind, DbError> {
    CreditKind::parse(text).ok_or_else(|| DbError::Other(format!("credit kind `{text}` is not known").into()))
}

#[derive(QueryableByName)]
struct UsableRow {
    #[diesel(sql_type = SqlUuid)]
    id: CreditId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    last_characters: Option<String>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    balance_minor: i64,
}

/// Accounts that may pay now, in the order they pay.
pub async fn usable(
    tx: &mut ReadTx<'_>,
    cards: &[CreditId],
    customer: Option<CustomerId>,
    currency: Currency,
) -> Result<Vec<UsableCredit>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("usable.sql"))
        .bind::<Array<SqlUuid>, _>(cards.iter().map(|card| card.uuid()).collect::<Vec<_>>())
        .bind::<Nullable<SqlUuid>, _>(customer)
        .bind::<Text, _>(currency)
        .bind::<Timestamptz, _>(now);
    let rows: Vec<UsableRow> = tx.load(statement).await?;
    let read = |row: UsableRow| {
        Ok(UsableCredit {
            id: row.id,
            kind: kind_of(&row.kind)?,
            last_characters: row.last_characters,
            balance: Money::new(row.balance_minor, row.currency),
        })
    };
    rows.into_iter().map(read).collect()
}

/// A gift card as its code finds it.
#[derive(QueryableByName)]
pub struct CardRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: CreditId,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = BigInt)]
    pub balance_minor: i64,
    #[diesel(sql_type = Bool)]
    pub disabled: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The gift card with this code.
pub async fn card(tx: &mut ReadTx<'_>, code: &SecretDigest) -> Result<Option<CardRow>, DbError> {
    let text =
        "SELECT id, currency, balance_minor, disabled, expires_at FROM credit_accounts WHERE code_hash = $1";
    tx.optional(sql(text).bind::<Binary, _>(code.as_bytes().to_vec())).await
}

/// An account to be made, or more on one that is there.
pub struct NewCredit {
    pub id: CreditId,
    pub entry: Uuid,
    pub kind: CreditKind,
    pub code: Option<(SecretDigest, String)>,
    pub customer: Option<CustomerId>,
    pub amount: Money,
    pub expires_at: Option<DateTime<Utc>>,
    pub note: String,
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: CreditId,
}

/// Writes it; gives the account's id.
pub async fn issue(tx: &mut WriteTx<'_>, new: &NewCredit, actor: &str) -> Result<CreditId, DbError> {
    let now = tx.now();
    let (hash, last) = match &new.code {
        Some((hash, last)) => (Some(hash.as_bytes().to_vec()), Some(last.as_str())),
        None => (None, None),
    };
    let statement = sql(include_str!("issue.sql"))
        .bind::<SqlUuid, _>(new.id)
        .bind::<Text, _>(new.kind.as_str())
        .bind::<Nullable<Binary>, _>(hash)
        .bind::<Nullable<Text>, _>(last)
        .bind::<Nullable<SqlUuid>, _>(new.customer)
        .bind::<Text, _>(new.amount.currency())
        .bind::<BigInt, _>(new.amount.minor())
        .bind::<Nullable<Timestamptz>, _>(new.expires_at)
        .bind::<Text, _>(new.note.as_str())
        .bind::<Text, _>(actor)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(new.entry);
    let row: IdRow = tx.one(statement).await?;
    Ok(row.id)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: CreditId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    last_characters: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<CustomerId>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    balance_minor: i64,
    #[diesel(sql_type = Bool)]
    disabled: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    note: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    entries: serde_json::Value,
}

/// An entry as the account's JSON holds it.
#[derive(Deserialize)]
struct EntryJson {
    kind: String,
    amount_minor: i64,
    order_id: Option<Uuid>,
    actor: String,
    at: DateTime<Utc>,
}

impl Row {
    fn view(self) -> Result<CreditView, DbError> {
        let entries: Vec<EntryJson> =
            serde_json::from_value(self.entries).map_err(|error| DbError::Other(Box::new(error)))?;
        let entry = |entry: EntryJson| CreditEntryView {
            kind: entry.kind,
            amount: Money::new(entry.amount_minor, self.currency),
            order: entry.order_id.map(OrderId::from_uuid),
            actor: entry.actor,
            at: entry.at,
        };
        Ok(CreditView {
            id: self.id,
            kind: kind_of(&self.kind)?,
            code: None,
            last_characters: self.last_characters,
            customer: self.customer_id,
            balance: Money::new(self.balance_minor, self.currency),
            disabled: self.disabled,
            expires_at: self.expires_at,
            note: self.note,
            entries: entries.into_iter().map(entry).collect(),
            version: self.version,
            created_at: self.created_at,
        })
    }
}

/// One page of accounts of a kind, newest first; or the one of this id, with its entries.
pub async fn page(
    tx: &mut ReadTx<'_>,
    kind: CreditKind,
    id: Option<CreditId>,
    filter: &CreditFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
) -> Result<Vec<CreditView>, DbError> {
    let statement = sql(include_str!("page.sql"))
        .bind::<Text, _>(kind.as_str())
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<Text>, _>(filter.last_characters.as_deref())
        .bind::<Nullable<SqlUuid>, _>(filter.customer)
        .bind::<Nullable<Timestamptz>, _>(after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(fetch);
    let rows: Vec<Row> = tx.load(statement).await?;
    rows.into_iter().map(Row::view).collect()
}

/// Writes a gift card's own fields.
pub async fn put(tx: &mut WriteTx<'_>, id: CreditId, wish: &PutGiftCard) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE credit_accounts SET disabled = $2, expires_at = $3, note = $4, version = version + 1, updated_at = $5 WHERE id = $1";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Bool, _>(wish.disabled)
        .bind::<Nullable<Timestamptz>, _>(wish.expires_at)
        .bind::<Text, _>(wish.note.as_ref().map(ToString::to_string).unwrap_or_default())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Locks accounts, in the order of their ids.
pub async fn lock(tx: &mut WriteTx<'_>, ids: &[CreditId]) -> Result<(), DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let text = "SELECT id FROM credit_accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let _: Vec<IdRow> = tx.load(sql(text).bind::<Array<SqlUuid>, _>(ids)).await?;
    Ok(())
}

/// Locks the accounts an order takes of; how many there are.
pub async fn lock_of(tx: &mut WriteTx<'_>, order: OrderId) -> Result<usize, DbError> {
    let text = "SELECT id FROM credit_accounts \
        WHERE id IN (SELECT account_id FROM order_credits WHERE order_id = $1) ORDER BY id FOR UPDATE";
    let rows: Vec<IdRow> = tx.load(sql(text).bind::<SqlUuid, _>(order)).await?;
    Ok(rows.len())
}

/// Takes amounts of locked accounts for an order; how many could give theirs.
pub async fn hold(
    tx: &mut WriteTx<'_>,
    order: OrderId,
    parts: &[(CreditId, Money)],
    actor: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("hold.sql"))
        .bind::<SqlUuid, _>(order)
        .bind::<Array<SqlUuid>, _>(parts.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(parts.iter().map(|(_, amount)| amount.minor()).collect::<Vec<_>>())
        .bind::<Text, _>(actor)
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await
}

/// What was held for an order is spent.
pub async fn spend(tx: &mut WriteTx<'_>, order: OrderId) -> Result<(), DbError> {
    let text = "UPDATE order_credits SET state = 'spent' WHERE order_id = $1 AND state = 'held'";
    tx.execute(sql(text).bind::<SqlUuid, _>(order)).await.map(drop)
}

#[derive(QueryableByName)]
struct AmountRow {
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
}

/// Returns what an order holds or has spent to its locked accounts; gives what had been spent, in minor units.
pub async fn give_back(tx: &mut WriteTx<'_>, order: OrderId, actor: &str) -> Result<i64, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("give_back.sql"))
        .bind::<SqlUuid, _>(order)
        .bind::<Text, _>(actor)
        .bind::<Timestamptz, _>(now);
    let row: AmountRow = tx.one(statement).await?;
    Ok(row.amount_minor)
}
