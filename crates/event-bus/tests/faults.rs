//! What a broker does to its clients when it is unwell, on librdkafka's own that fails when it is told to: nothing is lost, nothing has its
//! effect twice, and every aggregate keeps its order.

#[expect(dead_code, reason = "shared with the tests without Kafka, which use the rest")]
mod bus;
#[expect(dead_code, reason = "shared with souk-tenancy's tests, which use the rest")]
#[path = "../../tenancy/tests/ground/mod.rs"]
mod ground;
#[path = "bus/looks.rs"]
mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bus::{Scribe, all_settled, backlog, count, held, relay_over, shop, state, undelivered};
use ground::{Ground, Stores, eventually, on_ground};
use looks::{client, eventually_heard, mock, notes_of, topic};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use souk_event_bus::{KafkaConfig, Operator};
use souk_kernel::id::StoreId;
use uuid::Uuid;

/// Members of a group that soon notice who is gone. The cluster gives the first three seconds to find together, for which none may be gone.
const HASTY: [(&str, &str); 2] = [("session.timeout.ms", "3500"), ("heartbeat.interval.ms", "100")];

fn kafka(partitions: i32, properties: &[(&str, &str)]) -> KafkaConfig {
    let mut kafka = KafkaConfig::new("");
    kafka.partitions = partitions;
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    kafka.properties = properties.iter().map(owned).collect();
    kafka
}

/// Up to where the consumer's group has committed, for each partition; -1 where it has not.
fn committed(kafka: &KafkaConfig, consumer: &str) -> Vec<i64> {
    let group = format!("{}{consumer}", kafka.prefix);
    let reader: BaseConsumer = client(kafka).set("group.id", group).create().unwrap();
    let mut places = TopicPartitionList::new();
    places.add_partition_range(&format!("{}events", kafka.prefix), 0, kafka.partitions - 1);
    let found = reader.committed_offsets(places, Duration::from_secs(10)).unwrap();
    let offset = |offset| match offset {
        Offset::Offset(offset) => offset,
        _ => -1,
    };
    found.elements().iter().map(|element| offset(element.offset())).collect()
}

async fn all_in_topic(ground: &Ground) {
    eventually("all of it is in the topic", async || count(ground, "published_at is null").await == 0).await;
}

#[test]
fn what_a_broker_confirms_too_late_is_there_twice_and_heard_once() {
    let mut kafka = kafka(3, &[("message.timeout.ms", "2000")]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let shelf = Uuid::now_v7();
        state(&scope, shelf, &["before"]).await;
        eventually_heard(ground, store, 1).await;

        // It takes everything at once, and says so when nobody waits for it any more.
        cluster.broker_round_trip_time(1, Duration::from_secs(3)).unwrap();
        state(&scope, shelf, &["one", "two"]).await;
        eventually("the relay has waited in vain", async || {
            count(ground, "published_at is null and last_error is not null").await == 1
        })
        .await;
        assert_eq!(count(ground, "dead_at is not null or attempts > 0").await, 0, "it is nobody's fault");

        cluster.broker_round_trip_time(1, Duration::ZERO).unwrap();
        eventually_heard(ground, store, 3).await;
        all_settled(ground).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["before", "one", "two"]);
        assert_eq!(undelivered(ground, "true").await, 0);
        relay.stop().await;
        let messages = topic(&kafka);
        assert!(messages.len() > 3, "the topic has the one that was confirmed too late twice");
    });
    drop(cluster);
}

#[test]
fn a_producer_that_has_lost_count_is_replaced() {
    let mut kafka = kafka(1, &[]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let shelf = Uuid::now_v7();
        state(&scope, shelf, &["one"]).await;
        eventually_heard(ground, store, 1).await;

        // librdkafka gives a producer up for good when the broker says so of the message that is next.
        let lost = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER];
        cluster.request_errors(RDKafkaApiKey::Produce, &lost);
        state(&scope, shelf, &["two", "three"]).await;
        eventually_heard(ground, store, 3).await;
        all_settled(ground).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["one", "two", "three"]);
        assert_eq!(count(ground, "dead_at is not null or attempts > 0").await, 0, "no event is to blame");
        relay.stop().await;
    });
    drop(cluster);
}

#[test]
fn members_that_come_and_go_and_are_thrown_out_lose_nothing_and_double_nothing() {
    let mut kafka = kafka(4, &HASTY);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 8;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(30));
        let shelves: Vec<_> = (0..8).map(|_| Uuid::now_v7()).collect();
        let start = || relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let mut relays = vec![start(), start()];
        let mut notes: Vec<String> = Vec::new();
        for storm in 0..3 {
            let before = notes.len() * shelves.len();
            for _ in 0..10 {
                let note = format!("{:02}", notes.len());
                for shelf in &shelves {
                    state(&scope, *shelf, &[note.as_str()]).await;
                }
                notes.push(note);
            }
            // Whoever is killed below holds no event by a lease that the test would have to wait for.
            all_in_topic(ground).await;
            // The storm comes while most of it is still to be heard.
            eventually_heard(ground, store, before + 1).await;
            match storm {
                0 => {
                    // One is killed in the middle of whatever it does, another one comes, and somebody is told to have lost what he reads.
                    drop(relays.remove(0));
                    relays.push(start());
                    let lost = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION];
                    cluster.request_errors(RDKafkaApiKey::Heartbeat, &lost);
                }
                1 => {
                    // What was heard cannot be committed, the second time because somebody else reads there, and one leaves in good order.
                    let refused = [
                        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                        RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                    ];
                    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refused);
                    relays.remove(0).stop().await;
                    // As if relays had died before they marked: a third of everything comes once more, behind what came after it.
                    let again = "update platform.outbox set published_at = null, available_at = now() where position % 3 = 0";
                    ground.admin.batch_execute(again).await.unwrap();
                    all_in_topic(ground).await;
                }
                // What is stated last is behind all that came twice.
                _ => {}
            }
        }
        eventually_heard(ground, store, notes.len() * shelves.len()).await;
        for shelf in &shelves {
            assert_eq!(notes_of(ground, store, *shelf).await, notes);
        }
        assert_eq!(bus::heard(ground, store).await.len(), notes.len() * shelves.len());
        assert_eq!(undelivered(ground, "true").await, 0, "nothing was held up");
        assert_eq!(count(ground, "published_at is null or dead_at is not null").await, 0);
        for relay in relays {
            relay.stop().await;
        }
    });
    drop(cluster);
}

#[test]
fn an_offset_that_was_refused_is_committed_without_another_event() {
    let mut kafka = kafka(1, &[]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        // As a broker says it while the members of a group find each other. librdkafka does not try that again.
        let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS];
        cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refused);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        state(&stores.scope(store), Uuid::now_v7(), &["only"]).await;
        eventually_heard(ground, store, 1).await;
        eventually("it is committed", async || committed(&kafka, "scribe") == [1]).await;
        relay.stop().await;
    });
    drop(cluster);
}

#[test]
fn poison_in_every_partition_dies_there_and_all_else_goes_on() {
    let mut kafka = kafka(3, &[]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        // Two shelves or more in each partition, as their keys have it.
        let mut shelves: BTreeMap<i32, Vec<Uuid>> = BTreeMap::new();
        while shelves.values().filter(|of| of.len() >= 2).count() < 3 {
            for _ in 0..8 {
                state(&scope, Uuid::now_v7(), &["first"]).await;
            }
            all_in_topic(ground).await;
            shelves.clear();
            for message in topic(&kafka) {
                let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
                let shelf = key.rsplit('/').next().unwrap().parse().unwrap();
                shelves.entry(message.partition()).or_default().push(shelf);
            }
        }
        let first: usize = shelves.values().map(Vec::len).sum();

        // In each: something that is no event, one that nobody can hear with one behind it, and one of somebody else.
        let (name, producer) = (format!("{}events", kafka.prefix), client(&kafka).create::<BaseProducer>());
        let producer = producer.unwrap();
        for partition in shelves.keys() {
            let record = BaseRecord::<str, str>::to(&name).partition(*partition).payload("{}");
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(10)).unwrap();
        for of in shelves.values() {
            state(&scope, of[0], &["refuse", "after"]).await;
            state(&scope, of[1], &["free"]).await;
        }
        eventually_heard(ground, store, first + 6).await;
        all_settled(ground).await;
        for of in shelves.values() {
            assert_eq!(notes_of(ground, store, of[0]).await, ["first", "after"]);
            assert_eq!(notes_of(ground, store, of[1]).await, ["first", "free"]);
        }

        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let letters = operator.dead_letters(Some("scribe"), 10).await.unwrap();
        let told: Vec<_> = letters
            .iter()
            .map(|letter| (letter.store, letter.kind.as_str(), letter.attempts, letter.last_error.as_deref()))
            .collect();
        assert_eq!(told, vec![(store, "shelf.counted", 3, Some("on purpose")); 3]);
        let dead = "select aggregate_id from platform.undelivered where dead_at is not null";
        let dead = ground.admin.query(dead, &[]).await.unwrap();
        let dead: BTreeSet<Uuid> = dead.iter().map(|row| row.get(0)).collect();
        assert_eq!(dead, shelves.values().map(|of| of[0]).collect::<BTreeSet<_>>());
        assert_eq!(undelivered(ground, "true").await, 3, "and nothing waits behind them");
        let standing = operator.overview().await.unwrap().consumers;
        assert_eq!((standing.len(), standing[0].waiting, standing[0].dead), (1, 0, 3));
        let unreadable = operator.unreadable(10).await.unwrap();
        let places: BTreeSet<_> = unreadable.iter().map(|message| message.partition).collect();
        assert_eq!((unreadable.len(), places), (3, BTreeSet::from([0, 1, 2])));
        let reason = "not an event: missing field";
        assert!(unreadable.iter().all(|message| message.reason.starts_with(reason)), "{unreadable:?}");
        relay.stop().await;
    });
    drop(cluster);
}

#[test]
fn however_much_waits_little_of_it_is_on_its_way() {
    let mut kafka = kafka(3, &[]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 6;
        let stores = ground.tenancy(config).await;
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        state(&stores.scope(store), Uuid::now_v7(), &["before"]).await;
        eventually_heard(ground, store, 1).await;

        cluster.broker_down(1).unwrap();
        backlog(ground, store, 20_000).await;
        eventually("two batches are on their way", async || held(ground).await == 1000).await;
        // Several looks at the outbox later.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(held(ground).await, 1000, "and no third");

        cluster.broker_up(1).unwrap();
        eventually_heard(ground, store, 100).await;
        assert!(held(ground).await <= 1000);
        // One event of each partition at a time, however many of them the topic has: those that are being heard, and those behind them.
        scribe.hang.store(true, Ordering::SeqCst);
        let calls = scribe.calls();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = scribe.calls() - calls;
        assert!(begun <= 3, "{begun} were begun with while none ended");
        drop(relay);
    });
    drop(cluster);
}

/// In how many transactions it was written down what was heard.
async fn transactions(ground: &Ground, store: StoreId) -> i64 {
    let text = format!("select count(distinct xmin::text) from s_{}.heard", store.suffix());
    ground.admin.query_one(&text, &[]).await.unwrap().get(0)
}

/// So many events of each of these shelves in turn, in the topic before anybody reads it; what each was told, in order.
async fn waiting(
    ground: &Ground,
    stores: &Stores,
    kafka: &KafkaConfig,
    (store, shelves): (StoreId, &[Uuid]),
    many: usize,
) -> Vec<String> {
    let publisher = relay_over(ground, stores, &[], Some(kafka.clone()));
    let notes: Vec<String> = (0..many).map(|number| format!("{number:02}")).collect();
    for note in &notes {
        for shelf in shelves {
            state(&stores.scope(store), *shelf, &[note.as_str()]).await;
        }
    }
    all_in_topic(ground).await;
    publisher.stop().await;
    notes
}

fn and(notes: &[String], more: &[&str]) -> Vec<String> {
    notes.iter().cloned().chain(more.iter().map(|note| (*note).to_owned())).collect()
}

#[test]
fn what_waits_of_a_store_is_heard_together_and_poison_dies_alone() {
    let mut kafka = kafka(1, &[]);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let (store, other) = (shop(ground, "a.test").await, shop(ground, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let shelves: Vec<_> = (0..4).map(|_| Uuid::now_v7()).collect();
        let theirs = [Uuid::now_v7()];
        let notes = waiting(ground, &stores, &kafka, (store, shelves.as_slice()), 15).await;
        let scribe = Scribe::new("scribe");
        scribe.together.store(32, Ordering::SeqCst);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        eventually_heard(ground, store, 60).await;
        let shared = transactions(ground, store).await;
        assert!(shared <= 30, "60 events in {shared} transactions");
        assert_eq!(scribe.calls(), 60, "each once");
        relay.stop().await;

        // Poison in the middle of what waits, and another store between: whoever fails is alone in it.
        let (poisoned, free) = (shelves[1], shelves[2]);
        let theirs_told = waiting(ground, &stores, &kafka, (other, theirs.as_slice()), 5).await;
        state(&stores.scope(store), free, &["before"]).await;
        state(&stores.scope(store), poisoned, &["refuse", "panic", "behind"]).await;
        state(&stores.scope(store), free, &["after"]).await;
        let more = waiting(ground, &stores, &kafka, (other, theirs.as_slice()), 5).await;
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        eventually_heard(ground, store, 63).await;
        eventually_heard(ground, other, 10).await;
        all_settled(ground).await;
        assert_eq!(notes_of(ground, store, free).await, and(&notes, &["before", "after"]));
        assert_eq!(notes_of(ground, store, poisoned).await, and(&notes, &["behind"]));
        assert_eq!(notes_of(ground, store, shelves[0]).await, and(&notes, &[]));
        assert_eq!(notes_of(ground, other, theirs[0]).await, [theirs_told, more].concat());
        assert_eq!((bus::heard(ground, store).await.len(), bus::heard(ground, other).await.len()), (63, 10));
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let letters = operator.dead_letters(Some("scribe"), 10).await.unwrap();
        let mut told: Vec<_> = letters
            .iter()
            .map(|letter| (letter.store, letter.attempts, letter.last_error.as_deref()))
            .collect();
        told.sort_unstable_by_key(|(.., error)| *error);
        let expected = [(store, 3, Some("on purpose")), (store, 3, Some("the consumer panicked"))];
        assert_eq!(told, expected, "what failed together is no attempt");
        assert_eq!(undelivered(ground, "true").await, 2, "and nothing waits behind them");
        relay.stop().await;
    });
    drop(cluster);
}

#[test]
fn whoever_dies_in_the_middle_of_what_is_heard_together_loses_nothing_and_doubles_nothing() {
    let mut kafka = kafka(1, &HASTY);
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let shelves: Vec<_> = (0..4).map(|_| Uuid::now_v7()).collect();
        let notes = waiting(ground, &stores, &kafka, (store, shelves.as_slice()), 15).await;
        let scribe = Scribe::slow("scribe", Duration::from_millis(50));
        scribe.together.store(32, Ordering::SeqCst);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        // A group takes seconds to find together; all of it takes three from then on.
        for _ in 0..300 {
            if scribe.calls() >= 12 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(relay);
        // Until what it had begun is rolled back.
        eventually("nobody writes", async || {
            let text = "select count(*) from pg_stat_activity where datname = current_database() and state like '%in transaction%'";
            ground.admin.query_one(text, &[]).await.unwrap().get::<_, i64>(0) == 0
        })
        .await;
        let (left, begun) = (bus::heard(ground, store).await.len(), scribe.calls());
        assert!(begun >= 12 && left < begun as usize, "{left} of {begun} that were begun with are kept");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        eventually_heard(ground, store, 60).await;
        for shelf in &shelves {
            assert_eq!(notes_of(ground, store, *shelf).await, notes);
        }
        assert_eq!(bus::heard(ground, store).await.len(), 60);
        assert_eq!(undelivered(ground, "true").await, 0);
        relay.stop().await;
    });
    drop(cluster);
}
