//! People who work in the store and whom a provider vouches for.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::{AtWork, LinkSecret, Permit};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::IdentityId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::customers::Reception;
use crate::identities::error::IdentityError;
use crate::identities::model::{IdentityView, JoinWish, Owner, StaffToken, TicketWish};
use crate::identities::permissions::{Link, SignIn, ViewOwn};
use crate::identities::{actions, queries};
use crate::staff::StaffError;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(sign_in).service(join).service(list).service(link).service(unlink);
}

/// Sign in to work with a ticket
///
/// For colleagues who linked the identity when they joined, or later. The token is good for 15 minutes; whoever is still signed in at the
/// provider comes back with the next one without typing anything.
#[utoipa::path(tag = "Staff", operation_id = "staff_sign_in", security(()), request_body = TicketWish, responses(
    (status = 201, body = StaffToken), (status = 403, body = Problem), (status = 410, body = Problem)))]
#[post("/admin/v1/sessions/identity")]
async fn sign_in(
    permit: Permit<SignIn>,
    reception: Reception,
    body: Json<TicketWish>,
) -> Result<HttpResponse, Problem> {
    let signing = &*reception.signing;
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::enter_staff(tx, signing, shown).await;
    Ok(super::tokens(&permit.write("identities.enter_staff", work).await?))
}

/// Accept an invitation with an identity
///
/// With the token of the mailed link and the ticket of a sign-in: no account at the control plane is needed. From now on the identity signs
/// you in.
#[utoipa::path(tag = "Staff", operation_id = "staff_accept_with_identity", security(()), request_body = JoinWish, responses(
    (status = 201, body = StaffToken), (status = 409, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem)))]
#[post("/admin/v1/staff-invitations/accept-with-identity")]
async fn join(
    permit: Permit<SignIn>,
    reception: Reception,
    cause: Cause,
    body: Json<JoinWish>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str())
        .ok_or_else(|| IdentityError::from(StaffError::InvitationUnusable))?;
    let (signing, mut by) = (&*reception.signing, By::of(permit.actor(), cause));
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let name = body.name.as_str();
    let work =
        async move |tx: &mut WriteTx<'_>| actions::join(tx, signing, &mut by, &secret, shown, name).await;
    Ok(super::tokens(&permit.write("identities.join", work).await?))
}

/// Your identities elsewhere, as somebody who works here
///
/// Each is a way in, whatever your role.
#[utoipa::path(tag = "Staff", operation_id = "staff_identities", responses(
    (status = 200, body = Page<IdentityView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/account/identities")]
async fn list(me: AtWork<ViewOwn>) -> Result<Page<IdentityView>, Problem> {
    let id = me.staff;
    let look =
        async move |tx: &mut ReadTx<'_>| Ok::<_, IdentityError>(queries::list(tx, Owner::Staff(id)).await?);
    Ok(Page::whole(me.permit.read("identities.list_staff", look).await?))
}

/// Link the identity behind a ticket to yourself, as somebody who works here
///
/// From now on it signs you in. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Staff", operation_id = "staff_link_identity", request_body = TicketWish, responses(
    (status = 204, description = "Linked"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 410, body = Problem)))]
#[post("/admin/v1/account/identities")]
async fn link(me: AtWork<Link>, cause: Cause, body: Json<TicketWish>) -> Result<HttpResponse, Problem> {
    let (id, by) = (me.staff, By::of(me.permit.actor(), cause));
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::link_staff(tx, &by, id, shown).await;
    me.permit.write("identities.link_staff", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an identity of yours away, as somebody who works here
///
/// It signs you in no more, and tokens it opened end within a second; the last way in stays. Needs a proof of who you are from the last 15
/// minutes.
#[utoipa::path(tag = "Staff", operation_id = "staff_unlink_identity", params(("identity" = IdentityId, Path)), responses(
    (status = 204, description = "Taken away"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
#[delete("/admin/v1/account/identities/{identity}")]
async fn unlink(me: AtWork<Link>, cause: Cause, identity: Path<IdentityId>) -> Result<HttpResponse, Problem> {
    let (id, by) = (me.staff, By::of(me.permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::unlink_staff(tx, &by, id, *identity).await;
    me.permit.write("identities.unlink_staff", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
