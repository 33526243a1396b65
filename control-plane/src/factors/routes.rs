//! The second factor over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, post};
use souk_access::{ControlPermit, Permission, Writes};
use souk_api::{Json, Problem};
use souk_kernel::AccountId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::error::FactorError;
use super::model::{Confirm, Enrol, Enrolment, FactorView, Guess, Proof, RecoveryCodes};
use super::permissions::{Edit, View};
use crate::accounts::{self, Account};
use crate::plane::{Origin, Plane};
use crate::sessions::{self, Door};

/// `/v1/account/second-factor`, `/v1/account/recovery-codes`, `/v1/sessions/current/proof`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(enrol).service(confirm).service(remove).service(renew_codes).service(prove);
}

/// Shown once, kept by nobody on the way.
fn once(body: &impl serde::Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// Counts one guess at a code, before it is compared.
///
/// # Errors
/// 429 after too many.
pub async fn count_guess<P: Permission<Access = Writes>>(
    permit: &ControlPermit<P>,
    account: AccountId,
    origin: &Origin,
) -> Result<(), Problem> {
    let who = &account.to_string();
    let work = async move |tx: &mut WriteTx<'_>| sessions::attempt(tx, Door::Factor, who, origin).await;
    Ok(permit.write("factors.attempt", work).await?)
}

/// The password now, and one guess at the code counted.
async fn begin(
    permit: &ControlPermit<Edit>,
    plane: &Plane,
    origin: &Origin,
    proof: &Proof,
) -> Result<Account, Problem> {
    let account = accounts::prove(permit, plane, origin, proof.password.as_str()).await?;
    count_guess(permit, account.id, origin).await?;
    Ok(account)
}

/// Whether you have a second factor.
#[utoipa::path(tag = "Factors", responses((status = 200, description = "Yes or no", body = FactorView)))]
#[get("/v1/account/second-factor")]
async fn show(permit: ControlPermit<View>) -> Result<HttpResponse, Problem> {
    let account = permit.account()?;
    let work = async move |tx: &mut ReadTx<'_>| actions::show(tx, account).await;
    Ok(HttpResponse::Ok().json(permit.read("factors.show", work).await?))
}

/// Set up an authenticator app. Scan or type the secret, then confirm with the app's first code; nothing is asked for before.
#[utoipa::path(
    tag = "Factors", request_body = Enrol,
    responses((status = 201, description = "For the app; shown once", body = Enrolment))
)]
#[post("/v1/account/second-factor")]
async fn enrol(
    permit: ControlPermit<Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<Enrol>,
) -> Result<HttpResponse, Problem> {
    let account = accounts::prove(&permit, &plane, &origin, body.password.as_str()).await?;
    let vault = plane.vault();
    let work = async move |tx: &mut WriteTx<'_>| actions::enrol(tx, vault, &account).await;
    Ok(once(&permit.write("factors.enrol", work).await?))
}

/// Confirm the app with its first code. From now on signing in asks for one. Keep the recovery codes: each works once.
#[utoipa::path(
    tag = "Factors", request_body = Confirm,
    responses((status = 201, description = "Confirmed; shown once", body = RecoveryCodes))
)]
#[post("/v1/account/second-factor/confirm")]
async fn confirm(
    permit: ControlPermit<Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<Confirm>,
) -> Result<HttpResponse, Problem> {
    let (account, session) = (permit.account()?, permit.session().ok_or(FactorError::NoSession)?);
    count_guess(&permit, account, &origin).await?;
    let guess = &Guess::new(&plane, &origin, Some(&body.code));
    let work = async move |tx: &mut WriteTx<'_>| actions::confirm(tx, guess, account, session).await;
    let codes = permit.write("factors.confirm", work).await?;
    plane.wake();
    Ok(once(&codes))
}

/// Take the second factor away, or begin anew with one that was never confirmed.
#[utoipa::path(
    tag = "Factors", request_body = Proof,
    responses((status = 204, description = "Signing in asks for the password only"))
)]
#[delete("/v1/account/second-factor")]
async fn remove(
    permit: ControlPermit<Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<Proof>,
) -> Result<HttpResponse, Problem> {
    let account = begin(&permit, &plane, &origin, &body).await?;
    let guess = &Guess::new(&plane, &origin, body.code.as_ref());
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, guess, &account).await;
    permit.write("factors.remove", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}

/// New recovery codes; the old ones stop working.
#[utoipa::path(
    tag = "Factors", request_body = Proof,
    responses((status = 201, description = "Shown once", body = RecoveryCodes))
)]
#[post("/v1/account/recovery-codes")]
async fn renew_codes(
    permit: ControlPermit<Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<Proof>,
) -> Result<HttpResponse, Problem> {
    let account = begin(&permit, &plane, &origin, &body).await?;
    let guess = &Guess::new(&plane, &origin, body.code.as_ref());
    let work = async move |tx: &mut WriteTx<'_>| actions::renew_codes(tx, guess, &account).await;
    let codes = permit.write("factors.renew_codes", work).await?;
    plane.wake();
    Ok(once(&codes))
}

/// Prove again who you are. For the next 15 minutes this session may do what is dangerous, such as deleting a store; staff tokens
/// taken from now on say so to the stores.
#[utoipa::path(
    tag = "Factors", request_body = Proof,
    responses((status = 204, description = "Proved"))
)]
#[post("/v1/sessions/current/proof")]
async fn prove(
    permit: ControlPermit<Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<Proof>,
) -> Result<HttpResponse, Problem> {
    let session = permit.session().ok_or(FactorError::NoSession)?;
    let account = begin(&permit, &plane, &origin, &body).await?;
    let guess = &Guess::new(&plane, &origin, body.code.as_ref());
    let work = async move |tx: &mut WriteTx<'_>| actions::prove(tx, guess, &account, session).await;
    permit.write("factors.prove", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}
