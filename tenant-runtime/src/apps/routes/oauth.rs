//! Tokens for apps (RFC 6749 §4.4), and where they are to be had (RFC 8414).

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use souk_access::{Gate, Permit, Unsigned};
use souk_api::Problem;
use souk_tenancy::WriteTx;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::apps::actions;
use crate::apps::error::{Denied, NoToken, OauthErrorView};
use crate::apps::model::{ServerMetadata, TokenView, TokenWish};
use crate::apps::permissions::SignIn;
use crate::customers::Reception;
use crate::storefront::PublicAddress;

const GRANT: &str = "client_credentials";
const FORM: &str = "application/x-www-form-urlencoded";

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(token).service(metadata);
}

/// A token for an app
///
/// OAuth 2.0 client credentials (RFC 6749 §4.4): a form, with the app's id and secret in it or in the `Authorization` header (`Basic`). The
/// token is a bearer token for this store's `/admin/v1`, good for 15 minutes and for the scopes that were approved, or some of them. Errors
/// are the standard's own.
#[utoipa::path(tag = "Apps", operation_id = "oauth_token", security(()),
    request_body(content = TokenWish, content_type = "application/x-www-form-urlencoded", example = json!({
        "grant_type": "client_credentials", "scope": "order:view", "client_id": "app_01h455vb4pex5vsknk084sn02q",
        "client_secret": "app_secret_9Jk3dVd3iP0f0w2yT8cQmZr1nXb5sLh7uJg9aE4oKq3"})), responses(
    (status = 200, body = TokenView), (status = 400, body = OauthErrorView), (status = 401, body = OauthErrorView)))]
#[post("/oauth/token")]
async fn token(
    unsigned: Unsigned<SignIn>,
    gate: web::Data<Gate>,
    reception: Reception,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, NoToken> {
    let mut shown = request.headers().get_all(AUTHORIZATION);
    let authorization = shown.next().map(|value| value.to_str().unwrap_or_default());
    if shown.next().is_some() {
        return Err(Denied::Request("There are two Authorization headers.").into());
    }
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
        return Err(Denied::Request("The body must be application/x-www-form-urlencoded.").into());
    }
    let wish = TokenWish::read(&body)?;
    let (app, secret) = wish.client(authorization)?;
    match wish.grant_type.as_deref() {
        Some(GRANT) => {}
        Some(_) => return Err(Denied::GrantType.into()),
        None => return Err(Denied::Request("grant_type is missing.").into()),
    }
    let (gate, signing, scopes) = (gate.get_ref(), &*reception.signing, wish.scopes());
    let secret = &secret;
    let work =
        async move |tx: &mut WriteTx<'_>| actions::token(tx, gate, signing, (app, secret), scopes).await;
    let token = unsigned.permit.write("apps.token", work).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(token))
}

/// Where apps get tokens
///
/// The authorization server's metadata (RFC 8414).
#[utoipa::path(tag = "Apps", operation_id = "oauth_metadata", security(()), responses((status = 200, body = ServerMetadata)))]
#[get("/.well-known/oauth-authorization-server")]
async fn metadata(
    permit: Permit<SignIn>,
    gate: web::Data<Gate>,
    address: web::Data<PublicAddress>,
) -> Result<HttpResponse, Problem> {
    let issuer = address.of(permit.entry());
    let scopes = gate.policy().catalogue().keys().iter().map(ToString::to_string).collect();
    let metadata = ServerMetadata {
        token_endpoint: format!("{issuer}/oauth/token"),
        service_documentation: format!("{issuer}/docs"),
        issuer,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        grant_types_supported: [GRANT],
        response_types_supported: [],
        scopes_supported: scopes,
    };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=3600")).json(metadata))
}
