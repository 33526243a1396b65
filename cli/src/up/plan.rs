//! Which children there are, and what each is told through its environment.

use crate::children::Spec;
use crate::home::Home;
use crate::options::{Network, internal_port};
use crate::secrets::Secrets;
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

const PROVIDER: &str = "payment-provider";
const CONTROL: &str = "control-plane";
const RUNTIME: &str = "tenant-runtime";

/// Our programs: (child, file). They lie beside this command.
///
/// # Errors
/// When this command does not know where it lies.
pub fn programs() -> anyhow::Result<[(&'static str, PathBuf); 3]> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this command lies nowhere")?;
    Ok([PROVIDER, CONTROL, RUNTIME].map(|name| (name, folder.join(format!("souk-{name}")))))
}

/// Fails when one of them is missing.
///
/// # Errors
/// A message that says what to build.
pub fn expect_programs() -> anyhow::Result<()> {
    for (name, program) in programs()? {
        if !program.is_file() {
            bail!("{name} is missing ({}); build it: make build", program.display());
        }
    }
    Ok(())
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let found = programs()?.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, program)| program).context("no such program")
}

/// Every port that will be listened on: (port, who, option that changes it).
#[must_use]
pub fn listeners(network: &Network) -> Vec<(u16, &'static str, &'static str)> {
    let mut listeners = Vec::new();
    for (port, who, option) in [
        (network.control_port, "control plane", "--control-port"),
        (network.runtime_port, "stores' API", "--runtime-port"),
        (network.provider_port, "test payment provider", "--provider-port"),
    ] {
        listeners.push((port, who, option));
        listeners.push((internal_port(port), "health and metrics beside it (1000 higher)", option));
    }
    if network.database_url.is_none() {
        listeners.push((network.postgres_port, "private PostgreSQL", "--postgres-port"));
    }
    if network.kafka && network.kafka_brokers.is_none() {
        listeners.push((network.kafka_port, "private Kafka", "--kafka-port"));
    }
    listeners
}

/// A database, as two addresses.
#[derive(Clone, Debug)]
pub struct Database {
    /// With a login that may create roles.
    admin: String,
    /// Without a login: the planes have their own.
    plain: String,
}

/// Every server has it, so it is where an administrator knocks; stores live in another one.
const MAINTENANCE: &str = "postgres";
/// Where stores live unless the URL names a database.
const TENANTS: &str = "souk";

impl Database {
    /// Splits the login off. Stores live in the database that the URL names, or in `souk` (made when missing) when
    /// it names none or the maintenance one.
    ///
    /// # Errors
    /// When it is no address of a PostgreSQL database.
    pub fn given(admin: &str) -> anyhow::Result<Self> {
        let mut plain: Url = admin.parse().context("the database's URL is not understood")?;
        if !matches!(plain.scheme(), "postgres" | "postgresql") {
            bail!("the database's URL must begin with postgres://");
        }
        // Both fail only for addresses that can have no login, which the scheme excludes.
        let _ = plain.set_username("");
        let _ = plain.set_password(None);
        if matches!(plain.path().trim_matches('/'), "" | MAINTENANCE) {
            plain.set_path(TENANTS);
        }
        Ok(Self { admin: admin.to_owned(), plain: plain.into() })
    }
}

/// Everything the children's environment is made of.
pub struct Plan<'p> {
    pub home: &'p Home,
    pub network: &'p Network,
    pub secrets: &'p Secrets,
    pub database: &'p Database,
    /// Brokers that events go through, if any.
    pub brokers: Option<&'p str>,
}

impl Plan<'_> {
    /// Roles, database, schemas: runs to its end before the planes start. The only child that is an administrator.
    ///
    /// # Errors
    /// When this command does not know where it lies.
    pub fn migrate(&self) -> anyhow::Result<Spec> {
        let mut spec =
            self.control_plane()?.arg("migrate").env("SOUK_ADMIN_DATABASE_URL", &self.database.admin);
        spec.name = "migrate";
        Ok(spec)
    }

    /// The children in the order they start.
    ///
    /// # Errors
    /// When this command does not know where it lies.
    pub fn children(&self) -> anyhow::Result<Vec<Spec>> {
        Ok(vec![self.provider()?, self.control_plane()?.arg("serve"), self.runtime()?.arg("serve")])
    }

    fn provider(&self) -> anyhow::Result<Spec> {
        let port = self.network.provider_port;
        Ok(Spec::ours(PROVIDER, program(PROVIDER)?, internal_port(port))
            .env("SOUK_PROVIDER_LISTEN", loopback(port))
            .env("SOUK_PROVIDER_INTERNAL_LISTEN", loopback(internal_port(port)))
            .env("SOUK_PROVIDER_PUBLIC_URL", format!("http://localhost:{port}"))
            .env("SOUK_PROVIDER_WEBHOOK_SECRET", &self.secrets.provider_webhook_secret)
            .env("SOUK_PROVIDER_JOURNAL", self.home.journal()))
    }

    fn control_plane(&self) -> anyhow::Result<Spec> {
        let port = self.network.control_port;
        Ok(self
            .plane(CONTROL, port)?
            .env("SOUK_CONTROL_LISTEN", loopback(port))
            .env("SOUK_CONTROL_INTERNAL_LISTEN", loopback(internal_port(port)))
            .env("SOUK_CONTROL_PASSWORD", &self.secrets.control_password)
            .env("SOUK_PROVISIONER_PASSWORD", &self.secrets.provisioner_password)
            .env("SOUK_SIGNING_KEY_FILE", self.home.keys().join("control-plane.pem")))
    }

    fn runtime(&self) -> anyhow::Result<Spec> {
        let port = self.network.runtime_port;
        let plane = self.plane(RUNTIME, port)?;
        let provider = format!("http://127.0.0.1:{}", self.network.provider_port);
        let stripe = self.network.stripe_url.clone().filter(|url| !url.is_empty());
        let plane = match self.brokers {
            Some(brokers) => plane.env("KAFKA_BROKERS", brokers),
            None => plane,
        };
        Ok(plane
            .env("SOUK_RUNTIME_LISTEN", loopback(port))
            .env("SOUK_RUNTIME_INTERNAL_LISTEN", loopback(internal_port(port)))
            .env("SOUK_STAFF_KEY_FILE", self.home.keys().join("control-plane.pub.pem"))
            .env("SOUK_STRIPE_URL", stripe.unwrap_or_else(|| provider.clone()))
            .env("SOUK_TEST_PROVIDER_URL", provider)
            .env("SOUK_PROVIDER_WEBHOOK_SECRET", &self.secrets.provider_webhook_secret)
            .env("SOUK_MEDIA_URL", format!("file://{}", self.home.media().display()))
            .env("SOUK_WEBHOOKS_PRIVATE", "1")
            .env("SOUK_IMAGES_PRIVATE", "1")
            .env("SOUK_IDENTITY_PROVIDERS_PRIVATE", "1"))
    }

    /// What both planes are told.
    fn plane(&self, name: &'static str, port: u16) -> anyhow::Result<Spec> {
        let mut spec = Spec::ours(name, program(name)?, internal_port(port));
        spec.longest_pause = Duration::from_secs(self.network.longest_pause);
        Ok(spec
            .env("SOUK_DATABASE_URL", &self.database.plain)
            .env("SOUK_LANE_SECRET", &self.secrets.lane_secret)
            .env("SOUK_RELAY_PASSWORD", &self.secrets.relay_password)
            .env("SOUK_CURSOR_SECRET", &self.secrets.cursor_secret)
            .env("SOUK_PLATFORM_DOMAIN", format!("localhost:{}", self.network.runtime_port))
            .env("SOUK_PUBLIC_URL", format!("http://localhost:{}", self.network.control_port)))
    }
}

fn loopback(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_split_off() {
        let database =
            Database::given("postgres://postgres:secret@127.0.0.1:8083/souk?sslmode=disable").unwrap();
        assert_eq!(database.plain, "postgres://127.0.0.1:8083/souk?sslmode=disable");
        assert!(database.admin.contains("secret"));
        assert!(Database::given("mysql://localhost/x").is_err());
    }
}
