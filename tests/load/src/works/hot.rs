//! What many buy at the same moment: its stock in one row, and dealt into buckets. The stock work of a sale and nothing else, by the very
//! statements of the runtime: reserved in one transaction, committed in the next, each durable before the next buyer's.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use serde_json::json;
use souk_kernel::InventoryItemId;
use tokio_postgres::types::Type;
use tokio_postgres::{Client as Sql, Statement};
use uuid::Uuid;

use crate::http::{Client, Request};
use crate::measure::Work;
use crate::platform::{Platform, Shop};

/// Buyers at once.
pub const BUYERS: usize = 16;
/// Buckets of the hot item.
pub const BUCKETS: i32 = 16;

const LOCK: &str = include_str!("../../../../tenant-runtime/src/inventory/queries/lock_for_cart.sql");
const TAKE: &str = include_str!("../../../../tenant-runtime/src/inventory/queries/take.sql");
const LOCK_AGAIN: &str = include_str!("../../../../tenant-runtime/src/inventory/queries/lock_levels.sql");
const COMMIT: &str = include_str!("../../../../tenant-runtime/src/inventory/queries/commit.sql");

/// The item that everybody wants.
pub async fn item(admin: &Sql, shop: &Shop) -> anyhow::Result<Uuid> {
    let text = format!("SELECT inventory_item_id FROM {}.product_variants ORDER BY id LIMIT 1", shop.schema);
    Ok(admin.query_one(&text, &[]).await?.get(0))
}

/// Deals the item into so many buckets, or gathers it.
pub async fn deal(runtime: SocketAddr, shop: &Shop, item: Uuid, buckets: i32) -> anyhow::Result<()> {
    let bearer = format!("Bearer {}", shop.secret_key);
    let headers = [("authorization", bearer.as_str()), ("if-match", "*")];
    let path = format!("/admin/v1/inventory-items/{}", InventoryItemId::from_uuid(item));
    let body = json!({ "buckets": buckets }).to_string();
    let request = Request::new("PUT", &shop.host, &path, &headers, body.as_bytes());
    Client::new(runtime).fine(&request).await.context("buckets").map(drop)
}

/// A buyer with a connection.
pub struct Buyer {
    sql: Sql,
    item: Uuid,
    lock: Statement,
    take: Statement,
    lock_again: Statement,
    commit: Statement,
}

/// Buyers who are there already when the clock starts.
pub async fn buyers(platform: &Platform, shop: &Shop, item: Uuid) -> anyhow::Result<Vec<Buyer>> {
    let mut buyers = Vec::with_capacity(BUYERS);
    for _ in 0..BUYERS {
        buyers.push(Buyer::new(platform.admin().await?, &shop.schema, item).await?);
    }
    Ok(buyers)
}

impl Buyer {
    async fn new(sql: Sql, schema: &str, item: Uuid) -> anyhow::Result<Self> {
        let home = format!("SET search_path = {schema}, extensions, platform; SET synchronous_commit = on");
        sql.batch_execute(&home).await?;
        let take = TAKE
            .replace("$6", "now() + interval '15 minutes'")
            .replace("$7", "now()")
            .replace("$8", "'service:checkout'");
        let commit = COMMIT.replace("$3", "now()").replace("$4", "'service:checkout'");
        let lock = sql.prepare_typed(LOCK, &[Type::UUID_ARRAY, Type::UUID, Type::INT8_ARRAY]).await?;
        let taken = [Type::UUID_ARRAY, Type::UUID_ARRAY, Type::UUID_ARRAY, Type::INT8_ARRAY, Type::UUID];
        let take = sql.prepare_typed(&take, &taken).await?;
        let lock_again = sql.prepare_typed(LOCK_AGAIN, &[Type::UUID_ARRAY, Type::UUID]).await?;
        let commit = sql.prepare_typed(&commit, &[Type::UUID, Type::UUID]).await?;
        Ok(Self { sql, item, lock, take, lock_again, commit })
    }
}

impl Work for Buyer {
    async fn once(&mut self) -> anyhow::Result<()> {
        let (cart, order) = (Uuid::now_v7(), Uuid::now_v7());
        self.sql.batch_execute("BEGIN").await?;
        let mut rows = self.sql.query(&self.lock, &[&vec![self.item], &cart, &vec![1_i64]]).await?;
        if rows.is_empty() {
            // Every bucket is somebody's at this moment: wait for them, as the runtime does.
            rows = self.sql.query(&self.lock_again, &[&vec![self.item], &cart]).await?;
        }
        let free = |row: &&tokio_postgres::Row| row.get::<_, i64>("available") > 0;
        let place: Uuid = rows.iter().find(free).context("sold out")?.get("location_id");
        let parts: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&vec![Uuid::now_v7()], &vec![self.item], &vec![place], &vec![1_i64], &cart];
        let taken = self.sql.execute(&self.take, &parts).await?;
        ensure!(taken == 1, "the piece was not taken");
        self.sql.batch_execute("COMMIT; BEGIN").await?;
        self.sql.query(&self.lock_again, &[&Vec::<Uuid>::new(), &cart]).await?;
        let enough: bool = self.sql.query_one(&self.commit, &[&cart, &order]).await?.get("enough");
        ensure!(enough, "the piece was gone");
        Ok(self.sql.batch_execute("COMMIT").await?)
    }
}
