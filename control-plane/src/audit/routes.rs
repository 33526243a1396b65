//! The log over HTTP.

use actix_web::{get, web};
use souk_access::{ControlPermit, Refusal};
use souk_api::{CursorKey, Json, Page, Paging, PagingOnly, Problem};
use souk_kernel::OrganizationId;
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{AuditEntryView, Verdict};
use super::{actions, permissions, queries};

/// `/v1/organizations/{organization}/audit-entries`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(verify);
}

/// Who did what, newest first.
#[utoipa::path(
    tag = "Audit",
    params(("organization" = OrganizationId, Path), Paging),
    responses((status = 200, description = "One page of the log", body = Page<AuditEntryView>))
)]
#[get("/v1/organizations/{organization}/audit-entries")]
async fn list(
    permit: ControlPermit<permissions::View>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<AuditEntryView>, Problem> {
    let organization = permit.organization()?;
    let scope = format!("audit:{organization}");
    let before = paging.position::<i64>(&key, &scope)?;
    let limit = paging.fetch();
    let rows = permit
        .read("audit.list", async move |tx| {
            Ok::<_, Refusal>(queries::list(tx, organization, before, limit).await?)
        })
        .await?;
    Ok(Page::cut(rows, &paging, &key, &scope, |entry| entry.position)?.map(AuditEntryView::from))
}

/// Prove the log whole: every entry fits its seal and follows the one before it, none is missing.
#[utoipa::path(
    tag = "Audit", params(("organization" = OrganizationId, Path)),
    responses((status = 200, description = "Whether it is", body = Verdict))
)]
#[get("/v1/organizations/{organization}/audit-entries:verify")]
async fn verify(permit: ControlPermit<permissions::View>) -> Result<Json<Verdict>, Problem> {
    let organization = permit.organization()?;
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, Refusal>(actions::verify(tx, organization).await?);
    Ok(Json::new(permit.read("audit.verify", work).await?))
}
