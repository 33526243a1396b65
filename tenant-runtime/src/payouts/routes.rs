//! Payouts over HTTP: what is known of them, never a way to change them.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use souk_access::Permit;
use souk_api::{CursorKey, Json, Page, Paging, Path, Problem, Query};
use souk_kernel::{Money, PayoutId};
use souk_tenancy::ReadTx;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::PayoutError;
use super::model::{PayoutDetail, PayoutEntryView, PayoutView, Reconciliation};
use super::permissions::View;
use super::queries::{self, ListFilter, Whole};
use crate::imports::guarded;
use crate::payments::PayoutState;

/// Entries shown with a payout.
const SHOWN: i64 = 1_000;
/// Entries in a file: more than providers tell of one payout.
const WRITTEN: i64 = 10_000;

/// `/admin/v1/payouts`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_payouts).service(get_payout).service(export_entries);
}

/// Which payouts.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PayoutQuery {
    state: Option<PayoutState>,
    /// First instant shown, by when the provider made it.
    since: Option<DateTime<Utc>>,
    /// First instant not shown any more.
    until: Option<DateTime<Utc>>,
}

/// List payouts
///
/// What providers have paid out, or are about to, newest first.
#[utoipa::path(tag = "Payments", operation_id = "listPayouts", params(PayoutQuery, Paging), responses(
    (status = 200, body = Page<PayoutView>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem)))]
#[get("/admin/v1/payouts")]
async fn list_payouts(
    permit: Permit<View>,
    query: Query<PayoutQuery>,
    paging: Paging,
    request: HttpRequest,
) -> Result<Page<PayoutView>, Problem> {
    let (query, cursors) = (query.into_inner(), CursorKey::of(&request)?);
    let scope = format!("{} payouts {}", permit.store(), serde_json::json!(query));
    let after: Option<(DateTime<Utc>, Uuid)> = paging.position(cursors, &scope)?;
    let PayoutQuery { state, since, until } = query;
    let filter = ListFilter { state, since, until, after, fetch: paging.fetch() };
    let load = async move |tx: &mut ReadTx<'_>| Ok::<_, PayoutError>(queries::list(tx, filter).await?);
    let rows = permit.read("payouts.list", load).await?;
    Page::cut(rows, &paging, cursors, &scope, |row: &PayoutView| (row.created_at, row.id.uuid()))
}

/// A payout, held against what is known here
///
/// With what it is made of. `reconciliation` says whether the entries add up to what was paid out, and how many of them belong to nothing here.
#[utoipa::path(tag = "Payments", operation_id = "getPayout", params(("id" = PayoutId, Path)), responses(
    (status = 200, body = PayoutDetail), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/payouts/{id}")]
async fn get_payout(permit: Permit<View>, id: Path<PayoutId>) -> Result<Json<PayoutDetail>, Problem> {
    let (whole, entries) = load(&permit, *id, SHOWN).await?;
    Ok(Json::new(detail(whole, entries)?))
}

/// Export what a payout is made of
///
/// A table, one entry a row: what matches nothing first, then the oldest. Cells that a spreadsheet would calculate are written with an apostrophe in
/// front.
#[utoipa::path(tag = "Payments", operation_id = "exportPayoutEntries", params(("id" = PayoutId, Path)), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/payouts/{id}/entries.csv")]
async fn export_entries(permit: Permit<View>, id: Path<PayoutId>) -> Result<HttpResponse, Problem> {
    let (_, entries) = load(&permit, *id, WRITTEN).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", *id)))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .body(table(&entries)))
}

async fn load(
    permit: &Permit<View>,
    id: PayoutId,
    most: i64,
) -> Result<(Whole, Vec<PayoutEntryView>), Problem> {
    let look = async move |tx: &mut ReadTx<'_>| {
        let whole = queries::whole(tx, id).await?.ok_or(PayoutError::Unknown)?;
        Ok::<_, PayoutError>((whole, queries::entries(tx, id, most).await?))
    };
    Ok(permit.read("payouts.get", look).await?)
}

fn detail(whole: Whole, entries: Vec<PayoutEntryView>) -> Result<PayoutDetail, PayoutError> {
    let Whole { payout, itemised, entry_count, unmatched_count, gross, fee } = whole;
    let net = gross.checked_sub(fee)?;
    let difference = payout.amount.checked_sub(net)?;
    let complete = itemised && difference.is_zero() && unmatched_count == 0;
    let reconciliation =
        Reconciliation { itemised, entry_count, unmatched_count, gross, fee, net, difference, complete };
    Ok(PayoutDetail { payout, reconciliation, entries })
}

fn table(entries: &[PayoutEntryView]) -> String {
    let mut text =
        "Entry,Kind,Source,Order,Refund,Dispute,Matched,Gross,Fee,Net,Currency,Time\r\n".to_owned();
    for entry in entries {
        let told = |cell: Option<&str>| {
            let cell = guarded(cell.unwrap_or_default());
            if cell.contains([',', ';', '"', '\n', '\r', '\t']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.into_owned()
            }
        };
        let amount = |money: Money| money.decimal_string();
        let cells = [
            told(Some(&entry.reference)),
            entry.kind.as_str().to_owned(),
            told(entry.source.as_deref()),
            entry.order.map(|id| id.to_string()).unwrap_or_default(),
            entry.refund.map(|id| id.to_string()).unwrap_or_default(),
            entry.dispute.map(|id| id.to_string()).unwrap_or_default(),
            entry.matched.to_string(),
            amount(entry.gross),
            amount(entry.fee),
            amount(entry.net),
            entry.gross.currency().to_string(),
            entry.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use souk_kernel::PayoutEntryId;

    use super::*;
    use crate::payments::EntryKind;

    #[test]
    fn amounts_stay_numbers_and_formulas_do_not_run() {
        let eur = |minor| Money::new(minor, "EUR".parse().unwrap());
        let entry = PayoutEntryView {
            id: PayoutEntryId::new(),
            reference: "=1+1".to_owned(),
            kind: EntryKind::Refund,
            gross: eur(-490),
            fee: eur(0),
            net: eur(-490),
            source: Some("@a,\"b\"".to_owned()),
            matched: false,
            order: None,
            refund: None,
            dispute: None,
            at: DateTime::UNIX_EPOCH,
        };
        let row = "'=1+1,refund,\"'@a,\"\"b\"\"\",,,,false,-4.90,0.00,-4.90,EUR,1970-01-01T00:00:00Z\r\n";
        assert!(table(&[entry]).ends_with(row));
    }
}
