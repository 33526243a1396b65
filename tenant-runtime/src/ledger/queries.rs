//! The statements of the books.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use souk_kernel::{JournalEntryId, LedgerAccountId, OrderId, PostingId};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};
use uuid::Uuid;

use super::model::{AccountCode, Entry};

#[derive(QueryableByName)]
struct Booked {
    #[diesel(sql_type = Text)]
    fact: String,
}

/// Posts entries in one statement. Gives the facts that are booked now; one that is missing was booked before.
pub async fn post(tx: &mut WriteTx<'_>, entries: &[(JournalEntryId, Entry)]) -> Result<Vec<String>, DbError> {
    let lines = || entries.iter().flat_map(|(id, entry)| entry.lines().iter().map(move |line| (*id, *line)));
    let mut chart: Vec<AccountCode> = lines().map(|(_, line)| line.account()).collect();
    chart.sort_unstable();
    chart.dedup();
    let column = |of: fn(&Entry) -> String| entries.iter().map(|(_, entry)| of(entry)).collect::<Vec<_>>();
    let statement = sql(include_str!("post.sql"))
        .bind::<Array<SqlUuid>, _>(entries.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(|entry| entry.fact().to_owned()))
        .bind::<Array<Text>, _>(column(|entry| entry.kind().to_owned()))
        .bind::<Array<Text>, _>(column(|entry| entry.description().to_owned()))
        .bind::<Array<Nullable<SqlUuid>>, _>(
            entries.iter().map(|(_, entry)| entry.order().map(OrderId::uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Timestamptz>, _>(entries.iter().map(|(_, entry)| entry.at()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(lines().map(|_| PostingId::new().uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(lines().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines().map(|(_, line)| line.account().code()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(lines().map(|(_, line)| line.amount().minor()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(
            lines().map(|(_, line)| line.amount().currency().to_string()).collect::<Vec<_>>(),
        )
        .bind::<Array<SqlUuid>, _>(chart.iter().map(|_| LedgerAccountId::new().uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chart.iter().map(|account| account.code()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chart.iter().map(|account| account.name()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(chart.iter().map(|account| account.kind().as_str()).collect::<Vec<_>>());
    Ok(tx.load::<Booked>(statement).await?.into_iter().map(|row| row.fact).collect())
}

/// One account in one currency, as the trial balance shows it.
#[derive(QueryableByName)]
pub struct BalanceRow {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub currency: souk_kernel::Currency,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub debit_minor: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub credit_minor: Option<i64>,
}

/// Debits and credits per account and currency of the entries from `since` to before `until`.
pub async fn trial_balance(
    tx: &mut ReadTx<'_>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<Vec<BalanceRow>, DbError> {
    let statement = sql(include_str!("trial_balance.sql"))
        .bind::<Nullable<Timestamptz>, _>(since)
        .bind::<Nullable<Timestamptz>, _>(until);
    tx.load(statement).await
}

/// An entry with its postings as JSON.
#[derive(QueryableByName)]
pub struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: JournalEntryId,
    #[diesel(sql_type = Text)]
    pub fact: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub description: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub order_id: Option<OrderId>,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    pub postings: serde_json::Value,
}

/// Which entries, newest first.
#[derive(Default)]
pub struct EntryFilter {
    pub order: Option<OrderId>,
    pub kind: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
}

/// Entries of the filter, newest first.
pub async fn entries(tx: &mut ReadTx<'_>, filter: EntryFilter) -> Result<Vec<EntryRow>, DbError> {
    let statement = sql(include_str!("entries.sql"))
        .bind::<Nullable<SqlUuid>, _>(filter.order)
        .bind::<Nullable<Text>, _>(filter.kind)
        .bind::<Nullable<Timestamptz>, _>(filter.since)
        .bind::<Nullable<Timestamptz>, _>(filter.until)
        .bind::<Nullable<Timestamptz>, _>(filter.after.map(|(at, _)| at))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|(_, id)| id))
        .bind::<BigInt, _>(filter.fetch);
    tx.load(statement).await
}
