//! Before one is signed in: registering, confirming, a forgotten password. The same answers whatever is true.

use actix_web::{HttpResponse, post};
use souk_access::{LinkSecret, Permit};
use souk_api::{Json, Problem, evenly};
use souk_tenancy::WriteTx;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::actions;
use crate::customers::error::CustomerError;
use crate::customers::model::{
    CompleteReset, Door, EmailChange, Follow, Mailed, Origin, Reception, Register, RequestReset,
};
use crate::customers::permissions::SignIn;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(register)
        .service(verify)
        .service(request_reset)
        .service(complete_reset)
        .service(confirm_email);
}

/// Attempts from outside are counted before they cost anything.
async fn count(permit: &Permit<SignIn>, door: Door, account: &str, origin: &Origin) -> Result<(), Problem> {
    let work = async move |tx: &mut WriteTx<'_>| actions::attempt(tx, door, account, origin).await;
    Ok(permit.write("customers.attempt", work).await?)
}

/// Register
///
/// The answer is the same when the address has an account already; then its owner gets a mail. Sign in next: the address need not be
/// confirmed first.
#[utoipa::path(tag = "Customers", operation_id = "registerCustomer", request_body = Register, responses(
    (status = 202, body = Mailed), (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/store/v1/customers")]
async fn register(
    permit: Permit<SignIn>,
    reception: Reception,
    origin: Origin,
    body: Json<Register>,
) -> Result<HttpResponse, Problem> {
    let wish = body.into_inner();
    let names =
        [&wish.first_name, &wish.last_name].map(|name| name.as_ref().map_or("", |name| name.as_str()));
    let context = [wish.email.as_str(), names[0], names[1]];
    let password = actions::chosen(wish.password.as_str(), "/password", &context)?;
    count(&permit, Door::Register, &wish.email.key(), &origin).await?;
    let hash = reception.hasher.hash(password).await.map_err(CustomerError::from)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::register(tx, &wish, &hash).await;
    evenly(permit.write("customers.register", work)).await?;
    Ok(HttpResponse::Accepted().json(Mailed::REGISTERED))
}

/// Confirm an address with the token of the mailed link
#[utoipa::path(tag = "Customers", operation_id = "verifyCustomer", request_body = Follow, responses(
    (status = 204, description = "Confirmed"), (status = 410, body = Problem)))]
#[post("/store/v1/customers/verify")]
async fn verify(permit: Permit<SignIn>, body: Json<Follow>) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(CustomerError::LinkUnusable)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::verify(tx, &secret).await;
    permit.write("customers.verify", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ask for a link that sets a new password
///
/// The answer is the same for every address.
#[utoipa::path(tag = "Customers", operation_id = "requestPasswordReset", request_body = RequestReset, responses(
    (status = 202, body = Mailed), (status = 429, body = Problem)))]
#[post("/store/v1/password-resets")]
async fn request_reset(
    permit: Permit<SignIn>,
    origin: Origin,
    body: Json<RequestReset>,
) -> Result<HttpResponse, Problem> {
    let email = body.into_inner().email;
    count(&permit, Door::Reset, &email.key(), &origin).await?;
    let work = async move |tx: &mut WriteTx<'_>| actions::request_reset(tx, &email).await;
    evenly(permit.write("customers.request_reset", work)).await?;
    Ok(HttpResponse::Accepted().json(Mailed::RESET))
}

/// Set a new password with the token of the mailed link
///
/// It works once, for 30 minutes; every session ends.
#[utoipa::path(tag = "Customers", operation_id = "completePasswordReset", request_body = CompleteReset, responses(
    (status = 204, description = "Changed; sign in with it"), (status = 410, body = Problem), (status = 422, body = Problem)))]
#[post("/store/v1/password-resets/complete")]
async fn complete_reset(
    permit: Permit<SignIn>,
    reception: Reception,
    body: Json<CompleteReset>,
) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(CustomerError::LinkUnusable)?;
    let password = actions::chosen(body.new_password.as_str(), "/new_password", &[])?;
    let hash = reception.hasher.hash(password).await.map_err(CustomerError::from)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::complete_reset(tx, &secret, &hash).await;
    permit.write("customers.complete_reset", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Agree to a change of address with the token of a mailed link
///
/// Both mailboxes get one; the change is made when both have agreed.
#[utoipa::path(tag = "Customers", operation_id = "confirmEmailChange", request_body = Follow, responses(
    (status = 200, body = EmailChange), (status = 410, body = Problem)))]
#[post("/store/v1/email-changes/confirm")]
async fn confirm_email(permit: Permit<SignIn>, body: Json<Follow>) -> Result<HttpResponse, Problem> {
    let secret = LinkSecret::parse(body.token.as_str()).ok_or(CustomerError::LinkUnusable)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::confirm_email(tx, &secret).await;
    Ok(HttpResponse::Ok().json(permit.write("customers.confirm_email", work).await?))
}
