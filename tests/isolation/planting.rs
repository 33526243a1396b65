//! A canary in every table of a store: where the life of a business has left none, a row is made from the catalogue.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::mark::Mark;

/// Columns for words that nothing is decided by: a canary is best put there.
const FREE: [&str; 9] =
    ["name", "title", "note", "description", "first_name", "email", "last_error", "subject", "label"];
/// Columns that hold codes, though no check says so, and one that is known.
const CODES: [(&str, &str); 8] = [
    ("currency", "EUR"),
    ("country", "DE"),
    ("locale", "en"),
    ("state", "active"),
    ("provider", "test"),
    ("kind", "other"),
    ("type", "other"),
    ("method", "other"),
];

/// A table of a store, as the catalogue has it.
pub struct Table {
    pub name: String,
    columns: Vec<Column>,
    checks: Vec<String>,
}

struct Column {
    name: String,
    kind: String,
    generated: bool,
    required: bool,
    unique: bool,
    /// Counted by the database.
    counted: bool,
}

impl Column {
    fn code(&self) -> Option<&'static str> {
        CODES.iter().find(|(name, _)| *name == self.name).map(|(_, code)| *code)
    }

    /// Whether a check says something about it.
    fn is_in(&self, check: &str) -> bool {
        check.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == self.name)
    }
}

impl Table {
    /// The tables of a schema.
    ///
    /// # Panics
    /// When the catalogue cannot be read.
    pub async fn of(admin: &Client, schema: &str) -> Vec<Self> {
        let sql = "SELECT c.relname::text, array(SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
                WHERE conrelid = c.oid AND contype = 'c' ORDER BY conname)
            FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1";
        let mut tables = Vec::new();
        for row in admin.query(sql, &[&schema]).await.expect("tables") {
            let name: String = row.get(0);
            let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attnotnull,
                    EXISTS (SELECT FROM pg_index WHERE indrelid = a.attrelid AND indisunique AND a.attnum = ANY (indkey)),
                    a.attidentity <> ''
                FROM pg_attribute a WHERE a.attrelid = ($1 || '.' || $2)::regclass AND a.attnum > 0 AND NOT a.attisdropped
                ORDER BY a.attnum";
            let columns = admin.query(sql, &[&schema, &name]).await.expect("columns");
            let column = |row: &tokio_postgres::Row| Column {
                name: row.get(0),
                kind: row.get(1),
                generated: row.get(2),
                required: row.get(3),
                unique: row.get(4),
                counted: row.get(5),
            };
            tables.push(Self { name, columns: columns.iter().map(column).collect(), checks: row.get(1) });
        }
        assert!(!tables.is_empty(), "{schema} has no tables");
        tables
    }

    fn writable(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.writable().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }

    fn is_checked(&self, column: &Column) -> bool {
        self.checks.iter().any(|check| column.is_in(check))
    }

    /// Ways to a canary, the least harmful to the business first.
    fn ways(&self, mark: &Mark) -> Vec<String> {
        let Self { name, .. } = self;
        let texts = || self.writable().filter(|column| column.kind == "text" && !self.is_checked(column));
        let word = |column: &Column| {
            format!(
                "UPDATE {name} SET \"{}\" = '{}' WHERE ctid = (SELECT ctid FROM {name} LIMIT 1)",
                column.name, mark.word
            )
        };
        let copy = |changed: &[&Column], value: &str| {
            let fields: Vec<_> =
                changed.iter().map(|column| format!("'{}', '{value}'", column.name)).collect();
            format!(
                "INSERT INTO {name} ({0}) OVERRIDING SYSTEM VALUE
                 SELECT {0} FROM jsonb_populate_record(NULL::{name}, (SELECT to_jsonb(t) FROM {name} t LIMIT 1) || jsonb_build_object({1}))",
                self.list(),
                fields.join(", ")
            )
        };
        let free = |column: &&Column| FREE.contains(&column.name.as_str());
        let mut ways: Vec<String> = texts().filter(free).map(word).collect();
        // Another row like one that is there, which nothing refers to.
        let ids: Vec<_> = self.writable().filter(|column| column.kind == "uuid" && column.unique).collect();
        let names: Vec<_> = texts().filter(|column| column.unique).collect();
        for (changed, value) in [(ids, mark.uuid.to_string()), (names, mark.word.clone())] {
            if !changed.is_empty() {
                ways.push(copy(&changed, &value));
            }
        }
        ways.extend(texts().filter(|column| column.code().is_none()).map(word));
        ways.push(self.row(mark));
        ways
    }

    /// A row of its own: for each column what its checks allow, found by the database.
    fn row(&self, mark: &Mark) -> String {
        let mut from = Vec::new();
        for column in self.writable() {
            let checks: Vec<_> = self.checks.iter().filter(|check| column.is_in(check)).collect();
            let mut values = vec![match column.kind.as_str() {
                "text" if column.code().is_some() => format!("'{}'", column.code().unwrap_or_default()),
                "text" => format!("'{}'", mark.word),
                "uuid" => format!("'{}'", mark.uuid),
                "jsonb" | "json" => format!("'{{\"canary\": \"{}\"}}'", mark.word),
                "boolean" => "false".to_owned(),
                "bytea" => "'\\x00'".to_owned(),
                "date" | "timestamp with time zone" => "now()".to_owned(),
                kind if kind.ends_with("[]") => "'{}'".to_owned(),
                "tsvector" => "''".to_owned(),
                // Far from the numbers that the business gives.
                "integer" | "bigint" => "900001".to_owned(),
                _ => "1".to_owned(),
            }];
            if !checks.is_empty() {
                let literals = checks.iter().flat_map(|check| check.split('\'').skip(1).step_by(2));
                let more: Vec<String> = match column.kind.as_str() {
                    "text" => literals.chain(["a", "EUR", "DE"]).map(|text| format!("'{text}'")).collect(),
                    "jsonb" => ["'[]'", "'{}'"].map(str::to_owned).to_vec(),
                    "boolean" => vec!["true".to_owned()],
                    "bytea" => vec![format!("'\\x{}'", "00".repeat(32))],
                    "integer" | "bigint" | "smallint" => ["1", "0", "2", "100"].map(str::to_owned).to_vec(),
                    _ => Vec::new(),
                };
                values.extend(more);
                if !column.required {
                    values.push("NULL".to_owned());
                }
            }
            let values: Vec<_> = values.iter().map(|value| format!("({value}::{})", column.kind)).collect();
            from.push(format!("(VALUES {}) AS \"of {1}\" (\"{1}\")", values.join(", "), column.name));
        }
        let mut sql = format!(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {2}",
            self.name,
            self.list(),
            from.join(" CROSS JOIN ")
        );
        for (number, check) in self.checks.iter().enumerate() {
            let _ = write!(sql, " {} ({check})", if number == 0 { "WHERE" } else { "AND" });
        }
        sql + " LIMIT 1"
    }

    /// The way to the same rows in another schema, where counting goes on after them.
    fn copy(&self, schema: &str, rows: &str) -> String {
        let Self { name, .. } = self;
        let mut sql = format!(
            "DELETE FROM {schema}.{name}; INSERT INTO {schema}.{name} ({0}) OVERRIDING SYSTEM VALUE
             SELECT {0} FROM jsonb_populate_recordset(NULL::{schema}.{name}, $rows${rows}$rows$);",
            self.list()
        );
        for column in self.columns.iter().filter(|column| column.counted) {
            let _ = write!(
                sql,
                "SELECT setval(pg_get_serial_sequence('{schema}.{name}', '{0}'), coalesce(max(\"{0}\"), 0) + 1, false)
                 FROM {schema}.{name};",
                column.name
            );
        }
        sql
    }
}

/// Sees to it that every table of the schema has a canary; the names of those that have none all the same.
///
/// # Panics
/// When the database does not answer.
pub async fn plant(admin: &Client, schema: &str, mark: &Mark, tables: &[Table]) -> Vec<String> {
    let begin = format!(
        "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL search_path = {schema}, extensions"
    );
    admin.batch_execute(&begin).await.expect("a transaction");
    let mut bare = Vec::new();
    for table in tables {
        if canaries(admin, mark, table).await > 0 {
            continue;
        }
        let mut planted = false;
        for way in table.ways(mark) {
            admin.batch_execute("SAVEPOINT way").await.expect("a savepoint");
            planted = admin.batch_execute(&way).await.is_ok() && canaries(admin, mark, table).await > 0;
            if planted {
                break;
            }
            admin.batch_execute("ROLLBACK TO SAVEPOINT way").await.expect("the way back");
        }
        if !planted {
            bare.push(table.name.clone());
        }
    }
    admin.batch_execute("COMMIT").await.expect("the canaries are planted");
    bare
}

async fn canaries(admin: &Client, mark: &Mark, table: &Table) -> usize {
    let sql = format!("SELECT t::text FROM {} t", table.name);
    let Ok(rows) = admin.query(&sql, &[]).await else { return 0 };
    rows.iter().map(|row| mark.own(row.get(0))).sum()
}

/// Everything a store holds, ready to be written into another.
pub struct Seedling<'t> {
    mark: &'t Mark,
    tables: Vec<(&'t Table, String)>,
}

impl<'t> Seedling<'t> {
    /// # Panics
    /// When the database does not answer.
    pub async fn of(admin: &Client, schema: &str, mark: &'t Mark, tables: &'t [Table]) -> Self {
        let mut taken = Vec::new();
        for table in tables {
            let sql =
                format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text FROM {schema}.{} t", table.name);
            taken.push((table, admin.query_one(&sql, &[]).await.expect("rows").get(0)));
        }
        Self { mark, tables: taken }
    }

    /// What writes the same rows, with the other store's canaries, into its schema.
    pub fn for_store(&self, schema: &str, mark: &Mark) -> String {
        let mut text = String::from("BEGIN; SET LOCAL session_replication_role = replica;");
        for (table, rows) in &self.tables {
            text.push_str(&table.copy(schema, &mark.rewrite(self.mark, rows)));
        }
        text.push_str("COMMIT");
        text
    }
}
