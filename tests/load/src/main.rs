//! `make bench`: what Souk costs. Starts the real programs with a real PostgreSQL (fsync on) in a folder of its own, fills a store, drives
//! the API from this process, and reads from the kernel what the others used.

mod http;
mod many_at_once;
mod measure;
mod platform;
mod process;
mod report;
mod seed;
mod selling;
mod works;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;

use crate::http::{Client, Request};
use crate::measure::{System, closed, closed_until, percentile};
use crate::platform::{Extra, Platform, Shop, open_shop};
use crate::report::{Report, ms};
use crate::works::browse::Reads;
use crate::works::buy::{Errand, Shopper};
use crate::works::events::{Drained, End, Outbox};
use crate::works::floor::Bare;
use crate::works::{browse, check, events, floor, hot, many, open, sign_in, sql};

/// Measures Souk on this machine.
#[derive(Parser)]
struct Arguments {
    /// Only these parts, separated by commas: floor, list, detail, cart, checkout, heavy, everything, import, hot, check, events, sign_in, open, idle, many, overload.
    #[arg(long, default_value = "")]
    only: String,
    /// Where the built programs lie.
    #[arg(long, default_value = "target/fast")]
    programs: PathBuf,
    /// The folder that everything lives in while it is measured; emptied first, gone afterwards.
    #[arg(long, default_value = "target/bench/platform")]
    home: PathBuf,
    /// Where the tables are written, as Markdown.
    #[arg(long, default_value = "target/bench/tables.md")]
    tables: PathBuf,
    /// Stores of the largest crowd.
    #[arg(long, default_value_t = 1000)]
    stores: usize,
    /// Events of the long backlog that goes through Kafka; the short one, which is waited for until it was heard, has a fiftieth of them.
    #[arg(long, default_value_t = 1_000_000)]
    events: i64,
    /// Rows of the file that is imported.
    #[arg(long, default_value_t = 20_000)]
    rows: usize,
    /// Seconds each number of connections is measured for.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// A page whose part between the marks is replaced by the tables, when every part was run.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Leave everything running.
    #[arg(long)]
    keep: bool,
    /// Be the bare server that the others are compared with, at this address.
    #[arg(long, hide = true, requires_all = ["bare_database", "bare_schema"])]
    bare_server: Option<SocketAddr>,
    /// The database the bare server reads.
    #[arg(long, hide = true)]
    bare_database: Option<String>,
    /// The schema the bare server reads.
    #[arg(long, hide = true)]
    bare_schema: Option<String>,
}

const CONNECTIONS: [usize; 3] = [1, 16, 64];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Arguments {
        bare_server: Some(address),
        bare_database: Some(database),
        bare_schema: Some(schema),
        ..
    } = arguments
    {
        return floor::serve(address, database, schema);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(bench(arguments))
}

async fn bench(arguments: Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    tokio::select! {
        outcome = measure(&arguments) => outcome?,
        // What runs is stopped when it is dropped.
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    }
    println!("{:.0} s; load averages {}", began.elapsed().as_secs_f64(), process::load());
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let (date, load) = (chrono::Local::now().format("%Y-%m-%d %H:%M %Z").to_string(), process::load());
    println!("load averages {load}; starting the platform");
    let home = std::path::absolute(&arguments.home)?;
    let mut platform = Platform::start(&std::path::absolute(&arguments.programs)?, &home, false).await?;
    platform.keep = arguments.keep;
    let mut bench = Bench::prepare(&platform, arguments).await?;
    let outcome = bench.run().await;
    let tables = bench.report.tables(&date, &load);
    println!("\n{tables}");
    report::write(&arguments.tables, &tables)?;
    println!("written: {}", arguments.tables.display());
    if let (Some(page), true, true) = (&arguments.page, arguments.only.is_empty(), outcome.is_ok()) {
        report::replace(page, &tables)?;
        println!("written: {}", page.display());
    }
    outcome
}

/// Waits until every event was published and what it caused was done: relay, consumers, mails.
async fn drained(admin: &tokio_postgres::Client) -> anyhow::Result<()> {
    let waiting = "SELECT EXISTS (SELECT FROM platform.outbox WHERE published_at IS NULL AND dead_at IS NULL)
        OR EXISTS (SELECT FROM platform.due_work WHERE due_at <= now())";
    let end = Instant::now() + Duration::from_secs(120);
    while admin.query_one(waiting, &[]).await?.get(0) {
        anyhow::ensure!(Instant::now() < end, "events or due work still wait after two minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// How soon single events have their effect; what a short backlog costs until it was heard, and a long one until it is in the topic.
async fn relayed(
    report: &mut Report,
    way: &str,
    outbox: &Outbox<'_>,
    system: System,
    short: i64,
    long: Option<i64>,
) -> anyhow::Result<()> {
    let times = outbox.latencies(200).await?;
    let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
    let found = format!("p50 {:.0} ms, p99 {:.0} ms of {}", ms(p50), ms(p99), times.len());
    report.fact(&format!("From an event's commit to its effect, {way}"), &found, "");
    let found = outbox.drain(system, short, End::Heard).await?;
    let settled = found.took + outbox.settle().await?;
    let text =
        format!("{}; no consumer had anything left after {:.1} s", pace(&found), settled.as_secs_f64());
    report.fact(&format!("A backlog of {short} events heard by all who want them, {way}"), &text, "");
    report.fact(&format!("Memory while {short} events wait, {way}"), &memory(&found), "bounded");
    let Some(long) = long else { return Ok(()) };
    let found = outbox.drain(system, long, End::Carried).await?;
    let text = format!("{}; heard by the consumer of all of them meanwhile: {}", pace(&found), found.heard);
    report.fact(&format!("A backlog of {long} events relayed {way}"), &text, "");
    report.fact(&format!("Memory while {long} events wait, {way}"), &memory(&found), "bounded");
    Ok(())
}

fn pace(found: &Drained) -> String {
    let Drained { runtime, postgres, .. } = found;
    format!(
        "{:.0} events/s; CPU-s per 1,000: runtime {runtime:.2}, PostgreSQL {postgres:.2}",
        found.per_second()
    )
}

fn memory(found: &Drained) -> String {
    format!(
        "over in {:.1} s; the runtime's resident memory {:.1} MB before, {:.1} MB at most",
        found.took.as_secs_f64(),
        found.before_mb,
        found.most_mb
    )
}

struct Bench<'p> {
    platform: &'p Platform,
    arguments: &'p Arguments,
    admin: tokio_postgres::Client,
    shop: Shop,
    variants: Arc<Vec<String>>,
    /// A runtime without the read cache.
    plain: Extra,
    report: Report,
}

impl<'p> Bench<'p> {
    async fn prepare(platform: &'p Platform, arguments: &'p Arguments) -> anyhow::Result<Self> {
        let admin = platform.admin().await?;
        let shop = open_shop(platform.control, "bench-shop", Duration::from_millis(50)).await?;
        let began = Instant::now();
        seed::fill(platform.runtime, &shop).await?;
        seed::analyze(&admin).await?;
        println!("{} products in {:.1} s", seed::PRODUCTS, began.elapsed().as_secs_f64());
        let variants = Arc::new(seed::variants(&admin, &shop).await?);
        let plain = platform.extra(&["--no-worker"], &[("SOUK_READ_CACHE_MB", "0")]).await?;
        Ok(Self { platform, arguments, admin, shop, variants, plain, report: Report::default() })
    }

    fn wants(&self, part: &str) -> bool {
        let only = &self.arguments.only;
        only.is_empty() || only.split(',').any(|wanted| wanted.trim() == part)
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.arguments.seconds)
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        if self.wants("floor") {
            self.bare().await?;
            self.reads("static page from memory", floor::from_memory(&self.shop.host), true, None).await?;
        }
        if self.wants("list") {
            self.alone("list of 20: its SQL alone", false).await?;
            let list = browse::list(&self.shop.host);
            self.reads("list of 20, uncached", list.clone(), false, Some(0.6)).await?;
            self.reads("list of 20, cached", list, true, Some(0.02)).await?;
        }
        if self.wants("detail") {
            self.alone("detail by handle: its SQL alone", true).await?;
            let details = browse::details(&self.shop.host);
            self.reads("detail by handle, uncached", details.clone(), false, Some(0.12)).await?;
            self.reads("detail by handle, cached", details, true, Some(0.015)).await?;
        }
        if self.wants("cart") {
            self.shop_for("create cart + add line", Errand::Cart, Some(1.0)).await?;
        }
        if self.wants("checkout") {
            self.shop_for("whole checkout, pay later", Errand::Checkout("manual"), Some(4.0)).await?;
            self.shop_for("whole checkout, test provider", Errand::Checkout("test"), Some(4.0)).await?;
        }
        if self.wants("heavy") || self.wants("everything") {
            self.heavy().await?;
        }
        if self.wants("import") {
            self.import().await?;
        }
        if self.wants("hot") {
            self.hot_item().await?;
        }
        if self.wants("check") {
            let found = check::compare(self.time()).await?;
            let text = format!(
                "{:.0} ns; by `casbin::Enforcer` {:.0} ns: {:.0} × ({} roles × {} permissions)",
                found.compiled,
                found.enforcer,
                found.enforcer / found.compiled,
                found.roles,
                found.permissions
            );
            self.report.fact("Whether a role holds a permission", &text, "< 100 ns");
        }
        if self.wants("events") {
            self.events().await?;
        }
        if self.wants("sign_in") {
            self.signing_in().await?;
        }
        if self.wants("open") {
            self.opening().await?;
        }
        if self.wants("idle") {
            self.idling().await?;
        }
        if self.wants("many") {
            self.crowds().await?;
        }
        if self.wants("overload") {
            self.overload().await?;
        }
        Ok(())
    }

    fn system(&self, cached: bool) -> System {
        let runtime = if cached { self.platform.runtime_pid } else { self.plain.pid };
        System { runtime, postgres: self.platform.postgres_pid }
    }

    async fn reads(
        &mut self,
        work: &str,
        requests: Vec<Request>,
        cached: bool,
        goal: Option<f64>,
    ) -> anyhow::Result<()> {
        let address = if cached { self.platform.runtime } else { self.plain.address };
        let mut client = Client::new(address);
        client.fine(&requests[0]).await?;
        let (statements, transactions) = client.fine(&requests[0]).await?.statements();
        for connections in CONNECTIONS {
            let worker = |first| Reads::new(address, requests.clone(), first);
            let figures = closed(self.system(cached), connections, self.time(), worker).await?;
            self.report.work(work, &figures, &format!("{statements}/{transactions}"), goal);
        }
        Ok(())
    }

    /// A server that does nothing but the work.
    async fn bare(&mut self) -> anyhow::Result<()> {
        let bare = Bare::start(&self.platform.admin_url, &self.shop.schema).await?;
        let system = System { runtime: bare.pid, postgres: self.platform.postgres_pid };
        for (work, path) in
            [("a page of 5 KB", "/page"), ("list of 20", "/list"), ("detail by handle", "/detail")]
        {
            let requests = vec![Request::get("localhost", path)];
            for connections in CONNECTIONS {
                let worker = |first| Reads::new(bare.address, requests.clone(), first);
                let figures = closed(system, connections, self.time(), worker).await?;
                self.report.work(&format!("bare server: {work}"), &figures, "", None);
            }
        }
        Ok(())
    }

    /// The same statement by a plain client: what PostgreSQL itself needs for it.
    async fn alone(&mut self, work: &str, detail: bool) -> anyhow::Result<()> {
        let client = self.platform.admin().await?;
        let schema = &self.shop.schema;
        let alone = if detail {
            sql::Alone::detail(client, schema).await?
        } else {
            sql::Alone::list(client, schema).await?
        };
        let mut one = Some(alone);
        let worker = |_| one.take().expect("one connection");
        // This process is the client, so only PostgreSQL is counted.
        let system = System { runtime: -1, postgres: self.platform.postgres_pid };
        let figures = closed(system, 1, self.time(), worker).await?;
        self.report.work(work, &figures, "1/0", None);
        Ok(())
    }

    async fn shop_for(&mut self, work: &str, errand: Errand, goal: Option<f64>) -> anyhow::Result<()> {
        let (address, host) = (self.platform.runtime, self.shop.host.clone());
        let mut shopper = Shopper::new(address, &host, &self.variants, 1, errand);
        shopper.run().await?;
        let costs = shopper.run().await?;
        let named: Vec<_> = costs.iter().map(|(name, (s, t))| format!("{name} {s}/{t}")).collect();
        for connections in CONNECTIONS {
            let variants = Arc::clone(&self.variants);
            let worker = |first| Shopper::new(address, &host, &variants, first, errand);
            let drained = async || drained(&self.admin).await;
            let figures = closed_until(self.system(true), connections, self.time(), worker, drained).await?;
            self.report.work(work, &figures, &named.join(", "), goal);
        }
        Ok(())
    }

    /// One item that sixteen buy at once: its stock in one row, then in buckets, in one run.
    async fn hot_item(&mut self) -> anyhow::Result<()> {
        let item = hot::item(&self.admin, &self.shop).await?;
        // This process asks by itself, so only PostgreSQL is counted.
        let system = System { runtime: -1, postgres: self.platform.postgres_pid };
        let mut rates = Vec::new();
        for (work, buckets) in
            [("one item, its stock in one row", 0), ("one item, its stock in buckets", hot::BUCKETS)]
        {
            hot::deal(self.platform.runtime, &self.shop, item, buckets).await?;
            let mut buyers = hot::buyers(self.platform, &self.shop, item).await?;
            let worker = |_| buyers.pop().expect("a buyer for each connection");
            let figures = closed(system, hot::BUYERS, self.time(), worker).await?;
            rates.push(figures.per_second);
            self.report.work(work, &figures, "4/2", None);
        }
        hot::deal(self.platform.runtime, &self.shop, item, 0).await?;
        if let [row, buckets] = rates[..] {
            let found = format!(
                "{row:.0}/s from one row, {buckets:.0}/s from {} buckets: {:.1} ×",
                hot::BUCKETS,
                buckets / row
            );
            self.report.fact("A hot item at 16 buyers, reserved and committed", &found, "≥ 2.5 ×");
        }
        Ok(())
    }

    /// Events from the outbox alone on the platform that is there, and through Kafka on one of their own.
    async fn events(&mut self) -> anyhow::Result<()> {
        let system = self.system(true);
        drained(&self.admin).await?;
        let outbox = Outbox::of(&self.admin, &self.shop).await?;
        let short = (self.arguments.events / 50).max(1000);
        relayed(&mut self.report, "from the outbox", &outbox, system, short, None).await?;
        let found = events::neighbours(self.platform.runtime, &self.shop, &outbox, 150, 2).await?;
        let (alone, beside) = (percentile(&found.alone, 0.5), percentile(&found.beside, 0.5));
        let text = format!(
            "p50 {:.1} ms alone, {:.1} ms beside one that never answers: {:+.1} %; p99 {:.1} and {:.1} ms",
            ms(alone),
            ms(beside),
            (beside.as_secs_f64() / alone.as_secs_f64() - 1.0) * 100.0,
            ms(percentile(&found.alone, 0.99)),
            ms(percentile(&found.beside, 0.99))
        );
        self.report.fact("A webhook to a good endpoint", &text, "< 5 % later");
        outbox.tidy().await?;

        let programs = std::path::absolute(&self.arguments.programs)?;
        let home = std::path::absolute(&self.arguments.home)?.with_extension("kafka");
        let platform = Platform::start(&programs, &home, true).await?;
        let admin = platform.admin().await?;
        let shop = open_shop(platform.control, "bench-events", Duration::from_millis(50)).await?;
        drained(&admin).await?;
        let outbox = Outbox::of(&admin, &shop).await?;
        let system = System { runtime: platform.runtime_pid, postgres: platform.postgres_pid };
        let long = Some(self.arguments.events);
        relayed(&mut self.report, "through Kafka", &outbox, system, short, long).await
    }

    async fn signing_in(&mut self) -> anyhow::Result<()> {
        let (address, host) = (self.platform.runtime, self.shop.host.clone());
        sign_in::register(address, &host).await?;
        let worker = |_| sign_in::SignIn::new(address, &host);
        let figures = closed(self.system(true), 1, self.time(), worker).await?;
        self.report.work("sign-in of a customer", &figures, "", None);
        let list = browse::list(&host).pop().context("a request")?;
        for (what, address) in [("uncached", self.plain.address), ("from memory", address)] {
            let flood = sign_in::flood(address, &host, &list, self.time()).await?;
            let found = format!(
                "p99 {:.1} ms still, {:.1} ms while {:.0} sign-ins/s are tried: {:.2} ×, {} wrong",
                ms(flood.still),
                ms(flood.flooded),
                flood.tried,
                flood.flooded.as_secs_f64() / flood.still.as_secs_f64(),
                flood.wrong
            );
            self.report.fact(&format!("List of 20, {what}, beside a flood of sign-ins"), &found, "≤ 1.5 ×");
        }
        Ok(())
    }

    async fn opening(&mut self) -> anyhow::Result<()> {
        // Let the spares fill up after the last store.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let mut times = Vec::new();
        for number in 0..20 {
            let handle = format!("opened-{number}");
            times.push(open::until_buyable(self.platform.control, self.platform.runtime, &handle).await?);
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        times.sort_unstable();
        let found = format!(
            "p50 {:.0} ms, p95 {:.0} ms of 20",
            ms(percentile(&times, 0.5)),
            ms(percentile(&times, 0.95))
        );
        self.report.fact("Sign-up → first product in a cart, spares ready", &found, "p95 ≤ 1,000 ms");
        Ok(())
    }

    async fn idling(&mut self) -> anyhow::Result<()> {
        let mut starts = Vec::new();
        for _ in 0..5 {
            starts.push(self.platform.extra(&["--no-worker"], &[]).await?.started_in);
        }
        starts.sort_unstable();
        let found = format!("{:.0} ms (median of 5)", ms(percentile(&starts, 0.5)));
        self.report.fact("Cold start of a runtime", &found, "≤ 1,000 ms");
        let known = many::known_only(&self.admin, 1000).await?;
        let fresh = self.platform.extra(&[], &[]).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let found = format!("{:.1} MB", process::resident_mb(fresh.pid));
        self.report.fact("A fresh runtime with workers that knows 1,000 stores, resident", &found, "≤ 40 MB");
        let count =
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        let transactions = async || anyhow::Ok(self.admin.query_one(count, &[]).await?.get::<_, i64>(0));
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (before, cpu) =
            (transactions().await?, (process::cpu(fresh.pid), process::cpu(self.platform.postgres_pid)));
        tokio::time::sleep(Duration::from_secs(10)).await;
        let per_second = (transactions().await? - before) as f64 / 10.0;
        let runtime = (process::cpu(fresh.pid).saturating_sub(cpu.0)).as_secs_f64() / 10.0 * 100.0;
        let postgres =
            (process::cpu(self.platform.postgres_pid).saturating_sub(cpu.1)).as_secs_f64() / 10.0 * 100.0;
        let found = format!(
            "{per_second:.1} transactions/s of the whole platform (two runtimes with workers, control plane), one runtime {runtime:.1} % and PostgreSQL {postgres:.1} % of a core"
        );
        self.report.fact("Idle with 1,000 stores", &found, "≈ 0");
        self.admin.execute("DELETE FROM platform.store_ledger WHERE store_id = ANY($1)", &[&known]).await?;
        let found = format!("{:.1} MB", process::resident_mb(self.platform.runtime_pid));
        self.report.fact("The runtime that served this run, resident", &found, "");
        let found = format!("{:.0} MB", process::private_mb(self.platform.postgres_pid));
        self.report.fact("PostgreSQL's backends, private memory", &found, "");
        Ok(())
    }
}
