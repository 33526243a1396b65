//! What the environment may decide about logs and traces.

use std::io::IsTerminal;

use crate::stores::NAMED;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line: for machines, the default when nobody is watching.
    Json,
    /// Coloured lines: for people, the default on a terminal.
    Pretty,
}

/// Settings of [`init`](crate::init).
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// How log lines look (`SOUK_LOG`: `json` or `pretty`).
    pub format: LogFormat,
    /// Which lines are written (`RUST_LOG`, `tracing-subscriber` directives; `info` when unset, less of the HTTP server itself).
    pub filter: String,
    /// Base address of an OTLP/HTTP collector (`OTEL_EXPORTER_OTLP_ENDPOINT`); `None` exports nothing.
    pub otlp_endpoint: Option<String>,
    /// Share of the traces that begin here and are exported, 0 to 1 (`OTEL_TRACES_SAMPLER_ARG`; 1 when unset).
    pub sampled: f64,
    /// How many stores have a name of their own in metrics (`SOUK_METRICS_STORES`; 100 when unset). The others share one.
    pub named_stores: usize,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        let format = if std::io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json };
        Self {
            format,
            filter: "info,actix_server=warn".to_owned(),
            otlp_endpoint: None,
            sampled: 1.0,
            named_stores: NAMED,
        }
    }
}

/// A setting that cannot be understood; its message names the variable and what it accepts.
#[derive(Debug, thiserror::Error)]
#[error("{variable} must be {accepts}")]
pub struct ConfigError {
    variable: &'static str,
    accepts: &'static str,
}

impl TelemetryConfig {
    /// Reads the environment; unset or empty variables keep their defaults.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable is set to something it does not accept.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut config = Self::default();
        match set("SOUK_LOG").as_deref() {
            None => {}
            Some("json") => config.format = LogFormat::Json,
            Some("pretty") => config.format = LogFormat::Pretty,
            Some(_) => return Err(ConfigError { variable: "SOUK_LOG", accepts: "json or pretty" }),
        }
        if let Some(filter) = set("RUST_LOG") {
            config.filter = filter;
        }
        config.otlp_endpoint = set("OTEL_EXPORTER_OTLP_ENDPOINT");
        if let Some(text) = set("OTEL_TRACES_SAMPLER_ARG") {
            config.sampled =
                text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(ConfigError {
                    variable: "OTEL_TRACES_SAMPLER_ARG",
                    accepts: "a number from 0 to 1",
                })?;
        }
        if let Some(text) = set("SOUK_METRICS_STORES") {
            config.named_stores = text
                .parse()
                .map_err(|_| ConfigError { variable: "SOUK_METRICS_STORES", accepts: "a whole number" })?;
        }
        Ok(config)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the config.rs that the rule speaks of")]
fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}
