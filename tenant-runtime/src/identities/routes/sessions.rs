//! Where people who work here, and came by a provider, are signed in: for themselves, and for whoever may let them go.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::{Actor, AtWork, Permit};
use souk_api::{Page, Path, Problem};
use souk_kernel::{SessionId, StaffId};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{By, Cause};
use crate::identities::error::IdentityError;
use crate::identities::model::StaffSessionView;
use crate::identities::permissions::{SignIn, ViewOwn};
use crate::identities::{actions, queries};
use crate::staff::permissions::{Edit, View};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(own).service(end_own).service(end_all_own);
    config.service(list).service(end).service(end_all);
}

/// Where you are signed in, as somebody who works here
///
/// The sessions that a provider of this store opened, newest first. Whoever has an account sees those of the account at the control plane.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_own", responses(
    (status = 200, body = Page<StaffSessionView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[get("/admin/v1/sessions")]
async fn own(me: AtWork<ViewOwn>) -> Result<Page<StaffSessionView>, Problem> {
    let id = me.staff;
    let current = match me.permit.actor() {
        Actor::Staff { session, .. } => *session,
        _ => None,
    };
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, IdentityError>(queries::sessions::list(tx, id, current).await?)
    };
    Ok(Page::whole(me.permit.read("identities.staff_sessions_own", look).await?))
}

/// Sign a device of yours out, as somebody who works here
///
/// Its tokens stop working within a second.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_end_own", params(("session" = SessionId, Path)), responses(
    (status = 204, description = "Ended"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[delete("/admin/v1/sessions/{session}")]
async fn end_own(me: AtWork<SignIn>, session: Path<SessionId>) -> Result<HttpResponse, Problem> {
    let (id, session) = (me.staff, *session);
    let work = async move |tx: &mut WriteTx<'_>| actions::end_session(tx, id, session).await;
    me.permit.write("identities.end_own_session", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign out everywhere, as somebody who works here
///
/// Every session that a provider of this store opened for you ends; their tokens stop working within a second.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_end_all_own", responses(
    (status = 204, description = "All ended"), (status = 401, body = Problem), (status = 403, body = Problem)))]
#[delete("/admin/v1/sessions")]
async fn end_all_own(me: AtWork<SignIn>) -> Result<HttpResponse, Problem> {
    let id = me.staff;
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, IdentityError>(queries::sessions::end_all(tx, id).await.map(drop)?)
    };
    me.permit.write("identities.end_own_sessions", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where a colleague is signed in
///
/// The sessions that a provider of this store opened for them, newest first.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_list", params(("id" = StaffId, Path)), responses(
    (status = 200, body = Page<StaffSessionView>), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
#[get("/admin/v1/staff/{id}/sessions")]
async fn list(permit: Permit<View>, id: Path<StaffId>) -> Result<Page<StaffSessionView>, Problem> {
    let id = *id;
    let look = async move |tx: &mut ReadTx<'_>| {
        queries::staff_epoch(tx, id).await?.ok_or(IdentityError::Unknown)?;
        Ok::<_, IdentityError>(queries::sessions::list(tx, id, None).await?)
    };
    Ok(Page::whole(permit.read("identities.staff_sessions", look).await?))
}

/// Sign a device of a colleague's out
///
/// Its tokens stop working within a second; they may sign in again. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_end",
    params(("id" = StaffId, Path), ("session" = SessionId, Path)), responses(
    (status = 204, description = "Ended"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[delete("/admin/v1/staff/{id}/sessions/{session}")]
async fn end(
    permit: Permit<Edit>,
    of: Path<(StaffId, SessionId)>,
    cause: Cause,
) -> Result<HttpResponse, Problem> {
    let ((id, session), by) = (*of, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::end_session_of(tx, &by, id, session).await;
    permit.write("identities.end_staff_session", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign a colleague out everywhere
///
/// Every session that a provider of this store opened for them ends; their tokens stop working within a second. They may sign in again:
/// whoever may do so no more is let go. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(tag = "Staff", operation_id = "staff_sessions_end_all", params(("id" = StaffId, Path)), responses(
    (status = 204, description = "All ended"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
#[post("/admin/v1/staff/{id}/sign-out")]
async fn end_all(permit: Permit<Edit>, id: Path<StaffId>, cause: Cause) -> Result<HttpResponse, Problem> {
    let (id, by) = (*id, By::of(permit.actor(), cause));
    let work = async move |tx: &mut WriteTx<'_>| actions::end_sessions_of(tx, &by, id).await;
    permit.write("identities.end_staff_sessions", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
