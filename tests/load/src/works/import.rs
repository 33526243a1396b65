//! A file of products, from its sending until its last row is in the store.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::http::{Client, Request};
use crate::measure::System;
use crate::platform::{Platform, Shop};
use crate::process;

/// Rows, which are variants, of each product.
const ROWS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(1800);

/// What an import took.
#[derive(Debug)]
pub struct Found {
    pub rows: usize,
    pub took: Duration,
    /// CPU-seconds per 1,000 rows.
    pub runtime: f64,
    pub postgres: f64,
    /// The runtime's resident memory before and at most.
    pub before_mb: f64,
    pub most_mb: f64,
}

/// A table with Shopify's columns.
fn table(rows: usize) -> String {
    let mut text = String::from(
        "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,Status\n",
    );
    for row in 0..rows {
        let (product, variant) = (row / ROWS, row % ROWS);
        // Only the first row of a product says what the product is.
        let of_product = if variant == 0 {
            format!("Imported thing {product},<p>Made to last.</p>,Bench & Sons,Thing,\"a, b\",Size")
        } else {
            ",,,,,".to_owned()
        };
        let price = 900 + row % 50;
        let _ = writeln!(
            text,
            "imported-{product},{of_product},S{variant},IMP-{row},{}.{:02},{},active",
            price / 100,
            price % 100,
            row % 90
        );
    }
    text
}

/// A store on a plan that has room for it. The runtime hears of the plan by itself.
pub async fn make_room(admin: &tokio_postgres::Client, shop: &Shop) -> anyhow::Result<()> {
    let text = "UPDATE platform.store_ledger SET plan = '{\"id\": \"growth\"}' WHERE schema_name = $1";
    let changed = admin.execute(text, &[&shop.schema]).await?;
    ensure!(changed == 1, "{} is not in the ledger", shop.schema);
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Imports so many rows.
pub async fn run(platform: &Platform, shop: &Shop, system: System, rows: usize) -> anyhow::Result<Found> {
    let file = table(rows);
    let bearer = format!("Bearer {}", shop.secret_key);
    let headers = [("authorization", bearer.as_str())];
    let mut client = Client::new(platform.runtime);
    let cpu = || (process::cpu(system.runtime), process::cpu(system.postgres));
    let (before, before_mb, began) = (cpu(), process::resident_mb(system.runtime), Instant::now());
    let mut most_mb = before_mb;
    let sent = Request::table(&shop.host, "/admin/v1/imports?format=csv", &headers, &file);
    let sent = client.fine(&sent).await.context("the file")?.json();
    let id = sent["id"].as_str().context("id")?;
    let look = Request::new("GET", &shop.host, &format!("/admin/v1/imports/{id}"), &headers, b"");
    let import: Value = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        most_mb = most_mb.max(process::resident_mb(system.runtime));
        let import = client.fine(&look).await?.json();
        match import["state"].as_str() {
            Some("done") => break import,
            Some("queued" | "running") if began.elapsed() < PATIENCE => {}
            _ => bail!("the import does not end: {import}"),
        }
    };
    let (took, after) = (began.elapsed(), cpu());
    let made = import["products"]["created"].as_u64().and_then(|made| usize::try_from(made).ok());
    ensure!(made == Some(rows.div_ceil(ROWS)) && import["errors"] == 0, "not everything is there: {import}");
    let thousands = rows as f64 / 1000.0;
    let per_thousand =
        |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64() / thousands;
    Ok(Found {
        rows,
        took,
        runtime: per_thousand(after.0, before.0),
        postgres: per_thousand(after.1, before.1),
        before_mb,
        most_mb,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_cells_as_the_header() {
        let text = table(9);
        let cells = |line: &str| line.replace("\"a, b\"", "tags").split(',').count();
        let counts: Vec<_> = text.lines().map(cells).collect();
        assert_eq!(counts, [12; 10]);
    }
}
