//! The plane as one HTTP application: routes, middleware, and the document that describes them.

use std::sync::{Arc, LazyLock};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use souk_access::{
    ControlGate, GateError, PermissionKey, Policy, PolicyError, SigningKey, TokenError, TokenKind, Verifier,
};
use souk_api::{
    CursorKey, RequestId, Transport, no_route, one_spelling, openapi, rate_limit, request_id,
    security_headers, strict_transport,
};
use souk_tenancy::ControlMint;
use utoipa::openapi::OpenApi;

use crate::plane::Plane;
use crate::{
    accounts, audit, factors, grants, identities, members, messages, operations, organizations, pages, plans,
    sessions, stores,
};

const MODEL: &str = include_str!("../policy/model.conf");
const ROLES: &str = include_str!("../policy/roles.csv");

/// Every permission of this plane.
pub fn permissions() -> impl Iterator<Item = PermissionKey> {
    let all = [
        accounts::PERMISSIONS,
        sessions::PERMISSIONS,
        factors::PERMISSIONS,
        identities::PERMISSIONS,
        organizations::PERMISSIONS,
        members::PERMISSIONS,
        stores::PERMISSIONS,
        grants::PERMISSIONS,
        operations::PERMISSIONS,
        audit::PERMISSIONS,
        messages::PERMISSIONS,
    ];
    all.into_iter().flatten().copied()
}

/// The committed policy, compiled.
pub async fn policy() -> Result<Policy, PolicyError> {
    Policy::load(MODEL, ROLES, permissions()).await
}

/// Why the gate could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The gate of this plane: believes its own tokens about accounts, and asks the members' register.
pub async fn gate(mint: ControlMint, signing: &SigningKey) -> Result<ControlGate, AppError> {
    let verifier = Verifier::new().trust(signing.issuer(), signing.public_pem(), &[TokenKind::Account])?;
    Ok(ControlGate::open(mint, verifier, policy().await?, members::Register, audit::Log)?)
}

const ROOMS: &[openapi::Room] = &[
    accounts::routes,
    sessions::routes,
    factors::routes,
    identities::routes,
    organizations::routes,
    members::routes,
    plans::routes,
    stores::routes,
    operations::routes,
    grants::routes,
    audit::routes,
];

pub(crate) static PLAN: LazyLock<openapi::Plan> = LazyLock::new(|| openapi::plan(ROOMS));

/// The application; one is built for each HTTP worker.
pub fn app(
    plane: Plane,
    cursors: CursorKey,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let captures = plane.settings().shows_captured_mail;
    let limit = Arc::clone(plane.limit());
    let transport = Transport {
        https: plane.settings().public_url.starts_with("https://"),
        trusted_proxies: plane.settings().trusted_proxies,
    };
    let app = App::new()
        .app_data(web::Data::new(plane.gate().clone()))
        .app_data(web::Data::new(plane))
        .app_data(web::Data::new(cursors))
        .configure(pages::routes)
        .configure(openapi::served(openapi));
    let app = if captures { app.configure(messages::captured_routes) } else { app };
    // The rooms come last: behind them the framework's map finds no pattern any more.
    app.configure(openapi::routes(ROOMS, &PLAN))
        .default_service(web::to(no_route))
        .wrap(from_fn(rate_limit(limit)))
        .wrap(from_fn(one_spelling))
        .wrap(from_fn(security_headers))
        .wrap(from_fn(move |req, next| strict_transport(transport, req, next)))
        .wrap(from_fn(request_id))
        .wrap(from_fn(souk_telemetry::measure))
        .wrap(souk_telemetry::request_spans::<RequestId>())
}

/// The document, rendered once.
static OPENAPI: LazyLock<String> = LazyLock::new(|| {
    let mut document = openapi::document(ROOMS);
    name_operations(&mut document);
    openapi::render(document, &ABOUT)
});

/// The OpenAPI 3.1 document of this plane.
pub fn openapi() -> &'static str {
    &OPENAPI
}

const ABOUT: openapi::About = openapi::About {
    title: "Souk control plane",
    version: env!("CARGO_PKG_VERSION"),
    description: "People who own businesses, and the businesses they own: accounts, sessions, organizations, members, stores, \
                  operations, audit. Every refusal is a problem document (RFC 9457).",
    scheme: "account",
    secured: |_, operation| !openapi::is_public(operation),
};

/// An operation is called after its room and what it does: `stores_create`.
fn name_operations(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            let room = operation.tags.iter().flatten().next().map(|tag| tag.to_lowercase());
            let verb = operation.operation_id.take().unwrap_or_default();
            operation.operation_id = Some(format!("{}_{verb}", room.unwrap_or_default()));
        }
    }
}
