//! The statements of disputes.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, DisputeId, Money, OrderId, PaymentId, PaymentTransactionId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::unreadable;
use crate::payments::model::{DisputeFact, DisputeState, DisputeView, ProviderCode};

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = SqlUuid)]
    id: DisputeId,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Bool)]
    has_fee: bool,
}

/// A dispute as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub id: DisputeId,
    pub state: DisputeState,
    /// Whether it is known, and booked, what the provider takes for it.
    pub has_fee: bool,
}

/// A dispute by its provider's name for it, locked until the transaction ends.
pub async fn lock(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    reference: &str,
) -> Result<Option<Known>, DbError> {
    let text = "SELECT id, state, fee_minor IS NOT NULL AS has_fee FROM disputes WHERE provider = $1 AND reference = $2 FOR UPDATE";
    let statement = sql(text).bind::<Text, _>(provider.as_str()).bind::<Text, _>(reference.to_owned());
    let Some(row) = tx.optional::<KnownRow>(statement).await? else { return Ok(None) };
    let state = DisputeState::parse(&row.state).ok_or_else(|| unreadable("dispute state", &row.state))?;
    Ok(Some(Known { id: row.id, state, has_fee: row.has_fee }))
}

/// Writes what is known of a dispute now: a new one, or what changed.
pub async fn write(
    tx: &mut WriteTx<'_>,
    id: DisputeId,
    (order, payment, provider): (OrderId, PaymentId, ProviderCode),
    fact: &DisputeFact,
    state: DisputeState,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "INSERT INTO disputes (id, order_id, payment_id, provider, reference, state, amount_minor, currency, fee_minor, fee_currency, \
            reason, evidence_due_at, opened_at, closed_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        ON CONFLICT (provider, reference) DO UPDATE SET state = excluded.state, fee_minor = coalesce(disputes.fee_minor, excluded.fee_minor), \
            fee_currency = coalesce(disputes.fee_currency, excluded.fee_currency), reason = excluded.reason, \
            evidence_due_at = excluded.evidence_due_at, closed_at = coalesce(disputes.closed_at, excluded.closed_at), \
            updated_at = excluded.updated_at";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(order)
        .bind::<SqlUuid, _>(payment)
        .bind::<Text, _>(provider.as_str())
        .bind::<Text, _>(fact.reference.as_str())
        .bind::<Text, _>(state.as_str())
        .bind::<BigInt, _>(fact.amount.minor())
        .bind::<Text, _>(fact.amount.currency())
        .bind::<Nullable<BigInt>, _>(fact.fee.map(Money::minor))
        .bind::<Nullable<Text>, _>(fact.fee.map(Money::currency))
        .bind::<Text, _>(fact.reason.as_str())
        .bind::<Nullable<Timestamptz>, _>(fact.evidence_due_at)
        .bind::<Timestamptz, _>(fact.opened_at)
        .bind::<Nullable<Timestamptz>, _>(Some(now).filter(|_| state.is_over()))
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Appends what a bank took or gave back to the payment's movements; nothing the second time.
pub async fn append(
    tx: &mut WriteTx<'_>,
    payment: PaymentId,
    kind: &'static str,
    fact: &DisputeFact,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "INSERT INTO payment_transactions (id, payment_id, kind, state, amount_minor, currency, reference, idempotency_key, at) \
        VALUES ($1, $2, $3, 'success', $4, $5, $6, $3 || ':' || $6, $7) ON CONFLICT (idempotency_key) DO NOTHING";
    let statement = sql(text)
        .bind::<SqlUuid, _>(PaymentTransactionId::new())
        .bind::<SqlUuid, _>(payment)
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(fact.amount.minor())
        .bind::<Text, _>(fact.amount.currency())
        .bind::<Text, _>(fact.reference.as_str())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct DisputeRow {
    #[diesel(sql_type = SqlUuid)]
    id: DisputeId,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<BigInt>)]
    fee_minor: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    fee_currency: Option<Currency>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    evidence_due_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    opened_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    closed_at: Option<DateTime<Utc>>,
}

impl DisputeRow {
    fn read(self) -> Result<DisputeView, DbError> {
        let state =
            DisputeState::parse(&self.state).ok_or_else(|| unreadable("dispute state", &self.state))?;
        let fee = match (self.fee_minor, self.fee_currency) {
            (Some(minor), Some(currency)) => Some(Money::new(minor, currency)),
            _ => None,
        };
        Ok(DisputeView {
            id: self.id,
            order: self.order_id,
            provider: self.provider,
            reference: self.reference,
            state,
            amount: Money::new(self.amount_minor, self.currency),
            fee,
            reason: self.reason,
            evidence_due_at: self.evidence_due_at,
            opened_at: self.opened_at,
            closed_at: self.closed_at,
        })
    }
}

/// Which disputes.
#[derive(Clone, Debug)]
pub struct ListFilter {
    pub state: Option<DisputeState>,
    pub order: Option<OrderId>,
    /// Those behind this one.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
}

/// Disputes, newest first.
pub async fn list(tx: &mut ReadTx<'_>, filter: ListFilter) -> Result<Vec<DisputeView>, DbError> {
    let text = "SELECT id, order_id, provider, reference, state, amount_minor, currency, fee_minor, fee_currency, reason, evidence_due_at, \
            opened_at, closed_at \
        FROM disputes WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR order_id = $2) \
            AND ($3::timestamptz IS NULL OR (opened_at, id) < ($3, $4)) \
        ORDER BY opened_at DESC, id DESC LIMIT $5";
    let statement = sql(text)
        .bind::<Nullable<Text>, _>(filter.state.map(DisputeState::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.order)
        .bind::<Nullable<Timestamptz>, _>(filter.after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|(_, id)| id))
        .bind::<BigInt, _>(filter.fetch);
    tx.load::<DisputeRow>(statement).await?.into_iter().map(DisputeRow::read).collect()
}
