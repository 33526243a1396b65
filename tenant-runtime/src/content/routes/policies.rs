//! Policies, for those who run the store.

use actix_web::{HttpResponse, delete, get, put, web};
use souk_access::Permit;
use souk_api::{CursorKey, ETag, IfMatch, Json, Page, Paging, PagingOnly, Path, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::content::actions::policies as actions;
use crate::content::error::ContentError;
use crate::content::model::{PolicyKind, PolicyView, PutPolicy};
use crate::content::permissions::{Edit, View};
use crate::content::queries::policies as queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(replace).service(withdraw).service(versions);
}

fn shown(policy: &PolicyView) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(policy.version)).json(policy)
}

/// The last version of every policy that was ever written.
#[utoipa::path(
    tag = "Content", operation_id = "listPolicies",
    responses((status = 200, description = "At most one of each kind", body = Page<PolicyView>))
)]
#[get("/admin/v1/policies")]
async fn list(permit: Permit<View>) -> Result<Page<PolicyView>, Problem> {
    let load = async move |tx: &mut ReadTx<'_>| actions::all(tx).await;
    Ok(Page::whole(permit.read("content.policies", load).await?))
}

/// The last version of a policy.
#[utoipa::path(
    tag = "Content", operation_id = "getPolicy", params(("policy" = PolicyKind, Path)),
    responses((status = 200, description = "It", body = PolicyView), (status = 404, body = Problem))
)]
#[get("/admin/v1/policies/{policy}")]
async fn show(permit: Permit<View>, kind: Path<PolicyKind>) -> Result<HttpResponse, Problem> {
    let kind = *kind;
    let find = async move |tx: &mut ReadTx<'_>| actions::show(tx, kind).await;
    Ok(shown(&permit.read("content.policy", find).await?))
}

/// Write the next version of a policy, which holds from now on. Earlier ones stay for whoever agreed to them.
#[utoipa::path(
    tag = "Content", operation_id = "putPolicy", request_body = PutPolicy,
    params(("policy" = PolicyKind, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The new version", body = PolicyView),
        (status = 412, description = "There is another version than the one you read", body = Problem),
        (status = 422, description = "It says nothing, or a language twice", body = Problem)
    )
)]
#[put("/admin/v1/policies/{policy}")]
async fn replace(
    permit: Permit<Edit>,
    kind: Path<PolicyKind>,
    seen: IfMatch,
    body: Json<PutPolicy>,
) -> Result<HttpResponse, Problem> {
    let (kind, wish, actor) = (*kind, &body.0, permit.actor().to_string());
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| actions::put(tx, kind, seen, wish, actor).await;
    Ok(shown(&permit.write("content.put_policy", work).await?))
}

/// Withdraw a policy: from now on there is none of this kind. Its versions stay.
#[utoipa::path(
    tag = "Content", operation_id = "deletePolicy", params(("policy" = PolicyKind, Path)),
    responses((status = 204, description = "Withdrawn"), (status = 404, description = "It was never written", body = Problem))
)]
#[delete("/admin/v1/policies/{policy}")]
async fn withdraw(permit: Permit<Edit>, kind: Path<PolicyKind>) -> Result<HttpResponse, Problem> {
    let (kind, actor) = (*kind, permit.actor().to_string());
    let actor = actor.as_str();
    let work = async move |tx: &mut WriteTx<'_>| actions::withdraw(tx, kind, actor).await;
    permit.write("content.withdraw_policy", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every version of a policy, the newest first.
#[utoipa::path(
    tag = "Content", operation_id = "listPolicyVersions", params(("policy" = PolicyKind, Path), Paging),
    responses((status = 200, description = "One page", body = Page<PolicyView>))
)]
#[get("/admin/v1/policies/{policy}/versions")]
async fn versions(
    permit: Permit<View>,
    kind: Path<PolicyKind>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<PolicyView>, Problem> {
    let kind = *kind;
    let scope = format!("policies:{}:{}", permit.store(), kind.as_str());
    let before = paging.position::<i32>(&key, &scope)?;
    let limit = paging.fetch();
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, ContentError>(queries::versions(tx, kind, before, limit).await?)
    };
    let found = permit.read("content.policy_versions", load).await?;
    Ok(Page::cut(found, &paging, &key, &scope, |version| version.number)?.map(PolicyView::from))
}
