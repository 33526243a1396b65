//! Signing in with others over HTTP.

use actix_web::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use actix_web::{HttpResponse, delete, get, post};
use souk_access::{ControlPermit, Refusal};
use souk_api::{Json, Page, Path, Problem, Query};
use souk_kernel::IdentityId;
use souk_tenancy::{ReadTx, WriteTx};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Back, Begin, Identity, LinkByTicket, ProviderView, SignInByTicket};
use super::permissions::{Link, SignIn, View};
use super::{actions, queries};
use crate::factors::{self, Guess};
use crate::plane::{Origin, Plane};
use crate::sessions::Tokens;

/// `/v1/identity-providers`, `/v1/sign-in`, `/v1/sessions/identity`, `/v1/account/identities`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(providers).service(begin).service(come_back).service(sign_in);
    config.service(list).service(link).service(unlink);
}

/// A browser goes on; neither page learns of the other's address.
fn go(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// With whom one can sign in.
#[utoipa::path(
    tag = "Identities", security(()),
    responses((status = 200, description = "All of them; often none", body = Page<ProviderView>))
)]
#[get("/v1/identity-providers")]
async fn providers(_: ControlPermit<SignIn>, plane: Plane) -> Page<ProviderView> {
    let url = &plane.settings().public_url;
    let view = plane.providers().iter().map(|provider| ProviderView {
        id: provider.id().to_owned(),
        name: provider.name().to_owned(),
        sign_in_url: format!("{url}/v1/sign-in/{}", provider.id()),
    });
    Page::whole(view.collect())
}

/// Send a browser here to sign in with a provider. It comes back to the page `signed-in` of the console, with `#token=` and a ticket, or with
/// `#error=` (`denied`, `refused`, `second_factor`, `away`). Exchange the ticket at `POST /v1/sessions/identity`.
#[utoipa::path(
    tag = "Identities", security(()), params(("provider" = String, Path, example = "google"), Begin),
    responses((status = 303, description = "To the provider"))
)]
#[get("/v1/sign-in/{provider}")]
async fn begin(
    permit: ControlPermit<SignIn>,
    plane: Plane,
    provider: Path<String>,
    query: Query<Begin>,
) -> Result<HttpResponse, Problem> {
    let provider = actions::provider(&plane, &provider)?;
    Ok(go(actions::begin(&permit, &plane, provider, &query).await?.as_str()))
}

/// Where a provider sends the browser back to: register this address there.
#[utoipa::path(
    tag = "Identities", security(()), params(("provider" = String, Path, example = "google"), Back),
    responses((status = 303, description = "To the console"))
)]
#[get("/v1/sign-in/{provider}/callback")]
async fn come_back(
    permit: ControlPermit<SignIn>,
    plane: Plane,
    provider: Path<String>,
    query: Query<Back>,
) -> Result<HttpResponse, Problem> {
    let provider = actions::provider(&plane, &provider)?;
    Ok(go(&actions::come_back(&permit, &plane, provider, query.into_inner()).await?))
}

/// Sign in with a ticket. Whoever comes the first time gets an account, if the provider has verified their address and nobody has an account
/// with it; an account that is there already is never entered by its address.
#[utoipa::path(
    tag = "Identities", security(()), request_body = SignInByTicket,
    responses((status = 201, description = "Signed in", body = Tokens))
)]
#[post("/v1/sessions/identity")]
async fn sign_in(
    permit: ControlPermit<SignIn>,
    plane: Plane,
    origin: Origin,
    body: Json<SignInByTicket>,
) -> Result<HttpResponse, Problem> {
    let (ticket, verifier) = (body.ticket.as_str(), body.verifier.as_str());
    if body.code.is_some()
        && let Some(account) = actions::peek(&permit, ticket).await?
    {
        factors::count_guess(&permit, account, &origin).await?;
    }
    let guess = &Guess::new(&plane, &origin, body.code.as_ref());
    let work = async move |tx: &mut WriteTx<'_>| actions::sign_in(tx, ticket, verifier, guess).await;
    let tokens = permit.write("identities.sign_in", work).await?;
    plane.wake();
    Ok(HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(tokens))
}

/// Your identities elsewhere: each is a way in.
#[utoipa::path(
    tag = "Identities",
    responses((status = 200, description = "All of them", body = Page<Identity>))
)]
#[get("/v1/account/identities")]
async fn list(permit: ControlPermit<View>) -> Result<Page<Identity>, Problem> {
    let account = permit.account()?;
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, Refusal>(queries::list(tx, account).await?);
    Ok(Page::whole(permit.read("identities.list", find).await?))
}

/// Link the identity behind a ticket to your account. From now on it signs you in. Needs a proof of who you are from the last 15 minutes.
#[utoipa::path(
    tag = "Identities", request_body = LinkByTicket,
    responses((status = 204, description = "Linked"))
)]
#[post("/v1/account/identities")]
async fn link(
    permit: ControlPermit<Link>,
    plane: Plane,
    body: Json<LinkByTicket>,
) -> Result<HttpResponse, Problem> {
    let (account, settings) = (permit.account()?, plane.settings());
    let work = async move |tx: &mut WriteTx<'_>| {
        actions::link_to(tx, settings, account, body.ticket.as_str(), body.verifier.as_str()).await
    };
    permit.write("identities.link", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}

/// Take an identity away: it signs you in no more. Needs a proof of who you are from the last 15 minutes; the last way in stays.
#[utoipa::path(
    tag = "Identities", params(("identity" = IdentityId, Path)),
    responses((status = 204, description = "Taken away"))
)]
#[delete("/v1/account/identities/{identity}")]
async fn unlink(
    permit: ControlPermit<Link>,
    plane: Plane,
    identity: Path<IdentityId>,
) -> Result<HttpResponse, Problem> {
    let (account, settings) = (permit.account()?, plane.settings());
    let work = async move |tx: &mut WriteTx<'_>| actions::unlink(tx, settings, account, *identity).await;
    permit.write("identities.unlink", work).await?;
    plane.wake();
    Ok(HttpResponse::NoContent().finish())
}
