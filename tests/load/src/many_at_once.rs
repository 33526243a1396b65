//! The parts about many at once: many stores, too many requests, a neighbour who takes all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::Bench;
use crate::http::{Client, Request};
use crate::measure::{System, closed, percentile};
use crate::platform::open_shop;
use crate::process;
use crate::report::ms;
use crate::works::browse::{self, Reads};
use crate::works::many::{self, Mix};
use crate::works::overload;

impl Bench<'_> {
    pub(crate) async fn crowds(&mut self) -> anyhow::Result<()> {
        let count = self.arguments.stores.max(20);
        let began = Instant::now();
        let (database, password) =
            (self.platform.database_url(), self.platform.secret("provisioner_password")?);
        let everybody = many::open(database, &password, &self.admin, &self.shop, count).await?;
        let everybody = Arc::new(everybody);
        self.report.note(format!(
            "{count} stores were opened by the provisioner in {:.0} s and filled by SQL with 30 products each.",
            began.elapsed().as_secs_f64()
        ));
        many::settled(&self.admin).await?;
        let crowd = self.platform.extra(&["--no-worker"], &[("SOUK_READ_CACHE_MB", "0")]).await?;
        let system = System { runtime: crowd.pid, postgres: self.platform.postgres_pid };
        let mut sizes = vec![20, 200.min(count), count];
        sizes.dedup();
        let mut first = None;
        for size in sizes {
            // Every store visited often enough that each connection of its lane has its plans.
            let worker = |first| Mix::new(crowd.address, &everybody, size, first);
            let warm = self.time() + Duration::from_millis(40 * size as u64);
            closed(system, 16, warm, worker).await?;
            let figures = closed(system, 16, self.time().mul_f64(2.0), worker).await?;
            self.report.work(&format!("mix over {size} stores, uncached"), &figures, "", None);
            let base = *first.get_or_insert((figures.p99, figures.cpu()));
            if size > 20 {
                let found = format!(
                    "p99 {:.2} ×, CPU {:.2} × that of 20 stores",
                    figures.p99.as_secs_f64() / base.0.as_secs_f64(),
                    figures.cpu() / base.1
                );
                self.report.fact(&format!("The same mix over {size} stores"), &found, "p99 ≤ 1.3 ×");
            }
        }
        let found = format!("{:.0} MB", process::private_mb(self.platform.postgres_pid));
        self.report.fact(&format!("PostgreSQL's backends after {count} stores, private memory"), &found, "");
        Ok(())
    }

    pub(crate) async fn overload(&mut self) -> anyhow::Result<()> {
        let list = browse::list(&self.shop.host).pop().context("a request")?;
        let (address, system) = (self.plain.address, self.system(false));
        let worker = |first| Reads::new(address, vec![list.clone()], first);
        let capacity = closed(system, 16, self.time(), worker).await?.per_second;
        for factor in [1.0, 2.0, 5.0] {
            let time = self.time().max(Duration::from_secs(4));
            let out = overload::open_loop(address, &list, capacity * factor, time, 1000).await;
            let found = format!(
                "offered {:.0}/s, good {:.0}/s ({:.0} % of capacity), refused {:.0}/s with Retry-After, wrong {}, p99 of the good {:.0} ms",
                out.offered_per_second,
                out.good_per_second,
                out.good_per_second / capacity * 100.0,
                out.refused_per_second,
                out.wrong,
                ms(out.p99)
            );
            self.report.fact(&format!("List of 20, open loop at ×{factor}"), &found, "goodput holds");
        }
        self.neighbours(address, &list).await
    }

    /// A second store's times while the first is flooded by 256 connections.
    async fn neighbours(&mut self, address: std::net::SocketAddr, flood: &Request) -> anyhow::Result<()> {
        let other = open_shop(self.platform.control, "neighbour", Duration::from_millis(20)).await?;
        let calm = Request::get(&other.host, "/store/v1/products?limit=20");
        let (pause, time) = (Duration::from_millis(10), self.time());
        let (alone, _) = overload::gentle(address, &calm, pause, time).await;
        let stop = Instant::now() + time + Duration::from_millis(500);
        let flooders: Vec<_> = (0..256)
            .map(|_| {
                let flood = flood.clone();
                tokio::spawn(async move {
                    let mut client = Client::new(address);
                    while Instant::now() < stop {
                        let _ = client.send(&flood).await;
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (beside, wrong) = overload::gentle(address, &calm, pause, time).await;
        for flooder in flooders {
            let _ = flooder.await;
        }
        let found = format!(
            "p50 {:.1} → {:.1} ms, p99 {:.1} → {:.1} ms, {wrong} refused",
            ms(percentile(&alone, 0.5)),
            ms(percentile(&beside, 0.5)),
            ms(percentile(&alone, 0.99)),
            ms(percentile(&beside, 0.99))
        );
        self.report.fact(
            "Another store while one is flooded over 256 connections",
            &found,
            "p99 stays usable",
        );
        Ok(())
    }
}
