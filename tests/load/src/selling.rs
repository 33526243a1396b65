//! What a merchant of some size does: large carts, checkouts with everything on, files of products.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::measure::{closed, closed_until};
use crate::platform::open_shop;
use crate::works::heavy::{self, Buyer, Cart};
use crate::works::import;
use crate::{Bench, CONNECTIONS, drained};

/// Lines of the carts.
const LINES: [usize; 3] = [2, 50, 500];
/// More checkouts in a second than there are on any machine that this is run on.
const CHECKOUTS: f64 = 150.0;

impl Bench<'_> {
    /// A store with discounts and taxes of every kind: carts in it, and checkouts.
    pub async fn heavy(&mut self) -> anyhow::Result<()> {
        let (address, control) = (self.platform.runtime, self.platform.control);
        let shop = open_shop(control, "bench-heavy", Duration::from_millis(50)).await?;
        let mut goods = heavy::furnish(address, &shop).await?;
        drained(&self.admin).await?;
        if self.wants("heavy") {
            let mut costs = Vec::new();
            for size in LINES {
                let mut cart = Cart::fill(address, &shop, &goods.variants, size).await?;
                cart.change().await?;
                let (statements, transactions) = cart.change().await?;
                let mut one = Some(cart);
                let worker = |_| one.take().expect("one connection");
                let figures = closed(self.system(true), 1, self.time(), worker).await?;
                costs.push(figures.cpu());
                // CPU-seconds per 1,000 are milliseconds of each.
                let goal = (size == 500).then_some(30.0);
                let work = format!("change a line of {size}, eight discounts, two taxes");
                self.report.work(&work, &figures, &format!("{statements}/{transactions}"), goal);
            }
            if let [_, some, many] = costs[..] {
                let found = format!("{many:.1} ms beside {some:.1} ms of CPU: {:.1} ×", many / some);
                self.report.fact("A change of a cart of 500 lines beside one of 50", &found, "≤ 10 ×");
            }
        }
        if self.wants("everything") {
            for connections in CONNECTIONS {
                // The warm-up has a quarter, and every buyer may be at work when the time is up.
                let count = (self.arguments.seconds * 1.25 * CHECKOUTS).ceil() as usize + 2 * connections + 2;
                let cards = goods.issue(count).await?;
                let mut first = Buyer::new(address, &shop.host, &goods.variants, &cards, 1);
                first.run().await?;
                let costs = first.run().await.context("a checkout with everything on")?;
                let named: Vec<_> = costs.iter().map(|(name, (s, t))| format!("{name} {s}/{t}")).collect();
                let variants = Arc::clone(&goods.variants);
                let worker = |first| Buyer::new(address, &shop.host, &variants, &cards, first);
                drained(&self.admin).await?;
                let rest = async || drained(&self.admin).await;
                let figures = closed_until(self.system(true), connections, self.time(), worker, rest).await?;
                self.report.work("whole checkout, everything on", &figures, &named.join(", "), Some(5.0));
            }
        }
        Ok(())
    }

    /// A file of products into a store of its own.
    pub async fn import(&mut self) -> anyhow::Result<()> {
        let shop = open_shop(self.platform.control, "bench-import", Duration::from_millis(50)).await?;
        import::make_room(&self.admin, &shop).await?;
        drained(&self.admin).await?;
        let system = self.system(true);
        let found = import::run(self.platform, &shop, system, self.arguments.rows).await?;
        let pace = format!(
            "{:.0} rows/s; CPU-s per 1,000: runtime {:.2}, PostgreSQL {:.2}",
            found.rows as f64 / found.took.as_secs_f64(),
            found.runtime,
            found.postgres
        );
        self.report.fact(&format!("A file of {} rows imported", found.rows), &pace, "");
        let memory = format!("resident {:.1} MB before, {:.1} MB at most", found.before_mb, found.most_mb);
        self.report.fact("The runtime's memory during the import", &memory, "bounded");
        drained(&self.admin).await
    }
}
