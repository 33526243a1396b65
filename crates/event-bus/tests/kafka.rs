//! The same promises with Kafka between: on a real broker, and on librdkafka's own that fails when it is told to.

#[expect(dead_code, reason = "shared with the tests without Kafka, which use the rest")]
mod bus;
#[path = "bus/config.rs"]
mod config;
#[expect(dead_code, reason = "shared with souk-tenancy's tests, which use the rest")]
#[path = "../../tenancy/tests/ground/mod.rs"]
mod ground;
#[path = "bus/looks.rs"]
mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bus::{Scribe, all_settled, count, heard, relay_over, shop, state};
use ground::{eventually, on_ground};
use looks::{client, eventually_heard, mock, notes_of, topic};
use rdkafka::message::{Headers as _, Message as _, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use souk_event_bus::{Envelope, KafkaConfig, Operator, Overview};
use uuid::Uuid;

/// A corner of the real broker that no other test uses; `None`, said loudly, where there is none.
fn corner() -> Option<KafkaConfig> {
    let Some(brokers) = config::setting("SOUK_TEST_KAFKA_BROKERS") else {
        assert!(config::setting("CI").is_none(), "SOUK_TEST_KAFKA_BROKERS must be set: run make test");
        eprintln!("\n✘ LEFT OUT: SOUK_TEST_KAFKA_BROKERS names no broker; `souk kafka start` starts one\n");
        return None;
    };
    let mut kafka = KafkaConfig::new(brokers);
    kafka.prefix = format!("test-{}.", Uuid::now_v7().simple());
    kafka.partitions = 3;
    // `make kafka-tls` sets it.
    if let Some(path) = config::setting("SOUK_TEST_KAFKA_PROPERTIES") {
        let text = std::fs::read_to_string(path).unwrap();
        let properties = text.lines().filter_map(|line| line.split_once('='));
        kafka.properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    }
    Some(kafka)
}

#[test]
fn a_fact_goes_through_the_topic_and_is_heard_once_by_each() {
    let Some(kafka) = corner() else { return };
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        let relay = relay_over(ground, &stores, &[&first, &second], Some(kafka.clone()));
        let shelf = Uuid::now_v7();
        state(&stores.scope(store), shelf, &["one", "two", "three"]).await;
        eventually_heard(ground, store, 6).await;
        all_settled(ground).await;
        relay.stop().await;

        let of = |who: &str, all: &[(String, String)]| {
            let own = all.iter().filter(|(name, _)| name == who).map(|(_, note)| note.clone());
            own.collect::<Vec<_>>()
        };
        let all = heard(ground, store).await;
        assert_eq!(of("first", &all), ["one", "two", "three"]);
        assert_eq!(of("second", &all), ["one", "two", "three"]);

        let messages = topic(&kafka);
        let read = |message: &OwnedMessage| {
            Envelope::read(
                message.payload().unwrap(),
                chrono::DateTime::<chrono::Utc>::MAX_UTC - chrono::TimeDelta::days(1),
            )
            .unwrap()
        };
        let events: Vec<_> = messages.iter().map(read).collect();
        assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        let key = format!("{store}/shelf/{shelf}");
        assert!(messages.iter().all(|message| message.key() == Some(key.as_bytes())));
        let headers: BTreeMap<_, _> = messages[0]
            .headers()
            .unwrap()
            .iter()
            .map(|header| {
                (header.key.to_owned(), String::from_utf8(header.value.unwrap_or_default().to_vec()).unwrap())
            })
            .collect();
        assert_eq!(headers["id"], events[0].id.to_string());
        assert_eq!(headers["type"], "shelf.counted");
        assert_eq!(headers["store"], store.to_string());
        assert_eq!(headers["schema_version"], "2");
    });
}

#[test]
fn duplicates_and_what_is_no_event_harm_nobody() {
    let Some(kafka) = corner() else { return };
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let shelf = Uuid::now_v7();
        state(&stores.scope(store), shelf, &["one", "refuse", "two"]).await;
        eventually_heard(ground, store, 2).await;
        all_settled(ground).await;

        // Everything once more, and something unreadable in every partition.
        let producer: BaseProducer = client(&kafka).create().unwrap();
        let name = format!("{}events", kafka.prefix);
        for message in topic(&kafka) {
            let again = BaseRecord::to(&name).key(message.key().unwrap()).payload(message.payload().unwrap());
            producer.send(again).map_err(|(error, _)| error).unwrap();
        }
        let future = String::from_utf8(topic(&kafka)[0].payload().unwrap().to_vec()).unwrap();
        let year = future.find("\"occurred_at\":\"").unwrap() + "\"occurred_at\":\"".len();
        let future = format!("{}2999{}", &future[..year], &future[year + 4..]);
        for (partition, poison) in (0..3).zip(["no json at all", "{}", future.as_str()]) {
            let record = BaseRecord::<str, str>::to(&name).partition(partition).payload(poison);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(10)).unwrap();
        state(&stores.scope(store), shelf, &["three"]).await;
        let others: Vec<_> = (0..6).map(|_| Uuid::now_v7()).collect();
        for other in &others {
            state(&stores.scope(store), *other, &["of all partitions"]).await;
        }
        eventually_heard(ground, store, 9).await;
        let unreadable = "select reason from platform.unreadable_messages order by partition";
        eventually("all poison is set aside", async || {
            ground.admin.query(unreadable, &[]).await.unwrap().len() == 3
        })
        .await;
        let reasons: Vec<String> =
            ground.admin.query(unreadable, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        assert!(reasons[0].starts_with("not an event: expected"), "{reasons:?}");
        assert!(reasons[1].starts_with("not an event: missing field"), "{reasons:?}");
        assert!(reasons[2].starts_with("from the future: 2999"), "{reasons:?}");
        assert_eq!(notes_of(ground, store, shelf).await, ["one", "two", "three"]);
        assert_eq!(bus::undelivered(ground, "dead_at is not null and last_error = 'on purpose'").await, 1);
        assert_eq!(bus::undelivered(ground, "dead_at is null").await, 0);

        // An operator sees them, and takes them off the list: one, then the rest.
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let kept = operator.unreadable(10).await.unwrap();
        let partitions: BTreeSet<_> = kept.iter().map(|message| message.partition).collect();
        assert_eq!((kept.len(), partitions), (3, BTreeSet::from([0, 1, 2])));
        for message in &kept {
            assert_eq!(message.place, format!("{name}/{}/{}", message.partition, message.offset));
        }
        let told: BTreeSet<_> = kept.iter().map(|message| message.reason.clone()).collect();
        let expected: BTreeSet<String> = reasons.into_iter().collect();
        assert_eq!(told, expected);
        assert_eq!(operator.unreadable(1).await.unwrap(), kept[..1]);
        assert_eq!(operator.overview().await.unwrap().unreadable, 3);
        assert_eq!(operator.forget_unreadable(Some(&[kept[0].place.clone()])).await.unwrap(), 1);
        assert_eq!(operator.unreadable(10).await.unwrap(), kept[1..]);
        assert_eq!(operator.forget_unreadable(None).await.unwrap(), 2);
        assert_eq!(operator.overview().await.unwrap().unreadable, 0);
        relay.stop().await;
    });
}

#[test]
fn whoever_comes_and_goes_everything_is_heard_once_and_in_order() {
    let Some(kafka) = corner() else { return };
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 6;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(5));
        let shelves: Vec<_> = (0..6).map(|_| Uuid::now_v7()).collect();
        let notes: Vec<_> = (0..40).map(|number| format!("{number:02}")).collect();
        let start = || relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let mut relays = vec![start()];
        for (round, note) in notes.iter().enumerate() {
            for shelf in &shelves {
                state(&scope, *shelf, &[note]).await;
            }
            match round {
                8 | 14 => relays.push(start()),
                // Killed in the middle of whatever it does.
                20 => drop(relays.remove(0)),
                26 => relays.remove(0).stop().await,
                32 => relays.push(start()),
                _ => {}
            }
        }
        eventually_heard(ground, store, 240).await;
        for shelf in shelves {
            assert_eq!(notes_of(ground, store, shelf).await, notes);
        }
        assert_eq!(heard(ground, store).await.len(), 240);
        assert_eq!(bus::undelivered(ground, "true").await, 0);
        for relay in relays {
            relay.stop().await;
        }
    });
}

#[test]
fn a_topic_of_another_shape_is_refused_with_the_way_out() {
    let Some(kafka) = corner() else { return };
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        state(&stores.scope(store), Uuid::now_v7(), &["one"]).await;
        eventually_heard(ground, store, 1).await;
        relay.stop().await;
        let mut other = kafka.clone();
        other.partitions = 5;
        let relay = relay_over(ground, &stores, &[&scribe], Some(other));
        state(&stores.scope(store), Uuid::now_v7(), &["two"]).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(ground, "published_at is null").await, 1, "nothing goes where order would break");
        drop(relay);

        // In words, with the name of the setting.
        let refused = KafkaConfig { partitions: 5, ..kafka.clone() }.check().await.unwrap_err().to_string();
        let words = "it has 3 partitions, 5 are declared; set KAFKA_PARTITIONS to what is there";
        assert_eq!(refused, format!("topic {}events: {words}", kafka.prefix));
        assert_eq!(kafka.check().await.unwrap(), [""; 0]);
        let day = KafkaConfig { retention: Duration::from_secs(24 * 3600), ..kafka.clone() };
        let words = "it keeps messages for 604800000 ms, KAFKA_RETENTION_DAYS says 86400000 ms";
        assert_eq!(day.check().await.unwrap(), [words]);
        let copied = KafkaConfig { replication: 3, ..kafka };
        let words = "a write counts when 1 copies have it, with KAFKA_REPLICATION=3 it should be 2 (min.insync.replicas)";
        assert_eq!(copied.check().await.unwrap(), [words]);
    });
}

#[test]
fn a_broker_that_is_away_costs_no_sale_and_no_event() {
    let mut kafka = KafkaConfig::new("");
    kafka.partitions = 3;
    // So that a test sees what takes 15 seconds otherwise.
    kafka.properties.push(("message.timeout.ms".to_owned(), "1500".to_owned()));
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

        cluster.broker_down(1).unwrap();
        let began = std::time::Instant::now();
        state(&scope, shelf, &["during 1", "during 2"]).await;
        state(&scope, Uuid::now_v7(), &["during 3"]).await;
        assert!(began.elapsed() < Duration::from_secs(1), "no broker on the way of a sale");
        eventually("the relay says that the broker is away", async || {
            count(ground, "published_at is null and last_error is not null").await > 0
        })
        .await;
        assert_eq!(heard(ground, store).await.len(), 1);
        assert_eq!(count(ground, "dead_at is not null or attempts > 0").await, 0, "it is nobody's fault");

        cluster.broker_up(1).unwrap();
        eventually_heard(ground, store, 4).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["before", "during 1", "during 2"]);
        all_settled(ground).await;
        assert_eq!(count(ground, "published_at is null").await, 0);
        relay.stop().await;
    });
    drop(cluster);
}

#[test]
fn a_broker_that_answers_with_errors_is_asked_again() {
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
    let mut kafka = KafkaConfig::new("");
    kafka.partitions = 3;
    let cluster = mock(&mut kafka);
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        let errors = [
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        ];
        cluster.request_errors(RDKafkaApiKey::Produce, &errors);
        cluster.request_errors(RDKafkaApiKey::OffsetCommit, &errors[1..2]);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let shelf = Uuid::now_v7();
        state(&stores.scope(store), shelf, &["one", "two", "three"]).await;
        eventually_heard(ground, store, 3).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["one", "two", "three"]);
        // A slow broker is a broker.
        cluster.broker_round_trip_time(1, Duration::from_millis(400)).unwrap();
        state(&stores.scope(store), shelf, &["four"]).await;
        eventually_heard(ground, store, 4).await;
        assert_eq!(heard(ground, store).await.len(), 4);
        relay.stop().await;
    });
    drop(cluster);
}

/// Asks until the state of the bus is as it is to be. The broker is asked every five seconds only.
async fn eventually_seen(operator: &Operator, what: &str, is_so: impl Fn(&Overview) -> bool) -> Overview {
    let mut last = None;
    for _ in 0..200 {
        let overview = operator.overview().await.unwrap();
        if is_so(&overview) {
            return overview;
        }
        last = Some(overview);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never seen: {what}: {last:?}");
}

#[test]
fn what_a_consumer_has_not_read_is_asked_of_the_broker() {
    let Some(kafka) = corner() else { return };
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        scribe.hang.store(true, Ordering::SeqCst);
        let hanging = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        state(&stores.scope(store), Uuid::now_v7(), &["one", "two", "three"]).await;
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let unread = |overview: &Overview| matches!(&*overview.readings, [only] if only.unread == 3);
        let seen = eventually_seen(&operator, "three are not read", unread).await;
        assert_eq!((seen.readings[0].consumer.as_str(), seen.outbox_waiting), ("scribe", 0));
        assert_eq!(seen.consumers, [], "nothing failed: no list but the broker's knows of them");
        let age = seen.readings[0].oldest_seconds;
        assert!(age > 0.0 && age < 60.0, "{age}");
        assert!(!seen.is_all_heard());

        drop(hanging);
        scribe.hang.store(false, Ordering::SeqCst);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka.clone()));
        let seen = eventually_seen(&operator, "everything is heard", Overview::is_all_heard).await;
        assert_eq!((seen.readings[0].unread, seen.readings[0].oldest_seconds), (0, 0.0));
        assert_eq!(heard(ground, store).await.len(), 3);
        relay.stop().await;

        // Where consumers hear from the outbox again, nobody is measured by a topic.
        let relay = bus::relay(ground, &stores, &[&scribe]);
        eventually_seen(&operator, "no reading is left", |overview| overview.readings.is_empty()).await;
        relay.stop().await;
    });
}

#[test]
fn what_no_broker_takes_is_shown_and_carried_once_more() {
    let mut kafka = KafkaConfig::new("");
    kafka.partitions = 3;
    let cluster = mock(&mut kafka);
    let mut narrow = kafka.clone();
    narrow.properties.push(("message.max.bytes".to_owned(), "2000".to_owned()));
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        let relay = relay_over(ground, &stores, &[&scribe], Some(narrow));
        let (shelf, long) = (Uuid::now_v7(), "x".repeat(5_000));
        state(&stores.scope(store), shelf, &[long.as_str(), "after"]).await;
        eventually_heard(ground, store, 1).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["after"], "it holds nobody up");
        relay.stop().await;

        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let untold = operator.untold(10).await.unwrap();
        let [event] = &*untold else { panic!("{untold:?}") };
        assert_eq!((event.store, event.kind.as_str(), event.attempts), (store, "shelf.counted", 1));
        let error = event.last_error.as_deref().unwrap();
        assert!(error.contains("Message size too large"), "{error}");
        let overview = operator.overview().await.unwrap();
        assert_eq!((overview.outbox_waiting, overview.outbox_dead), (0, 1));
        assert!(!overview.is_all_heard());

        assert_eq!(
            operator.carry_again(Some(&[event.position + 1])).await.unwrap(),
            0,
            "that one is published"
        );
        assert_eq!(operator.carry_again(Some(&[event.position])).await.unwrap(), 1);
        assert_eq!(operator.untold(10).await.unwrap(), []);
        let relay = relay_over(ground, &stores, &[&scribe], Some(kafka));
        eventually_heard(ground, store, 2).await;
        assert_eq!(notes_of(ground, store, shelf).await, ["after".to_owned(), long]);
        assert_eq!(operator.carry_again(None).await.unwrap(), 0);
        relay.stop().await;
    });
    drop(cluster);
}
