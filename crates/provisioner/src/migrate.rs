//! Migration files, and the sweep that brings every store to the newest one.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::Provisioner;
use crate::error::{ProvisionError, explain, is_transient};
use crate::ledger::{self, StoreRecord};

pub(crate) mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// One numbered file: applied once to a schema, as one batch in one transaction.
#[derive(Clone, Debug)]
pub struct Migration {
    pub version: i32,
    pub name: String,
    pub sql: String,
}

/// Migrations in order of their numbers, each number once.
#[derive(Clone, Debug, Default)]
pub struct MigrationSet(Arc<Vec<Migration>>);

impl MigrationSet {
    /// What `migrations/store` held when this program was built.
    pub fn store() -> Result<Self, ProvisionError> {
        Self::from_files(embedded::STORE)
    }

    pub(crate) fn from_files(files: &[(&str, &str)]) -> Result<Self, ProvisionError> {
        let bad = |file: &str| {
            ProvisionError::Refused(format!("{file}: a migration is called NNNN_what_it_does.sql"))
        };
        let migrations = files.iter().map(|(file, sql)| {
            let name = file.strip_suffix(".sql").ok_or_else(|| bad(file))?;
            let (number, _) = name.split_once('_').ok_or_else(|| bad(file))?;
            let version = number.parse().map_err(|_| bad(file))?;
            Ok(Migration { version, name: name.to_owned(), sql: (*sql).to_owned() })
        });
        Self::new(migrations.collect::<Result<_, ProvisionError>>()?)
    }

    /// Refuses numbers below 1, out of order or used twice.
    pub fn new(migrations: Vec<Migration>) -> Result<Self, ProvisionError> {
        let mut last = 0;
        for migration in &migrations {
            if migration.version <= last {
                return Err(ProvisionError::Refused(format!("migration {} is out of order", migration.name)));
            }
            last = migration.version;
        }
        Ok(Self(Arc::new(migrations)))
    }

    /// The number of the newest migration; 0 for none.
    pub fn target(&self) -> i32 {
        self.0.last().map_or(0, |migration| migration.version)
    }

    /// Those that a schema has not had, in order. Branches land when they are done, not in the order of their numbers, so what is
    /// missing is asked number by number: the highest one says nothing about those below it.
    pub(crate) fn missing<'a>(&'a self, applied: &'a Applied) -> impl Iterator<Item = &'a Migration> {
        self.0.iter().filter(|migration| !applied.0.contains(&migration.version))
    }

    /// What a schema that has had these migrations and no others is known by.
    pub(crate) fn digest(&self) -> String {
        Applied(self.0.iter().map(|migration| migration.version).collect()).digest()
    }
}

/// The numbers of the migrations that a schema has had.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied(BTreeSet<i32>);

impl Applied {
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        self.0.iter().for_each(|version| digest.update(version.to_be_bytes()));
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// 0 for none.
    pub(crate) fn newest(&self) -> i32 {
        self.0.last().copied().unwrap_or(0)
    }
}

/// `:schema` and `:role` become the store's names, unless they are part of a cast (`::`) or of a longer word.
pub(crate) fn with_names(sql: &str, schema: &str, role: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 256);
    let mut rest = sql;
    let mut before = ' ';
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        before = rest[..at].chars().next_back().unwrap_or(before);
        let after = &rest[at + 1..];
        let word = after.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        match word {
            "schema" if before != ':' => out.push_str(schema),
            "role" if before != ':' => out.push_str(role),
            _ => {
                out.push(':');
                out.push_str(word);
            }
        }
        before = word.chars().next_back().unwrap_or(':');
        rest = &after[word.len()..];
    }
    out.push_str(rest);
    out
}

/// Applies one migration inside the caller's transaction, version row first, so two appliers meet at the row, not at the tables.
pub(crate) async fn apply(
    client: &Client,
    schema: &str,
    role: &str,
    migration: &Migration,
) -> Result<(), ProvisionError> {
    let batch = format!(
        "SET LOCAL search_path = {schema}, extensions;
         INSERT INTO {schema}.schema_version (version, name) VALUES ({}, '{}');
         {};
         SET LOCAL search_path = '';",
        migration.version,
        migration.name.replace('\'', "''"),
        with_names(&migration.sql, schema, role)
    );
    client.batch_execute(&batch).await.map_err(|source| ProvisionError::Migration {
        schema: schema.to_owned(),
        migration: migration.name.clone(),
        source,
    })
}

/// How a sweep behaves.
#[derive(Clone, Debug)]
pub struct SweepOptions {
    /// Schemas migrated at the same time.
    pub workers: usize,
    /// How long a migration waits for a lock before it lets the shop go on and tries again.
    pub lock_timeout: Duration,
    /// How often a transient failure (lock timeout, deadlock, lost connection) is tried again per migration.
    pub retries: u32,
    /// The sweep begins no further schema after this many failed.
    pub max_failures: usize,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self { workers: 4, lock_timeout: Duration::from_secs(2), retries: 5, max_failures: 1 }
    }
}

/// One schema that a sweep could not bring to the target. It stays at its last whole migration and keeps serving.
#[derive(Clone, Debug)]
pub struct SweepFailure {
    pub store: souk_kernel::StoreId,
    pub schema: String,
    pub error: String,
}

/// What a sweep did. `migrated + untouched + failures.len() = below_target`.
#[derive(Clone, Debug, Default)]
pub struct SweepReport {
    pub target: i32,
    pub below_target: usize,
    pub migrated: usize,
    pub untouched: usize,
    pub failures: Vec<SweepFailure>,
}

impl SweepReport {
    /// True when every store of this database is at the target now.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.untouched == 0
    }
}

impl Provisioner {
    /// Gives every schema the migrations it has not had: one query finds them, `workers` work in parallel, each migration of each
    /// schema is its own transaction. Stops at `max_failures`; a later call goes on where this one ended. Any number may run at once.
    /// What a newer program applied stays.
    pub async fn migrate_all(&self, options: &SweepOptions) -> Result<SweepReport, ProvisionError> {
        let target = self.migrations().target();
        let client = self.connections().lend().await?;
        let below = ledger::not_at(&client, &self.migrations().digest()).await?;
        client.keep();
        let report = Mutex::new(SweepReport { target, below_target: below.len(), ..SweepReport::default() });
        let next = AtomicUsize::new(0);
        let worker = || async {
            loop {
                if report.lock().await.failures.len() >= options.max_failures {
                    return;
                }
                let Some(store) = below.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                let outcome = self.migrate_one(store, options).await;
                let mut report = report.lock().await;
                match outcome {
                    Ok(()) => report.migrated += 1,
                    Err(error) => {
                        tracing::error!(schema = store.schema, %error, "a store could not be migrated");
                        report.failures.push(SweepFailure {
                            store: store.store_id,
                            schema: store.schema.clone(),
                            error: error.to_string(),
                        });
                    }
                }
            }
        };
        futures_util::future::join_all((0..options.workers.max(1)).map(|_| worker())).await;
        let mut report = report.into_inner();
        report.untouched = report.below_target - report.migrated - report.failures.len();
        Ok(report)
    }

    /// The newest migration that this program knows.
    pub fn newest_migration(&self) -> i32 {
        self.migrations().target()
    }

    /// Gives one schema the migrations it has not had, as [`Provisioner::migrate_all`] does with each; none = nothing done.
    /// Each migration is its own transaction under the store's lock (advisory); repeated, or beside a sweep, whoever is second
    /// does nothing. What fails for good is `Migration`, and the schema is as before that one.
    pub async fn migrate(&self, store: &StoreRecord, options: &SweepOptions) -> Result<(), ProvisionError> {
        if store.schema_digest.as_ref() == Some(&self.migrations().digest()) {
            return Ok(());
        }
        self.migrate_one(store, options).await
    }

    async fn migrate_one(&self, store: &StoreRecord, options: &SweepOptions) -> Result<(), ProvisionError> {
        let mut failed = 0;
        loop {
            match self.try_migrate_one(store, options).await {
                Ok(()) => return Ok(()),
                Err(ProvisionError::Database(error) | ProvisionError::Migration { source: error, .. })
                    if failed < options.retries && is_transient(&error) =>
                {
                    failed += 1;
                    tracing::info!(
                        schema = store.schema,
                        failed,
                        error = explain(&error),
                        "a migration is tried again"
                    );
                    tokio::time::sleep(Duration::from_millis(100 << failed.min(5))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_migrate_one(
        &self,
        store: &StoreRecord,
        options: &SweepOptions,
    ) -> Result<(), ProvisionError> {
        let mut client = self.connections().lend().await?;
        let mut purged = false;
        let had = applied(&client, &store.schema).await?.unwrap_or_default();
        for migration in self.migrations().missing(&had) {
            let begin = format!("BEGIN; SET LOCAL lock_timeout = {};", options.lock_timeout.as_millis());
            client.batch_execute(&begin).await?;
            ledger::lock_store(&client, store.store_id).await?;
            let now = applied(&client, &store.schema).await?;
            purged = now.is_none();
            if now.is_none_or(|now| now.0.contains(&migration.version)) {
                // Somebody else was here first, or the store was purged meanwhile.
                client.batch_execute("COMMIT").await?;
                continue;
            }
            apply(&client, &store.schema, &store.role, migration).await?;
            ledger::note_migrated(&client, store.store_id, migration.version, None).await?;
            client.batch_execute("COMMIT").await?;
            client.count_schema();
        }
        if !purged {
            self.note_whole(&client, store).await?;
        }
        if !client.has_had_enough() {
            client.keep();
        }
        Ok(())
    }

    /// Writes down what the schema has had, so that nobody has to look again. One that has had more was a newer program's, which
    /// would otherwise have to look.
    async fn note_whole(&self, client: &Client, store: &StoreRecord) -> Result<(), ProvisionError> {
        let now = applied(client, &store.schema).await?.unwrap_or_default();
        let digest = now.digest();
        if digest == self.migrations().digest() {
            ledger::note_migrated(client, store.store_id, now.newest(), Some(&digest)).await?;
        }
        Ok(())
    }
}

/// What the schema has had; `None` when there is no such schema.
pub(crate) async fn applied(client: &Client, schema: &str) -> Result<Option<Applied>, ProvisionError> {
    let sql = format!("SELECT version FROM {schema}.schema_version");
    match client
        .query_typed("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", &[(&schema, Type::TEXT)])
        .await?
        .first()
    {
        None => Ok(None),
        Some(_) => match client.query_typed(&sql, &[]).await {
            Ok(rows) => Ok(Some(Applied(rows.iter().map(|row| row.get(0)).collect()))),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
            Err(error) => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_in_and_casts_left_alone() {
        let sql = "REVOKE UPDATE ON postings FROM :role; SELECT 'x'::text, a::role, :schema.t, b:::role, ':roles'; --:schema";
        assert_eq!(
            with_names(sql, "s_1", "r_1"),
            "REVOKE UPDATE ON postings FROM r_1; SELECT 'x'::text, a::role, s_1.t, b:::role, ':roles'; --s_1"
        );
    }

    #[test]
    fn the_embedded_files_are_in_order() {
        for files in [embedded::STORE, embedded::PLATFORM, embedded::CONTROL] {
            MigrationSet::from_files(files).unwrap();
        }
        assert!(MigrationSet::from_files(&[("0002_b.sql", ""), ("0001_a.sql", "")]).is_err());
        assert!(MigrationSet::from_files(&[("first.sql", "")]).is_err());
    }
}
