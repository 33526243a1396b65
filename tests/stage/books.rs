//! What the database holds: digests of it, and the way back to what it held before.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use souk_provisioner::test_support::TestDatabase;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

/// Columns that say when something was last used. They may change without anything having happened.
const RESTLESS: [(&str, &str); 2] = [("api_keys", "last_used_at"), ("sessions", "last_used_at")];

/// Tables that count attempts, also those that fail.
const COUNTERS: [&str; 1] = ["control.throttles"];

/// The rows of some schemas, seen by the database's administrator.
pub struct Books {
    client: Client,
    tables: Vec<Table>,
    last: Mutex<Option<Last>>,
}

/// The last digest, the first transaction number that was free when it was made, and the first that was not settled.
struct Last {
    free: String,
    unsettled: String,
    digest: Digest,
}

/// Notes which tables are written to, in the writer's own transaction: so a digest looks at few of hundreds.
const WATCH: &str = "CREATE SCHEMA IF NOT EXISTS kept;
    CREATE TABLE IF NOT EXISTS kept.touched (transaction xid8 NOT NULL DEFAULT pg_current_xact_id(), name text NOT NULL);
    CREATE INDEX IF NOT EXISTS touched_since ON kept.touched (transaction);
    CREATE OR REPLACE FUNCTION kept.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
        INSERT INTO kept.touched (name) VALUES (tg_table_schema || '.' || tg_table_name);
        RETURN NULL;
    END $$;";

struct Table {
    schema: String,
    name: String,
    /// All that can be written.
    columns: Vec<String>,
}

impl Table {
    fn full(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    fn kept(&self) -> String {
        format!("kept.{}__{}", self.schema, self.name)
    }

    fn digest(&self) -> String {
        let (full, watched) = (self.full(), self.watched());
        format!(
            "SELECT '{full}', md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM (SELECT {watched} FROM {full}) t"
        )
    }

    fn watched(&self) -> String {
        let restless = |column: &&String| !RESTLESS.contains(&(self.name.as_str(), column.as_str()));
        let watched: Vec<_> =
            self.columns.iter().filter(restless).map(|name| format!("\"{name}\"")).collect();
        watched.join(", ")
    }
}

/// A digest for each table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(BTreeMap<String, String>);

impl Digest {
    /// The tables in which two digests differ, but for those that count attempts.
    pub fn harmed(&self, later: &Self) -> Vec<String> {
        let mut changed = self.changed(later);
        changed.retain(|table| !COUNTERS.contains(&table.as_str()) && !table.ends_with(".throttles"));
        changed
    }

    /// The tables in which two digests differ.
    pub fn changed(&self, later: &Self) -> Vec<String> {
        let differs =
            |(table, digest): (&String, &String)| (later.0.get(table) != Some(digest)).then(|| table.clone());
        self.0.iter().filter_map(differs).collect()
    }
}

/// A connection as the database's administrator.
///
/// # Panics
/// When the server does not answer.
pub async fn admin(database: &TestDatabase) -> Client {
    let mut config: tokio_postgres::Config = database.admin_url.parse().expect("a database URL");
    config.dbname(&database.name);
    let (client, connection) = config.connect(NoTls).await.expect("the test database answers");
    tokio::spawn(connection);
    client
}

impl Books {
    /// Opens the books of these schemas.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn open(database: &TestDatabase, schemas: &[&str]) -> Self {
        let client = admin(database).await;
        // Hundreds of small tables: helpers and a compiler only hold it up (measured: 245 ms, 30 without them).
        let alone = "SET max_parallel_workers_per_gather = 0; SET jit = off";
        client.batch_execute(alone).await.expect("settings");
        let columns = "SELECT c.table_schema::text, c.table_name::text, array_agg(c.column_name::text ORDER BY c.ordinal_position)
            FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = ANY($1) AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
              AND (c.table_schema, c.table_name) <> ('platform', 'store_activity') -- when somebody last asked, refused or not
            GROUP BY 1, 2 ORDER BY 1, 2";
        let rows = client.query(columns, &[&schemas]).await.expect("columns");
        let tables: Vec<Table> = rows
            .iter()
            .map(|row| Table { schema: row.get(0), name: row.get(1), columns: row.get(2) })
            .collect();
        assert!(!tables.is_empty(), "no tables in {schemas:?}");
        let mut watch = WATCH.to_owned();
        for full in tables.iter().map(Table::full) {
            let _ = write!(
                watch,
                "CREATE OR REPLACE TRIGGER zz_watched AFTER INSERT OR UPDATE OR DELETE ON {full} FOR EACH STATEMENT EXECUTE FUNCTION kept.touch();
                ALTER TABLE {full} ENABLE ALWAYS TRIGGER zz_watched;"
            );
        }
        client.batch_execute(&watch).await.expect("watched tables");
        Self { client, tables, last: Mutex::new(None) }
    }

    /// What the schemas hold now. Costs next to nothing while no transaction has written anywhere: whoever writes takes a number.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn digest(&self) -> Digest {
        let mut last = self.last.lock().await;
        let mark = "SELECT pg_snapshot_xmax(now)::text, pg_snapshot_xmin(now)::text FROM pg_current_snapshot() AS now";
        let mark = self.client.query_one(mark, &[]).await.expect("a mark");
        let (free, unsettled): (String, String) = (mark.get(0), mark.get(1));
        let mut digest = Digest(BTreeMap::new());
        let mut touched = None;
        if let Some(last) = last.take() {
            let since =
                format!("SELECT DISTINCT name FROM kept.touched WHERE transaction >= '{}'", last.unsettled);
            touched = Some(if last.free == free { Vec::new() } else { self.words(&since).await });
            digest = last.digest;
        }
        let looked_at = |table: &&Table| touched.as_ref().is_none_or(|names| names.contains(&table.full()));
        let parts: Vec<String> = self.tables.iter().filter(looked_at).map(Table::digest).collect();
        if !parts.is_empty() {
            let rows = self.client.query(&parts.join(" UNION ALL "), &[]).await.expect("digests");
            digest.0.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
        }
        *last = Some(Last { free, unsettled, digest: digest.clone() });
        digest
    }

    /// Keeps a copy of everything, for [`Self::bring_back`].
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn keep(&self) {
        let mut text = String::new();
        for table in &self.tables {
            let (kept, full) = (table.kept(), table.full());
            let _ = write!(text, "DROP TABLE IF EXISTS {kept}; CREATE TABLE {kept} AS TABLE {full};");
        }
        self.client.batch_execute(&text).await.expect("a copy");
    }

    /// Brings these tables back to what was kept, triggers and references set aside.
    ///
    /// # Panics
    /// When nothing was kept.
    pub async fn bring_back(&self, changed: &[String]) {
        if changed.is_empty() {
            return;
        }
        let mut text = String::from("BEGIN; SET LOCAL session_replication_role = replica;");
        for table in self.tables.iter().filter(|table| changed.contains(&table.full())) {
            let (kept, full) = (table.kept(), table.full());
            let columns: Vec<_> = table.columns.iter().map(|name| format!("\"{name}\"")).collect();
            let columns = columns.join(", ");
            let _ = write!(
                text,
                "DELETE FROM {full}; INSERT INTO {full} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {kept};"
            );
        }
        text.push_str("COMMIT");
        self.client.batch_execute(&text).await.expect("the way back");
    }

    /// Names of the tables that hold nothing.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn empty(&self, schema: &str) -> Vec<String> {
        let mut empty = Vec::new();
        for table in self.tables.iter().filter(|table| table.schema == schema) {
            let row =
                self.client.query_one(&format!("SELECT EXISTS (SELECT FROM {})", table.full()), &[]).await;
            if !row.expect("an answer").get::<_, bool>(0) {
                empty.push(table.name.clone());
            }
        }
        empty
    }

    /// SQL for arranging.
    ///
    /// # Panics
    /// When it fails.
    pub async fn run(&self, text: &str) {
        self.client.batch_execute(text).await.expect("the admin's SQL runs");
    }

    /// The texts of one column.
    ///
    /// # Panics
    /// When it fails.
    pub async fn words(&self, text: &str) -> Vec<String> {
        let rows = self.client.query(text, &[]).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }
}
