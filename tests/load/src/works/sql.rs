//! The statements alone, by a plain client with prepared statements and no transaction: how much of an answer is PostgreSQL's work.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::measure::Work;

const PAGE: &str = concat!(
    include_str!("../../../../tenant-runtime/src/catalog/queries/page.sql"),
    include_str!("../../../../tenant-runtime/src/catalog/queries/newest.sql")
);
const DETAIL: &str = include_str!("../../../../tenant-runtime/src/catalog/queries/detail.sql");

/// One connection that asks the same again and again.
pub struct Alone {
    client: Client,
    statement: Statement,
    detail: bool,
    next: usize,
}

impl Alone {
    pub async fn list(client: Client, schema: &str) -> anyhow::Result<Self> {
        client.batch_execute(&format!("SET search_path = {schema}, extensions")).await?;
        Ok(Self { statement: client.prepare(PAGE).await?, client, detail: false, next: 0 })
    }

    pub async fn detail(client: Client, schema: &str) -> anyhow::Result<Self> {
        client.batch_execute(&format!("SET search_path = {schema}, extensions")).await?;
        Ok(Self { statement: client.prepare(DETAIL).await?, client, detail: true, next: 0 })
    }
}

impl Work for Alone {
    async fn once(&mut self) -> anyhow::Result<()> {
        let none_id = None::<uuid::Uuid>;
        if self.detail {
            self.next += 1;
            let handle = format!("bench-{}", self.next % 200);
            let values: [&(dyn ToSql + Sync); 2] = [&none_id, &handle];
            self.client.query(&self.statement, &values).await?;
            return Ok(());
        }
        let (text, time, number) = (None::<String>, None::<chrono::DateTime<chrono::Utc>>, None::<i64>);
        let words: Vec<String> = Vec::new();
        let values: [&(dyn ToSql + Sync); 10] =
            [&"active", &words, &none_id, &text, &text, &none_id, &time, &text, &number, &21_i64];
        self.client.query(&self.statement, &values).await?;
        Ok(())
    }
}
