//! Members and invitations over HTTP.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use souk_access::{Cause, ControlPermit, LinkSecret};
use souk_api::{CursorKey, ETag, IfMatch, Json, Page, Paging, PagingOnly, Path, Problem, not_modified};
use souk_kernel::{InvitationId, MemberId, OrganizationId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::MemberError;
use super::model::{AcceptInvitation, EditMember, InvitationView, Invite, MemberView, Role};
use super::{actions, permissions, queries};
use crate::audit::By;
use crate::organizations::OrganizationView;
use crate::plane::Plane;

/// `/v1/organizations/{organization}/members`, `…/invitations`, `/v1/invitations/accept`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(show).service(edit).service(remove);
    config.service(invite).service(list_invitations).service(revoke).service(accept);
}

/// Who is a member, oldest first.
#[utoipa::path(
    tag = "Members", params(("organization" = OrganizationId, Path), Paging),
    responses((status = 200, description = "One page", body = Page<MemberView>))
)]
#[get("/v1/organizations/{organization}/members")]
async fn list(
    permit: ControlPermit<permissions::View>,
    paging: PagingOnly,
    key: web::Data<CursorKey>,
) -> Result<Page<MemberView>, Problem> {
    let organization = permit.organization()?;
    let scope = format!("members:{organization}");
    let (after, limit) = (paging.position::<MemberId>(&key, &scope)?, paging.fetch());
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, MemberError>(queries::list(tx, organization, after, limit).await?)
    };
    let rows = permit.read("members.list", load).await?;
    let page = Page::cut(rows, &paging, &key, &scope, |(member, _, _)| member.id)?;
    Ok(page.map(|(member, name, email)| member.view(name, email)))
}

/// One member.
#[utoipa::path(
    tag = "Members", params(("organization" = OrganizationId, Path), ("member" = MemberId, Path)),
    responses((status = 200, description = "They", body = MemberView))
)]
#[get("/v1/organizations/{organization}/members/{member}")]
async fn show(
    permit: ControlPermit<permissions::View>,
    path: Path<(OrganizationId, MemberId)>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (organization, id) = (permit.organization()?, path.0.1);
    let find =
        async move |tx: &mut ReadTx<'_>| Ok::<_, MemberError>(queries::find(tx, organization, id).await?);
    let (member, name, email) = permit.read("members.show", find).await?.ok_or(MemberError::Unknown)?;
    let etag = ETag::new(member.version);
    let same = not_modified(&req, &etag);
    Ok(same.unwrap_or_else(|| HttpResponse::Ok().insert_header(etag).json(member.view(name, email))))
}

/// Give a member another role. Neither the old nor the new role may hold more than yours; the last owner stays.
#[utoipa::path(
    tag = "Members", request_body = EditMember,
    params(("organization" = OrganizationId, Path), ("member" = MemberId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Changed", body = MemberView))
)]
#[patch("/v1/organizations/{organization}/members/{member}")]
async fn edit(
    permit: ControlPermit<permissions::Manage>,
    path: Path<(OrganizationId, MemberId)>,
    cause: Cause,
    if_match: IfMatch,
    body: Json<EditMember>,
) -> Result<HttpResponse, Problem> {
    let (by, organization, id) = (By::of(permit.actor(), &cause), permit.organization()?, path.0.1);
    let covers = |role: Role| permit.covers_role(role.as_str());
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::change_role(tx, &by, organization, id, &if_match, body.role, covers).await
    };
    let (member, version) = permit.write("members.edit", work).await?;
    Ok(HttpResponse::Ok().insert_header(ETag::new(version)).json(member))
}

/// Remove a member: refused everywhere within a second.
#[utoipa::path(
    tag = "Members", params(("organization" = OrganizationId, Path), ("member" = MemberId, Path)),
    responses((status = 204, description = "Removed"))
)]
#[delete("/v1/organizations/{organization}/members/{member}")]
async fn remove(
    permit: ControlPermit<permissions::Manage>,
    path: Path<(OrganizationId, MemberId)>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (by, organization, id) = (By::of(permit.actor(), &cause), permit.organization()?, path.0.1);
    let covers = |role: Role| permit.covers_role(role.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, &by, organization, id, covers).await;
    permit.write("members.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Invite somebody by mail, with a role that holds no more than yours.
#[utoipa::path(
    tag = "Members", request_body = Invite, params(("organization" = OrganizationId, Path)),
    responses((status = 201, description = "A mail was sent", body = InvitationView))
)]
#[post("/v1/organizations/{organization}/invitations")]
async fn invite(
    permit: ControlPermit<permissions::Invite>,
    plane: Plane,
    cause: Cause,
    body: Json<Invite>,
) -> Result<HttpResponse, Problem> {
    if !permit.covers_role(body.role.as_str()) {
        return Err(MemberError::BeyondOwn(body.role).into());
    }
    let (by, organization, account) =
        (By::of(permit.actor(), &cause), permit.organization()?, permit.account()?);
    let settings = plane.settings();
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::invite(tx, settings, &by, account, organization, &body).await
    };
    let invitation = permit.write("members.invite", work).await?;
    plane.wake();
    Ok(HttpResponse::Created().json(InvitationView::from(invitation)))
}

/// Invitations that can still be accepted.
#[utoipa::path(
    tag = "Members", params(("organization" = OrganizationId, Path)),
    responses((status = 200, description = "All of them", body = Page<InvitationView>))
)]
#[get("/v1/organizations/{organization}/invitations")]
async fn list_invitations(
    permit: ControlPermit<permissions::ViewInvitations>,
) -> Result<Page<InvitationView>, Problem> {
    let organization = permit.organization()?;
    let load = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, MemberError>(queries::list_invitations(tx, organization).await?)
    };
    let rows = permit.read("members.invitations", load).await?;
    Ok(Page::whole(rows.into_iter().map(InvitationView::from).collect()))
}

/// Take an invitation back.
#[utoipa::path(
    tag = "Members", params(("organization" = OrganizationId, Path), ("invitation" = InvitationId, Path)),
    responses((status = 204, description = "It cannot be accepted any more"))
)]
#[delete("/v1/organizations/{organization}/invitations/{invitation}")]
async fn revoke(
    permit: ControlPermit<permissions::Revoke>,
    path: Path<(OrganizationId, InvitationId)>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let (by, organization, id) = (By::of(permit.actor(), &cause), permit.organization()?, path.0.1);
    permit.write("members.revoke", async move |tx| actions::revoke(tx, &by, organization, id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept an invitation: sign in with the address it was sent to first.
#[utoipa::path(
    tag = "Members", request_body = AcceptInvitation,
    responses((status = 200, description = "You are a member of this organization now", body = OrganizationView))
)]
#[post("/v1/invitations/accept")]
async fn accept(
    permit: ControlPermit<permissions::Accept>,
    cause: Cause,
    body: Json<AcceptInvitation>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(MemberError::Unusable)?;
    let (by, account) = (By::of(permit.actor(), &cause), permit.account()?);
    let work = async move |tx: &mut WriteTx<'_>| actions::accept(tx, &by, account, &secret).await;
    let (organization, role) = permit.write("members.accept", work).await?;
    Ok(HttpResponse::Ok().json(organization.view(role)))
}
