//! The plane as one HTTP application: routes, middleware, and the document that describes them.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, web};
use souk_access::{Gate, PermissionKey, Policy, PolicyError};
use souk_api::{
    CursorKey, LOCAL, ProblemKind, RateLimit, RateLimits, ReadCache, RequestId, Transport, network_of,
    no_route, one_spelling, openapi, rate_limit, rate_limits, request_id, security_headers, strict_transport,
};
use souk_kernel::Limits;
use souk_tenancy::{StatementCount, StoreEntry};

use crate::checkout::Till;
use crate::config::Config;
use crate::cors::{Pages, cors};
use crate::customers::Reception;
use crate::identities::Embassy;
use crate::media::{self, Darkroom};
use crate::{
    apps, audit, cart, catalog, channels, checkout, content, credit, customers, discounts, drafts, feed,
    fulfillment, groups, identities, imports, inventory, invoices, ledger, markets, messages, orders,
    payments, privacy, settings, shipping, staff, storefront, subscriptions, tax, webhooks,
};

const MODEL: &str = include_str!("../policy/model.conf");
const ROLES: &str = include_str!("../policy/roles.csv");

const MINUTE: Duration = Duration::from_secs(60);
/// Enough for a shopper who mistypes a number.
const GUESSES_PER_MINUTE: u32 = 10;

/// What every request needs. Cheap to clone; one for each HTTP worker.
#[derive(Clone)]
pub struct Services {
    pub gate: Gate,
    pub till: Till,
    pub cursors: CursorKey,
    pub reception: Reception,
    /// Asks the identity providers of stores.
    pub embassy: Embassy,
    /// Shoppers' pages of the catalogue; shared by the HTTP workers.
    pub cache: ReadCache,
    limits: [Arc<RateLimit>; 2],
    whole_store: Arc<RateLimits>,
    guesses: Arc<RateLimit>,
    pages: Pages,
    show_statements: bool,
    shows_captured_mail: bool,
    webhooks: webhooks::Rules,
    /// What mail needs.
    pub mail: messages::MailRoom,
    /// Where pictures are worked on; shared by the HTTP workers and the process's other workers.
    pub darkroom: Darkroom,
    /// Asks whether VAT numbers are in use.
    pub registers: tax::Registers,
    consumers: feed::Consumers,
}

impl Services {
    pub fn new(
        gate: Gate,
        till: Till,
        cursors: CursorKey,
        (reception, embassy): (Reception, Embassy),
        config: &Config,
    ) -> Self {
        let mut services = Self::with(
            gate,
            till,
            cursors,
            (reception, embassy),
            config.requests_per_minute,
            config.show_statements,
            config.smtp_url.is_none(),
        );
        services.webhooks.private = config.webhooks_private;
        services.registers = tax::Registers::at(config.vat_register_url.as_deref());
        services.mail.domain = config.mail_from.email.domain().to_owned();
        services.mail.console_url.clone_from(&config.console_url);
        services.cache = ReadCache::new(config.read_cache_mb * 1024 * 1024);
        services
    }

    /// The same without a configuration, and without a read cache: for tests.
    pub fn with(
        gate: Gate,
        till: Till,
        cursors: CursorKey,
        (reception, embassy): (Reception, Embassy),
        requests_per_minute: u32,
        show_statements: bool,
        shows_captured_mail: bool,
    ) -> Self {
        let proxies = reception.trusted_proxies;
        let limits = [
            Arc::new(RateLimit::new("caller", requests_per_minute, MINUTE, {
                let gate = gate.clone();
                move |req| caller_of(req, &gate, proxies)
            })),
            Arc::new(RateLimit::new("key", requests_per_minute, MINUTE, {
                let gate = gate.clone();
                move |req| key_of(req, &gate)
            })),
        ];
        let whole_store = Arc::new(RateLimits::new("store", MINUTE, {
            let gate = gate.clone();
            move |req| store_share(req, &gate, requests_per_minute)
        }));
        let guesses = Arc::new(RateLimit::new("look_up", GUESSES_PER_MINUTE, MINUTE, {
            let gate = gate.clone();
            move |req| guesser(req, &gate, proxies)
        }));
        let pages = Pages::new(gate.clone());
        let kinds = feed::announced().iter().map(|event| event.kind).collect();
        let webhooks = webhooks::Rules { private: false, kinds };
        let mail = messages::MailRoom {
            vault: Arc::new(reception.vault()),
            domain: "localhost".to_owned(),
            console_url: "http://localhost:8080".to_owned(),
        };
        let consumers =
            crate::worker::consumers(&till, &mail).iter().map(|consumer| consumer.name()).collect();
        Self {
            gate,
            till,
            cursors,
            reception,
            embassy,
            cache: ReadCache::new(0),
            limits,
            whole_store,
            guesses,
            pages,
            show_statements,
            shows_captured_mail,
            webhooks,
            mail,
            darkroom: Darkroom::new(None),
            registers: tax::Registers::default(),
            consumers: feed::Consumers(consumers),
        }
    }
}

/// Whom a bucket belongs to: one network at one store. Behind proxies of ours it is the shopper's, not the proxy's.
fn caller_of(req: &ServiceRequest, gate: &Gate, trusted_proxies: usize) -> Option<String> {
    let network = match network_of(req.request(), trusted_proxies) {
        // Callers on this machine may still be told apart.
        local if local == LOCAL => req.peer_addr()?.ip().to_string(),
        network => network,
    };
    Some(format!("{} {network}", name_of(gate.store_of(req.request()))))
}

/// The credential of a request, whoever it belongs to: many machines may share one. Its scheme may be written in many ways.
fn key_of(req: &ServiceRequest, gate: &Gate) -> Option<String> {
    let shown = [actix_web::http::header::AUTHORIZATION.as_str(), "x-souk-publishable-key"];
    let key = shown.into_iter().find_map(|name| req.headers().get(name)?.to_str().ok())?;
    let key = key.split_whitespace().next_back()?;
    Some(format!("{} {key}", name_of(gate.store_of(req.request()))))
}

/// The store, by whatever name it was asked for, and what its plan lets all its callers together ask, as the directory knows it now: one
/// store's crowd leaves room for the others. Never less than one caller may, so that whoever lets callers ask more need not change plans.
fn store_share(req: &ServiceRequest, gate: &Gate, caller: u32) -> Option<(String, u32)> {
    let store = gate.store_of(req.request());
    let limits = store.as_ref().map_or_else(Limits::default, |store| store.limits);
    Some((name_of(store), limits.requests_per_minute().max(caller)))
}

/// Hosts that name no store share one name: with one each, whoever invents hosts had as many quotas.
fn name_of(store: Option<Arc<StoreEntry>>) -> String {
    store.map_or_else(|| "none".to_owned(), |store| store.id.to_string())
}

/// The same, where an order's secret may be guessed at.
fn guesser(req: &ServiceRequest, gate: &Gate, trusted_proxies: usize) -> Option<String> {
    caller_of(req, gate, trusted_proxies).filter(|_| req.path() == orders::LOOK_UP)
}

/// Every permission of this plane.
pub fn permissions() -> Vec<PermissionKey> {
    [
        settings::permissions::ALL,
        audit::permissions::ALL,
        tax::permissions::ALL,
        shipping::permissions::ALL,
        inventory::permissions::ALL,
        ledger::permissions::ALL,
        catalog::permissions::ALL,
        customers::permissions::ALL,
        staff::permissions::ALL,
        credit::permissions::ALL,
        groups::permissions::ALL,
        markets::permissions::ALL,
        discounts::permissions::ALL,
        content::permissions::ALL,
        channels::permissions::ALL,
        payments::permissions::ALL,
        identities::permissions::ALL,
        apps::permissions::ALL,
        cart::permissions::ALL,
        orders::permissions::ALL,
        drafts::permissions::ALL,
        checkout::permissions::ALL,
        invoices::permissions::ALL,
        fulfillment::permissions::ALL,
        feed::permissions::ALL,
        subscriptions::permissions::ALL,
        messages::permissions::ALL,
        webhooks::permissions::ALL,
    ]
    .concat()
}

/// Every problem that this plane may answer, by catalogue.
pub const PROBLEMS: &[&[ProblemKind]] = &[
    souk_api::problem::CATALOGUE,
    souk_access::CATALOGUE,
    shipping::CATALOGUE,
    tax::CATALOGUE,
    markets::CATALOGUE,
    inventory::CATALOGUE,
    staff::CATALOGUE,
    media::CATALOGUE,
    catalog::CATALOGUE,
    channels::CATALOGUE,
    imports::CATALOGUE,
    customers::CATALOGUE,
    groups::CATALOGUE,
    discounts::CATALOGUE,
    credit::CATALOGUE,
    payments::CATALOGUE,
    souk_openid::web::CATALOGUE,
    identities::CATALOGUE,
    apps::CATALOGUE,
    cart::CATALOGUE,
    orders::CATALOGUE,
    drafts::CATALOGUE,
    checkout::CATALOGUE,
    invoices::CATALOGUE,
    fulfillment::CATALOGUE,
    subscriptions::CATALOGUE,
    messages::CATALOGUE,
    privacy::CATALOGUE,
    webhooks::CATALOGUE,
];

/// The committed policy, compiled.
pub async fn policy() -> Result<Policy, PolicyError> {
    Policy::load(MODEL, ROLES, permissions()).await
}

const ROOMS: &[openapi::Room] = &[
    catalog::routes,
    content::routes,
    channels::routes,
    imports::routes,
    cart::routes,
    checkout::routes,
    inventory::routes,
    ledger::routes,
    customers::routes,
    groups::routes,
    credit::routes,
    markets::routes,
    discounts::routes,
    fulfillment::routes,
    orders::routes,
    drafts::routes,
    invoices::routes,
    privacy::routes,
    payments::routes,
    settings::routes,
    audit::routes,
    storefront::routes,
    tax::routes,
    shipping::routes,
    staff::routes,
    identities::routes,
    apps::routes,
    feed::routes,
    subscriptions::routes,
    messages::routes,
    webhooks::routes,
];

pub(crate) static PLAN: LazyLock<openapi::Plan> = LazyLock::new(|| openapi::plan(ROOMS));

/// The application; one is built for each HTTP worker.
pub fn app(
    services: Services,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let show = services.show_statements;
    let [caller, key] = services.limits.clone();
    let (store, guesses) = (Arc::clone(&services.whole_store), Arc::clone(&services.guesses));
    let pages = services.pages.clone();
    let transport = Transport {
        https: services.till.address.scheme == "https",
        trusted_proxies: services.reception.trusted_proxies,
    };
    let app = App::new()
        .app_data(web::Data::new(services.gate))
        .app_data(services.cursors.clone())
        .app_data(web::Data::new(services.cursors))
        .app_data(web::Data::new(services.cache))
        .app_data(web::Data::new(services.till.providers.clone()))
        .app_data(web::Data::new(services.till.address.clone()))
        .app_data(web::Data::new(services.till))
        .app_data(web::Data::new(services.reception))
        .app_data(web::Data::new(services.embassy))
        .app_data(web::Data::new(services.webhooks))
        .app_data(web::Data::new(services.mail))
        .app_data(web::Data::new(services.darkroom))
        .app_data(web::Data::new(services.registers))
        .app_data(web::Data::new(services.consumers))
        .configure(openapi::served(openapi))
        .configure(messages::page_routes);
    let app = if services.shows_captured_mail { app.configure(messages::captured_routes) } else { app };
    // The rooms come last: behind them the framework's map finds no pattern any more.
    app.configure(openapi::routes(ROOMS, &PLAN))
        .default_service(web::to(no_route))
        .wrap(from_fn(rate_limit(guesses)))
        // Counted last: what one caller may not ask takes nothing from the others.
        .wrap(from_fn(rate_limits(store)))
        .wrap(from_fn(rate_limit(key)))
        .wrap(from_fn(rate_limit(caller)))
        .wrap(from_fn(move |req, next| cors(pages.clone(), req, next)))
        .wrap(from_fn(one_spelling))
        .wrap(from_fn(move |req, next| count_statements(show, req, next)))
        .wrap(from_fn(security_headers))
        .wrap(from_fn(move |req, next| strict_transport(transport, req, next)))
        .wrap(from_fn(request_id))
        .wrap(from_fn(souk_telemetry::measure))
        .wrap(souk_telemetry::request_spans::<RequestId>())
}

/// `X-Souk-Statements: <statements>/<transactions>`: what an answer cost the database.
async fn count_statements<B: MessageBody + 'static>(
    show: bool,
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if !show {
        return next.call(req).await;
    }
    let count = StatementCount::new();
    let mut answer = count.scope(next.call(req)).await?;
    let text = format!("{}/{}", count.statements(), count.transactions());
    if let Ok(value) = HeaderValue::from_str(&text) {
        answer.headers_mut().insert(HeaderName::from_static("x-souk-statements"), value);
    }
    Ok(answer)
}

/// The document, rendered once.
static OPENAPI: LazyLock<String> = LazyLock::new(|| openapi::render(openapi::document(ROOMS), &ABOUT));

/// The OpenAPI 3.1 document of this plane.
pub fn openapi() -> &'static str {
    &OPENAPI
}

const ABOUT: openapi::About = openapi::About {
    title: "Souk store API",
    version: env!("CARGO_PKG_VERSION"),
    description: "What a store sells, to whom, and what became of it. `/store/v1` for shoppers, `/admin/v1` for staff and machines. \
                  Every refusal is a problem document (RFC 9457).",
    scheme: "bearer",
    secured: |path, operation| path.starts_with("/admin/") && !openapi::is_public(operation),
};
