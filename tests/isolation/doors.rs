//! The storm at the doors: every operation of a store's API, asked of two hundred stores that hold the same ids, over HTTP; clients go away,
//! handlers are dropped and panic at any of their waits, tables are locked, connections are cut.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use souk_proofs::people::staff_token;
use souk_proofs::{Call, Operation, Plane};

use super::chance::Chance;
use super::strike::{self, DROPPED, PANICKED, strikes};
use super::wire::Wire;
use super::world::{Shop, World};
use crate::authority::requests::sound;

const AT_ONCE: usize = 24;
/// Requests for each store.
const EACH: usize = 12;
/// Something befalls the database after so many requests.
const CALAMITY: usize = 200;

#[derive(Default)]
struct Tally {
    asked: AtomicUsize,
    served: AtomicUsize,
    refused: AtomicUsize,
    unavailable: AtomicUsize,
    gone: AtomicUsize,
    broken: AtomicUsize,
    dropped: AtomicUsize,
    canaries: AtomicUsize,
}

struct Storm {
    world: Arc<World>,
    client: reqwest::Client,
    address: String,
    /// What only looks, and the rest; with the request that suits the mother.
    looks: Vec<(&'static Operation, Call)>,
    acts: Vec<(&'static Operation, Call)>,
    tokens: Vec<String>,
    tally: Tally,
    findings: Mutex<Vec<String>>,
}

/// Gives the server, which is still there.
///
/// # Panics
/// When anything of a store was seen in another, or a fault was answered as our own mistake.
pub async fn storm(world: &Arc<World>, wire: &Arc<Wire>, seed: u64) -> ServerHandle {
    let way = format!("postgres://{}/{}", wire.address, world.database.name);
    let services = world.platform.services(way.parse().expect("a database")).await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server =
        HttpServer::new(move || souk_tenant_runtime::app::app(services.clone()).wrap(from_fn(strikes)))
            .workers(2)
            // A client that goes away takes its request with it.
            .h1_allow_half_closed(false)
            .disable_signals()
            .listen(listener)
            .expect("a server")
            .run();
    let handle = server.handle();
    tokio::spawn(server);

    let request = |operation: &'static Operation| (operation, sound(operation, &world.mother));
    let (looks, acts): (Vec<_>, Vec<_>) =
        Plane::Store.document().operations.iter().map(request).partition(|(operation, _)| operation.reads());
    let account = world.mother.owner().account;
    let tokens = world.shops.iter().map(|shop| staff_token(&world.platform, account, shop.id, 0)).collect();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
    let storm = Storm {
        world: Arc::clone(world),
        client,
        address,
        looks,
        acts,
        tokens,
        tally: Tally::default(),
        findings: Mutex::default(),
    };
    let (storm, next) = (Arc::new(storm), Arc::new(AtomicUsize::new(0)));
    let workers = (0..AT_ONCE as u64).map(|stream| {
        let (storm, next, wire) = (Arc::clone(&storm), Arc::clone(&next), Arc::clone(wire));
        let chance = Chance::new(!seed, stream);
        tokio::spawn(async move {
            let total = storm.world.shops.len() * EACH;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return;
                }
                if number % CALAMITY == CALAMITY - 1 {
                    storm.calamity(&wire, &chance).await;
                }
                storm.one(number * 7 % storm.world.shops.len(), &chance).await;
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.expect("a client");
    }
    storm.ends();
    handle
}

impl Storm {
    async fn one(&self, number: usize, chance: &Chance) {
        let kind = if chance.below(4) == 0 { &self.acts } else { &self.looks };
        let (operation, call) = chance.of(kind);
        let request = self.request(number, operation, call, chance);
        match chance.below(20) {
            0..=3 => {
                let waits = chance.below(16);
                self.send(number, operation, request.header(strike::HEADER, format!("drop {waits}"))).await;
            }
            4..=5 => {
                let waits = chance.below(16);
                self.send(number, operation, request.header(strike::HEADER, format!("panic {waits}"))).await;
            }
            6..=8 => {
                // The client does not wait for the answer.
                let patience = Duration::from_micros(chance.next() % 12_000);
                if tokio::time::timeout(patience, self.send(number, operation, request)).await.is_err() {
                    self.tally.gone.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => self.send(number, operation, request).await,
        }
    }

    /// The mother's request, as the owner of this store or a shopper of it would send it.
    fn request(
        &self,
        number: usize,
        operation: &Operation,
        call: &Call,
        chance: &Chance,
    ) -> reqwest::RequestBuilder {
        let (shop, mother) = (&self.world.shops[number], &self.world.shops[0].mark);
        let mut call = call.clone();
        if call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
            // The same few keys in every store: what is kept under them must not be another store's.
            call = call.header("idempotency-key", format!("twin-{}", chance.below(4)));
        }
        if operation.path.starts_with("/admin/") {
            call = call.bearer(&self.tokens[number]);
        }
        let method = reqwest::Method::from_bytes(call.method.as_bytes()).expect("a method");
        let path = shop.mark.rewrite(mother, &call.path);
        let mut request =
            self.client.request(method, format!("{}{path}", self.address)).header("host", &shop.host);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        match call.body {
            // A picture is the same everywhere.
            Some(body) => match String::from_utf8(body) {
                Ok(text) => request.body(shop.mark.rewrite(mother, &text)),
                Err(picture) => request.body(picture.into_bytes()),
            },
            None => request,
        }
    }

    async fn send(&self, number: usize, operation: &Operation, request: reqwest::RequestBuilder) {
        let tally = &self.tally;
        tally.asked.fetch_add(1, Ordering::Relaxed);
        let shop = &self.world.shops[number];
        let Ok(mut response) = request.send().await else {
            // What a panic looks like from outside.
            tally.broken.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let status = response.status().as_u16();
        let mut text = format!("{:?}\n", response.headers());
        let stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let patience = Duration::from_millis(if stream { 100 } else { 20_000 });
        while let Ok(Ok(Some(bytes))) = tokio::time::timeout(patience, response.chunk()).await {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        tally.canaries.fetch_add(shop.mark.own(&text), Ordering::Relaxed);
        if let Some(found) = shop.mark.foreign(&text) {
            self.finds(shop, operation, &format!("{status} tells of {found}: {text}"));
        }
        match status {
            0..=399 => tally.served.fetch_add(1, Ordering::Relaxed),
            504 if text.ends_with("\ndropped") => tally.dropped.fetch_add(1, Ordering::Relaxed),
            503 => tally.unavailable.fetch_add(1, Ordering::Relaxed),
            500.. => {
                self.finds(shop, operation, text.split_once('\n').unwrap_or_default().1);
                0
            }
            400..=499 => tally.refused.fetch_add(1, Ordering::Relaxed),
        };
    }

    async fn calamity(&self, wire: &Wire, chance: &Chance) {
        let admin = &self.world.admin;
        match chance.below(3) {
            0 => {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                    AND usename ~ '^runtime_[0-9]' ORDER BY md5(pid::text || $1) LIMIT 1";
                admin.query(sql, &[&chance.next().to_string()]).await.expect("the server answers");
            }
            1 => {
                wire.cut(|open| chance.below(open));
            }
            _ => {
                // Longer than anybody waits for a lock.
                let number = chance.below(self.world.shops.len());
                let schema = &self.world.shops[number].schema;
                let sql = format!(
                    "BEGIN; LOCK TABLE {schema}.store_settings, {schema}.products, {schema}.orders, {schema}.carts;
                     SELECT pg_sleep(1.2); COMMIT"
                );
                let lock = async { admin.batch_execute(&sql).await.expect("a lock") };
                let ask = async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    for _ in 0..4 {
                        self.one(number, chance).await;
                    }
                };
                tokio::join!(lock, ask);
            }
        }
    }

    fn finds(&self, shop: &Shop, operation: &Operation, what: &str) {
        let what: String = what.chars().take(700).collect();
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.push(format!("store {} ({}), {operation}: {what}", shop.mark.word, shop.schema));
    }

    fn ends(&self) {
        let tally = &self.tally;
        let [asked, served, refused, unavailable, gone, broken, dropped, canaries] = [
            &tally.asked,
            &tally.served,
            &tally.refused,
            &tally.unavailable,
            &tally.gone,
            &tally.broken,
            &tally.dropped,
            &tally.canaries,
        ]
        .map(|counter| counter.load(Ordering::Relaxed));
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "isolation, over HTTP: {} operations, {asked} requests: {served} served, {refused} refused, {unavailable} told to come again, \
             {dropped} dropped, {broken} broken off, {gone} clients gone; {canaries} canaries, {} findings; {} dropped and {} panicked in both storms",
            self.looks.len() + self.acts.len(),
            findings.len(),
            DROPPED.load(Ordering::Relaxed),
            PANICKED.load(Ordering::Relaxed),
        );
        assert!(
            findings.is_empty(),
            "{} findings:\n{}",
            findings.len(),
            findings[..findings.len().min(20)].join("\n")
        );
        let stores = self.world.shops.len();
        assert!(served > 2 * stores && canaries > 2 * stores && refused > 0, "the storm was none");
        assert!(dropped > 0 && broken > 0 && gone > 0, "the storm was none");
    }
}
