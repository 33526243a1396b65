//! The statements alone, by a plain client with prepared statements and no transaction: how much of an answer is PostgreSQL's work.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::measure::Work;

const PAGE: &str = concat!(
    include_str!("../../../../tenant-runtime/src/catalog/queries/page.sql"),
    include_str!("../../../../tenant-runtime/src/catalog/queries/newest.sql")
);
const DETAIL: &str = include_str!("../../../../tenant-runtime/src/catalog/queries/detail.sql");

/// One connection that asks the same again and again.
pub struct Alone {
    client: Client,
    rows: Statement,
    json: Statement,
    detail: bool,
    next: usize,
}

impl Alone {
    pub async fn list(client: Client, schema: &str) -> anyhow::Result<Self> {
        Self::new(client, schema, PAGE, false).await
    }

    pub async fn detail(client: Client, schema: &str) -> anyhow::Result<Self> {
        Self::new(client, schema, DETAIL, true).await
    }

    async fn new(client: Client, schema: &str, text: &str, detail: bool) -> anyhow::Result<Self> {
        client.batch_execute(&format!("SET search_path = {schema}, extensions")).await?;
        let rows = client.prepare(text).await?;
        let json = format!("SELECT coalesce(json_agg(found), '[]')::text FROM ({text}\n) found");
        let json = client.prepare(&json).await?;
        Ok(Self { client, rows, json, detail, next: 0 })
    }

    /// The rows as one text of JSON, which PostgreSQL makes.
    pub async fn json(&self, turn: usize) -> anyhow::Result<String> {
        let rows = self.ask(&self.json, turn).await?;
        Ok(rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
    }

    async fn ask(&self, statement: &Statement, turn: usize) -> anyhow::Result<Vec<Row>> {
        let none_id = None::<uuid::Uuid>;
        if self.detail {
            let handle = format!("bench-{}", turn % 200);
            let values: [&(dyn ToSql + Sync); 2] = [&none_id, &handle];
            return Ok(self.client.query(statement, &values).await?);
        }
        let (text, time, number) = (None::<String>, None::<chrono::DateTime<chrono::Utc>>, None::<i64>);
        let words: Vec<String> = Vec::new();
        let values: [&(dyn ToSql + Sync); 12] = [
            &"active", &words, &none_id, &text, &text, &none_id, &time, &text, &number, &21_i64, &none_id,
            &text,
        ];
        Ok(self.client.query(statement, &values).await?)
    }
}

impl Work for Alone {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.next += 1;
        self.ask(&self.rows, self.next).await?;
        Ok(())
    }
}
