//! Signing in and out over HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, delete, get, post};
use souk_access::{ControlPermit, Password, RefreshToken, Refusal};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::SessionId;
use souk_tenancy::WriteTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions::{self, Refreshed};
use super::error::SessionError;
use super::model::{EndReason, Refresh, SessionView, SignIn, Tokens};
use super::{permissions, queries};
use crate::factors::{self, Guess};
use crate::plane::{Origin, Plane};

/// `/v1/sessions`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(sign_in).service(refresh).service(list).service(sign_out).service(end).service(end_all);
}

/// Sign in. The answer is the same for a wrong password and for an address nobody has. After ten failures for an account
/// from a network within ten minutes: 429. Whoever has a second factor sends its `code` too.
#[utoipa::path(
    tag = "Sessions", security(()), request_body = SignIn,
    responses((status = 201, description = "Signed in", body = Tokens))
)]
#[post("/v1/sessions")]
async fn sign_in(
    permit: ControlPermit<permissions::SignIn>,
    plane: Plane,
    origin: Origin,
    body: Json<SignIn>,
) -> Result<HttpResponse, Problem> {
    let (email, origin) = (&body.email, &origin);
    let password = Password::presented(body.password.as_str()).map_err(|_| SessionError::WrongCredentials)?;
    let found =
        permit.write("sessions.begin", async move |tx| actions::begin(tx, email, origin).await).await?;
    let hash = found.as_ref().and_then(|(_, hash)| hash.as_ref());
    let right = plane.hasher().verify(password, hash).await.map_err(SessionError::from)?;
    let (account, _) = found.filter(|_| right).ok_or(SessionError::WrongCredentials)?;
    if body.code.is_some() {
        factors::count_guess(&permit, account.id, origin).await?;
    }
    let guess = &Guess::new(&plane, origin, body.code.as_ref());
    let open = async move |tx: &mut WriteTx<'_>| actions::enter(tx, account, guess).await;
    let tokens = permit.write("sessions.open", open).await?;
    plane.wake();
    Ok(for_one_reader(HttpResponse::Created(), &tokens))
}

/// Exchange a refresh token for new tokens. Each works once; using one twice ends its session.
#[utoipa::path(
    tag = "Sessions", security(()), request_body = Refresh,
    responses((status = 200, description = "New tokens", body = Tokens))
)]
#[post("/v1/sessions/refresh")]
async fn refresh(
    permit: ControlPermit<permissions::SignIn>,
    plane: Plane,
    body: Json<Refresh>,
) -> Result<HttpResponse, Problem> {
    let token =
        RefreshToken::parse(body.refresh_token.as_str()).ok_or(SessionError::RefreshRefused("malformed"))?;
    let signing = plane.signing();
    let work = async move |tx: &mut WriteTx<'_>| actions::refresh(tx, signing, &token).await;
    match permit.write("sessions.refresh", work).await? {
        Refreshed::Tokens(tokens) => Ok(for_one_reader(HttpResponse::Ok(), &tokens)),
        Refreshed::Refused(reason) => Err(SessionError::RefreshRefused(reason).into()),
    }
}

fn for_one_reader(mut reply: HttpResponseBuilder, tokens: &Tokens) -> HttpResponse {
    reply.insert_header((header::CACHE_CONTROL, "no-store")).json(tokens)
}

/// Your living sessions.
#[utoipa::path(tag = "Sessions", responses((status = 200, description = "All of them", body = Page<SessionView>)))]
#[get("/v1/sessions")]
async fn list(permit: ControlPermit<permissions::View>) -> Result<Page<SessionView>, Problem> {
    let (account, session) = (permit.account()?, permit.session());
    let rows = permit
        .read("sessions.list", async move |tx| Ok::<_, Refusal>(queries::list(tx, account).await?))
        .await?;
    Ok(Page::whole(rows.into_iter().map(|row| row.view(session)).collect()))
}

/// Sign out: this session's tokens stop working within a second.
#[utoipa::path(tag = "Sessions", responses((status = 204, description = "Signed out")))]
#[delete("/v1/sessions/current")]
async fn sign_out(permit: ControlPermit<permissions::End>) -> Result<HttpResponse, Problem> {
    let account = permit.account()?;
    let session = permit.session().ok_or(SessionError::Unknown)?;
    let work = async move |tx: &mut WriteTx<'_>| {
        // Leaving by the door is no privileged act.
        tx.logged();
        actions::end(tx, account, session).await
    };
    permit.write("sessions.sign_out", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End one of your sessions; its tokens stop working within a second.
#[utoipa::path(
    tag = "Sessions", params(("session" = SessionId, Path)),
    responses((status = 204, description = "Ended"))
)]
#[delete("/v1/sessions/{session}")]
async fn end(
    permit: ControlPermit<permissions::End>,
    session: Path<SessionId>,
) -> Result<HttpResponse, Problem> {
    let account = permit.account()?;
    permit.write("sessions.end", async move |tx| actions::end(tx, account, *session).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign out everywhere: every token of this account stops working within a second.
#[utoipa::path(tag = "Sessions", responses((status = 204, description = "All sessions ended")))]
#[delete("/v1/sessions")]
async fn end_all(permit: ControlPermit<permissions::End>) -> Result<HttpResponse, Problem> {
    let account = permit.account()?;
    let work = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, SessionError>(actions::end_all(tx, account, EndReason::SignedOutEverywhere).await?)
    };
    permit.write("sessions.end_all", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
