//! The statements of payouts.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{
    Currency, DisputeId, Money, OrderId, PaymentId, PaymentSessionId, PayoutEntryId, PayoutId, RefundId,
};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{Booked, Origin, PayoutEntryView, PayoutView, Standing};
use crate::payments::{BalanceEntry, EntryKind, PayoutFact, PayoutState, ProviderCode};

/// A text that no version of ours writes.
fn unreadable(what: &'static str, text: &str) -> DbError {
    DbError::Other(format!("{what} `{text}` is not known").into())
}

fn state_of(text: &str) -> Result<PayoutState, DbError> {
    PayoutState::parse(text).ok_or_else(|| unreadable("payout state", text))
}

fn kind_of(text: &str) -> Result<EntryKind, DbError> {
    EntryKind::parse(text).ok_or_else(|| unreadable("entry kind", text))
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = SqlUuid)]
    id: PayoutId,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

/// A payout as it was known.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub id: PayoutId,
    pub state: PayoutState,
    pub is_new: bool,
}

/// Locks a payout until the transaction ends; makes it, as pending, if it is new.
pub async fn announce(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    fact: &PayoutFact,
) -> Result<Known, DbError> {
    let now = tx.now();
    // Of a row that was there the system notes who locked it; a new one nobody has.
    let text = "INSERT INTO payouts (id, provider, reference, state, amount_minor, currency, itemised, arrives_at, created_at, heard_at) \
        VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (provider, reference) DO UPDATE SET heard_at = excluded.heard_at \
        RETURNING id, state, (xmax = 0) AS is_new";
    let statement = sql(text)
        .bind::<SqlUuid, _>(PayoutId::new())
        .bind::<Text, _>(provider.as_str())
        .bind::<Text, _>(fact.reference.clone())
        .bind::<BigInt, _>(fact.amount.minor())
        .bind::<Text, _>(fact.amount.currency())
        .bind::<Bool, _>(fact.itemised)
        .bind::<Timestamptz, _>(fact.arrives_at)
        .bind::<Timestamptz, _>(fact.created_at)
        .bind::<Timestamptz, _>(now);
    let row: KnownRow = tx.one(statement).await?;
    Ok(Known { id: row.id, state: state_of(&row.state)?, is_new: row.is_new })
}

/// Writes where a payout stands now; what is in it is looked at next, where the provider tells.
pub async fn advance(
    tx: &mut WriteTx<'_>,
    id: PayoutId,
    fact: &PayoutFact,
    state: PayoutState,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "UPDATE payouts SET state = $2, failure_code = coalesce($3, failure_code), arrives_at = $4, \
            paid_at = CASE WHEN $5 THEN $7 ELSE paid_at END, ended_at = CASE WHEN $6 THEN $7 ELSE ended_at END, \
            next_poll_at = CASE WHEN itemised THEN $7 END \
        WHERE id = $1";
    let statement = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(state.as_str())
        .bind::<Nullable<Text>, _>(fact.failure_code.as_deref())
        .bind::<Timestamptz, _>(fact.arrives_at)
        .bind::<Bool, _>(state == PayoutState::Paid)
        .bind::<Bool, _>(state.has_ended())
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Takes in entries as the provider tells them.
pub async fn upsert(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    payout: Option<PayoutId>,
    entries: &[BalanceEntry],
) -> Result<(), DbError> {
    let each = || entries.iter();
    let statement = sql(include_str!("upsert.sql"))
        .bind::<Text, _>(provider.as_str())
        .bind::<Nullable<SqlUuid>, _>(payout)
        .bind::<Array<SqlUuid>, _>(each().map(|_| PayoutEntryId::new().uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(each().map(|entry| entry.reference.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(each().map(|entry| entry.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(each().map(|entry| entry.gross.minor()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(each().map(|entry| entry.fee.minor()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(each().map(|entry| entry.gross.currency().to_string()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(each().map(|entry| entry.source.clone()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(
            each().map(|entry| entry.session.map(PaymentSessionId::uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(
            each().map(|entry| entry.refund.map(RefundId::uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Timestamptz>, _>(each().map(|entry| entry.at).collect::<Vec<_>>());
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = SqlUuid)]
    id: PayoutEntryId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    gross_minor: i64,
    #[diesel(sql_type = BigInt)]
    fee_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Text)]
    booked: String,
    #[diesel(sql_type = Bool)]
    is_paid_out: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<OrderId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    payment_id: Option<PaymentId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    refund_id: Option<RefundId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    dispute_id: Option<DisputeId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    origin_minor: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    origin_currency: Option<Currency>,
}

impl StandingRow {
    fn read(self) -> Result<Standing, DbError> {
        let origin = match (self.order_id, self.payment_id, self.origin_minor, self.origin_currency) {
            (Some(order), Some(payment), Some(minor), Some(currency)) => Some(Origin {
                order,
                payment,
                refund: self.refund_id,
                dispute: self.dispute_id,
                amount: Money::new(minor, currency),
            }),
            _ => None,
        };
        Ok(Standing {
            id: self.id,
            kind: kind_of(&self.kind)?,
            gross: Money::new(self.gross_minor, self.currency),
            fee: Money::new(self.fee_minor, self.currency),
            booked: Booked::parse(&self.booked).ok_or_else(|| unreadable("booking", &self.booked))?,
            is_paid_out: self.is_paid_out,
            origin,
        })
    }
}

/// These entries with what they belong to here, locked until the transaction ends.
pub async fn standing(
    tx: &mut WriteTx<'_>,
    provider: ProviderCode,
    entries: &[BalanceEntry],
) -> Result<Vec<Standing>, DbError> {
    let references: Vec<String> = entries.iter().map(|entry| entry.reference.clone()).collect();
    let statement = sql(include_str!("standing.sql"))
        .bind::<Text, _>(provider.as_str())
        .bind::<Array<Text>, _>(references);
    tx.load::<StandingRow>(statement).await?.into_iter().map(StandingRow::read).collect()
}

/// Writes how far entries are in our books, and with what.
pub async fn mark(tx: &mut WriteTx<'_>, marks: &[(Standing, Booked)]) -> Result<(), DbError> {
    let origins = || marks.iter().map(|(standing, _)| standing.origin);
    let statement = sql(include_str!("mark.sql"))
        .bind::<Array<SqlUuid>, _>(marks.iter().map(|(standing, _)| standing.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(marks.iter().map(|(_, booked)| booked.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(
            origins().map(|origin| origin.map(|origin| origin.order.uuid())).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(
            origins().map(|origin| origin.map(|origin| origin.payment.uuid())).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(
            origins().map(|origin| origin?.refund.map(RefundId::uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(
            origins().map(|origin| origin?.dispute.map(DisputeId::uuid)).collect::<Vec<_>>(),
        );
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = SqlUuid)]
    id: PayoutId,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    reference: String,
}

/// A payout that is to be looked into.
#[derive(Clone, Debug)]
pub struct DuePayout {
    pub id: PayoutId,
    pub provider: ProviderCode,
    /// The provider's name for it.
    pub reference: String,
}

/// Takes at most `limit` payouts whose turn it is.
pub async fn due(tx: &mut WriteTx<'_>, limit: i64) -> Result<Vec<DuePayout>, DbError> {
    let now = tx.now();
    let statement = sql(include_str!("due.sql")).bind::<Timestamptz, _>(now).bind::<BigInt, _>(limit);
    let read = |row: DueRow| {
        let provider =
            ProviderCode::parse(&row.provider).ok_or_else(|| unreadable("provider", &row.provider))?;
        Ok(DuePayout { id: row.id, provider, reference: row.reference })
    };
    tx.load::<DueRow>(statement).await?.into_iter().map(read).collect()
}

/// Says when a payout is looked into again, if ever.
pub async fn rest(tx: &mut WriteTx<'_>, id: PayoutId) -> Result<(), DbError> {
    let now = tx.now();
    let statement = sql(include_str!("rest.sql")).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

#[derive(QueryableByName)]
struct PayoutRow {
    #[diesel(sql_type = SqlUuid)]
    id: PayoutId,
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
    #[diesel(sql_type = Nullable<Text>)]
    failure_code: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    arrives_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paid_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
}

impl PayoutRow {
    fn read(self) -> Result<PayoutView, DbError> {
        Ok(PayoutView {
            id: self.id,
            provider: self.provider,
            reference: self.reference,
            state: state_of(&self.state)?,
            amount: Money::new(self.amount_minor, self.currency),
            failure_code: self.failure_code,
            arrives_at: self.arrives_at,
            created_at: self.created_at,
            paid_at: self.paid_at,
            ended_at: self.ended_at,
        })
    }
}

/// Which payouts.
#[derive(Clone, Debug)]
pub struct ListFilter {
    pub state: Option<PayoutState>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Those behind this one.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
}

/// Payouts, newest first.
pub async fn list(tx: &mut ReadTx<'_>, filter: ListFilter) -> Result<Vec<PayoutView>, DbError> {
    let text = "SELECT id, provider, reference, state, amount_minor, currency, failure_code, arrives_at, created_at, paid_at, ended_at \
        FROM payouts WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR created_at >= $2) \
            AND ($3::timestamptz IS NULL OR created_at < $3) AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5)) \
        ORDER BY created_at DESC, id DESC LIMIT $6";
    let statement = sql(text)
        .bind::<Nullable<Text>, _>(filter.state.map(PayoutState::as_str))
        .bind::<Nullable<Timestamptz>, _>(filter.since)
        .bind::<Nullable<Timestamptz>, _>(filter.until)
        .bind::<Nullable<Timestamptz>, _>(filter.after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|(_, id)| id))
        .bind::<BigInt, _>(filter.fetch);
    tx.load::<PayoutRow>(statement).await?.into_iter().map(PayoutRow::read).collect()
}

#[derive(QueryableByName)]
struct WholeRow {
    #[diesel(embed)]
    payout: PayoutRow,
    #[diesel(sql_type = Bool)]
    itemised: bool,
    #[diesel(sql_type = BigInt)]
    entry_count: i64,
    #[diesel(sql_type = BigInt)]
    unmatched_count: i64,
    #[diesel(sql_type = BigInt)]
    gross_minor: i64,
    #[diesel(sql_type = BigInt)]
    fee_minor: i64,
}

/// A payout with the sums of its entries.
#[derive(Clone, Debug)]
pub struct Whole {
    pub payout: PayoutView,
    pub itemised: bool,
    pub entry_count: i64,
    pub unmatched_count: i64,
    pub gross: Money,
    pub fee: Money,
}

/// One payout.
pub async fn whole(tx: &mut ReadTx<'_>, id: PayoutId) -> Result<Option<Whole>, DbError> {
    let text = "SELECT p.id, p.provider, p.reference, p.state, p.amount_minor, p.currency, p.failure_code, p.arrives_at, p.created_at, \
            p.paid_at, p.ended_at, p.itemised, count(e.id) AS entry_count, \
            count(e.id) FILTER (WHERE e.booked <> 'allocated') AS unmatched_count, \
            coalesce(sum(e.gross_minor), 0)::bigint AS gross_minor, coalesce(sum(e.fee_minor), 0)::bigint AS fee_minor \
        FROM payouts p LEFT JOIN payout_entries e ON e.payout_id = p.id WHERE p.id = $1 GROUP BY p.id";
    let row: Option<WholeRow> = tx.optional(sql(text).bind::<SqlUuid, _>(id)).await?;
    let read = |row: WholeRow| {
        let currency = row.payout.currency;
        Ok(Whole {
            payout: row.payout.read()?,
            itemised: row.itemised,
            entry_count: row.entry_count,
            unmatched_count: row.unmatched_count,
            gross: Money::new(row.gross_minor, currency),
            fee: Money::new(row.fee_minor, currency),
        })
    };
    row.map(read).transpose()
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    id: PayoutEntryId,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    gross_minor: i64,
    #[diesel(sql_type = BigInt)]
    fee_minor: i64,
    #[diesel(sql_type = BigInt)]
    net_minor: i64,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Bool)]
    matched: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<OrderId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    refund_id: Option<RefundId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    dispute_id: Option<DisputeId>,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

/// At most `most` entries of a payout: what matches nothing first, then the oldest.
pub async fn entries(
    tx: &mut ReadTx<'_>,
    payout: PayoutId,
    most: i64,
) -> Result<Vec<PayoutEntryView>, DbError> {
    let text = "SELECT id, reference, kind, gross_minor, fee_minor, gross_minor - fee_minor AS net_minor, currency, source, \
            booked = 'allocated' AS matched, order_id, refund_id, dispute_id, at \
        FROM payout_entries WHERE payout_id = $1 ORDER BY booked = 'allocated', at, reference LIMIT $2";
    let statement = sql(text).bind::<SqlUuid, _>(payout).bind::<BigInt, _>(most);
    let read = |row: EntryRow| {
        let money = |minor| Money::new(minor, row.currency);
        Ok(PayoutEntryView {
            id: row.id,
            kind: kind_of(&row.kind)?,
            gross: money(row.gross_minor),
            fee: money(row.fee_minor),
            net: money(row.net_minor),
            reference: row.reference,
            source: row.source,
            matched: row.matched,
            order: row.order_id,
            refund: row.refund_id,
            dispute: row.dispute_id,
            at: row.at,
        })
    };
    tx.load::<EntryRow>(statement).await?.into_iter().map(read).collect()
}
