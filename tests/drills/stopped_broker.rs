//! The broker stops answering, and at last dies, while people buy: nobody who buys notices, and afterwards nothing is missing. Before that
//! every partition of the topic is given something that is no event.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use souk_tests::books::Told;
use souk_tests::platform::signal;
use souk_tests::receiver::{Manner, Receiver};

use crate::Reckoning;
use crate::crowd::Crowd;
use crate::every_kill_point::{WEBHOOKS_REST, heard_once, stated_in_topic};
use crate::killed_runtime::report;
use crate::stage::Stage;
use crate::topic;

const SHOPPERS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the backlog may take once the broker is there again.
const DRAIN: Duration = Duration::from_secs(120);
/// How long others may be held up by what cannot be read.
const POISONED: Duration = Duration::from_secs(10);
const WAITING: &str = "SELECT count(*) FROM platform.outbox WHERE published_at IS NULL AND dead_at IS NULL";

/// How long the broker is away: a minute, or what `SOUK_DRILL_OUTAGE_SECONDS` says.
fn outage() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a drill has no configuration but this and its seed")]
    let wish = std::env::var("SOUK_DRILL_OUTAGE_SECONDS").ok();
    Duration::from_secs(wish.map_or(60, |text| text.parse().expect("SOUK_DRILL_OUTAGE_SECONDS is a number")))
}

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("stopped-broker").await;
    let receiver = Receiver::new(Manner::Takes);
    let endpoint = json!({ "url": receiver.start() });
    shop.admin(Method::POST, "/admin/v1/webhook-endpoints", None, Some(endpoint)).await.fine("an endpoint");
    let variants = [shop.product("Spoon", 450, 100_000).await, shop.product("Fork", 550, 100_000).await];
    let books = stage.books(&shop).await;
    let crowd = Crowd::gather(&shop, &variants, SHOPPERS, stage.seed());
    crowd.weather.somebody_is_served(PATIENCE, "before the outage").await;
    let port = stage.platform().ports().kafka;
    tokio::task::spawn_blocking(move || topic::poison(port)).await.expect("every partition is poisoned");
    let unread =
        format!("SELECT greatest(0, {} - count(*)) FROM platform.unreadable_messages", topic::PARTITIONS);
    let noticed = books.until_none("unreadable messages are not noticed", &unread, POISONED).await;

    let (broker, _) = stage.platform().child("kafka").expect("it runs");
    let before = crowd.weather.served();
    signal(broker, Signal::STOP);
    let (began, away) = (Instant::now(), outage());
    let mut most = 0;
    while began.elapsed() < away {
        crowd.weather.somebody_is_served(PATIENCE, "while the broker is away").await;
        most = most.max(books.number(WAITING).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let served = crowd.weather.served() - before;
    assert!(most > 0, "with a broker that is away events wait");
    signal(broker, Signal::KILL);
    tokio::task::block_in_place(|| stage.platform().wait_for_return("kafka", broker));
    let back = Instant::now();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let weather = Arc::clone(&crowd.weather);
    let history = crowd.go_home().await;
    let count = |what: &std::sync::atomic::AtomicUsize| what.load(Ordering::Relaxed);
    let unserved = (count(&weather.unavailable), count(&weather.no_answer), count(&weather.rude));
    assert_eq!(
        unserved,
        (0, 0, 0),
        "refused for now, not answered, answered rudely: the broker is on nobody's way"
    );
    let open = history.iter().filter(|entry| entry.told == Told::Nothing).count();
    assert_eq!(open, 0, "checkouts whose end nobody was told");
    books.until_none("events wait", WAITING, DRAIN).await;
    let drained = back.elapsed();
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        let unsent = "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'";
        books.until_none("webhooks still wait", unsent, WEBHOOKS_REST).await;
        let told = heard_once(&books, &receiver).await;
        let in_topic = stated_in_topic(stage, &shop, &books).await;
        format!(
            "broker away for {} s: {served} answers, all of them (100 %) as ever, up to {most} events waited, none {:.1} s after it was back; \
             {} partitions poisoned, all noticed after {:.1} s; {} checkouts, {}, {told}{in_topic}",
            away.as_secs(),
            drained.as_secs_f32(),
            topic::PARTITIONS,
            noticed.as_secs_f32(),
            history.len(),
            report(&found)
        )
    }
    .boxed_local()
}
