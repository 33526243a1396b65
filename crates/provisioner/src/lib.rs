//! Makes, migrates, suspends and removes the schema and the role of a store. No Kubernetes.
//!
//! [`Bootstrap`] prepares a database once; [`Provisioner`] then works as the login `provisioner`, which is no superuser.
//! Used by the operator, by local mode and by the tests; it knows neither HTTP nor diesel.

mod activity;
mod alignment;
mod bootstrap;
mod claim;
mod connection;
mod error;
mod keys;
mod ledger;
mod life_cycle;
mod login;
mod migrate;
mod rights;
mod roles;
mod scram;
mod seeds;
mod spare;
#[cfg(feature = "test_support")]
pub mod test_support;
mod verify;

use std::sync::Arc;

pub use activity::Asked;
pub use alignment::Alignment;
pub use bootstrap::{Bootstrap, BootstrapReport};
pub use claim::{ClaimRequest, Provisioned, Step, Watch};
pub use error::ProvisionError;
pub use keys::mint_key;
pub use ledger::{Owner, State, StoreLogin, StoreRecord};
pub use login::{Credentials, login_role};
pub use migrate::{Migration, MigrationSet, SweepFailure, SweepOptions, SweepReport};
pub use roles::{CONTROL_PLANE, DIRECTORY, PROVISIONER, RELAY, Secrets, lane_role};
pub use scram::{lane_password, verifier};
pub use seeds::{
    ApiKeySeed, Basics, CountryFacts, EmailTemplateSeed, LedgerAccountSeed, LocationSeed, MarketSeed,
    PermissionSeed, ProviderSeed, RateSeed, RoleSeed, SettingsSeed, StaffSeed, StoreSeeds, TaxSeed, ZoneSeed,
    roles_from_csv,
};
pub use verify::{Check, Verification};

/// Where the tenants database is and how many stores it takes.
#[derive(Clone)]
pub struct ProvisionerConfig {
    /// `postgres://host:port/database`; a user in it is ignored.
    pub url: String,
    /// The password of the login `provisioner`.
    pub password: String,
    /// As given to [`Bootstrap`].
    pub lanes: u16,
    /// At most so many stores in a lane, spares and deleting ones included.
    pub stores_per_lane: u32,
    /// Connections at most. A sweep with more workers than this waits for them.
    pub connections: usize,
    /// What a store's schema is made of.
    pub migrations: MigrationSet,
}

impl ProvisionerConfig {
    /// 8 lanes of 250 stores, 6 connections, the embedded migrations.
    pub fn new(url: impl Into<String>, password: impl Into<String>) -> Result<Self, ProvisionError> {
        Ok(Self {
            url: url.into(),
            password: password.into(),
            lanes: 8,
            stores_per_lane: 250,
            connections: 6,
            migrations: MigrationSet::store()?,
        })
    }
}

/// The hands that make and change stores. Cheap to clone; every call takes a connection of its own for as long as it needs it.
#[derive(Clone)]
pub struct Provisioner(Arc<Inner>);

struct Inner {
    connections: connection::Connections,
    server: roles::ServerVersion,
    lanes: u16,
    stores_per_lane: u32,
    migrations: MigrationSet,
}

impl Provisioner {
    /// Opens one connection and looks at the server's version. The database must have been bootstrapped.
    pub async fn connect(config: ProvisionerConfig) -> Result<Self, ProvisionError> {
        let login = connection::config_for(&config.url, PROVISIONER, &config.password)?;
        let connections = connection::Connections::new(login, config.connections);
        let client = connections.lend().await?;
        let server = roles::ServerVersion::of(&client).await?;
        client.keep();
        let ProvisionerConfig { lanes, stores_per_lane, migrations, .. } = config;
        Ok(Self(Arc::new(Inner { connections, server, lanes, stores_per_lane, migrations })))
    }

    pub(crate) fn connections(&self) -> &connection::Connections {
        &self.0.connections
    }

    pub(crate) fn server(&self) -> roles::ServerVersion {
        self.0.server
    }

    pub(crate) fn lanes(&self) -> u16 {
        self.0.lanes
    }

    pub(crate) fn stores_per_lane(&self) -> u32 {
        self.0.stores_per_lane
    }

    pub(crate) fn migrations(&self) -> &MigrationSet {
        &self.0.migrations
    }
}
