//! Logs and traces: one subscriber for the process, with an exporter only when one is configured.

use crate::config::{LogFormat, TelemetryConfig};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` is not a list of directives.
    #[error("RUST_LOG is not understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// A subscriber or a metrics recorder is already at work in this process.
    #[error("telemetry was started twice in one process")]
    AlreadyStarted,
    /// The exporter of traces refused its settings.
    #[error("the trace exporter could not be built: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// What [`init`] started; keep it until the process ends and [`flush`](Self::flush) it then.
#[must_use = "spans still in memory are lost unless they are flushed at the end"]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends the spans that are still in memory (at most a few seconds). Call it last, outside a request.
    pub fn flush(self) {
        if let Some(tracer) = self.tracer
            && let Err(error) = tracer.shutdown()
        {
            tracing::warn!(%error, "the last spans could not be exported");
        }
    }
}

/// Starts logs (to standard error), the metrics recorder and, when an endpoint is configured, export of traces.
/// Call it once, first thing in `main`.
///
/// # Errors
/// [`TelemetryError`]: a filter or an endpoint that is not understood, or a second call.
pub fn init(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let (dispatch, telemetry) = observer(service, config, std::io::stderr)?;
    dispatch.try_init().map_err(|_| TelemetryError::AlreadyStarted)?;
    if !crate::install_metrics() {
        return Err(TelemetryError::AlreadyStarted);
    }
    crate::stores::name_at_most(config.named_stores);
    metrics::gauge!("souk_build_info", "service" => service, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(telemetry)
}

/// What [`init`] has the whole process observed by, writing its lines elsewhere: for tests, which are several in a process.
///
/// # Errors
/// [`TelemetryError`]: a filter or an endpoint that is not understood.
pub fn observer<W>(
    service: &'static str,
    config: &TelemetryConfig,
    writer: W,
) -> Result<(Dispatch, Telemetry), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter)?;
    let tracer = config
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| tracer_provider(service, endpoint, config.sampled))
        .transpose()?;
    let registry = tracing_subscriber::registry();
    let dispatch = match &tracer {
        // One filter in front of everything: what is not logged costs nothing, statements among it.
        None => Dispatch::new(registry.with(filter).with(lines(config.format, writer))),
        Some(provider) => {
            let spans =
                tracing_opentelemetry::layer().with_tracer(provider.tracer(service)).with_location(false);
            let lines = lines::<Registry, W>(config.format, writer).with_filter(filter);
            Dispatch::new(registry.with(lines).with(spans.with_filter(exported())))
        }
    };
    Ok((dispatch, Telemetry { tracer }))
}

/// What becomes part of a trace, whatever is logged: spans and events from info on, and statements, which are too many for a log.
fn exported() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("souk::statement", LevelFilter::DEBUG)
        // What the exporter says about itself would be exported by it.
        .with_target("opentelemetry", LevelFilter::OFF)
}

fn lines<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .with_writer(writer)
            .boxed(),
        LogFormat::Pretty => fmt::layer().with_target(true).with_writer(writer).boxed(),
    }
}

fn tracer_provider(
    service: &'static str,
    endpoint: &str,
    sampled: f64,
) -> Result<SdkTracerProvider, TelemetryError> {
    // The exporter's client takes whatever provider the process has; a plane that talks TLS may have set one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    opentelemetry::global::set_text_map_propagator(
        opentelemetry_sdk::propagation::TraceContextPropagator::new(),
    );
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sampled))))
        .with_resource(Resource::builder().with_service_name(service).build())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::dispatcher::with_default;

    #[test]
    fn statements_cost_nothing_where_no_trace_is_exported() {
        let config = TelemetryConfig { filter: "info".to_owned(), ..TelemetryConfig::default() };
        let (plain, _plain) = observer("test", &config, std::io::sink).unwrap();
        // Nothing is sampled, so nothing is sent.
        let otlp_endpoint = Some("http://127.0.0.1:9".to_owned());
        let config = TelemetryConfig { otlp_endpoint, sampled: 0.0, ..config };
        let (exporting, _exporting) = observer("test", &config, std::io::sink).unwrap();
        let seen = || {
            let statement = tracing::debug_span!(target: "souk::statement", "statement");
            let detail = tracing::debug_span!("detail");
            [tracing::info_span!("request"), statement, detail].map(|span| !span.is_disabled())
        };
        assert_eq!(with_default(&plain, seen), [true, false, false]);
        assert_eq!(with_default(&exporting, seen), [true, true, false]);
    }
}
