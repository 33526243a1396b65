//! Colleagues and invitations.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use souk_access::{LinkSecret, Permit, Vouched};
use souk_api::{ETag, IfMatch, Json, Page, Path, Problem, not_modified};
use souk_kernel::{InvitationId, StaffId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::staff::error::StaffError;
use crate::staff::model::{AcceptInvitation, Colleague, EditStaff, InvitationView, Invite, StaffView};
use crate::staff::permissions::{Accept, Edit, View};
use crate::staff::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(people).service(show).service(edit).service(remove);
    config.service(invite).service(invitations).service(revoke).service(accept);
}

/// Who works in the store.
#[utoipa::path(tag = "Staff", operation_id = "staff_list", responses((status = 200, body = Page<StaffView>)))]
#[get("/admin/v1/staff")]
async fn people(permit: Permit<View>) -> Result<Page<StaffView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::people(tx).await?);
    Ok(Page::whole(permit.read("staff.people", look).await?))
}

fn shown(colleague: Colleague) -> HttpResponse {
    HttpResponse::Ok().insert_header(ETag::new(colleague.version)).json(actions::view(colleague))
}

/// A colleague
#[utoipa::path(tag = "Staff", operation_id = "staff_get", params(("id" = StaffId, Path)), responses(
    (status = 200, body = StaffView), (status = 304, description = "Not modified"), (status = 404, body = Problem)))]
#[get("/admin/v1/staff/{id}")]
async fn show(
    permit: Permit<View>,
    id: Path<StaffId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = *id;
    let look = async move |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::colleague(tx, id).await?);
    let colleague = permit.read("staff.get", look).await?.ok_or(StaffError::Unknown)?;
    Ok(not_modified(&request, &ETag::new(colleague.version)).unwrap_or_else(|| shown(colleague)))
}

/// Give a colleague another role
///
/// Neither the old nor the new role may hold more than you do; the last owner stays. It holds everywhere within a second.
#[utoipa::path(tag = "Staff", operation_id = "staff_edit",
    params(("id" = StaffId, Path), ("If-Match" = Option<String>, Header)), request_body = EditStaff, responses(
    (status = 200, body = StaffView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/v1/staff/{id}")]
async fn edit(
    permit: Permit<Edit>,
    id: Path<StaffId>,
    seen: IfMatch,
    cause: Cause,
    body: Json<EditStaff>,
) -> Result<HttpResponse, Problem> {
    let (id, by, giver) = (*id, By::of(permit.actor(), cause), permit.clone());
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::change_role(tx, &giver, &by, id, &seen, body.role.as_str()).await
    };
    Ok(shown(permit.write("staff.edit", work).await?))
}

/// Let a colleague go
///
/// Refused everywhere within a second. The last owner stays.
#[utoipa::path(tag = "Staff", operation_id = "staff_remove", params(("id" = StaffId, Path)), responses(
    (status = 204, description = "Gone"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/v1/staff/{id}")]
async fn remove(permit: Permit<Edit>, id: Path<StaffId>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (id, by, giver) = (*id, By::of(permit.actor(), cause), permit.clone());
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, &giver, &by, id).await;
    permit.write("staff.remove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Invite somebody
///
/// They get a mail with a link that works once, for seven days. The role may not hold more than you do. The store's plan says how many may
/// work there.
#[utoipa::path(tag = "Staff", operation_id = "staff_invite", request_body = Invite, responses(
    (status = 201, body = InvitationView), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/staff-invitations")]
async fn invite(permit: Permit<Edit>, cause: Cause, body: Json<Invite>) -> Result<HttpResponse, Problem> {
    let (by, giver, wish) = (By::of(permit.actor(), cause), permit.clone(), body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::invite(tx, &giver, &by, &wish.email, wish.role.as_str()).await
    };
    Ok(HttpResponse::Created().json(permit.write("staff.invite", work).await?))
}

/// Invitations that can still be accepted
#[utoipa::path(tag = "Staff", operation_id = "staff_invitations", responses((status = 200, body = Page<InvitationView>)))]
#[get("/admin/v1/staff-invitations")]
async fn invitations(permit: Permit<View>) -> Result<Page<InvitationView>, Problem> {
    let look = async |tx: &mut ReadTx<'_>| Ok::<_, StaffError>(queries::invitations(tx).await?);
    Ok(Page::whole(permit.read("staff.invitations", look).await?))
}

/// Take an invitation back
#[utoipa::path(tag = "Staff", operation_id = "staff_revoke_invitation", params(("id" = InvitationId, Path)), responses(
    (status = 204, description = "It cannot be accepted any more"), (status = 404, body = Problem)))]
#[delete("/admin/v1/staff-invitations/{id}")]
async fn revoke(permit: Permit<Edit>, id: Path<InvitationId>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (id, by) = (*id, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::revoke_invitation(tx, &by, id).await;
    permit.write("staff.revoke_invitation", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept an invitation
///
/// With a token of your account for this store (`POST /v1/stores/{store}/tokens` or `/v1/store-tokens` at the control plane) as the bearer,
/// and the token of the mailed link in the body.
#[utoipa::path(tag = "Staff", operation_id = "staff_accept", request_body = AcceptInvitation, responses(
    (status = 201, body = StaffView), (status = 401, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
#[post("/admin/v1/staff-invitations/accept")]
async fn accept(
    vouched: Vouched<Accept>,
    cause: Cause,
    body: Json<AcceptInvitation>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(&body.token).ok_or(StaffError::InvitationUnusable)?;
    let (account, permit) = (vouched.account, vouched.permit);
    let (mut by, limit) = (By::of(permit.actor(), cause), permit.entry().limits.staff);
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::accept(tx, &mut by, Some(account), &secret, body.name.as_str(), limit).await
    };
    let colleague = permit.write("staff.accept", work).await?;
    Ok(HttpResponse::Created().json(actions::view(colleague)))
}
