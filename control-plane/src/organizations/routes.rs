//! Organizations over HTTP.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use souk_access::{Cause, ControlPermit};
use souk_api::{ETag, IfMatch, Json, Page, Problem, not_modified};
use souk_kernel::OrganizationId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::OrganizationError;
use super::model::{EditOrganization, NewOrganization, Organization, OrganizationView};
use super::{actions, permissions, queries};
use crate::audit::By;
use crate::members::Role;

/// `/v1/organizations`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(found).service(list).service(show).service(edit).service(remove);
}

/// Found an organization; you become its owner.
#[utoipa::path(
    tag = "Organizations", request_body = NewOrganization,
    responses((status = 201, description = "Founded", body = OrganizationView))
)]
#[post("/v1/organizations")]
async fn found(
    permit: ControlPermit<permissions::Found>,
    cause: Cause,
    body: Json<NewOrganization>,
) -> Result<HttpResponse, Problem> {
    let (by, account) = (By::of(permit.actor(), &cause), permit.account()?);
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, OrganizationError>(actions::found(tx, &by, account, &body.name).await?)
    };
    let organization = permit.write("organizations.found", work).await?;
    let location = format!("/v1/organizations/{}", organization.id);
    let mut reply = HttpResponse::Created();
    reply.insert_header(("Location", location)).insert_header(ETag::new(organization.version));
    Ok(reply.json(organization.view(Role::Owner)))
}

/// The organizations you are a member of.
#[utoipa::path(
    tag = "Organizations",
    responses((status = 200, description = "All of them", body = Page<OrganizationView>))
)]
#[get("/v1/organizations")]
async fn list(permit: ControlPermit<permissions::List>) -> Result<Page<OrganizationView>, Problem> {
    let account = permit.account()?;
    let rows = permit
        .read("organizations.list", async move |tx| {
            Ok::<_, OrganizationError>(queries::of_account(tx, account).await?)
        })
        .await?;
    Ok(Page::whole(rows.into_iter().map(|(organization, role)| organization.view(role)).collect()))
}

/// One organization.
#[utoipa::path(
    tag = "Organizations", params(("organization" = OrganizationId, Path)),
    responses((status = 200, description = "It", body = OrganizationView))
)]
#[get("/v1/organizations/{organization}")]
async fn show(permit: ControlPermit<permissions::View>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = permit.organization()?;
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, OrganizationError>(queries::find(tx, id).await?);
    let organization = permit.read("organizations.show", find).await?.ok_or(OrganizationError::Unknown)?;
    let role = Role::of(&permit)?;
    let same = not_modified(&req, &ETag::new(organization.version));
    Ok(same.unwrap_or_else(|| shown(organization, role)))
}

fn shown(organization: Organization, role: Role) -> HttpResponse {
    let etag = ETag::new(organization.version);
    HttpResponse::Ok().insert_header(etag).json(organization.view(role))
}

/// Rename an organization.
#[utoipa::path(
    tag = "Organizations", request_body = EditOrganization,
    params(("organization" = OrganizationId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Changed", body = OrganizationView))
)]
#[patch("/v1/organizations/{organization}")]
async fn edit(
    permit: ControlPermit<permissions::Edit>,
    cause: Cause,
    if_match: IfMatch,
    body: Json<EditOrganization>,
) -> Result<HttpResponse, Problem> {
    let (by, id) = (By::of(permit.actor(), &cause), permit.organization()?);
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, &by, id, &if_match, &body).await;
    Ok(shown(permit.write("organizations.edit", work).await?, Role::of(&permit)?))
}

/// Delete an organization that has no stores any more.
#[utoipa::path(
    tag = "Organizations", params(("organization" = OrganizationId, Path)),
    responses((status = 204, description = "Deleted"))
)]
#[delete("/v1/organizations/{organization}")]
async fn remove(permit: ControlPermit<permissions::Delete>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (by, id) = (By::of(permit.actor(), &cause), permit.organization()?);
    permit.write("organizations.delete", async move |tx| actions::delete(tx, &by, id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
