//! The log over HTTP.

use actix_web::{HttpRequest, get};
use souk_access::Permit;
use souk_api::{CursorKey, Json, Page, Paging, PagingOnly, Problem};
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::AuditError;
use super::model::{AuditEntryView, Verdict};
use super::permissions::View;
use super::{actions, queries};

/// `/admin/v1/audit-entries`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(verify);
}

/// Who did what
///
/// Newest first.
#[utoipa::path(tag = "Audit", operation_id = "listAuditEntries", params(Paging), responses(
    (status = 200, body = Page<AuditEntryView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/audit-entries")]
async fn list(
    permit: Permit<View>,
    paging: PagingOnly,
    request: HttpRequest,
) -> Result<Page<AuditEntryView>, Problem> {
    let cursors = CursorKey::of(&request)?;
    let scope = format!("{} audit", permit.store());
    let (before, limit) = (paging.position::<i64>(cursors, &scope)?, paging.fetch());
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, AuditError>(queries::list(tx, before, limit).await?);
    let rows = permit.read("audit.list", work).await?;
    Ok(Page::cut(rows, &paging, cursors, &scope, |entry| entry.position)?.map(AuditEntryView::from))
}

/// Prove the log whole
///
/// Walks every entry: each fits its seal and follows the one before it, none is missing.
#[utoipa::path(tag = "Audit", operation_id = "verifyAuditLog", responses(
    (status = 200, body = Verdict), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/audit-entries:verify")]
async fn verify(permit: Permit<View>) -> Result<Json<Verdict>, Problem> {
    let work = async |tx: &mut ReadTx<'_>| Ok::<_, AuditError>(actions::verify(tx).await?);
    Ok(Json::new(permit.read("audit.verify", work).await?))
}
