//! People who work in the store and whom a provider vouches for.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::{AtWork, LinkSecret, Permit, RefreshToken};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::IdentityId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::customers::{CustomerError, Origin, Reception};
use crate::identities::error::IdentityError;
use crate::identities::model::{IdentityView, JoinWish, Owner, StaffRefresh, StaffToken, TicketWish};
use crate::identities::permissions::{Link, SignIn, ViewOwn};
use crate::identities::{actions, queries};
use crate::staff::StaffError;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(join)
        .service(list)
        .service(link)
        .service(unlink);
}

/// Sign in to work with a ticket
///
/// For colleagues who linked the identity when they joined, or later. The token is good for 15 minutes, the refresh token beside it for the
/// next one, up to 12 hours after signing in.
#[utoipa::path(tag = "Staff", operation_id = "staff_sign_in", security(()), request_body = TicketWish, responses(
    (status = 201, body = StaffToken), (status = 403, body = Problem), (status = 410, body = Problem)))]
#[post("/admin/v1/sessions/identity")]
async fn sign_in(
    permit: Permit<SignIn>,
    reception: Reception,
    origin: Origin,
    body: Json<TicketWish>,
) -> Result<HttpResponse, Problem> {
    let (signing, origin) = (&*reception.signing, &origin);
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::enter_staff(tx, signing, origin, shown).await;
    Ok(super::tokens(HttpResponse::Created(), &permit.write("identities.enter_staff", work).await?))
}

/// Exchange a refresh token for a new token to work
///
/// Each works once; using one twice ends its session. So does another role, an identity taken away, a provider that is disabled or removed.
/// The time of the proof stays that of signing in.
#[utoipa::path(tag = "Staff", operation_id = "staff_refresh", security(()), request_body = StaffRefresh, responses(
    (status = 200, body = StaffToken), (status = 401, body = Problem)))]
#[post("/admin/v1/sessions/refresh")]
async fn refresh(
    permit: Permit<SignIn>,
    reception: Reception,
    body: Json<StaffRefresh>,
) -> Result<HttpResponse, Problem> {
    let token = parsed(&body).ok_or(CustomerError::RefreshRefused("malformed"))?;
    let signing = &*reception.signing;
    let work = async move |tx: &mut WriteTx<'_>| actions::refresh(tx, signing, &token).await;
    let token = permit.write("identities.refresh_staff", work).await?.token()?;
    Ok(super::tokens(HttpResponse::Ok(), &token))
}

fn parsed(body: &StaffRefresh) -> Option<RefreshToken> {
    RefreshToken::parse(body.refresh_token.as_str())
}

/// Sign out with the refresh token
///
/// Ends its session; the token to work that is out stops working within a second. A refresh token that nobody knows is signed out already.
#[utoipa::path(tag = "Staff", operation_id = "staff_sign_out", security(()), request_body = StaffRefresh, responses(
    (status = 204, description = "Signed out")))]
#[post("/admin/v1/sessions/sign-out")]
async fn sign_out(permit: Permit<SignIn>, body: Json<StaffRefresh>) -> Result<HttpResponse, Problem> {
    if let Some(token) = parsed(&body) {
        let work = async move |tx: &mut WriteTx<'_>| actions::sign_out(tx, &token).await;
        permit.write("identities.sign_out_staff", work).await?;
    }
    Ok(HttpResponse::NoContent().finish())
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
    origin: Origin,
    cause: Cause,
    body: Json<JoinWish>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str())
        .ok_or_else(|| IdentityError::from(StaffError::InvitationUnusable))?;
    let (here, mut by) = ((&*reception.signing, &origin), By::of(permit.actor(), cause));
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let joins = (body.name.as_str(), permit.entry().limits.staff);
    let work =
        async move |tx: &mut WriteTx<'_>| actions::join(tx, here, &mut by, &secret, shown, joins).await;
    Ok(super::tokens(HttpResponse::Created(), &permit.write("identities.join", work).await?))
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
