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
//! string. The fields `request.id` and `store.id` belong to the root span of a request; whoever learns them
//! later writes `Span::current().record("store.id", …)` or calls [`record_store`].

mod config;
mod fail_point;
mod internal;
mod logs;
mod metering;
mod process;
mod readiness;
mod requests;
mod shutdown;
mod span;

pub use config::{ConfigError, LogFormat, TelemetryConfig};
pub use fail_point::{FailPoint, fail_point};
pub use internal::InternalServer;
pub use logs::{Telemetry, TelemetryError, init};
pub use metering::{BoundedLabel, install_metrics, rendered_metrics};
pub use readiness::Readiness;
pub use requests::measure;
pub use shutdown::{Shutdown, drain, until_shutdown};
pub use span::{RequestSpan, record_request_id, record_store, traceparent};

/// The middleware that opens the root span of every request; wrap it outermost:
/// `App::new().wrap(from_fn(measure)).wrap(request_spans())` (the last `wrap` is the outermost).
#[must_use]
pub fn request_spans() -> tracing_actix_web::TracingLogger<RequestSpan> {
    tracing_actix_web::TracingLogger::new()
}
