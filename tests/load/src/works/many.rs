//! The same work spread over more and more stores.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;
use souk_kernel::{Country, Plan, StoreId};
use souk_provisioner::test_support::test_request;
use souk_provisioner::{ClaimRequest, Provisioner, ProvisionerConfig};
use tokio_postgres::Client as Sql;

use crate::http::{Client, Request};
use crate::measure::Work;
use crate::platform::Shop;

/// Products each of the many stores has.
const PRODUCTS: usize = 30;

/// A store to be visited.
struct Stall {
    host: String,
    /// Of a variant that can be bought.
    variant: String,
}

/// Stores with the same goods.
pub struct Crowd {
    stalls: Vec<Stall>,
    /// Of the products that each has.
    handles: Vec<String>,
}

/// Opens stores as the control plane's worker does, two at a time, and fills them by SQL with copies of the measured store's goods.
pub async fn open(
    database: &str,
    password: &str,
    admin: &Sql,
    model: &Shop,
    count: usize,
) -> anyhow::Result<Crowd> {
    let columns = columns(admin, &model.schema).await?;
    let provisioner = Provisioner::connect(ProvisionerConfig::new(database, password)?).await?;
    let mut stalls = Vec::with_capacity(count);
    for number in 0..count {
        // The plan that most have; with a larger one more of its transactions would be at work at once.
        let plan = json!({ "id": Plan::FREE.id });
        let request = ClaimRequest { plan, ..test_request(Country::DE) };
        let host = request.hosts.first().cloned().context("a host")?;
        let record = provisioner.claim(&request).await?.record;
        admin.batch_execute(&copy(&model.schema, &record.schema, &columns)).await?;
        let text = format!("SELECT id FROM {}.product_variants ORDER BY id LIMIT 1", record.schema);
        let id = admin.query_one(&text, &[]).await?.get(0);
        stalls.push(Stall { host, variant: souk_kernel::VariantId::from_uuid(id).to_string() });
        if (number + 1) % 100 == 0 {
            eprintln!("  {} of {count} stores are open", number + 1);
        }
    }
    let text = format!("SELECT handle FROM {}.products ORDER BY id LIMIT {PRODUCTS}", model.schema);
    let handles = admin.query(&text, &[]).await?.iter().map(|row| row.get(0)).collect();
    Ok(Crowd { stalls, handles })
}

/// The columns of each table, those that PostgreSQL reckons itself left out.
async fn columns(admin: &Sql, schema: &str) -> anyhow::Result<HashMap<String, String>> {
    let text = "SELECT table_name::text, string_agg(quote_ident(column_name), ', ') FROM information_schema.columns \
         WHERE table_schema = $1 AND is_generated = 'NEVER' GROUP BY table_name";
    let rows = admin.query(text, &[&schema]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn copy(from: &str, to: &str, columns: &HashMap<String, String>) -> String {
    let some = format!("(SELECT id FROM {from}.products ORDER BY id LIMIT {PRODUCTS})");
    let variants = format!("(SELECT id FROM {from}.product_variants WHERE product_id IN {some})");
    let items = format!("(SELECT inventory_item_id FROM {from}.product_variants WHERE product_id IN {some})");
    let options = format!("(SELECT id FROM {from}.product_options WHERE product_id IN {some})");
    let part = |table: &str, condition: String| {
        let columns = &columns[table];
        format!(
            "INSERT INTO {to}.{table} ({columns}) SELECT {columns} FROM {from}.{table} WHERE {condition};"
        )
    };
    [
        "BEGIN;".to_owned(),
        part("products", format!("id IN {some}")),
        part("product_options", format!("product_id IN {some}")),
        part("product_option_values", format!("option_id IN {options}")),
        part("inventory_items", format!("id IN {items}")),
        format!(
            "INSERT INTO {to}.inventory_levels (item_id, location_id, on_hand) SELECT i.id, l.id, 1000000 \
             FROM {to}.inventory_items i, {to}.locations l;"
        ),
        part("product_variants", format!("product_id IN {some}")),
        part("prices", format!("variant_id IN {variants}")),
        "COMMIT".to_owned(),
    ]
    .join("\n")
}

/// Waits until PostgreSQL has put away what was filled in: dirty pages, and the vacuuming of thousands of new tables.
pub async fn settled(admin: &Sql) -> anyhow::Result<()> {
    admin.batch_execute("CHECKPOINT").await?;
    let busy = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'autovacuum worker')";
    let (end, mut quiet) = (Instant::now() + Duration::from_secs(180), 0);
    while quiet < 20 && Instant::now() < end {
        quiet = if admin.query_one(busy, &[]).await?.get(0) { 0 } else { quiet + 1 };
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Rows of the ledger without a schema behind them, so that a runtime knows `count` more stores. Returns their ids.
pub async fn known_only(admin: &Sql, count: usize) -> anyhow::Result<Vec<uuid::Uuid>> {
    let mut ids = Vec::new();
    for number in 0..count {
        let id = StoreId::new();
        let (suffix, lane) = (id.suffix(), i32::try_from(number % 8 + 1)?);
        admin
            .execute(
                "INSERT INTO platform.store_ledger (store_id, schema_name, role_name, lane, state, owner_kind, owner_ref, handle, name, \
                 hosts, plan) VALUES ($1, 's_' || $2, 'r_' || $2, $3, 'live', 'bench', $2, 'known-' || $2, 'A store', \
                 ARRAY['known-' || $2 || '.localhost'], '{}')",
                &[&id.uuid(), &suffix.to_string(), &lane],
            )
            .await?;
        ids.push(id.uuid());
    }
    Ok(ids)
}

/// Of ten requests six are lists, three details, one a cart with a line; each goes to another store.
pub struct Mix {
    client: Client,
    crowd: Arc<Crowd>,
    count: usize,
    next: usize,
}

impl Mix {
    pub fn new(address: SocketAddr, crowd: &Arc<Crowd>, count: usize, first: usize) -> Self {
        Self { client: Client::new(address), crowd: Arc::clone(crowd), count, next: first * 7919 }
    }
}

impl Work for Mix {
    async fn once(&mut self) -> anyhow::Result<()> {
        self.next += 1;
        // A stride without a common divisor visits every store, in an order that no cache likes.
        let Crowd { stalls, handles } = &*self.crowd;
        let stall = &stalls[(self.next * 7907) % self.count];
        let request = match self.next % 10 {
            0 => {
                let cart = json!({ "lines": [{ "variant": stall.variant, "quantity": 1 }] });
                Request::post(&stall.host, "/store/v1/carts", &[], &cart)
            }
            1..=3 => {
                let handle = &handles[self.next % handles.len()];
                Request::get(&stall.host, &format!("/store/v1/products/{handle}"))
            }
            _ => Request::get(&stall.host, "/store/v1/products?limit=20"),
        };
        self.client.fine(&request).await.map(drop)
    }
}
