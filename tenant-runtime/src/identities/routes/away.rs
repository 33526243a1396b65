//! With whom one can sign in, and the way to a provider and back.

use actix_web::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use actix_web::{HttpResponse, get, web};
use souk_access::Permit;
use souk_api::{Page, Path, Problem, Query};
use souk_tenancy::ReadTx;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identities::error::IdentityError;
use crate::identities::model::{Audience, Back, Begin, Embassy, SignInChoice};
use crate::identities::permissions::SignIn;
use crate::identities::{actions, queries};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(choices).service(begin).service(come_back);
    config.service(staff_choices).service(staff_begin).service(staff_come_back);
}

/// A browser goes on; neither page learns of the other's address.
fn go(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}

async fn chosen(
    permit: &Permit<SignIn>,
    embassy: &Embassy,
    audience: Audience,
) -> Result<Page<SignInChoice>, Problem> {
    let look = async move |tx: &mut ReadTx<'_>| {
        Ok::<_, IdentityError>(queries::providers::open(tx, audience).await?)
    };
    let rows = permit.read("identities.choices", look).await?;
    let shown = rows.into_iter().map(|row| SignInChoice {
        sign_in_url: embassy.sign_in_url(permit.entry(), audience, &row.id),
        id: row.id,
        name: row.name,
    });
    Ok(Page::whole(shown.collect()))
}

/// With whom customers can sign in
#[utoipa::path(tag = "Customers", operation_id = "listSignInProviders", responses(
    (status = 200, description = "All of them; often none", body = Page<SignInChoice>)))]
#[get("/store/v1/identity-providers")]
async fn choices(permit: Permit<SignIn>, embassy: web::Data<Embassy>) -> Result<Page<SignInChoice>, Problem> {
    chosen(&permit, &embassy, Audience::Customers).await
}

/// Send a browser here to sign in with a provider
///
/// It comes back to the page `signed-in` below the store's account pages, with `#token=` and a ticket, or with `#error=` (`denied`,
/// `refused`, `second_factor`, `away`). Exchange the ticket at `POST /store/v1/sessions/identity`.
#[utoipa::path(tag = "Customers", operation_id = "beginSignIn", params(("provider" = String, Path, example = "google"), Begin),
    responses((status = 303, description = "To the provider"), (status = 404, body = Problem), (status = 503, body = Problem)))]
#[get("/store/v1/sign-in/{provider}")]
async fn begin(
    permit: Permit<SignIn>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    query: Query<Begin>,
) -> Result<HttpResponse, Problem> {
    let to = actions::begin(&permit, &embassy, Audience::Customers, &provider, &query).await?;
    Ok(go(to.as_str()))
}

/// Where a provider sends a customer's browser back to
///
/// Register this address there.
#[utoipa::path(tag = "Customers", operation_id = "finishSignIn", params(("provider" = String, Path, example = "google"), Back),
    responses((status = 303, description = "To the store's page"), (status = 400, body = Problem), (status = 404, body = Problem)))]
#[get("/store/v1/sign-in/{provider}/callback")]
async fn come_back(
    permit: Permit<SignIn>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    query: Query<Back>,
) -> Result<HttpResponse, Problem> {
    let answer = query.into_inner();
    Ok(go(&actions::come_back(&permit, &embassy, Audience::Customers, &provider, answer).await?))
}

/// With whom people who work here can sign in
#[utoipa::path(tag = "Staff", operation_id = "staff_sign_in_providers", security(()), responses(
    (status = 200, description = "All of them; often none", body = Page<SignInChoice>)))]
#[get("/admin/v1/sign-in")]
async fn staff_choices(
    permit: Permit<SignIn>,
    embassy: web::Data<Embassy>,
) -> Result<Page<SignInChoice>, Problem> {
    chosen(&permit, &embassy, Audience::Staff).await
}

/// Send a colleague's browser here to sign in with a provider
///
/// It comes back to the page `signed-in-to-store` of the console, with `#token=` and a ticket and `&store=`, or with `#error=` (`denied`,
/// `refused`, `second_factor`, `away`). Exchange the ticket at `POST /admin/v1/sessions/identity`.
#[utoipa::path(tag = "Staff", operation_id = "staff_begin_sign_in", security(()),
    params(("provider" = String, Path, example = "okta"), Begin),
    responses((status = 303, description = "To the provider"), (status = 404, body = Problem), (status = 503, body = Problem)))]
#[get("/admin/v1/sign-in/{provider}")]
async fn staff_begin(
    permit: Permit<SignIn>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    query: Query<Begin>,
) -> Result<HttpResponse, Problem> {
    let to = actions::begin(&permit, &embassy, Audience::Staff, &provider, &query).await?;
    Ok(go(to.as_str()))
}

/// Where a provider sends a colleague's browser back to
///
/// Register this address there.
#[utoipa::path(tag = "Staff", operation_id = "staff_finish_sign_in", security(()),
    params(("provider" = String, Path, example = "okta"), Back),
    responses((status = 303, description = "To the console"), (status = 400, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/v1/sign-in/{provider}/callback")]
async fn staff_come_back(
    permit: Permit<SignIn>,
    embassy: web::Data<Embassy>,
    provider: Path<String>,
    query: Query<Back>,
) -> Result<HttpResponse, Problem> {
    let answer = query.into_inner();
    Ok(go(&actions::come_back(&permit, &embassy, Audience::Staff, &provider, answer).await?))
}
