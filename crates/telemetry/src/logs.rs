//! Logs and traces: one subscriber for the process, with an exporter only when one is configured.

use crate::config::{LogFormat, TelemetryConfig};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

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
    let filter = EnvFilter::try_new(&config.filter)?;
    let tracer = config
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| tracer_provider(service, endpoint, config.sampled))
        .transpose()?;
    let exported = tracer.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer(service)).with_location(false)
    });
    let lines = match config.format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(true)
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Pretty => fmt::layer().with_target(true).with_writer(std::io::stderr).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(exported)
        .try_init()
        .map_err(|_| TelemetryError::AlreadyStarted)?;
    if !crate::install_metrics() {
        return Err(TelemetryError::AlreadyStarted);
    }
    metrics::gauge!("souk_build_info", "service" => service, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(Telemetry { tracer })
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
