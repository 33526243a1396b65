//! What the environment decides. Nothing else in this plane reads it.

use std::str::FromStr;
use std::time::Duration;

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

/// Everything an operator needs.
#[derive(Clone)]
pub struct Config {
    /// `SOUK_DATABASE_URL`: `postgres://host:port/database`, no user.
    pub database_url: String,
    /// `SOUK_PROVISIONER_PASSWORD`
    pub provisioner_password: String,
    /// `SOUK_LANES` and `SOUK_STORES_PER_LANE`, as given to the bootstrap and to the other provisioners.
    pub lanes: u16,
    pub stores_per_lane: u32,
    /// `SOUK_OPERATOR_INTERNAL_LISTEN`: health and metrics.
    pub internal_listen: String,
    /// The namespace of the Lease that decides which operator works (`SOUK_LEASE_NAMESPACE`), and who this one is
    /// (`SOUK_OPERATOR_NAME`, the pod's name; a random one unless set).
    pub lease_namespace: String,
    pub lease_identity: Option<String>,
    /// Seconds until another operator takes over from one that fell silent (`SOUK_LEASE_SECONDS`).
    pub lease_seconds: u64,
    /// Watch this namespace only (`SOUK_WATCH_NAMESPACE`).
    pub watch_namespace: Option<String>,
    /// Stores worked on at once (`SOUK_OPERATOR_CONCURRENCY`), and database connections for that (`SOUK_OPERATOR_CONNECTIONS`).
    pub concurrency: u16,
    pub connections: usize,
    /// How often a store is looked at though nothing was heard of it (`SOUK_RESYNC_SECONDS`), spread by a fifth.
    pub resync: Duration,
    /// Days that the data of a deleted store is retained (`SOUK_PURGE_AFTER_DAYS`).
    pub retention_days: u32,
    /// What the stores' own pods are.
    pub runtime: RuntimeConfig,
}

/// What the stores' own pods are and how they are reached.
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    /// `SOUK_RUNTIME_IMAGE`: the release in force, by digest. It is not this program's version: upgrading the operator
    /// restarts no shop.
    pub image: String,
    /// `SOUK_RUNTIME_DATABASE_URL`: the tenants database as pods reach it (`SOUK_DATABASE_URL` unless set).
    pub database_url: String,
    /// `SOUK_CURSOR_SECRET`: the shared runtime's, so that links and cursors outlive a change of isolation.
    pub cursor_secret: String,
    /// Public key of the control plane, PEM (`SOUK_STAFF_KEY_FILE`), and its address (`SOUK_PUBLIC_URL`).
    pub staff_key_pem: String,
    pub public_url: String,
    /// Stores answer at `{name}.` this (`SOUK_PLATFORM_DOMAIN`), with the port if it is not the scheme's own.
    pub platform_domain: String,
    /// The shared runtime's service, `name.namespace:port` (`SOUK_POOLED_SERVICE`): where Pooled stores' own domains lead.
    pub pooled_service: PooledService,
    /// `SOUK_POOLED_ADDRESS`: `host:port` at which this operator itself asks the shared runtime (the service's own unless set).
    pub pooled_address: Option<String>,
    /// `SOUK_ROUTE_SETTLE_SECONDS`: how long routers may take to follow a route that leads elsewhere. Pods are let go that much later.
    pub route_settles: Duration,
    /// `SOUK_GATEWAY`: `namespace/name` of the Gateway that stores attach to.
    pub gateway: Option<(String, String)>,
    /// `SOUK_INGRESS_CLASS`: the Ingress class, where there is no Gateway.
    pub ingress_class: Option<String>,
}

/// A service in another namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PooledService {
    pub name: String,
    pub namespace: String,
    pub port: u16,
}

impl std::fmt::Display for PooledService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}:{}", self.name, self.namespace, self.port)
    }
}

impl FromStr for PooledService {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be name.namespace:port";
        let (host, port) = text.split_once(':').ok_or(wrong)?;
        let (name, namespace) = host.split_once('.').ok_or(wrong)?;
        let port = port.parse().map_err(|_| wrong)?;
        Ok(Self { name: name.to_owned(), namespace: namespace.to_owned(), port })
    }
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        let database_url = required("SOUK_DATABASE_URL")?;
        Ok(Self {
            provisioner_password: required("SOUK_PROVISIONER_PASSWORD")?,
            lanes: or("SOUK_LANES", 8)?,
            stores_per_lane: or("SOUK_STORES_PER_LANE", 250)?,
            internal_listen: set("SOUK_OPERATOR_INTERNAL_LISTEN")
                .unwrap_or_else(|| "127.0.0.1:9082".to_owned()),
            lease_namespace: or("SOUK_LEASE_NAMESPACE", "default".to_owned())?,
            lease_identity: set("SOUK_OPERATOR_NAME"),
            lease_seconds: or("SOUK_LEASE_SECONDS", 30)?,
            watch_namespace: set("SOUK_WATCH_NAMESPACE"),
            concurrency: or("SOUK_OPERATOR_CONCURRENCY", 16)?,
            connections: or("SOUK_OPERATOR_CONNECTIONS", 8)?,
            resync: Duration::from_secs(or("SOUK_RESYNC_SECONDS", 1800)?),
            retention_days: or("SOUK_PURGE_AFTER_DAYS", 30)?,
            runtime: RuntimeConfig::from_env(&database_url)?,
            database_url,
        })
    }
}

impl RuntimeConfig {
    fn from_env(database_url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            image: required("SOUK_RUNTIME_IMAGE")?,
            database_url: set("SOUK_RUNTIME_DATABASE_URL").unwrap_or_else(|| database_url.to_owned()),
            cursor_secret: secret("SOUK_CURSOR_SECRET")?,
            staff_key_pem: file("SOUK_STAFF_KEY_FILE")?,
            public_url: or("SOUK_PUBLIC_URL", "http://localhost:8080".to_owned())?
                .trim_end_matches('/')
                .to_owned(),
            platform_domain: or("SOUK_PLATFORM_DOMAIN", "localhost:8081".to_owned())?.to_ascii_lowercase(),
            pooled_service: parsed(
                "SOUK_POOLED_SERVICE",
                &set("SOUK_POOLED_SERVICE").unwrap_or_else(|| "souk-runtime.souk-system:80".to_owned()),
            )?,
            pooled_address: set("SOUK_POOLED_ADDRESS"),
            route_settles: Duration::from_secs(or("SOUK_ROUTE_SETTLE_SECONDS", 15)?),
            gateway: match set("SOUK_GATEWAY") {
                None => None,
                Some(text) => Some(text.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).ok_or(
                    ConfigError::Invalid { name: "SOUK_GATEWAY", cause: "must be namespace/name".to_owned() },
                )?),
            },
            ingress_class: set("SOUK_INGRESS_CLASS"),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is config.rs")]
fn set(name: &'static str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    set(name).ok_or(ConfigError::Missing(name))
}

/// Refused here, or every runtime that is made with it would refuse to start.
fn secret(name: &'static str) -> Result<String, ConfigError> {
    let text = required(name)?;
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
