//! One's own account.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use souk_access::Permit;
use souk_api::{ETag, IfMatch, Json, Problem, not_modified};
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::error::CustomerError;
use crate::customers::model::{
    AccountView, ChangeEmail, ChangePassword, Customer, Door, EditAccount, Mailed, Origin, Reception, Typed,
    customer_of,
};
use crate::customers::permissions::{EditOwn, ViewOwn};
use crate::customers::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(show).service(edit).service(resend).service(change_password).service(change_email);
}

fn shown(customer: Customer) -> HttpResponse {
    let etag = ETag::new(customer.version);
    let private = ("cache-control", "private, no-cache");
    HttpResponse::Ok().insert_header(etag).insert_header(private).json(AccountView::from(customer))
}

/// Your account
#[utoipa::path(tag = "Customers", operation_id = "getAccount", responses((status = 200, body = AccountView),
    (status = 304, description = "Not modified"), (status = 401, body = Problem)))]
#[get("/store/v1/account")]
async fn show(permit: Permit<ViewOwn>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let work = async move |tx: &mut ReadTx<'_>| Ok::<_, CustomerError>(queries::find(tx, id).await?);
    let customer = permit.read("customers.show", work).await?.ok_or(CustomerError::Unknown)?;
    Ok(not_modified(&request, &ETag::new(customer.version)).unwrap_or_else(|| shown(customer)))
}

/// Change your profile
#[utoipa::path(tag = "Customers", operation_id = "editAccount", params(("If-Match" = Option<String>, Header)),
    request_body = EditAccount, responses((status = 200, body = AccountView), (status = 401, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[patch("/store/v1/account")]
async fn edit(
    permit: Permit<EditOwn>,
    seen: IfMatch,
    body: Json<EditAccount>,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = (customer_of(&permit)?, body.into_inner());
    let work = async move |tx: &mut WriteTx<'_>| actions::edit_account(tx, id, &seen, &wish).await;
    Ok(shown(permit.write("customers.edit_own", work).await?))
}

/// Send the confirmation mail again
///
/// Earlier links stop working.
#[utoipa::path(tag = "Customers", operation_id = "resendVerification", responses(
    (status = 202, description = "A mail is on its way"), (status = 401, body = Problem), (status = 409, body = Problem),
    (status = 429, body = Problem)))]
#[post("/store/v1/account/verification")]
async fn resend(permit: Permit<EditOwn>, origin: Origin) -> Result<HttpResponse, Problem> {
    let (id, origin) = (customer_of(&permit)?, &origin);
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::attempt(tx, Door::Reset, &id.to_string(), origin).await?;
        actions::resend_verification(tx, id).await
    };
    permit.write("customers.resend", work).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Change your password
///
/// Every session ends, this one too.
#[utoipa::path(tag = "Customers", operation_id = "changePassword", request_body = ChangePassword, responses(
    (status = 204, description = "Changed; sign in again"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/store/v1/account/password")]
async fn change_password(
    permit: Permit<EditOwn>,
    reception: Reception,
    origin: Origin,
    body: Json<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let customer = actions::prove(&permit, &reception, &origin, Some(body.current_password.as_str())).await?;
    let context = [customer.email.as_str(), &customer.first_name, &customer.last_name];
    let password = actions::chosen(body.new_password.as_str(), "/new_password", &context)?;
    let hash = reception.hasher.hash(password).await.map_err(CustomerError::from)?;
    let id = customer.id;
    let work = async move |tx: &mut WriteTx<'_>| actions::change_password(tx, id, &hash).await;
    permit.write("customers.change_password", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ask for another address
///
/// Both mailboxes get a link; the change is made when both have agreed. The answer is the same when the address has an account. Whoever has no
/// password signs in with their provider again, with `fresh=true`, and asks within 15 minutes.
#[utoipa::path(tag = "Customers", operation_id = "changeEmail", request_body = ChangeEmail, responses(
    (status = 202, body = Mailed), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
#[post("/store/v1/account/email")]
async fn change_email(
    permit: Permit<EditOwn>,
    reception: Reception,
    origin: Origin,
    body: Json<ChangeEmail>,
) -> Result<HttpResponse, Problem> {
    let ChangeEmail { email, password } = body.into_inner();
    let typed = password.as_ref().map(Typed::as_str);
    let customer = actions::prove(&permit, &reception, &origin, typed).await?;
    let (id, origin) = (customer.id, &origin);
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::attempt(tx, Door::Reset, &email.key(), origin).await?;
        actions::wish_email(tx, id, &email).await
    };
    permit.write("customers.change_email", work).await?;
    Ok(HttpResponse::Accepted().json(Mailed::EMAIL_CHANGE))
}
