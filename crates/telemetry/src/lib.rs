//! Logs, spans, metrics, health and shutdown: the same in every plane.
//!
//! A plane's `main` reads:
//!
//! ```no_run
//! # use souk_telemetry::{InternalServer, Readiness, Shutdown, TelemetryConfig, init};
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = init("tenant-runtime", &TelemetryConfig::from_env()?)?;
//! let readiness = Readiness::awaiting(["database", "directory"]);
//! let shutdown = Shutdown::on_signals()?;
//! let internal = InternalServer::start("127.0.0.1:9081", readiness.clone())?;
//! // … connect, then: readiness.up("database");
//! shutdown.begun().await;
//! internal.stop().await;
//! telemetry.flush();
//! # Ok(()) }
//! ```
//!
//! The rule to know: a log line never holds a token, an e-mail address, a postal address, a body or a query
//! string; where an address would tell what was asked, its route's pattern stands. A request has one span of its own, with its id from
//! the start ([`RequestName`]); whoever learns which store it is about calls [`record_store`].

mod config;
mod fail_point;
mod internal;
mod logs;
mod metering;
mod process;
mod readiness;
mod requests;
mod routes;
mod shutdown;
mod span;
mod stores;
#[cfg(feature = "test_support")]
pub mod test_support;

pub use config::{ConfigError, LogFormat, TelemetryConfig};
pub use fail_point::{FailPoint, fail_point};
pub use internal::InternalServer;
pub use logs::{Telemetry, TelemetryError, init, observer};
pub use metering::{install_metrics, rendered_metrics};
pub use readiness::Readiness;
pub use requests::measure;
pub use routes::{InGroup, Route, RouteError, Routes};
pub use shutdown::{Shutdown, drain, until_shutdown};
pub use span::{Nameless, RequestName, RequestSpan, record_store, traceparent};

/// The middleware that opens the span of every request; wrap it outermost:
/// `App::new().wrap(from_fn(measure)).wrap(request_spans::<Nameless>())` (the last `wrap` is the outermost).
#[must_use]
pub fn request_spans<N: RequestName>() -> tracing_actix_web::TracingLogger<RequestSpan<N>> {
    tracing_actix_web::TracingLogger::new()
}
