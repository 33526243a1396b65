//! The statements of sessions, payments, transactions and refunds; in the folder's other files, those of providers and disputes.

pub mod disputes;
pub mod providers;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{Currency, Money, OrderId, PaymentId, PaymentSessionId, PaymentTransactionId, RefundId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use self::providers::AccountRow;
use super::actions::NewSession;
use super::model::{
    DueRefund, Folded, Held, Payment, PaymentSession, ProviderCode, ProviderEvent, ProviderFact,
};
use super::state::SessionState;

/// A stored text that is not of the closed list: a mistake in a migration, never of a caller.
fn unreadable(what: &'static str, text: &str) -> DbError {
    DbError::Other(format!("{what} `{text}` is not known").into())
}

/// Inserts a session in state `pending`.
pub async fn insert_session(tx: &mut WriteTx<'_>, new: &NewSession) -> Result<(), DbError> {
    let now = tx.now();
    let text = "INSERT INTO payment_sessions (id, order_id, provider, state, amount_minor, currency, idempotency_key, return_url, \
            next_poll_at, created_at, updated_at) \
        VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $9)";
    let statement = sql(text)
        .bind::<SqlUuid, _>(new.id)
        .bind::<SqlUuid, _>(new.order)
        .bind::<Text, _>(new.provider.as_str())
        .bind::<BigInt, _>(new.amount.minor())
        .bind::<Text, _>(new.amount.currency())
        .bind::<Text, _>(new.id.to_string())
        .bind::<Nullable<Text>, _>(new.return_url.as_deref())
        .bind::<Nullable<Timestamptz>, _>(new.first_poll_at)
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct HeldRow {
    #[diesel(sql_type = SqlUuid)]
    id: PaymentSessionId,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Text)]
    idempotency_key: String,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    redirect_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    return_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_code: Option<String>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<BigInt>)]
    capture_minor: Option<i64>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    payment_id: Option<PaymentId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    authorized_minor: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    captured_minor: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    refunded_minor: Option<i64>,
    #[diesel(embed)]
    account: AccountRow,
}

impl HeldRow {
    fn read(self) -> Result<Held, DbError> {
        let amount = |minor: Option<i64>| Money::new(minor.unwrap_or_default(), self.currency);
        let payment = self.payment_id.map(|id| Payment {
            id,
            authorized: amount(self.authorized_minor),
            captured: amount(self.captured_minor),
            refunded: amount(self.refunded_minor),
        });
        let provider =
            ProviderCode::parse(&self.provider).ok_or_else(|| unreadable("provider", &self.provider))?;
        let state =
            SessionState::parse(&self.state).ok_or_else(|| unreadable("session state", &self.state))?;
        let session = PaymentSession {
            id: self.id,
            order: self.order_id,
            provider,
            state,
            amount: amount(Some(self.amount_minor)),
            idempotency_key: self.idempotency_key,
            reference: self.reference,
            redirect_url: self.redirect_url,
            return_url: self.return_url,
            failure_code: self.failure_code,
            attempts: self.attempts,
            created_at: self.created_at,
            part: self.capture_minor.map(|minor| Money::new(minor, self.currency)),
            account: self.account.read()?,
        };
        Ok(Held { session, payment })
    }
}

/// A session with its payment.
pub async fn held(tx: &mut ReadTx<'_>, id: PaymentSessionId) -> Result<Option<Held>, DbError> {
    let row: Option<HeldRow> = tx.optional(sql(include_str!("../held.sql")).bind::<SqlUuid, _>(id)).await?;
    row.map(HeldRow::read).transpose()
}

#[derive(QueryableByName)]
struct SessionRow {
    #[diesel(sql_type = SqlUuid)]
    id: PaymentSessionId,
}

/// The newest session of an order.
pub async fn session_of_order(
    tx: &mut ReadTx<'_>,
    order: OrderId,
) -> Result<Option<PaymentSessionId>, DbError> {
    let text =
        "SELECT id FROM payment_sessions WHERE order_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
    let row: Option<SessionRow> = tx.optional(sql(text).bind::<SqlUuid, _>(order)).await?;
    Ok(row.map(|row| row.id))
}

/// Writes what [`Held::fold`] decided.
pub async fn apply(
    tx: &mut WriteTx<'_>,
    held: &Held,
    fact: &ProviderFact,
    folded: &Folded,
) -> Result<(), DbError> {
    let now = tx.now();
    let next_poll = if folded.state.is_undecided() {
        Some(now + super::model::pause_after(held.session.attempts))
    } else {
        None
    };
    let payment = held.payment.map_or_else(PaymentId::new, |payment| payment.id);
    let new = &folded.transactions;
    let (code, message) = match &fact.failure {
        Some((code, message)) => (Some(code.as_str()), Some(message.as_str())),
        None => (None, None),
    };
    let statement = sql(include_str!("../apply.sql"))
        .bind::<SqlUuid, _>(held.session.id)
        .bind::<Text, _>(folded.state.as_str())
        .bind::<Nullable<Text>, _>(Some(fact.reference.as_str()).filter(|reference| !reference.is_empty()))
        .bind::<Nullable<Text>, _>(fact.redirect_url.as_deref())
        .bind::<Nullable<Text>, _>(code)
        .bind::<Nullable<Text>, _>(message)
        .bind::<Nullable<Timestamptz>, _>(next_poll)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(payment)
        .bind::<BigInt, _>(folded.authorized.minor())
        .bind::<BigInt, _>(folded.captured.minor())
        .bind::<Array<SqlUuid>, _>(new.iter().map(|new| new.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(new.iter().map(|new| new.kind).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(new.iter().map(|new| new.amount.minor()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(new.iter().map(|new| new.idempotency_key.as_str()).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

/// Marks a session whose provider says something we did not ask for; its next poll asks again.
pub async fn flag(tx: &mut WriteTx<'_>, id: PaymentSessionId, code: &str) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE payment_sessions SET failure_code = $2, updated_at = $3 WHERE id = $1";
    let statement = sql(text).bind::<SqlUuid, _>(id).bind::<Text, _>(code).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Writes down which part of the held money is taken; `None` is all of it.
pub async fn set_part(
    tx: &mut WriteTx<'_>,
    id: PaymentSessionId,
    part: Option<Money>,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE payment_sessions SET capture_minor = $2, updated_at = $3 WHERE id = $1";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<BigInt>, _>(part.map(Money::minor))
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Sets when the poller looks at a session; `None` is never again.
pub async fn poll_at(
    tx: &mut WriteTx<'_>,
    id: PaymentSessionId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE payment_sessions SET next_poll_at = $2, updated_at = $3 WHERE id = $1";
    let statement =
        sql(text).bind::<SqlUuid, _>(id).bind::<Nullable<Timestamptz>, _>(at).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Takes at most `limit` sessions whose turn it is.
pub async fn due_sessions(tx: &mut WriteTx<'_>, limit: i64) -> Result<Vec<PaymentSessionId>, DbError> {
    let now = tx.now();
    let statement =
        sql(include_str!("../due_sessions.sql")).bind::<Timestamptz, _>(now).bind::<BigInt, _>(limit);
    Ok(tx.load::<SessionRow>(statement).await?.into_iter().map(|row| row.id).collect())
}

/// Notes a provider's event; false if it was noted before.
pub async fn note_event(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    event: &ProviderEvent,
) -> Result<bool, DbError> {
    let now = tx.now();
    let text = "INSERT INTO provider_events (provider, event_id, kind, reference, payload, outcome, received_at) \
        VALUES ($1, $2, $3, $4, $5, 'heard', $6) ON CONFLICT (provider, event_id) DO NOTHING";
    let statement = sql(text)
        .bind::<Text, _>(provider.as_str())
        .bind::<Text, _>(event.id.as_str())
        .bind::<Text, _>(event.kind.as_str())
        .bind::<Nullable<Text>, _>(event.reference())
        .bind::<Jsonb, _>(&event.payload)
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}

/// Says what became of an event.
pub async fn event_outcome(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    event: &str,
    outcome: &str,
) -> Result<(), DbError> {
    let text = "UPDATE provider_events SET outcome = $3 WHERE provider = $1 AND event_id = $2";
    let statement =
        sql(text).bind::<Text, _>(provider.as_str()).bind::<Text, _>(event).bind::<Text, _>(outcome);
    tx.execute(statement).await.map(drop)
}

/// Wishes money back.
pub async fn insert_refund(
    tx: &mut WriteTx<'_>,
    refund: RefundId,
    order: OrderId,
    payment: PaymentId,
    amount: Money,
    reason: &str,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "INSERT INTO refunds (id, order_id, payment_id, amount_minor, currency, reason, state, idempotency_key, \
            next_attempt_at, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $8, $8)";
    let statement = sql(text)
        .bind::<SqlUuid, _>(refund)
        .bind::<SqlUuid, _>(order)
        .bind::<SqlUuid, _>(payment)
        .bind::<BigInt, _>(amount.minor())
        .bind::<Text, _>(amount.currency())
        .bind::<Text, _>(reason)
        .bind::<Text, _>(refund.to_string())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct PromisedRow {
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
}

/// The sum of a payment's refunds, whatever became of them.
pub async fn promised(tx: &mut ReadTx<'_>, payment: PaymentId) -> Result<i64, DbError> {
    let text =
        "SELECT coalesce(sum(amount_minor), 0)::bigint AS amount_minor FROM refunds WHERE payment_id = $1";
    let row: PromisedRow = tx.one(sql(text).bind::<SqlUuid, _>(payment)).await?;
    Ok(row.amount_minor)
}

#[derive(QueryableByName)]
struct RefundRow {
    #[diesel(sql_type = SqlUuid)]
    id: RefundId,
    #[diesel(sql_type = SqlUuid)]
    order_id: OrderId,
    #[diesel(sql_type = SqlUuid)]
    session_id: PaymentSessionId,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Nullable<Text>)]
    payment_reference: Option<String>,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Text)]
    idempotency_key: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(embed)]
    account: AccountRow,
}

/// Takes at most `limit` refunds whose turn it is.
pub async fn due_refunds(tx: &mut WriteTx<'_>, limit: i64) -> Result<Vec<DueRefund>, DbError> {
    let now = tx.now();
    let statement =
        sql(include_str!("../due_refunds.sql")).bind::<Timestamptz, _>(now).bind::<BigInt, _>(limit);
    let rows: Vec<RefundRow> = tx.load(statement).await?;
    let read = |row: RefundRow| {
        let provider =
            ProviderCode::parse(&row.provider).ok_or_else(|| unreadable("provider", &row.provider))?;
        Ok(DueRefund {
            id: row.id,
            order: row.order_id,
            session: row.session_id,
            provider,
            reference: row.payment_reference,
            amount: Money::new(row.amount_minor, row.currency),
            idempotency_key: row.idempotency_key,
            reason: row.reason,
            attempts: row.attempts,
            account: row.account.read()?,
        })
    };
    rows.into_iter().map(read).collect()
}

#[derive(QueryableByName)]
struct PendingRow {
    #[diesel(sql_type = SqlUuid)]
    id: RefundId,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
}

/// Refunds of a session that are not known to have succeeded, oldest first: (refund, amount in minor units).
pub async fn open_refunds(
    tx: &mut ReadTx<'_>,
    session: PaymentSessionId,
) -> Result<Vec<(RefundId, i64)>, DbError> {
    let text = "SELECT r.id, r.amount_minor FROM refunds r JOIN payments p ON p.id = r.payment_id \
        WHERE p.session_id = $1 AND r.state <> 'succeeded' ORDER BY r.id";
    let rows: Vec<PendingRow> = tx.load(sql(text).bind::<SqlUuid, _>(session)).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.amount_minor)).collect())
}

#[derive(QueryableByName)]
struct SucceededRow {
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
}

/// The money has left. `None` if that was known.
pub async fn refund_succeeded(
    tx: &mut WriteTx<'_>,
    refund: RefundId,
    reference: Option<&str>,
) -> Result<Option<Money>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("../refund_succeeded.sql"))
        .bind::<SqlUuid, _>(refund)
        .bind::<Nullable<Text>, _>(reference)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(PaymentTransactionId::new())
        .bind::<Text, _>(refund.to_string());
    let row: Option<SucceededRow> = tx.optional(statement).await?;
    Ok(row.map(|row| Money::new(row.amount_minor, row.currency)))
}

/// A refund that failed is pending again, under a key that was never used. False unless it failed.
pub async fn retry_refund(tx: &mut WriteTx<'_>, order: OrderId, refund: RefundId) -> Result<bool, DbError> {
    let now = tx.now();
    let text = "UPDATE refunds SET state = 'pending', failure_message = NULL, next_attempt_at = $3, updated_at = $3, \
            idempotency_key = $4 || '.' || attempts \
        WHERE id = $1 AND order_id = $2 AND state = 'failed'";
    let statement = sql(text)
        .bind::<SqlUuid, _>(refund)
        .bind::<SqlUuid, _>(order)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(refund.to_string());
    Ok(tx.execute(statement).await? == 1)
}

/// The provider refuses for good (`again` is `None`), or something went wrong on the way (`again` says when to retry).
/// False if it is not pending any more.
pub async fn refund_failed(
    tx: &mut WriteTx<'_>,
    refund: RefundId,
    message: &str,
    again: Option<DateTime<Utc>>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let text = "UPDATE refunds SET state = CASE WHEN $3::timestamptz IS NULL THEN 'failed' ELSE 'pending' END, \
            failure_message = $2, next_attempt_at = $3, updated_at = $4 \
        WHERE id = $1 AND state = 'pending'";
    let statement = sql(text)
        .bind::<SqlUuid, _>(refund)
        .bind::<Text, _>(message)
        .bind::<Nullable<Timestamptz>, _>(again)
        .bind::<Timestamptz, _>(now);
    Ok(tx.execute(statement).await? == 1)
}
