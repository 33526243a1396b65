//! Makes a database ready to hold stores: roles, database, extensions, `platform`, `control`, and the walls around PUBLIC.
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config};

use crate::connection;
use crate::error::ProvisionError;
use crate::migrate::{self, MigrationSet, embedded};
use crate::rights;
use crate::roles::{self, Secrets, ServerVersion};

/// What to install, where, and as whom.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// A login that is superuser, or has CREATEROLE and CREATEDB: `postgres://admin:…@host:port/postgres`.
    pub admin_url: String,
    /// The tenants database: `[a-z][a-z0-9_]{0,62}`. Made when missing.
    pub database: String,
    pub secrets: Secrets,
    /// How many lanes (login roles `runtime_1` …) there are: 8 unless you know better.
    pub lanes: u16,
}

/// What a bootstrap found and did.
#[derive(Clone, Debug)]
pub struct BootstrapReport {
    pub created_database: bool,
    pub platform_version: i32,
    pub control_version: i32,
    /// Rights that PUBLIC still has because the admin is no superuser (`function …`, `language …`). Empty = every wall stands.
    pub missing_walls: Vec<String>,
}

impl Bootstrap {
    /// Idempotent; any number of processes may run it at once on one cluster, they queue on an advisory lock.
    pub async fn run(&self) -> Result<BootstrapReport, ProvisionError> {
        check_name(&self.database)?;
        if self.lanes == 0 {
            return Err(ProvisionError::Refused("at least one lane is needed".into()));
        }
        let config: Config = self.admin_url.parse().map_err(|_| {
            ProvisionError::Refused(
                "the admin URL must look like postgres://admin:password@host:port/postgres".into(),
            )
        })?;
        let admin = connection::connect(&config).await?;
        let version = ServerVersion::of(&admin).await?;
        let superuser = is_admin(&admin).await?;
        admin.batch_execute("SELECT pg_advisory_lock(hashtextextended('souk:bootstrap', 0))").await?;
        roles::ensure(&admin, &self.secrets, self.lanes, superuser, version).await?;
        let created_database = self.ensure_database(&admin).await?;

        let mut inside = config.clone();
        inside.dbname(&self.database);
        let inside = connection::connect(&inside).await?;
        inside.batch_execute("SET client_min_messages = warning; SET ROLE provisioner;").await?;
        inside.batch_execute(&rights::database_rights(&self.database, self.lanes)).await?;
        inside.batch_execute("RESET ROLE").await?;
        if superuser {
            inside.batch_execute("REVOKE ALL ON SCHEMA public FROM PUBLIC").await?;
        } else {
            inside
                .batch_execute("SET ROLE provisioner; REVOKE ALL ON SCHEMA public FROM PUBLIC; RESET ROLE")
                .await?;
        }
        let missing_walls = rights::revoke_from_public(&inside, superuser).await?;
        inside.batch_execute("SET ROLE provisioner").await?;
        let platform_version = apply_all(&inside, "platform", embedded::PLATFORM).await?;
        apply_replaceable(&inside).await?;
        let control_version = apply_all(&inside, "control", embedded::CONTROL).await?;
        inside.batch_execute("BEGIN; DELETE FROM platform.missing_walls").await?;
        let note = "INSERT INTO platform.missing_walls (wall) SELECT unnest($1)";
        inside.query_typed(note, &[(&missing_walls, Type::TEXT_ARRAY)]).await?;
        inside.batch_execute("COMMIT").await?;
        if !missing_walls.is_empty() {
            tracing::warn!(
                count = missing_walls.len(),
                "the admin login is no superuser: rights on built-in functions stay with PUBLIC, one injected expression is less contained"
            );
        }
        Ok(BootstrapReport { created_database, platform_version, control_version, missing_walls })
    }

    async fn ensure_database(&self, admin: &Client) -> Result<bool, ProvisionError> {
        let known = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1";
        if !admin.query_typed(known, &[(&self.database, Type::TEXT)]).await?.is_empty() {
            return Ok(false);
        }
        let create =
            format!("CREATE DATABASE {} OWNER provisioner TEMPLATE template0 ENCODING 'UTF8'", self.database);
        admin.batch_execute(&create).await?;
        Ok(true)
    }
}

async fn is_admin(admin: &Client) -> Result<bool, ProvisionError> {
    let sql = "SELECT rolsuper, rolcreaterole AND rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user";
    let row = admin.query_one(sql, &[]).await?;
    let (superuser, able): (bool, bool) = (row.get(0), row.get(1));
    if !superuser && !able {
        return Err(ProvisionError::Refused(
            "the admin login must be a superuser or have CREATEROLE and CREATEDB".into(),
        ));
    }
    Ok(superuser)
}

fn check_name(name: &str) -> Result<(), ProvisionError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 63 && name.bytes().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(ProvisionError::Refused(format!(
        "database name {name:?}: use a-z, 0-9 and _, beginning with a letter, at most 63"
    )))
}

/// The migrations of one of the shared schemas, each in its own transaction.
async fn apply_all(client: &Client, schema: &str, files: &[(&str, &str)]) -> Result<i32, ProvisionError> {
    let set = MigrationSet::from_files(files)?;
    let table = format!(
        "CREATE TABLE IF NOT EXISTS {schema}.schema_version
             (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    );
    client.batch_execute(&table).await?;
    if schema == "control" {
        client
            .batch_execute("REVOKE INSERT, UPDATE, DELETE ON control.schema_version FROM control_plane")
            .await?;
    }
    let now = migrate::applied(client, schema).await?.unwrap_or_default();
    for migration in set.missing(&now) {
        client.batch_execute("BEGIN").await?;
        migrate::apply(client, schema, "provisioner", migration).await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(set.target().max(now.newest()))
}

/// Functions and triggers: applied when their text changed, all or none.
async fn apply_replaceable(client: &Client) -> Result<(), ProvisionError> {
    client.batch_execute("BEGIN; SET LOCAL search_path = ''").await?;
    let rows = client.query_typed("SELECT name, digest FROM platform.replaceable", &[]).await?;
    let known: std::collections::HashMap<String, String> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (name, sql) in embedded::REPLACEABLE {
        let digest: String =
            Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        if known.get(*name) == Some(&digest) {
            continue;
        }
        client.batch_execute(sql).await.map_err(|source| ProvisionError::Migration {
            schema: "platform".into(),
            migration: (*name).to_owned(),
            source,
        })?;
        let keep = "INSERT INTO platform.replaceable (name, digest) VALUES ($1, $2)
                    ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, applied_at = now()";
        client.query_typed(keep, &[(name, Type::TEXT), (&digest, Type::TEXT)]).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}
