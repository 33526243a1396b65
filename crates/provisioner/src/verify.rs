//! The negative self-check: acts as the store's role and tries to reach what is not the store's. Every try must be refused.
use souk_kernel::StoreId;
use tokio_postgres::error::SqlState;

use crate::Provisioner;
use crate::error::{ProvisionError, explain};
use crate::ledger::{self, StoreRecord};

/// One try.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: &'static str,
    pub passed: bool,
    /// What the server answered.
    pub answer: String,
}

/// What the self-check saw.
#[derive(Clone, Debug)]
pub struct Verification {
    pub schema: String,
    pub checks: Vec<Check>,
    /// Rights on built-in functions that the installing login could not take away; tries that need them are not counted as breaches
    /// when provisioning, but are listed in `checks` as not passed.
    pub missing_walls: Vec<String>,
}

impl Verification {
    /// True when every try was refused and the store reaches its own tables.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// Failed checks that a missing wall does not explain.
    fn breaches(&self) -> Vec<String> {
        let excused = |check: &Check| match wall_of(check.name) {
            Some(wall) => self.missing_walls.iter().any(|missing| missing.starts_with(wall)),
            None => false,
        };
        let failed = self.checks.iter().filter(|check| !check.passed && !excused(check));
        failed.map(|check| format!("{}: {}", check.name, check.answer)).collect()
    }
}

/// The revocation that stops a try, for the tries that only a revocation stops.
fn wall_of(check: &str) -> Option<&'static str> {
    Some(match check {
        "becomes another role" | "changes a setting" => "function set_config",
        "runs SQL text as XML" => "function query_to_xml",
        "runs SQL text as statistics" => "function ts_stat",
        "rewrites by SQL text" => "function ts_rewrite",
        "notifies" => "function pg_notify",
        "takes a database-wide lock" => "function pg_advisory_lock",
        "makes a large object" => "function lo_",
        "runs a block of code" => "language plpgsql",
        "writes to the log of changes" => "function pg_logical_emit_message",
        "sees prepared statements" => "function pg_prepared_statement",
        _ => return None,
    })
}

/// Names of tries and their SQL; `{foreign}` = another store's schema (or the control plane's when there is none yet), `{schema}` = its own.
const TRIES: &[(&str, &str)] = &[
    ("reads another schema", "SELECT count(*) FROM {foreign}.schema_version"),
    ("reads the control plane", "SELECT count(*) FROM control.schema_version"),
    ("reads the ledger", "SELECT count(*) FROM platform.store_ledger"),
    ("reads the outbox", "SELECT count(*) FROM platform.outbox"),
    ("writes the outbox past its door", "INSERT INTO platform.outbox DEFAULT VALUES"),
    ("rewrites its schema version", "DELETE FROM {schema}.schema_version"),
    ("becomes another role", "SELECT set_config('role', 'none', true)"),
    ("changes a setting", "SELECT set_config('search_path', 'platform', true)"),
    ("runs SQL text as XML", "SELECT query_to_xml('SELECT 1', true, false, '')"),
    ("runs SQL text as statistics", "SELECT * FROM ts_stat('SELECT ''a''::tsvector')"),
    ("rewrites by SQL text", "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')"),
    ("notifies", "SELECT pg_notify('store_ledger', 'x')"),
    ("takes a database-wide lock", "SELECT pg_advisory_lock(1)"),
    ("makes a large object", "SELECT lo_create(0)"),
    ("reads a file of the server", "SELECT pg_read_file('postgresql.conf')"),
    ("lists files of the server", "SELECT pg_ls_dir('.')"),
    ("reads password verifiers", "SELECT count(*) FROM pg_catalog.pg_authid"),
    ("runs a block of code", "DO 'BEGIN END'"),
    ("makes a function", "CREATE FUNCTION {schema}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ("makes a temporary table", "CREATE TEMP TABLE t (a int)"),
    ("makes a table", "CREATE TABLE {schema}.t (a int)"),
    ("makes a table among the extensions", "CREATE TABLE extensions.t (a int)"),
    ("makes a table on the platform", "CREATE TABLE platform.t (a int)"),
    ("makes a table in public", "CREATE TABLE public.t (a int)"),
    ("makes a schema", "CREATE SCHEMA mine"),
    ("truncates", "TRUNCATE {schema}.schema_version"),
    ("makes a role", "CREATE ROLE mine"),
    ("runs a program", "COPY (SELECT 1) TO PROGRAM 'true'"),
    ("writes to the log of changes", "SELECT pg_logical_emit_message(false, 'a', 'b')"),
    ("sees prepared statements", "SELECT count(*) FROM pg_catalog.pg_prepared_statements"),
];

impl Provisioner {
    /// Tries every attack of the list as the store's role, in a transaction that is rolled back. Changes nothing.
    pub async fn verify(&self, store: StoreId) -> Result<Verification, ProvisionError> {
        let client = self.connections().lend().await?;
        let record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        client.keep();
        self.verify_record(&record).await
    }

    /// [`Provisioner::verify`], as an error when something is wrong.
    pub(crate) async fn demand_isolation(&self, record: &StoreRecord) -> Result<(), ProvisionError> {
        let breaches = self.verify_record(record).await?.breaches();
        if breaches.is_empty() {
            return Ok(());
        }
        Err(ProvisionError::NotIsolated { schema: record.schema.clone(), breaches })
    }

    async fn verify_record(&self, record: &StoreRecord) -> Result<Verification, ProvisionError> {
        let client = self.connections().lend().await?;
        let missing_walls = ledger::missing_walls(&client).await?;
        let foreign = ledger::some_other(&client, record.store_id).await?.unwrap_or_else(|| "control".into());
        let schema = &record.schema;
        // Tries are rolled back one by one, so none sees what an earlier one did.
        let prologue = format!(
            "BEGIN; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s'; SET LOCAL ROLE {};
             SET LOCAL search_path = {schema}, extensions; SAVEPOINT try;",
            record.role
        );
        client.batch_execute(&prologue).await?;
        let mut checks = Vec::with_capacity(TRIES.len() + 1);
        let own = client
            .query_typed("SELECT store_id FROM platform.own_store(), schema_version LIMIT 1", &[])
            .await;
        let (passed, answer) = match own {
            Ok(rows) => {
                (rows.iter().all(|row| row.get::<_, uuid::Uuid>(0) == record.store_id.uuid()), "yes".into())
            }
            Err(error) => (false, explain(&error)),
        };
        checks.push(Check { name: "reaches its own tables and its own row", passed, answer });
        for (name, sql) in TRIES {
            let sql = sql.replace("{foreign}", &foreign).replace("{schema}", schema);
            client.batch_execute("ROLLBACK TO SAVEPOINT try").await?;
            let (passed, answer) = match client.batch_execute(&sql).await {
                Ok(()) => (false, "it was allowed".to_owned()),
                Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                    (true, explain(&error))
                }
                Err(error) if error.code().is_some() => (false, explain(&error)),
                Err(error) => return Err(error.into()),
            };
            checks.push(Check { name, passed, answer });
        }
        client.batch_execute("ROLLBACK").await?;
        client.keep();
        Ok(Verification { schema: schema.clone(), checks, missing_walls })
    }
}
