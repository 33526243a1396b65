//! What the environment decides. Nothing else in this plane reads it.

use std::net::SocketAddr;
use std::str::FromStr;

use lettre::message::Mailbox;
use souk_event_bus::KafkaConfig;
use souk_tenancy::Database;

/// Bytes of a secret that others derive from.
const SHORTEST_SECRET: usize = 32;

/// A variable that is missing or cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} must be set")]
    Missing(&'static str),
    #[error("{name}: {cause}")]
    Invalid { name: &'static str, cause: String },
}

/// Everything a process of this plane needs.
pub struct Config {
    /// `SOUK_RUNTIME_LISTEN`
    pub listen: SocketAddr,
    /// `SOUK_RUNTIME_INTERNAL_LISTEN`: health and metrics.
    pub internal_listen: String,
    /// `SOUK_DATABASE_URL`: `postgres://host:port/database`, no user.
    pub database: Database,
    /// `SOUK_LANE_SECRET`: the passwords of the lanes' logins derive from it. Empty where `own_login` is given.
    pub lane_secret: String,
    /// `SOUK_STORE_LOGIN` and `SOUK_STORE_PASSWORD`: serve the one store whose login this is, as it, instead of all stores.
    pub own_login: Option<(String, String)>,
    /// `SOUK_LANES`, as given to the bootstrap.
    pub lanes: u16,
    /// `SOUK_RELAY_PASSWORD`; only a process that runs the workers needs it.
    pub relay_password: Option<String>,
    /// `KAFKA_BROKERS` and what goes with it: events go through Kafka. Without it, consumers are fed from the outbox.
    pub kafka: Option<KafkaConfig>,
    /// `SOUK_CURSOR_SECRET`: signs page cursors, the links of guest orders and the tokens that stores give, and seals the secrets of their identity providers. The same in every process.
    pub link_secret: String,
    /// Public keys of the control plane, PEM (`SOUK_STAFF_KEY_FILE`; two while its key is being exchanged), and its address (`SOUK_PUBLIC_URL`), which is the issuer of staff tokens.
    pub staff_key_pem: String,
    pub control_plane_url: String,
    /// Where links mailed to staff lead (`SOUK_CONSOLE_URL`; the control plane's own plain pages unless set).
    pub console_url: String,
    /// Stores answer at `{handle}.` this (`SOUK_PLATFORM_DOMAIN`), with the port if it is not the scheme's own.
    pub platform_domain: String,
    /// `SOUK_TEST_PROVIDER_URL` and `SOUK_PROVIDER_WEBHOOK_SECRET`: the `test` payment provider.
    pub test_provider_url: Option<String>,
    pub test_webhook_secret: Option<String>,
    /// `SOUK_STRIPE_URL`: where Stripe's API is; Stripe's own unless set.
    pub stripe_url: String,
    /// `SMTP_URL`; mail is captured unless set.
    pub smtp_url: Option<String>,
    /// Whom the mail server's certificate must come from, PEM (`SMTP_CA_FILE`); the authorities that browsers trust unless set.
    pub smtp_authority: Option<String>,
    /// `SOUK_MAIL_FROM`
    pub mail_from: Mailbox,
    /// Webhooks may go to addresses of this machine and network (`SOUK_WEBHOOKS_PRIVATE=1`): for development.
    pub webhooks_private: bool,
    /// Pictures may be fetched from addresses of this machine and network (`SOUK_IMAGES_PRIVATE=1`): for development.
    pub images_private: bool,
    /// `SOUK_MEDIA_URL`: where pictures are kept, `file:///a/folder` or `s3://bucket/prefix`; in the stores' own tables unless set.
    pub media_url: Option<String>,
    /// Identity providers of stores may be on this machine (`SOUK_IDENTITY_PROVIDERS_PRIVATE=1`): for development.
    pub identity_providers_private: bool,
    /// A register that is asked whether VAT numbers are in use, over HTTP as VIES is (`SOUK_VAT_REGISTER_URL`); nobody is unless set.
    pub vat_register_url: Option<String>,
    /// Requests one caller has in a minute (`SOUK_REQUESTS_PER_MINUTE`); all callers of a store together have what its plan allows, and
    /// no less than this.
    pub requests_per_minute: u32,
    /// Attempts to sign in that one network has in ten minutes (`SOUK_ATTEMPTS_PER_NETWORK`).
    pub attempts_per_network: i32,
    /// Proxies of ours before this process (`SOUK_TRUSTED_PROXIES`): so far `X-Forwarded-For` is believed.
    pub trusted_proxies: usize,
    /// Megabytes of shoppers' pages kept in memory (`SOUK_READ_CACHE_MB`); 0 keeps none.
    pub read_cache_mb: usize,
    /// HTTP workers (`SOUK_HTTP_WORKERS`).
    pub http_workers: usize,
    /// Answers carry `X-Souk-Statements` (`SOUK_SHOW_STATEMENTS=1`): for tests and benchmarks.
    pub show_statements: bool,
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        let control_plane_url = or("SOUK_PUBLIC_URL", "http://localhost:8080".to_owned())?;
        let control_plane_url = control_plane_url.trim_end_matches('/').to_owned();
        Ok(Self {
            listen: or("SOUK_RUNTIME_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8081)))?,
            internal_listen: set("SOUK_RUNTIME_INTERNAL_LISTEN")
                .unwrap_or_else(|| "127.0.0.1:9081".to_owned()),
            database: parsed("SOUK_DATABASE_URL", &required("SOUK_DATABASE_URL")?)?,
            lane_secret: match set("SOUK_STORE_LOGIN") {
                Some(_) => String::new(),
                None => secret("SOUK_LANE_SECRET")?,
            },
            own_login: match set("SOUK_STORE_LOGIN") {
                Some(login) => Some((login, required("SOUK_STORE_PASSWORD")?)),
                None => None,
            },
            lanes: or("SOUK_LANES", 8)?,
            relay_password: set("SOUK_RELAY_PASSWORD"),
            kafka: kafka()?,
            link_secret: secret("SOUK_CURSOR_SECRET")?,
            staff_key_pem: file("SOUK_STAFF_KEY_FILE")?,
            console_url: set("SOUK_CONSOLE_URL")
                .map_or_else(|| control_plane_url.clone(), |url| url.trim_end_matches('/').to_owned()),
            control_plane_url,
            platform_domain: or("SOUK_PLATFORM_DOMAIN", "localhost:8081".to_owned())?.to_ascii_lowercase(),
            test_provider_url: set("SOUK_TEST_PROVIDER_URL"),
            test_webhook_secret: set("SOUK_PROVIDER_WEBHOOK_SECRET"),
            stripe_url: set("SOUK_STRIPE_URL").unwrap_or_else(|| "https://api.stripe.com".to_owned()),
            smtp_url: set("SMTP_URL"),
            smtp_authority: match set("SMTP_CA_FILE") {
                Some(_) => Some(file("SMTP_CA_FILE")?),
                None => None,
            },
            mail_from: parsed(
                "SOUK_MAIL_FROM",
                &set("SOUK_MAIL_FROM").unwrap_or_else(|| "Souk <no-reply@souk.localhost>".to_owned()),
            )?,
            webhooks_private: or("SOUK_WEBHOOKS_PRIVATE", 0_u8)? == 1,
            images_private: or("SOUK_IMAGES_PRIVATE", 0_u8)? == 1,
            media_url: set("SOUK_MEDIA_URL"),
            identity_providers_private: or("SOUK_IDENTITY_PROVIDERS_PRIVATE", 0_u8)? == 1,
            vat_register_url: set("SOUK_VAT_REGISTER_URL"),
            requests_per_minute: or("SOUK_REQUESTS_PER_MINUTE", 6000)?,
            attempts_per_network: or("SOUK_ATTEMPTS_PER_NETWORK", 100)?,
            trusted_proxies: or("SOUK_TRUSTED_PROXIES", 0)?,
            read_cache_mb: or("SOUK_READ_CACHE_MB", 32)?,
            http_workers: or("SOUK_HTTP_WORKERS", 2)?,
            show_statements: or("SOUK_SHOW_STATEMENTS", 0_u8)? == 1,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is config.rs")]
fn set(name: &'static str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// `KAFKA_PREFIX`, `KAFKA_PARTITIONS`, `KAFKA_REPLICATION`, `KAFKA_RETENTION_DAYS`; `KAFKA_PROPERTIES_FILE` holds further
/// properties of librdkafka (`security.protocol=SASL_SSL`, `sasl.password=…`), one `name=value` a line.
fn kafka() -> Result<Option<KafkaConfig>, ConfigError> {
    let Some(brokers) = set("KAFKA_BROKERS") else { return Ok(None) };
    let mut kafka = KafkaConfig::new(brokers);
    kafka.prefix = set("KAFKA_PREFIX").unwrap_or(kafka.prefix);
    kafka.partitions = or("KAFKA_PARTITIONS", kafka.partitions)?;
    kafka.replication = or("KAFKA_REPLICATION", kafka.replication)?;
    let days = or("KAFKA_RETENTION_DAYS", 7_u64)?;
    kafka.retention = std::time::Duration::from_secs(days.saturating_mul(24 * 3600));
    if set("KAFKA_PROPERTIES_FILE").is_some() {
        let text = file("KAFKA_PROPERTIES_FILE")?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (name, value) = line.split_once('=').ok_or_else(|| ConfigError::Invalid {
                name: "KAFKA_PROPERTIES_FILE",
                cause: "every line must read name=value".to_owned(),
            })?;
            kafka.properties.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(Some(kafka))
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    set(name).ok_or(ConfigError::Missing(name))
}

/// What other secrets derive from can be tried out by whoever sees one of them, so it must not be guessable.
fn secret(name: &'static str) -> Result<String, ConfigError> {
    long_enough(name, required(name)?)
}

fn long_enough(name: &'static str, text: String) -> Result<String, ConfigError> {
    if text.len() >= SHORTEST_SECRET {
        return Ok(text);
    }
    let cause =
        format!("has {} bytes, must have at least {SHORTEST_SECRET}: `openssl rand -hex 32`", text.len());
    Err(ConfigError::Invalid { name, cause })
}

fn file(name: &'static str) -> Result<String, ConfigError> {
    let path = required(name)?;
    std::fs::read_to_string(&path)
        .map_err(|error| ConfigError::Invalid { name, cause: format!("{path}: {error}") })
}

fn or<T: FromStr<Err: std::fmt::Display>>(name: &'static str, default: T) -> Result<T, ConfigError> {
    set(name).map_or(Ok(default), |text| parsed(name, &text))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|error: T::Err| ConfigError::Invalid { name, cause: error.to_string() })
}

#[cfg(test)]
mod rules {
    use super::*;

    #[test]
    fn short_secrets_are_refused_without_being_told() {
        for (length, fits) in [(1, false), (31, false), (32, true)] {
            let text = "x".repeat(length);
            let said = long_enough("SOUK_CURSOR_SECRET", text.clone()).map_err(|error| error.to_string());
            let refusal = format!(
                "SOUK_CURSOR_SECRET: has {length} bytes, must have at least 32: `openssl rand -hex 32`"
            );
            assert_eq!(said, if fits { Ok(text) } else { Err(refusal) });
        }
    }
}
