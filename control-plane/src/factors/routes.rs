//! The second factor over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, post};
use souk_access::ControlPermit;
use souk_api::{Json, Problem};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::actions;
use super::error::FactorError;
use super::model::{Confirm, Enrol, Enrolment, FactorView, Proof, RecoveryCodes};
use super::permissions::{Edit, View};
use crate::accounts::{self, Typed};
use crate::plane::{Origin, Plane};

/// `/v1/account/second-factor`, `/v1/account/recovery-codes`, `/v1/sessions/current/proof`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(enrol).service(confirm).service(remove).service(renew_codes).service(prove);
}

fn once(body: &impl serde::Serialize) -> HttpResponse {
    HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(body)
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
    let signing = plane.signing();
    let work = async move |tx: &mut WriteTx<'_>| actions::enrol(tx, signing, &account).await;
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
    let (account, session, signing) = (permit.account()?, permit.session(), plane.signing());
    accounts::count_proof(&permit, account, &origin).await?;
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::confirm(tx, signing, account, session, body.code.as_str()).await
    };
    Ok(once(&permit.write("factors.confirm", work).await?))
}

fn code(proof: &Proof) -> Option<&str> {
    proof.code.as_ref().map(Typed::as_str)
}

/// Take the second factor away.
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
    let account = accounts::prove(&permit, &plane, &origin, body.password.as_str()).await?.id;
    accounts::count_proof(&permit, account, &origin).await?;
    let signing = plane.signing();
    let work = async move |tx: &mut WriteTx<'_>| actions::remove(tx, signing, account, code(&body)).await;
    permit.write("factors.remove", work).await?;
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
    let account = accounts::prove(&permit, &plane, &origin, body.password.as_str()).await?.id;
    accounts::count_proof(&permit, account, &origin).await?;
    let signing = plane.signing();
    let work =
        async move |tx: &mut WriteTx<'_>| actions::renew_codes(tx, signing, account, code(&body)).await;
    Ok(once(&permit.write("factors.renew_codes", work).await?))
}

/// Prove again who you are. For the next 15 minutes this session may do what is dangerous, such as deleting a store.
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
    let account = accounts::prove(&permit, &plane, &origin, body.password.as_str()).await?.id;
    accounts::count_proof(&permit, account, &origin).await?;
    let (signing, session) = (plane.signing(), permit.session().ok_or(FactorError::StepUp)?);
    let work =
        async move |tx: &mut WriteTx<'_>| actions::prove(tx, signing, account, session, code(&body)).await;
    permit.write("factors.prove", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
