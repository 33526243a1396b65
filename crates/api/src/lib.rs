//! How Souk speaks HTTP: problems, bodies, queries, pages, preconditions, idempotency keys, rate limits.
//!
//! Every plane builds its `App` in the same order, innermost first:
//!
//! ```no_run
//! use actix_web::{App, middleware::from_fn, web};
//! use souk_api::{no_route, one_spelling, request_id, security_headers};
//!
//! let app = App::new()
//!     .app_data(souk_api::CursorKey::new(b"at least thirty-two bytes of secret"))
//!     .default_service(web::to(no_route))
//!     .wrap(from_fn(one_spelling)) // around limits and whatever else reads the path
//!     .wrap(from_fn(security_headers))
//!     .wrap(from_fn(request_id)); // outside of these: names the request, catches panics, completes problems
//! ```
//!
//! This crate knows no store, no database and no actor.

pub mod cursor;
pub mod docs_page;
pub mod etag;
pub mod evenly;
pub mod examples;
pub mod idempotency;
pub mod json;
pub mod no_route;
pub mod one_spelling;
pub mod openapi;
#[cfg(test)]
mod openapi_tests;
pub mod origin;
pub mod own_page;
pub mod page;
pub mod path;
pub mod preview;
pub mod problem;
pub mod query;
pub mod rate_limit;
pub mod read_cache;
pub mod request_id;
pub mod security_headers;
pub mod threshold;

pub use cursor::{Cursor, CursorKey};
pub use docs_page::docs_page;
pub use etag::{ETag, IfMatch, not_modified};
pub use evenly::evenly;
pub use idempotency::{Fingerprint, IdempotencyKey, OptionalIdempotencyKey};
pub use json::{Digest, Json, JsonLimit, in_time, whole_body};
pub use no_route::no_route;
pub use one_spelling::one_spelling;
pub use origin::{LOCAL, address_of, network_of, user_agent_of};
pub use own_page::OwnPage;
pub use page::{Page, PageInfo, Paging, PagingOnly};
pub use path::Path;
pub use preview::{DryRun, Preview, Previewed};
pub use problem::{FieldError, Problem, ProblemKind};
pub use query::Query;
pub use rate_limit::{RateLimit, RateLimits, rate_limit, rate_limits};
pub use read_cache::{Edition, ReadCache};
pub use request_id::{RequestId, request_id};
pub use security_headers::{Transport, security_headers, strict_transport};
pub use threshold::{Behind, Deciding};

/// What a handler returns: a reply or a [`Problem`].
pub type Result<T, E = Problem> = std::result::Result<T, E>;
