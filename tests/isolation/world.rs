//! Two hundred stores that hold the same things under the same ids, and differ in their canaries only: whatever one store is given of
//! another looks right in everything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use souk_kernel::{Country, StoreId};
use souk_proofs::books::admin;
use souk_proofs::{Business, Platform};
use souk_provisioner::test_support::{TestDatabase, test_request};
use tokio_postgres::Client;

use super::mark::Mark;
use super::planting::{Seedling, Table, plant};

/// How many are made at a time.
const AT_ONCE: usize = 4;

/// One of the stores.
pub struct Shop {
    pub id: StoreId,
    pub schema: String,
    pub role: String,
    pub lane: u16,
    pub host: String,
    pub mark: Mark,
}

pub struct World {
    pub database: &'static TestDatabase,
    pub platform: Platform,
    pub admin: Client,
    /// The store whose life was lived through the doors; the others hold copies of what it has. It is the first of `shops`.
    pub mother: Business,
    pub shops: Vec<Arc<Shop>>,
    pub tables: Vec<Table>,
    /// Tables that hold no canary.
    pub bare: Vec<String>,
}

impl World {
    /// # Panics
    /// When it cannot be made.
    pub async fn make(stores: usize) -> Self {
        let began = Instant::now();
        let database: &'static TestDatabase = Box::leak(Box::new(TestDatabase::fresh().await));
        let platform = Platform::on(database).await;
        let ready = began.elapsed();
        let marks: Vec<Mark> = (0..stores).map(Mark::new).collect();
        let name = marks[0].name();
        let (mother, records) =
            tokio::join!(Business::open(&platform, &name), provision(database, stores - 1));
        platform.rest();
        let provisioned = began.elapsed();

        let admin = admin(database).await;
        let tables = Table::of(&admin, &mother.schema).await;
        let bare = plant(&admin, &mother.schema, &marks[0], &tables).await;
        let row = "SELECT role_name::text, lane FROM platform.store_ledger WHERE store_id = $1";
        let row = admin.query_one(row, &[&mother.store.uuid()]).await.expect("the ledger has the store");
        let mut shops = vec![Arc::new(Shop {
            id: mother.store,
            schema: mother.schema.clone(),
            role: row.get(0),
            lane: u16::try_from(row.get::<_, i32>(1)).expect("a lane"),
            host: mother.host.clone(),
            mark: marks[0].clone(),
        })];
        for (record, mark) in records.into_iter().zip(&marks[1..]) {
            shops.push(Arc::new(Shop {
                id: record.store_id,
                schema: record.schema,
                role: record.role,
                lane: record.lane,
                host: record.hosts[0].clone(),
                mark: mark.clone(),
            }));
        }
        let seedling = Seedling::of(&admin, &mother.schema, &marks[0], &tables).await;
        copy(database, &seedling, &shops[1..]).await;
        println!(
            "isolation: {} stores of {} tables; planes ready after {:.1} s, stores provisioned after {:.1} s, filled after {:.1} s",
            shops.len(),
            tables.len(),
            ready.as_secs_f32(),
            provisioned.as_secs_f32(),
            began.elapsed().as_secs_f32()
        );
        Self { database, platform, admin, mother, shops, tables, bare }
    }

    /// Every row of every table of every store: what is there that should not be, and the tables without a canary by name.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn sweep(&self) -> (Vec<String>, Vec<String>) {
        let (mut findings, mut without) = (Vec::new(), Vec::new());
        for shop in &self.shops {
            let of = |table: &Table| {
                format!(
                    "SELECT '{0}', coalesce(string_agg(t::text, E'\\n'), '') FROM {1}.{0} t",
                    table.name, shop.schema
                )
            };
            let sql: Vec<_> = self.tables.iter().map(of).collect();
            for row in self.admin.query(&sql.join(" UNION ALL "), &[]).await.expect("rows") {
                let (table, rows): (&str, &str) = (row.get(0), row.get(1));
                if let Some(found) = shop.mark.foreign(rows) {
                    findings.push(format!("{found} in {table} of store {}", shop.mark.word));
                }
                if shop.mark.own(rows) == 0 && !without.iter().any(|known| known == table) {
                    without.push(table.to_owned());
                }
            }
        }
        let by_schema = "SELECT l.schema_name::text, o.payload::text FROM platform.outbox o JOIN platform.store_ledger l USING (store_id)";
        for row in self.admin.query(by_schema, &[]).await.expect("events") {
            let (schema, payload): (&str, &str) = (row.get(0), row.get(1));
            let owner = self.shops.iter().find(|shop| shop.schema == schema);
            if let Some(found) = owner.and_then(|shop| shop.mark.foreign(payload)) {
                findings.push(format!("{found} in an event of {schema}"));
            }
        }
        without.sort_unstable();
        (findings, without)
    }
}

async fn provision(database: &TestDatabase, wanted: usize) -> Vec<souk_provisioner::StoreRecord> {
    let provisioner = database.provisioner().await;
    let next = AtomicUsize::new(0);
    let worker = async || {
        let mut made = Vec::new();
        while next.fetch_add(1, Ordering::Relaxed) < wanted {
            let claimed = provisioner.claim(&test_request(Country::DE)).await;
            made.push(claimed.expect("a store").record);
        }
        made
    };
    let made = futures_util::future::join_all((0..AT_ONCE).map(|_| worker())).await;
    made.into_iter().flatten().collect()
}

async fn copy(database: &TestDatabase, seedling: &Seedling<'_>, shops: &[Arc<Shop>]) {
    let next = AtomicUsize::new(0);
    let worker = async || {
        let admin = admin(database).await;
        while let Some(shop) = shops.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = seedling.for_store(&shop.schema, &shop.mark);
            admin.batch_execute(&text).await.unwrap_or_else(|error| panic!("{}: {error:?}", shop.schema));
        }
    };
    futures_util::future::join_all((0..AT_ONCE).map(|_| worker())).await;
}
