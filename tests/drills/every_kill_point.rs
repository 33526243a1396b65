//! The runtime dies once at every boundary on an event's way (`FailPoint`), then the books are compared: orders, outbox, what each consumer
//! heard, mails, webhooks, and the topic.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use reqwest::Method;
use serde_json::json;
use souk_kernel::EventId;
use souk_telemetry::FailPoint;
use souk_tests::books::{Books, Entry};
use souk_tests::receiver::{Manner, Receiver};
use souk_tests::shop::Shop;
use uuid::Uuid;

use crate::Reckoning;
use crate::crowd::{Weather, pay_until_told};
use crate::stage::{Stage, Way};
use crate::{killed_control_plane, topic};

/// How long a point may be waited for, with something that leads there every now and then.
const PATIENCE: Duration = Duration::from_secs(40);
/// A webhook that was under way when its process died is sent again when its lease (60 s) ends.
pub const WEBHOOKS_REST: Duration = Duration::from_secs(120);
/// Everything of this store in the outbox.
const EVENTS: &str = "platform.outbox o WHERE o.store_id = (SELECT store_id FROM platform.store_ledger WHERE schema_name = current_schema())";

/// Those that are passed when consumers hear from the outbox. What holds things for a minute first, so that it has come back at the end.
const DIRECT: [FailPoint; 20] = [
    FailPoint::DueClaimed,
    FailPoint::DueVisited,
    FailPoint::DueDone,
    FailPoint::WebhookClaimed,
    FailPoint::WebhookAnswered,
    FailPoint::WebhookSettled,
    FailPoint::RetryClaimed,
    FailPoint::RetryHeard,
    FailPoint::RetrySettled,
    FailPoint::MailClaimed,
    FailPoint::MailSent,
    FailPoint::MailMarked,
    FailPoint::RelayClaimed,
    FailPoint::RelayDelivered,
    FailPoint::RelayMarked,
    FailPoint::ConsumerParked,
    FailPoint::ConsumerBegun,
    FailPoint::ConsumerHeard,
    FailPoint::ConsumerCommitted,
    FailPoint::EventStated,
];

/// Those that are passed otherwise, or only, with a broker between.
const KAFKA: [FailPoint; 10] = [
    FailPoint::RelayClaimed,
    FailPoint::KafkaProducing,
    FailPoint::KafkaProduced,
    FailPoint::RelayMarked,
    FailPoint::KafkaRead,
    FailPoint::ConsumerBegun,
    FailPoint::ConsumerHeard,
    FailPoint::ConsumerCommitted,
    FailPoint::KafkaCommitting,
    FailPoint::KafkaCommitted,
];

pub async fn direct(stage: &Stage) -> Reckoning<'_> {
    let somewhere = [&DIRECT[..], &KAFKA, &killed_control_plane::POINTS].concat();
    let missing: Vec<_> = FailPoint::ALL.iter().filter(|point| !somewhere.contains(point)).collect();
    assert!(missing.is_empty(), "points where nothing is killed: {missing:?}");
    run(stage, "kill-points", &DIRECT, Way::Direct).await
}

pub async fn kafka(stage: &Stage) -> Reckoning<'_> {
    run(stage, "kill-points-kafka", &KAFKA, Way::Kafka).await
}

async fn run<'s>(stage: &'s Stage, name: &str, points: &'static [FailPoint], way: Way) -> Reckoning<'s> {
    let shop = stage.open_shop(name).await;
    let piece = shop.product("Stamp", 750, 100_000).await;
    let receiver = Receiver::new(Manner::Takes);
    let endpoint = json!({ "url": receiver.start() });
    shop.admin(Method::POST, "/admin/v1/webhook-endpoints", None, Some(endpoint)).await.fine("an endpoint");
    let books = stage.books(&shop).await;
    let mut visitor = Visitor { shop: &shop, piece: &piece, number: 0, history: Vec::new() };
    let mut poisons = 0;
    // Something to hear again.
    visitor.buys().await;
    for &point in points {
        let (pid, _) = stage.platform().child("tenant-runtime").expect("it runs");
        stage.arm(point);
        let began = Instant::now();
        while !stage.died_at(point) {
            assert!(began.elapsed() < PATIENCE, "nothing passes {}", point.as_str());
            match point {
                FailPoint::RetryClaimed | FailPoint::RetryHeard | FailPoint::RetrySettled => {
                    replay(&shop, point).await
                }
                FailPoint::ConsumerParked => {
                    poison(&books).await;
                    poisons += 1;
                }
                _ => visitor.buys().await,
            }
            let came = Instant::now();
            while came.elapsed() < Duration::from_millis(1500) && !stage.died_at(point) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        tokio::task::block_in_place(|| stage.platform().wait_for_return("tenant-runtime", pid));
        while shop.browse().await.status != 200 {
            assert!(began.elapsed() < 2 * PATIENCE, "nobody is served after the death at {}", point.as_str());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    visitor.buys().await;
    let history = visitor.history;
    async move {
        let found = stage.settle_accounts(&shop, &history).await;
        let unsent = "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'";
        books.until_none("webhooks still wait", unsent, WEBHOOKS_REST).await;
        let deaths = points.len();
        assert!(found.duplicate_mails <= deaths, "{} mails twice after {deaths} deaths", found.duplicate_mails);
        heard_again(&shop, &books).await;
        let told = heard_once(&books, &receiver).await;
        let dead = books.number("SELECT count(DISTINCT event_id) FROM platform.undelivered WHERE dead_at IS NOT NULL
            AND store_id = (SELECT store_id FROM platform.store_ledger WHERE schema_name = current_schema())");
        assert_eq!(dead.await, poisons, "what nobody can read is a dead letter, and nothing else");
        let in_topic = match way {
            Way::Direct => String::new(),
            Way::Kafka => stated_in_topic(stage, &shop, &books).await,
        };
        format!(
            "{deaths} of {deaths} points survived; {} orders, {} mails ({} twice under the same Message-ID), {told}{in_topic}, 0 lost",
            found.orders, found.mails, found.duplicate_mails
        )
    }
    .boxed_local()
}

/// Somebody who buys, whatever dies meanwhile.
struct Visitor<'s> {
    shop: &'s Shop,
    piece: &'s str,
    number: usize,
    history: Vec<Entry>,
}

impl Visitor<'_> {
    async fn buys(&mut self) {
        self.number += 1;
        let email = format!("visitor-{}@example.com", self.number);
        let began = Instant::now();
        let cart = loop {
            match self.shop.cart(self.piece, 1, &email).await {
                Ok(cart) => break cart,
                Err(answer) => assert!(began.elapsed() < PATIENCE, "no cart: {answer:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        self.history.push(pay_until_told(self.shop, &cart, "tok_ok", &Weather::default(), PATIENCE).await);
    }
}

/// A consumer is to hear again what it has heard.
async fn replay(shop: &Shop, point: FailPoint) {
    let from = chrono::DateTime::from_timestamp(0, 0).expect("a time");
    let wish = json!({ "consumer": "order_mail", "from": from, "types": ["order.placed"],
        "name": format!("{}-{}", point.as_str(), Uuid::now_v7().simple()) });
    // It may be dead already; then it is asked again.
    let _ = shop.admin(Method::POST, "/admin/v1/event-replays", None, Some(wish)).await;
}

/// One event is replayed over HTTP: its consumer hears it once more, and nobody gets another mail for it.
async fn heard_again(shop: &Shop, books: &Books) {
    let first = format!(
        "SELECT o.event_id::text FROM {EVENTS} AND o.type = 'order.placed' ORDER BY o.position LIMIT 1"
    );
    let id = books.lines(&first).await.pop().expect("an order was placed");
    let mails = format!("SELECT count(*) FROM email_messages WHERE event_id = '{id}'");
    let before = books.number(&mails).await;
    let wish = json!({ "consumer": "order_mail", "name": "once-more", "event": typed(&id) });
    let planned = shop.admin(Method::POST, "/admin/v1/event-replays", None, Some(wish)).await;
    assert_eq!(planned.fine("a replay")["events"], 1);
    let open = "SELECT count(*) FROM platform.undelivered WHERE replay = 'once-more'";
    books.until_none("replays are not heard", open, PATIENCE).await;
    let heard = format!(
        "SELECT count(*) FROM heard_events WHERE consumer = 'order_mail/once-more' AND event_id = '{id}'"
    );
    assert_eq!(books.number(&heard).await, 1, "it was heard again");
    assert_eq!(books.number(&mails).await, before, "and nobody is written to for it");
}

/// An event that says nothing of what its kind says: whoever wants it cannot read it.
async fn poison(books: &Books) {
    let (event, aggregate) = (Uuid::now_v7(), Uuid::now_v7());
    books
        .meddle(&format!(
            "INSERT INTO platform.outbox (event_id, store_id, aggregate_type, aggregate_id, sequence, type, version, payload)
             SELECT '{event}', store_id, 'subscription', '{aggregate}', 1, 'subscription.letter_wanted', 1, '{{}}'
             FROM platform.store_ledger WHERE schema_name = current_schema()"
        ))
        .await;
}

/// Every effect stands once for each event, and the endpoint was told every event at least once, under the event's own id.
pub async fn heard_once(books: &Books, receiver: &Receiver) -> String {
    let twice = "SELECT event_id || ' ' || template FROM email_messages WHERE event_id IS NOT NULL
        GROUP BY event_id, template, recipient HAVING count(*) > 1";
    assert_eq!(books.lines(twice).await, [""; 0], "an event is one mail");
    let planned = format!(
        "SELECT o.type || ' ' || o.event_id FROM {EVENTS}
         AND o.occurred_at > (SELECT min(created_at) FROM webhook_endpoints)
         AND (SELECT count(*) FROM webhook_deliveries d WHERE d.event_id = o.event_id) <> 1"
    );
    assert_eq!(books.lines(&planned).await, [""; 0], "an event is one delivery to an endpoint");
    let delivered =
        books.lines("SELECT event_id::text FROM webhook_deliveries WHERE state = 'delivered'").await;
    let delivered: BTreeSet<String> = delivered.iter().map(|id| typed(id)).collect();
    let times = receiver.times();
    let told: BTreeSet<String> = times.keys().cloned().collect();
    assert_eq!(told, delivered, "what the endpoint was told is what was to be told");
    let again: usize = times.values().map(|times| times - 1).sum();
    format!("{} events told to the endpoint ({again} times twice under the same id)", told.len())
}

/// Every event of the store is in the topic.
pub async fn stated_in_topic(stage: &Stage, shop: &Shop, books: &Books) -> String {
    let port = stage.platform().ports().kafka;
    let store = shop.id.clone();
    let topic = tokio::task::spawn_blocking(move || topic::events(port, &store)).await.expect("the topic");
    let stated = books.lines(&format!("SELECT o.event_id::text FROM {EVENTS}")).await;
    let stated: BTreeSet<String> = stated.iter().map(|id| typed(id)).collect();
    let there: BTreeSet<String> = topic.keys().cloned().collect();
    assert_eq!(stated, there, "what was committed is what is in the topic");
    let again: usize = topic.values().map(|times| times - 1).sum();
    format!(", {} events in the topic ({again} repeated)", there.len())
}

/// `evt_…` of an id as PostgreSQL writes it.
fn typed(id: &str) -> String {
    EventId::from_uuid(Uuid::parse_str(id).expect("a UUID")).to_string()
}
