//! Looking into a shop's schema, past the API: for what an answer does not show.

use std::collections::HashMap;
use std::sync::Mutex;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use souk_provisioner::test_support::TestDatabase;
use souk_tenancy::{DbError, ReadTx, TenancyError, sql};

use super::TestShop;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

/// Looking fails a test.
#[derive(Debug)]
pub struct Failure;

impl From<TenancyError> for Failure {
    fn from(error: TenancyError) -> Self {
        panic!("{error:?}")
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        panic!("{error:?}")
    }
}

const TABLES: &str = "SELECT table_name::text AS word FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1";

/// The statement that digests these tables; kept for the process, because statements are.
fn digests_of(tables: &[String]) -> &'static str {
    static KNOWN: Mutex<Option<HashMap<Vec<String>, &'static str>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap();
    known.get_or_insert_default().entry(tables.to_vec()).or_insert_with(|| {
        let one = |table: &String| {
            format!("SELECT '{table} ' || md5(coalesce(string_agg(t::text, ';' ORDER BY t::text), '')) AS word FROM {table} t")
        };
        tables.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ").leak()
    })
}

impl TestShop {
    async fn look(&self, text: &'static str) -> Vec<String> {
        let worker = self.gate.worker(self.store.id, "test", "looks").unwrap();
        let read = worker.read("test.look", async move |tx: &mut ReadTx<'_>| {
            let rows: Vec<Word> = tx.load(sql(text)).await?;
            Ok::<_, Failure>(rows.into_iter().map(|row| row.word).collect())
        });
        read.await.unwrap()
    }

    /// One number of the store's schema.
    pub async fn number(&self, text: &'static str) -> i64 {
        let worker = self.gate.worker(self.store.id, "test", "looks").unwrap();
        let read = worker
            .read("test.number", async move |tx| Ok::<_, Failure>(tx.one::<Number>(sql(text)).await?.number));
        read.await.unwrap()
    }

    /// Words of the store's schema, joined by spaces.
    pub async fn words(&self, text: &'static str) -> String {
        self.look(text).await.join(" ")
    }

    /// A line for each table of the store: its name and the digest of all its rows. Equal before and after: nothing changed.
    pub async fn digest(&self) -> Vec<String> {
        let tables = self.look(TABLES).await;
        let mut lines = self.look(digests_of(&tables)).await;
        lines.sort_unstable();
        lines
    }

    /// What the outbox holds of this store, in order.
    pub async fn told(&self) -> Vec<String> {
        let database = TestDatabase::get().await;
        let client = database.login("relay", &database.secrets.relay).await.unwrap();
        let text = "SELECT type FROM platform.outbox WHERE store_id = $1 ORDER BY position";
        let rows = client.query(text, &[&self.store.id.uuid()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// on hand/committed/reserved of every item
    pub async fn stock(&self) -> String {
        self.words("SELECT on_hand || '/' || committed || '/' || reserved AS word FROM inventory_levels ORDER BY item_id").await
    }

    /// Levels that are not the sum of their movements; there must be none.
    pub async fn unexplained_levels(&self) -> i64 {
        self.number(
            "SELECT count(*) AS number FROM inventory_levels l LEFT JOIN (
                 SELECT item_id, location_id, sum(on_hand_delta) AS on_hand, sum(unavailable_delta) AS unavailable,
                        sum(committed_delta) AS committed, sum(reserved_delta) AS reserved
                 FROM stock_movements GROUP BY item_id, location_id) m USING (item_id, location_id)
             WHERE (l.on_hand, l.unavailable, l.committed, l.reserved) IS DISTINCT FROM
                   (coalesce(m.on_hand, 0)::bigint, coalesce(m.unavailable, 0)::bigint, coalesce(m.committed, 0)::bigint,
                    coalesce(m.reserved, 0)::bigint)",
        )
        .await
    }
}
