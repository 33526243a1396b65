//! The books over HTTP: what is in them, never a way to change them.

use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_access::{Permit, Refusal};
use souk_api::{CursorKey, Json, Page, Paging, Problem, Query};
use souk_kernel::{Currency, JournalEntryId, Money, OrderId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::permissions::View;
use super::queries::{self, BalanceRow, EntryFilter, EntryRow};

/// Mounts the room.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(trial_balance).service(list_entries);
}

/// A period: from `since` to just before `until`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Period {
    /// First instant counted; from the beginning when left out.
    since: Option<DateTime<Utc>>,
    /// First instant not counted any more; up to now when left out.
    until: Option<DateTime<Utc>>,
}

/// Every account in every currency. In each currency debits equal credits.
#[derive(Debug, Serialize, ToSchema)]
struct TrialBalance {
    accounts: Vec<AccountBalance>,
    totals: Vec<CurrencyTotal>,
}

/// One account in one currency.
#[derive(Debug, Serialize, ToSchema)]
struct AccountBalance {
    #[schema(example = "1100")]
    code: String,
    #[schema(example = "Accounts receivable")]
    name: String,
    /// `asset`, `liability`, `equity`, `revenue` or `expense`.
    #[schema(example = "asset")]
    kind: String,
    debit: Money,
    credit: Money,
    /// Debit minus credit.
    balance: Money,
}

/// The control sum of one currency.
#[derive(Debug, Serialize, ToSchema)]
struct CurrencyTotal {
    currency: Currency,
    debit: Money,
    credit: Money,
    /// Always zero.
    balance: Money,
}

fn balance_of(row: BalanceRow) -> Result<AccountBalance, souk_kernel::MoneyError> {
    let debit = Money::new(row.debit_minor.unwrap_or_default(), row.currency);
    let credit = Money::new(row.credit_minor.unwrap_or_default(), row.currency);
    let balance = debit.checked_sub(credit)?;
    Ok(AccountBalance { code: row.code, name: row.name, kind: row.kind, debit, credit, balance })
}

fn totals_of(accounts: &[AccountBalance]) -> Result<Vec<CurrencyTotal>, souk_kernel::MoneyError> {
    // Rows come ordered by currency.
    accounts
        .chunk_by(|a, b| a.debit.currency() == b.debit.currency())
        .filter_map(|group| Some((group.first()?.debit.currency(), group)))
        .map(|(currency, group)| {
            let debit = Money::sum(group.iter().map(|account| account.debit), currency)?;
            let credit = Money::sum(group.iter().map(|account| account.credit), currency)?;
            Ok(CurrencyTotal { currency, debit, credit, balance: debit.checked_sub(credit)? })
        })
        .collect()
}

/// Trial balance
///
/// Debits and credits of every account, per currency; each currency adds up to zero.
#[utoipa::path(tag = "Ledger", operation_id = "getTrialBalance", params(Period), responses(
    (status = 200, body = TrialBalance),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/ledger/trial-balance")]
async fn trial_balance(permit: Permit<View>, period: Query<Period>) -> Result<Json<TrialBalance>, Problem> {
    let Period { since, until } = period.into_inner();
    let rows = permit
        .read("ledger.trial_balance", async move |tx| {
            Ok::<_, Refusal>(queries::trial_balance(tx, since, until).await?)
        })
        .await?;
    let overflow = |error: souk_kernel::MoneyError| Problem::new(&souk_api::problem::INTERNAL).source(error);
    let accounts = rows.into_iter().map(balance_of).collect::<Result<Vec<_>, _>>().map_err(overflow)?;
    let totals = totals_of(&accounts).map_err(overflow)?;
    Ok(Json::new(TrialBalance { accounts, totals }))
}

/// Which entries.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// Only entries of this order.
    order: Option<OrderId>,
    /// Only this sort of fact: `sale`, `capture`, `cancellation`, `return`, `refund_promised`, `refund`, `kept`.
    kind: Option<String>,
    /// First instant shown.
    since: Option<DateTime<Utc>>,
    /// First instant not shown any more.
    until: Option<DateTime<Utc>>,
}

/// A journal entry.
#[derive(Debug, Serialize, ToSchema)]
struct EntryView {
    id: JournalEntryId,
    /// The business fact it books; unique.
    #[schema(example = "sale:ord_01h455vb4pex5vsknk084sn02q")]
    fact: String,
    #[schema(example = "sale")]
    kind: String,
    #[schema(example = "Order #1001")]
    description: String,
    order: Option<OrderId>,
    at: DateTime<Utc>,
    #[schema(value_type = Vec<PostingView>)]
    postings: serde_json::Value,
}

/// One side of an entry: debits positive, credits negative.
#[derive(Debug, Serialize, ToSchema)]
struct PostingView {
    #[schema(example = "1100")]
    account: String,
    #[schema(example = "Accounts receivable")]
    account_name: String,
    amount: Money,
}

impl From<EntryRow> for EntryView {
    fn from(row: EntryRow) -> Self {
        let EntryRow { id, fact, kind, description, order_id, at, postings } = row;
        Self { id, fact, kind, description, order: order_id, at, postings }
    }
}

/// List journal entries
///
/// Newest first.
#[utoipa::path(tag = "Ledger", operation_id = "listLedgerEntries", params(EntryQuery, Paging), responses(
    (status = 200, body = Page<EntryView>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/ledger/entries")]
async fn list_entries(
    permit: Permit<View>,
    query: Query<EntryQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<EntryView>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} ledger/entries {}", permit.store(), serde_json::json!(query));
    let after: Option<(DateTime<Utc>, Uuid)> = paging.position(cursors, &scope)?;
    let EntryQuery { order, kind, since, until } = query;
    let filter = EntryFilter { order, kind, since, until, after, fetch: paging.fetch() };
    let rows = permit
        .read("ledger.entries", async move |tx| Ok::<_, Refusal>(queries::entries(tx, filter).await?))
        .await?;
    Ok(Page::cut(rows, &paging, cursors, &scope, |row| (row.at, row.id.uuid()))?.map(EntryView::from))
}
