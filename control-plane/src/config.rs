//! What the environment decides. Nothing else in this plane reads it.

use std::net::SocketAddr;
use std::str::FromStr;

use chrono::TimeDelta;
use lettre::message::Mailbox;
use souk_kernel::Email;
use souk_openid::ProviderConfig;
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

/// What requests and workers need to know; the same for both.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach this plane (`SOUK_PUBLIC_URL`).
    pub public_url: String,
    /// Where mailed links lead (`SOUK_CONSOLE_URL`; `SOUK_PUBLIC_URL` unless set).
    pub console_url: String,
    /// Stores answer at `{handle}.` this, with the port if it is not the scheme's own (`SOUK_PLATFORM_DOMAIN`).
    pub platform_domain: String,
    /// Proxies of ours in front (`SOUK_TRUSTED_PROXIES`): so many entries of X-Forwarded-For, from the right, are believed.
    pub trusted_proxies: usize,
    /// Attempts to sign in, sign up or reset that one network has in ten minutes (`SOUK_ATTEMPTS_PER_NETWORK`).
    pub attempts_per_network: i32,
    /// Requests one network has in a minute (`SOUK_REQUESTS_PER_MINUTE`).
    pub requests_per_minute: u32,
    /// Days a deleted store can be had back (`SOUK_PURGE_AFTER_DAYS`).
    pub purge_after: TimeDelta,
    /// Spare stores kept ready (`SOUK_SPARE_STORES`).
    pub spare_stores: usize,
    /// The namespace in which stores are made as Store objects (`SOUK_STORE_NAMESPACE`), in the cluster that `KUBECONFIG` names
    /// or that we run in. Unset, this plane's own provisioner makes them.
    pub store_namespace: Option<String>,
    /// Where mails go (`SMTP_URL`); captured unless set.
    pub smtp_url: Option<String>,
    /// Whom the mail server's certificate must come from, PEM (`SMTP_CA_FILE`); the authorities that browsers trust unless set.
    pub smtp_authority: Option<String>,
    /// Whether whoever asks sees captured mails, links and all: on this machine, or where it is asked for (`SOUK_SHOW_MAIL`).
    pub shows_captured_mail: bool,
    /// Who sends them (`SOUK_MAIL_FROM`).
    pub mail_from: Mailbox,
    /// With whom people can sign in (`SOUK_IDENTITY_PROVIDERS_FILE`, a JSON list).
    pub identity_providers: Vec<ProviderConfig>,
    /// Who is of the platform, by the address of their account (`SOUK_PLATFORM_STAFF`, separated by commas): they may ask to look at a store.
    pub platform_staff: Vec<Email>,
}

impl Settings {
    /// For development and tests: stores at `{handle}.localhost:8081`, mail captured.
    pub fn local() -> Result<Self, ConfigError> {
        Ok(Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            console_url: "http://127.0.0.1:8080".to_owned(),
            platform_domain: "localhost:8081".to_owned(),
            trusted_proxies: 0,
            attempts_per_network: 100,
            requests_per_minute: 1200,
            purge_after: TimeDelta::days(30),
            spare_stores: 4,
            store_namespace: None,
            smtp_url: None,
            smtp_authority: None,
            shows_captured_mail: true,
            mail_from: parsed("SOUK_MAIL_FROM", "Souk <no-reply@souk.localhost>")?,
            identity_providers: Vec::new(),
            platform_staff: Vec::new(),
        })
    }

    /// From the environment, over the local defaults.
    pub fn from_env() -> Result<Self, ConfigError> {
        let local = Self::local()?;
        let public_url = set("SOUK_PUBLIC_URL").unwrap_or(local.public_url).trim_end_matches('/').to_owned();
        let days = or("SOUK_PURGE_AFTER_DAYS", 30_u32)?;
        Ok(Self {
            console_url: set("SOUK_CONSOLE_URL")
                .unwrap_or_else(|| public_url.clone())
                .trim_end_matches('/')
                .to_owned(),
            public_url,
            platform_domain: set("SOUK_PLATFORM_DOMAIN")
                .unwrap_or(local.platform_domain)
                .to_ascii_lowercase(),
            trusted_proxies: or("SOUK_TRUSTED_PROXIES", local.trusted_proxies)?,
            attempts_per_network: or("SOUK_ATTEMPTS_PER_NETWORK", local.attempts_per_network)?,
            requests_per_minute: or("SOUK_REQUESTS_PER_MINUTE", local.requests_per_minute)?,
            purge_after: TimeDelta::days(i64::from(days)),
            spare_stores: or("SOUK_SPARE_STORES", local.spare_stores)?,
            store_namespace: set("SOUK_STORE_NAMESPACE"),
            shows_captured_mail: set("SMTP_URL").is_none()
                && (listen()?.ip().is_loopback() || or("SOUK_SHOW_MAIL", false)?),
            smtp_url: set("SMTP_URL"),
            smtp_authority: match set("SMTP_CA_FILE") {
                Some(path) => Some(read("SMTP_CA_FILE", &path)?),
                None => None,
            },
            mail_from: or("SOUK_MAIL_FROM", local.mail_from)?,
            identity_providers: identity_providers()?,
            platform_staff: addresses("SOUK_PLATFORM_STAFF")?,
        })
    }

    /// A page of the console, with a secret in the fragment: browsers send fragments to nobody, not even as a referrer.
    pub fn link(&self, page: &str, secret: &str) -> String {
        format!("{}/{page}#token={secret}", self.console_url)
    }

    /// A page of the console.
    pub fn page(&self, page: &str) -> String {
        format!("{}/{page}", self.console_url)
    }

    /// The host of a store, as requests name it and the ledger keeps it: without port.
    pub fn store_host(&self, handle: &str) -> String {
        let domain = self.platform_domain.split(':').next().unwrap_or_default();
        format!("{handle}.{domain}")
    }

    /// The address of a store: plain HTTP on this machine, HTTPS everywhere else.
    pub fn store_url(&self, handle: &str) -> String {
        let domain = self.platform_domain.split(':').next().unwrap_or_default();
        let local = domain == "localhost" || domain.ends_with(".localhost");
        format!("{}://{handle}.{}", if local { "http" } else { "https" }, self.platform_domain)
    }
}

/// Everything a process of this plane needs.
pub struct Config {
    pub settings: Settings,
    /// `SOUK_CONTROL_LISTEN`
    pub listen: SocketAddr,
    /// `SOUK_CONTROL_INTERNAL_LISTEN`: health and metrics.
    pub internal_listen: String,
    pub database: DatabaseConfig,
    /// The Ed25519 key that signs tokens, PKCS#8 PEM (`SOUK_SIGNING_KEY_FILE`).
    pub signing_key_pem: String,
    /// Those before it, while something is still sealed with them (`SOUK_FORMER_SIGNING_KEY_FILES`, separated by commas).
    pub former_keys_pem: Vec<String>,
}

/// Where the database is, and as whom.
pub struct DatabaseConfig {
    /// `SOUK_DATABASE_URL`: `postgres://host:port/database`, no user.
    pub url: String,
    pub database: Database,
    /// `SOUK_CONTROL_PASSWORD`
    pub control_password: String,
    /// `SOUK_PROVISIONER_PASSWORD`; only workers need it.
    pub provisioner_password: Option<String>,
    /// `SOUK_LANES`, as given to the bootstrap.
    pub lanes: u16,
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        let signing_key_pem = read("SOUK_SIGNING_KEY_FILE", &required("SOUK_SIGNING_KEY_FILE")?)?;
        let former = set("SOUK_FORMER_SIGNING_KEY_FILES").unwrap_or_default();
        let former = former.split(',').map(str::trim).filter(|path| !path.is_empty());
        let former_keys_pem = former.map(|path| read("SOUK_FORMER_SIGNING_KEY_FILES", path));
        Ok(Self {
            settings: Settings::from_env()?,
            listen: listen()?,
            internal_listen: set("SOUK_CONTROL_INTERNAL_LISTEN")
                .unwrap_or_else(|| "127.0.0.1:9080".to_owned()),
            database: DatabaseConfig::from_env()?,
            signing_key_pem,
            former_keys_pem: former_keys_pem.collect::<Result<_, _>>()?,
        })
    }
}

fn listen() -> Result<SocketAddr, ConfigError> {
    or("SOUK_CONTROL_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)))
}

impl DatabaseConfig {
    pub fn from_env() -> Result<Self, ConfigError> {
        let url = required("SOUK_DATABASE_URL")?;
        Ok(Self {
            database: parsed("SOUK_DATABASE_URL", &url)?,
            url,
            control_password: required("SOUK_CONTROL_PASSWORD")?,
            provisioner_password: set("SOUK_PROVISIONER_PASSWORD"),
            lanes: or("SOUK_LANES", 8)?,
        })
    }
}

/// What `migrate` needs: an administrator's login, and every password it installs.
pub struct MigrateConfig {
    /// `SOUK_ADMIN_DATABASE_URL`: a superuser, or CREATEROLE and CREATEDB.
    pub admin_url: String,
    /// `SOUK_DATABASE_URL`, and the database's name in it.
    pub url: String,
    pub database: String,
    pub lane_secret: String,
    pub control_password: String,
    pub provisioner_password: String,
    pub relay_password: String,
    pub lanes: u16,
}

impl MigrateConfig {
    pub fn from_env() -> Result<Self, ConfigError> {
        let url = required("SOUK_DATABASE_URL")?;
        let parts: url::Url = parsed("SOUK_DATABASE_URL", &url)?;
        let database = parts.path().trim_start_matches('/').to_owned();
        Ok(Self {
            admin_url: required("SOUK_ADMIN_DATABASE_URL")?,
            url,
            database,
            lane_secret: secret("SOUK_LANE_SECRET")?,
            control_password: required("SOUK_CONTROL_PASSWORD")?,
            provisioner_password: required("SOUK_PROVISIONER_PASSWORD")?,
            relay_password: required("SOUK_RELAY_PASSWORD")?,
            lanes: or("SOUK_LANES", 8)?,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is config.rs")]
fn set(name: &'static str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Addresses, separated by commas.
fn addresses(name: &'static str) -> Result<Vec<Email>, ConfigError> {
    let texts = set(name).unwrap_or_default();
    let texts = texts.split(',').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| parsed(name, text)).collect()
}

/// Each id once: it is in the address a provider sends people back to.
fn identity_providers() -> Result<Vec<ProviderConfig>, ConfigError> {
    const NAME: &str = "SOUK_IDENTITY_PROVIDERS_FILE";
    let Some(path) = set(NAME) else { return Ok(Vec::new()) };
    let wrong = |cause: String| ConfigError::Invalid { name: NAME, cause: format!("{path}: {cause}") };
    let all: Vec<ProviderConfig> =
        serde_json::from_str(&read(NAME, &path)?).map_err(|error| wrong(error.to_string()))?;
    for (at, provider) in all.iter().enumerate() {
        if all.iter().take(at).any(|earlier| earlier.id == provider.id) {
            return Err(wrong(format!("the id `{}` is there twice", provider.id)));
        }
    }
    Ok(all)
}

fn read(name: &'static str, path: &str) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Invalid { name, cause: format!("{path}: {error}") })
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
    fn addresses_of_stores() {
        let mut settings = Settings::local().unwrap();
        assert_eq!(settings.store_url("tea"), "http://tea.localhost:8081");
        assert_eq!(settings.store_host("tea"), "tea.localhost");
        settings.platform_domain = "souk.example".to_owned();
        assert_eq!(settings.store_url("tea"), "https://tea.souk.example");
        assert_eq!(settings.link("verify-email", "s"), "http://127.0.0.1:8080/verify-email#token=s");
    }

    #[test]
    fn short_secrets_are_refused_without_being_told() {
        for (length, fits) in [(1, false), (31, false), (32, true)] {
            let text = "x".repeat(length);
            let said = long_enough("SOUK_LANE_SECRET", text.clone()).map_err(|error| error.to_string());
            let refusal = format!(
                "SOUK_LANE_SECRET: has {length} bytes, must have at least 32: `openssl rand -hex 32`"
            );
            assert_eq!(said, if fits { Ok(text) } else { Err(refusal) });
        }
    }
}
