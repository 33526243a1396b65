//! Signing in and out.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, delete, get, post};
use souk_access::{Password, Permit, RefreshToken};
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::SessionId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::actions::{self, Refreshed};
use crate::customers::error::CustomerError;
use crate::customers::model::{
    EndReason, Origin, Reception, Refresh, SessionView, SignIn, Tokens, customer_of, session_of,
};
use crate::customers::permissions::{self, EditOwn, ViewOwn};
use crate::customers::queries;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(sign_in).service(refresh).service(list).service(sign_out).service(end).service(end_all);
}

/// Sign in
///
/// The answer is the same for a wrong password and for an address nobody has. After ten failures for an account from a network within
/// ten minutes: 429.
#[utoipa::path(tag = "Customers", operation_id = "signIn", request_body = SignIn, responses(
    (status = 201, body = Tokens), (status = 401, body = Problem), (status = 429, body = Problem)))]
#[post("/store/v1/sessions")]
async fn sign_in(
    permit: Permit<permissions::SignIn>,
    reception: Reception,
    origin: Origin,
    body: Json<SignIn>,
) -> Result<HttpResponse, Problem> {
    let (email, origin) = (&body.email, &origin);
    let password =
        Password::presented(body.password.as_str()).map_err(|_| CustomerError::WrongCredentials)?;
    let begin = async move |tx: &mut WriteTx<'_>| actions::begin(tx, email, origin).await;
    let found = permit.write("customers.begin", begin).await?;
    let hash = found.as_ref().and_then(|(_, hash)| hash.as_ref());
    let right = reception.hasher.verify(password, hash).await.map_err(CustomerError::from)?;
    let (customer, _) = found.filter(|_| right).ok_or(CustomerError::WrongCredentials)?;
    let (id, signing) = (customer.id, &*reception.signing);
    let open = async move |tx: &mut WriteTx<'_>| {
        let now = tx.now();
        actions::open(tx, signing, id, origin, now).await
    };
    Ok(for_one_reader(HttpResponse::Created(), &permit.write("customers.open", open).await?))
}

/// Exchange a refresh token for new tokens
///
/// Each works once; using one twice ends its session.
#[utoipa::path(tag = "Customers", operation_id = "refreshSession", request_body = Refresh, responses(
    (status = 200, body = Tokens), (status = 401, body = Problem)))]
#[post("/store/v1/sessions/refresh")]
async fn refresh(
    permit: Permit<permissions::SignIn>,
    reception: Reception,
    body: Json<Refresh>,
) -> Result<HttpResponse, Problem> {
    let token =
        RefreshToken::parse(body.refresh_token.as_str()).ok_or(CustomerError::RefreshRefused("malformed"))?;
    let signing = &*reception.signing;
    let work = async move |tx: &mut WriteTx<'_>| actions::refresh(tx, signing, &token).await;
    match permit.write("customers.refresh", work).await? {
        Refreshed::Tokens(tokens) => Ok(for_one_reader(HttpResponse::Ok(), &tokens)),
        Refreshed::Refused(reason) => Err(CustomerError::RefreshRefused(reason).into()),
    }
}

fn for_one_reader(mut reply: HttpResponseBuilder, tokens: &Tokens) -> HttpResponse {
    reply.insert_header((header::CACHE_CONTROL, "no-store")).json(tokens)
}

/// Devices that are signed in
#[utoipa::path(tag = "Customers", operation_id = "listSessions", responses(
    (status = 200, body = Page<SessionView>), (status = 401, body = Problem)))]
#[get("/store/v1/sessions")]
async fn list(permit: Permit<ViewOwn>) -> Result<Page<SessionView>, Problem> {
    let (id, session) = (customer_of(&permit)?, session_of(&permit));
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, CustomerError>(queries::sessions(tx, id).await?);
    let rows = permit.read("customers.sessions", work).await?;
    Ok(Page::whole(rows.into_iter().map(|row| row.view(session)).collect()))
}

/// Sign out
///
/// This session's tokens stop working within a second.
#[utoipa::path(tag = "Customers", operation_id = "signOut", responses(
    (status = 204, description = "Signed out"), (status = 401, body = Problem)))]
#[delete("/store/v1/sessions/current")]
async fn sign_out(permit: Permit<EditOwn>) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let session = session_of(&permit).ok_or(CustomerError::Unknown)?;
    permit.write("customers.sign_out", async move |tx| actions::end(tx, id, session).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign a device out
#[utoipa::path(tag = "Customers", operation_id = "endSession", params(("session" = SessionId, Path)), responses(
    (status = 204, description = "Ended"), (status = 401, body = Problem), (status = 404, body = Problem)))]
#[delete("/store/v1/sessions/{session}")]
async fn end(permit: Permit<EditOwn>, session: Path<SessionId>) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    permit.write("customers.end_session", async move |tx| actions::end(tx, id, *session).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sign out everywhere
///
/// Every token of this account stops working within a second.
#[utoipa::path(tag = "Customers", operation_id = "endAllSessions", responses(
    (status = 204, description = "All sessions ended"), (status = 401, body = Problem)))]
#[delete("/store/v1/sessions")]
async fn end_all(permit: Permit<EditOwn>) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let work =
        async move |tx: &mut WriteTx<'_>| actions::end_all(tx, id, EndReason::SignedOutEverywhere).await;
    permit.write("customers.end_all", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
