//! Customers whom a provider vouches for.

use actix_web::{HttpResponse, delete, get, post};
use souk_access::Permit;
use souk_api::{Json, Page, Path, Problem};
use souk_kernel::IdentityId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::customers::permissions::{EditOwn, ViewOwn};
use crate::customers::{self, Origin, Reception, Tokens, Typed, customer_of};
use crate::identities::error::IdentityError;
use crate::identities::model::{IdentityView, LinkWish, Owner, TicketWish};
use crate::identities::permissions::SignIn;
use crate::identities::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(sign_in).service(list).service(link).service(unlink);
}

/// Sign in with a ticket
///
/// Whoever comes the first time gets an account, if the provider has verified their address and nobody has an account with it; an account that
/// is there already is never entered by its address.
#[utoipa::path(tag = "Customers", operation_id = "signInWithTicket", request_body = TicketWish, responses(
    (status = 201, body = Tokens), (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
#[post("/store/v1/sessions/identity")]
async fn sign_in(
    permit: Permit<SignIn>,
    reception: Reception,
    origin: Origin,
    body: Json<TicketWish>,
) -> Result<HttpResponse, Problem> {
    let (signing, origin) = (&*reception.signing, &origin);
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::enter_customer(tx, signing, origin, shown).await;
    Ok(super::tokens(HttpResponse::Created(), &permit.write("identities.enter", work).await?))
}

/// Your identities elsewhere
///
/// Each is a way in.
#[utoipa::path(tag = "Customers", operation_id = "listIdentities", responses(
    (status = 200, body = Page<IdentityView>), (status = 401, body = Problem)))]
#[get("/store/v1/account/identities")]
async fn list(permit: Permit<ViewOwn>) -> Result<Page<IdentityView>, Problem> {
    let id = customer_of(&permit)?;
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, IdentityError>(queries::list(tx, Owner::Customer(id)).await?)
    };
    Ok(Page::whole(permit.read("identities.list", look).await?))
}

/// Link the identity behind a ticket to your account
///
/// From now on it signs you in. The password proves that it is you; whoever has none has signed in with their provider within the last 15
/// minutes.
#[utoipa::path(tag = "Customers", operation_id = "linkIdentity", request_body = LinkWish, responses(
    (status = 204, description = "Linked"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 410, body = Problem), (status = 429, body = Problem)))]
#[post("/store/v1/account/identities")]
async fn link(
    permit: Permit<EditOwn>,
    reception: Reception,
    origin: Origin,
    body: Json<LinkWish>,
) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let typed = body.password.as_ref().map(Typed::as_str);
    customers::prove(&permit, &reception, &origin, typed).await?;
    let shown = (body.ticket.as_str(), body.verifier.as_str());
    let work = async move |tx: &mut WriteTx<'_>| actions::link_customer(tx, id, shown).await;
    permit.write("identities.link", work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take an identity away
///
/// It signs you in no more; the last way in stays.
#[utoipa::path(tag = "Customers", operation_id = "unlinkIdentity", params(("identity" = IdentityId, Path)), responses(
    (status = 204, description = "Taken away"), (status = 401, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
#[delete("/store/v1/account/identities/{identity}")]
async fn unlink(permit: Permit<EditOwn>, identity: Path<IdentityId>) -> Result<HttpResponse, Problem> {
    let id = customer_of(&permit)?;
    let work = async move |tx: &mut WriteTx<'_>| actions::unlink_customer(tx, id, *identity).await;
    permit.write("identities.unlink", work).await?;
    Ok(HttpResponse::NoContent().finish())
}
