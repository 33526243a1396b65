//! What every operation of a plane's OpenAPI document shares: title, licence, how to say who one is, problems; and where the
//! document and its page are served.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse};
use souk_telemetry::{InGroup, RouteError, Routes};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig as Documented;

use crate::docs_page::docs_page;
use crate::problem::Problem;

/// What a document says of itself, and how its operations are told who calls.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub title: &'static str,
    pub version: &'static str,
    pub description: &'static str,
    /// What the bearer scheme is called in the document.
    pub scheme: &'static str,
    /// Whether an operation asks for it; given its path.
    pub secured: fn(&str, &Operation) -> bool,
}

/// The routes of one capability, with what documents them.
pub type Room = fn(&mut Documented<'_>);

/// Registers the routes of all rooms, so that a request is asked about by the routes of one wing only. What documents them is thrown
/// away room by room: of all together it takes some 30 MB, for each HTTP worker that builds its application, and the allocator gives
/// little of that back.
pub fn routes(rooms: &'static [Room], plan: &'static LazyLock<Plan>) -> impl FnOnce(&mut ServiceConfig) {
    let all = |rooms: &[Room], config: &mut ServiceConfig| {
        rooms.iter().for_each(|room| room(&mut Documented::new(config)));
    };
    move |config| match &**plan {
        Ok((wings, patterns)) => {
            config.app_data(patterns.clone());
            for (group, wing) in wings.iter().enumerate() {
                config.service(
                    web::scope("").guard(InGroup(group)).configure(|config| all(&wing.rooms, config)),
                );
            }
        }
        Err(error) => {
            tracing::error!(%error, "each request is asked about by the routes of all rooms");
            all(rooms, config);
        }
    }
}

/// Rooms that share addresses (one shows what another deletes), and the patterns of their routes.
#[derive(Debug, Default)]
pub struct Wing {
    rooms: Vec<Room>,
    patterns: BTreeSet<String>,
}

/// The wings of a plane, each a group of [`Routes`]; the same for all its HTTP workers.
pub type Plan = Result<(Vec<Wing>, Routes), RouteError>;

/// Finds the wings.
///
/// # Errors
/// If a pattern cannot be read.
pub fn plan(rooms: &[Room]) -> Plan {
    // `/{id}` and `/{handle}` are one address.
    let address = |pattern: &String| {
        pattern
            .split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    };
    let mut wings: Vec<Wing> = Vec::new();
    for room in rooms {
        let mut wing =
            Wing { rooms: Vec::new(), patterns: document(&[*room]).paths.paths.into_keys().collect() };
        let addresses: BTreeSet<_> = wing.patterns.iter().map(address).collect();
        let shares =
            |other: &mut Wing| other.patterns.iter().any(|pattern| addresses.contains(&address(pattern)));
        for other in wings.extract_if(.., shares) {
            wing.rooms.extend(other.rooms);
            wing.patterns.extend(other.patterns);
        }
        wing.rooms.push(*room);
        wings.push(wing);
    }
    let patterns = Routes::new(wings.iter().map(|wing| wing.patterns.iter().map(String::as_str)))?;
    Ok((wings, patterns))
}

/// What documents the routes of all rooms.
#[must_use]
pub fn document(rooms: &[Room]) -> OpenApi {
    let (_, document) =
        rooms.iter().fold(App::new().into_utoipa_app(), |app, room| app.configure(room)).split_for_parts();
    document
}

/// The finished document as JSON with a line feed at its end. Every operation gets a name in `camelCase`, its credentials and, as `4XX` and
/// `5XX`, the problem document. Empty if it does not render, which a drift test sees.
#[must_use]
pub fn render(mut document: OpenApi, about: &About) -> String {
    document.info.title = about.title.to_owned();
    document.info.version = about.version.to_owned();
    document.info.description = Some(about.description.to_owned());
    document.info.contact = None;
    document.info.license =
        Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(about.scheme, SecurityScheme::Http(bearer));
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for (path, item) in &mut document.paths.paths {
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            let needs = SecurityRequirement::new::<_, [&str; 0], &str>(about.scheme, []);
            operation.security =
                Some(if (about.secured)(path, operation) { vec![needs] } else { Vec::new() });
            // Functions are called in Rust's way; clients make methods of these names.
            operation.operation_id = operation.operation_id.as_deref().map(camel_case);
            refusals(operation);
        }
    }
    crate::examples::illustrated(&document)
}

/// `list_orders` → `listOrders`
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut text, word| {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}

fn refusals(operation: &mut Operation) {
    for (range, text) in [("4XX", "Refused: nothing has changed"), ("5XX", "Failed on our side")] {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let problem = ResponseBuilder::new().description(text).content("application/problem+json", content);
        operation.responses.responses.insert(range.to_owned(), RefOr::T(problem.build()));
    }
}

/// Whether an operation says of itself that anybody may call it: `security(())`.
#[must_use]
pub fn is_public(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|needs| *needs == [SecurityRequirement::default()])
}

/// Serves the document at `/openapi.json` and the page that renders it at `/docs`.
pub fn served(document: fn() -> &'static str) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let json = move || async move {
            HttpResponse::Ok()
                .content_type(ContentType::json())
                .insert_header((CACHE_CONTROL, "public, max-age=60"))
                .body(document())
        };
        config.route("/openapi.json", web::get().to(json));
        config.route("/docs", web::get().to(async || docs_page("/openapi.json")));
    }
}
