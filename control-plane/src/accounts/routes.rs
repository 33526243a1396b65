//! Accounts over HTTP.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use souk_access::{Cause, ControlPermit, LinkSecret, Password, Writes};
use souk_api::{ETag, IfMatch, Json, Problem, evenly, not_modified};
use souk_tenancy::WriteTx;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::AccountError;
use super::model::{
    Account, AccountView, ChangePassword, CompleteReset, DeleteAccount, EditAccount, Register, Registered,
    RequestReset, ResetRequested, VerifyEmail,
};
use super::{actions, permissions, queries};
use crate::audit::By;
use crate::locale::Locale;
use crate::plane::{Origin, Plane};
use crate::sessions::{self, Door};

/// `/v1/accounts`, `/v1/account`, `/v1/password-resets`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(register).service(verify).service(resend).service(show).service(edit);
    config.service(change_password).service(request_reset).service(complete_reset).service(leave);
}

/// Sign up. The answer is the same when the address has an account already; then its owner gets a mail. Sign in next:
/// the address need not be confirmed first.
#[utoipa::path(
    tag = "Accounts", security(()), request_body = Register,
    responses((status = 202, description = "A mail was sent", body = Registered))
)]
#[post("/v1/accounts")]
async fn register(
    permit: ControlPermit<permissions::SignUp>,
    plane: Plane,
    origin: Origin,
    req: HttpRequest,
    body: Json<Register>,
) -> Result<HttpResponse, Problem> {
    let wish = body.into_inner();
    let locale = wish.locale.clone().or_else(|| Locale::preferred(&req)).unwrap_or_default();
    let name = wish.display_name().ok_or(AccountError::NameNeeded)?;
    let password =
        actions::chosen(wish.password.as_str(), "/password", &[wish.email.as_str(), name.as_str()])?;
    count(&permit, Door::Register, &wish.email.key(), &origin).await?;
    let hash = plane.hasher().hash(password).await.map_err(AccountError::from)?;
    let settings = plane.settings();
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::register(tx, settings, &wish.email, &name, &locale, &hash).await
    };
    evenly(permit.write("accounts.register", work)).await?;
    plane.wake();
    Ok(HttpResponse::Accepted().json(Registered::ANSWER))
}

/// Attempts from outside are counted before they cost anything.
async fn count<P: souk_access::Permission<Access = Writes>>(
    permit: &ControlPermit<P>,
    door: Door,
    account: &str,
    origin: &Origin,
) -> Result<(), Problem> {
    let work = async move |tx: &mut WriteTx<'_>| sessions::attempt(tx, door, account, origin).await;
    Ok(permit.write("accounts.attempt", work).await?)
}

/// Confirm your address with the token of the mailed link.
#[utoipa::path(
    tag = "Accounts", security(()), request_body = VerifyEmail,
    responses((status = 204, description = "Confirmed"))
)]
#[post("/v1/accounts/verify")]
async fn verify(
    permit: ControlPermit<permissions::Recover>,
    body: Json<VerifyEmail>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(AccountError::LinkUnusable)?;
    permit.write("accounts.verify", async move |tx| actions::verify(tx, &secret).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send the confirmation mail again; earlier links stop working.
#[utoipa::path(tag = "Accounts", responses((status = 202, description = "A mail was sent")))]
#[post("/v1/account/verification")]
async fn resend(
    permit: ControlPermit<permissions::Edit>,
    plane: Plane,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let account = permit.account()?;
    count(&permit, Door::Reset, &account.to_string(), &origin).await?;
    let settings = plane.settings();
    let work = async move |tx: &mut WriteTx<'_>| actions::resend_verification(tx, settings, account).await;
    permit.write("accounts.resend", work).await?;
    plane.wake();
    Ok(HttpResponse::Accepted().finish())
}

/// Your account.
#[utoipa::path(tag = "Accounts", responses((status = 200, description = "You", body = AccountView)))]
#[get("/v1/account")]
async fn show(permit: ControlPermit<permissions::View>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = permit.account()?;
    let find =
        async move |tx: &mut souk_tenancy::ReadTx<'_>| Ok::<_, AccountError>(queries::find(tx, id).await?);
    let account = permit.read("accounts.show", find).await?.ok_or(AccountError::Gone)?;
    Ok(not_modified(&req, &ETag::new(account.version)).unwrap_or_else(|| shown(account)))
}

fn shown(account: Account) -> HttpResponse {
    let etag = ETag::new(account.version);
    HttpResponse::Ok().insert_header(etag).json(AccountView::from(account))
}

/// Change your profile.
#[utoipa::path(
    tag = "Accounts", request_body = EditAccount, params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Changed", body = AccountView))
)]
#[patch("/v1/account")]
async fn edit(
    permit: ControlPermit<permissions::Edit>,
    if_match: IfMatch,
    body: Json<EditAccount>,
) -> Result<HttpResponse, Problem> {
    let id = permit.account()?;
    let work = async move |tx: &mut WriteTx<'_>| actions::edit(tx, id, &if_match, &body).await;
    Ok(shown(permit.write("accounts.edit", work).await?))
}

/// Change your password. Every session ends, this one too.
#[utoipa::path(
    tag = "Accounts", request_body = ChangePassword,
    responses((status = 204, description = "Changed; sign in again"))
)]
#[post("/v1/account/password")]
async fn change_password(
    permit: ControlPermit<permissions::Edit>,
    plane: Plane,
    origin: Origin,
    body: Json<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let account = prove(&permit, &plane, &origin, body.current_password.as_str()).await?;
    let context = [account.email.as_str(), account.name.as_str()];
    let password = actions::chosen(body.new_password.as_str(), "/new_password", &context)?;
    let hash = plane.hasher().hash(password).await.map_err(AccountError::from)?;
    let (id, settings) = (account.id, plane.settings());
    let work = async move |tx: &mut WriteTx<'_>| actions::change_password(tx, settings, id, &hash).await;
    permit.write("accounts.change_password", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}

/// Checks the current password of a signed-in person; guesses are counted like sign-ins.
///
/// # Errors
/// 403 for a wrong one, 429 after too many.
pub async fn prove<P: souk_access::Permission<Access = Writes>>(
    permit: &ControlPermit<P>,
    plane: &Plane,
    origin: &Origin,
    typed: &str,
) -> Result<Account, Problem> {
    let id = permit.account()?;
    let begin = async move |tx: &mut WriteTx<'_>| actions::begin_proof(tx, id, origin).await;
    let (account, hash) = permit.write("accounts.prove", begin).await?;
    let password = Password::presented(typed).map_err(|_| AccountError::WrongPassword)?;
    if !plane.hasher().verify(password, Some(&hash)).await.map_err(AccountError::from)? {
        return Err(AccountError::WrongPassword.into());
    }
    permit.write("accounts.proved", async move |tx| actions::end_proof(tx, id, origin).await).await?;
    Ok(account)
}

/// Ask for a link that sets a new password. The answer is the same for every address.
#[utoipa::path(
    tag = "Accounts", security(()), request_body = RequestReset,
    responses((status = 202, description = "A mail was sent if there is an account", body = ResetRequested))
)]
#[post("/v1/password-resets")]
async fn request_reset(
    permit: ControlPermit<permissions::Recover>,
    plane: Plane,
    origin: Origin,
    body: Json<RequestReset>,
) -> Result<HttpResponse, Problem> {
    count(&permit, Door::Reset, &body.email.key(), &origin).await?;
    let settings = plane.settings();
    let work = async move |tx: &mut WriteTx<'_>| actions::request_reset(tx, settings, &body.email).await;
    evenly(permit.write("accounts.request_reset", work)).await?;
    plane.wake();
    Ok(HttpResponse::Accepted().json(ResetRequested::ANSWER))
}

/// Set a new password with the token of the mailed link. It works once; every session ends.
#[utoipa::path(
    tag = "Accounts", security(()), request_body = CompleteReset,
    responses((status = 204, description = "Changed; sign in with it"))
)]
#[post("/v1/password-resets/complete")]
async fn complete_reset(
    permit: ControlPermit<permissions::Recover>,
    plane: Plane,
    body: Json<CompleteReset>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(AccountError::LinkUnusable)?;
    let password = actions::chosen(body.new_password.as_str(), "/new_password", &[])?;
    let hash = plane.hasher().hash(password).await.map_err(AccountError::from)?;
    let settings = plane.settings();
    let work = async move |tx: &mut WriteTx<'_>| actions::complete_reset(tx, settings, &secret, &hash).await;
    permit.write("accounts.complete_reset", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}

/// Delete your account. Refused while you are the only owner of an organization.
#[utoipa::path(
    tag = "Accounts", request_body = DeleteAccount,
    responses((status = 204, description = "Deleted, everywhere signed out"))
)]
#[delete("/v1/account")]
async fn leave(
    permit: ControlPermit<permissions::Edit>,
    plane: Plane,
    origin: Origin,
    cause: Cause,
    body: Json<DeleteAccount>,
) -> Result<HttpResponse, Problem> {
    let account = prove(&permit, &plane, &origin, body.password.as_str()).await?;
    let by = &By::of(permit.actor(), &cause);
    let work = async move |tx: &mut WriteTx<'_>| actions::delete(tx, by, account.id).await;
    permit.write("accounts.delete", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
