//! Facts become events when their transaction commits, and are heard once, in order, whatever breaks in between.

mod bus;
#[expect(dead_code, reason = "shared with souk-tenancy's tests, which use the rest")]
#[path = "../../tenancy/tests/ground/mod.rs"]
mod ground;

use std::sync::atomic::Ordering;
use std::time::Duration;

use bus::{
    Counted, Refused, Scribe, all_settled, backlog, count, heard, held, relay, relay_with, shop, state,
    undelivered,
};
use diesel::sql_types::Uuid as SqlUuid;
use ground::{eventually, on_ground};
use souk_event_bus::{Operator, Range, emit, forget_heard};
use souk_tenancy::sql;
use uuid::Uuid;

#[test]
fn a_fact_is_told_when_it_is_true_and_in_its_own_store() {
    on_ground(async |ground| {
        let (a, b) = (shop(ground, "a.test").await, shop(ground, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let (in_a, in_b) = (stores.scope(a), stores.scope(b));
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        let relay = relay(ground, &stores, &[&first, &second]);

        let untrue = in_a.write::<(), _, _>("count", async |tx| {
            emit(tx, &Counted { shelf: Uuid::now_v7(), note: "never".to_owned() }).await?;
            Err(Refused::ChangedMind)
        });
        assert!(matches!(untrue.await, Err(Refused::ChangedMind)));
        let shelf = Uuid::now_v7();
        state(&in_a, shelf, &["one"]).await;
        state(&in_b, shelf, &["two"]).await;
        all_settled(ground).await;
        let both =
            |note: &str| [("first".to_owned(), note.to_owned()), ("second".to_owned(), note.to_owned())];
        assert_eq!(heard(ground, a).await, both("one"));
        assert_eq!(heard(ground, b).await, both("two"));
        let form = "type = 'shelf.counted' and version = 2 and aggregate_type = 'shelf' and published_at is not null";
        assert_eq!((count(ground, form).await, count(ground, "true").await), (2, 2));

        // The relay's own connection is cut; it comes back.
        let cut = "select pg_terminate_backend(pid, 1000) from pg_stat_activity
            where usename = 'relay' and datname = current_database()";
        ground.admin.batch_execute(cut).await.unwrap();
        state(&in_a, shelf, &["three"]).await;
        all_settled(ground).await;
        assert_eq!(heard(ground, a).await.len(), 4);
        relay.stop().await;
    });
}

#[test]
fn a_relay_that_dies_before_marking_costs_no_effect_and_doubles_none() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 2;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        second.hang.store(true, Ordering::SeqCst);
        let dying = relay(ground, &stores, &[&first, &second]);
        state(&scope, Uuid::now_v7(), &["one"]).await;
        eventually("the second consumer hangs", async || second.calls() == 1).await;
        assert_eq!(heard(ground, store).await.len(), 1, "the first consumer's effect is committed");
        drop(dying);
        second.hang.store(false, Ordering::SeqCst);

        let relay = relay(ground, &stores, &[&first, &second]);
        all_settled(ground).await;
        let names: Vec<_> = heard(ground, store).await.into_iter().map(|(consumer, _)| consumer).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!((first.calls(), second.calls()), (1, 2));
        assert_eq!(count(ground, "attempts = 0 and published_at is not null").await, 1);
        relay.stop().await;
    });
}

#[test]
fn what_cannot_be_heard_dies_and_holds_back_only_its_own_aggregate() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        state(&scope, bad, &["refuse", "after refuse", "panic", "after panic"]).await;
        state(&scope, good, &["free"]).await;
        let unreadable = sql("select platform.emit($1, 'shelf', $1, 'shelf.counted', 9, '{}', null)");
        let unreadable = unreadable.bind::<SqlUuid, _>(Uuid::now_v7());
        scope.write::<_, Refused, _>("emit", async |tx| Ok(tx.execute(unreadable).await?)).await.unwrap();

        let relay = relay(ground, &stores, &[&scribe]);
        all_settled(ground).await;
        let notes: Vec<_> = heard(ground, store).await.into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, ["free", "after refuse", "after panic"], "a failed attempt leaves nothing");
        assert_eq!(undelivered(ground, "attempts = 3 and last_error = 'on purpose'").await, 1);
        assert_eq!(undelivered(ground, "attempts = 3 and last_error = 'the consumer panicked'").await, 1);
        let newer =
            "attempts = 1 and version = 9 and last_error = 'unreadable payload: version 9 is newer than 2'";
        assert_eq!(undelivered(ground, newer).await, 1);
        assert_eq!(undelivered(ground, "dead_at is not null").await, 3);
        assert_eq!(count(ground, "published_at is null").await, 0, "the outbox is done with them");
        relay.stop().await;
    });
}

#[test]
fn many_relays_hear_everything_once_and_each_aggregate_in_order() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 4;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(1));
        let shelves: Vec<_> = (0..5).map(|_| Uuid::now_v7()).collect();
        let relays: Vec<_> = (0..3).map(|_| relay(ground, &stores, &[&scribe])).collect();
        let notes: Vec<_> = (0..20).map(|number| format!("{number:02}")).collect();
        for note in &notes {
            for shelf in &shelves {
                state(&scope, *shelf, &[note]).await;
            }
        }
        all_settled(ground).await;
        for shelf in shelves {
            let text =
                format!("select note from s_{}.heard where shelf = $1 order by number", store.suffix());
            let rows = ground.admin.query(&text, &[&shelf]).await.unwrap();
            let heard: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(heard, notes);
        }
        assert_eq!(count(ground, "dead_at is not null").await, 0);
        for relay in relays {
            relay.stop().await;
        }
    });
}

#[test]
fn however_much_waits_little_of_it_is_in_the_hands_of_a_relay() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 6;
        let stores = ground.tenancy(config).await;
        let scribe = Scribe::new("scribe");
        scribe.hang.store(true, Ordering::SeqCst);
        backlog(ground, store, 20_000).await;
        let relay = relay_with(ground, &stores, &[&scribe], None, Duration::from_secs(60));
        eventually("four are being heard", async || scribe.calls() == 4).await;
        assert_eq!(held(ground).await, 32, "eight times as many as are heard at a time");
        // Several looks at the outbox later.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!((scribe.calls(), held(ground).await), (4, 32));
        assert_eq!(heard(ground, store).await.len(), 0);
        drop(relay);
    });
}

#[test]
fn stopping_gives_back_what_has_not_begun() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 6;
        let stores = ground.tenancy(config).await;
        let scribe = Scribe::slow("scribe", Duration::from_millis(300));
        backlog(ground, store, 400).await;
        let relay = relay_with(ground, &stores, &[&scribe], None, Duration::from_secs(60));
        eventually("four are being heard", async || scribe.calls() >= 4).await;
        relay.stop().await;
        assert_eq!(held(ground).await, 0, "others need not wait for the end of a lease");
        let (calls, waiting) = (scribe.calls(), count(ground, "published_at is null").await);
        assert_eq!(heard(ground, store).await.len(), calls as usize, "what has begun was finished");
        assert_eq!(waiting, 400 - i64::from(calls));
        assert!(waiting > 0, "it had no time for all of them");
    });
}

#[test]
fn stopping_finishes_what_has_begun() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::slow("scribe", Duration::from_millis(300));
        let relay = relay(ground, &stores, &[&scribe]);
        state(&scope, Uuid::now_v7(), &["begun"]).await;
        eventually("the delivery has begun", async || scribe.calls() == 1).await;
        relay.stop().await;
        assert_eq!(count(ground, "published_at is not null").await, 1);
        state(&scope, Uuid::now_v7(), &["too late"]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(scribe.calls(), 1);
    });
}

#[test]
fn a_consumer_that_fails_holds_back_no_other_consumer() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 4;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let (broken, well) = (Scribe::new("broken"), Scribe::new("well"));
        broken.hang.store(true, Ordering::SeqCst);
        let shelf = Uuid::now_v7();
        state(&scope, shelf, &["one", "two"]).await;
        let relay = relay(ground, &stores, &[&broken, &well]);
        eventually("the other has heard both", async || heard(ground, store).await.len() == 2).await;
        let of = |who: &str| [(who.to_owned(), "one".to_owned()), (who.to_owned(), "two".to_owned())];
        assert_eq!(heard(ground, store).await, of("well"));
        assert_eq!(undelivered(ground, "consumer = 'broken'").await, 2);
        assert_eq!(count(ground, "published_at is null").await, 0, "the outbox is done with them");

        broken.hang.store(false, Ordering::SeqCst);
        all_settled(ground).await;
        // It may have been given up on meanwhile.
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        operator.revive(None, Some("broken")).await.unwrap();
        all_settled(ground).await;
        assert_eq!(heard(ground, store).await.len(), 4);
        assert_eq!(heard(ground, store).await.iter().filter(|(who, _)| who == "broken").count(), 2);
        relay.stop().await;
    });
}

#[test]
fn numbers_have_no_gaps_and_follow_commits() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let mut config = ground.config();
        config.connections_per_lane = 8;
        let stores = ground.tenancy(config).await;
        let scope = stores.scope(store);
        let (busy, other) = (Uuid::now_v7(), Uuid::now_v7());
        let writers = (0..8).map(|writer| {
            let scope = scope.clone();
            async move {
                for round in 0..10 {
                    let fact = Counted { shelf: busy, note: format!("{writer} {round}") };
                    let end = scope.write::<(), Refused, _>("count", async |tx| {
                        emit(tx, &fact).await?;
                        if round % 3 == 0 { Err(Refused::ChangedMind) } else { Ok(()) }
                    });
                    assert_eq!(end.await.is_err(), round % 3 == 0);
                }
            }
        });
        futures_util::future::join_all(writers).await;
        state(&scope, other, &["alone"]).await;
        let text = "select sequence from platform.outbox where aggregate_id = $1 order by position";
        let rows = ground.admin.query(text, &[&busy]).await.unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(numbers, (1..=48).collect::<Vec<_>>(), "8 writers of 6 events that became true");
        assert_eq!(count(ground, &format!("aggregate_id = '{other}' and sequence = 1")).await, 1);
    });
}

#[test]
fn an_operator_sees_revives_and_replays() {
    on_ground(async |ground| {
        let (a, b) = (shop(ground, "a.test").await, shop(ground, "b.test").await);
        let stores = ground.tenancy(ground.config()).await;
        let scribe = Scribe::new("scribe");
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        state(&stores.scope(a), bad, &["refuse", "behind"]).await;
        state(&stores.scope(b), good, &["one", "two"]).await;
        let relay = relay(ground, &stores, &[&scribe]);
        all_settled(ground).await;
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let letters = operator.dead_letters(Some("scribe"), 10).await.unwrap();
        assert_eq!(letters.len(), 1);
        let told = (letters[0].store, letters[0].attempts, letters[0].last_error.as_deref());
        assert_eq!(told, (a, 3, Some("on purpose")));
        assert_eq!(operator.dead_letters(Some("nobody"), 10).await.unwrap(), []);
        let overview = operator.overview().await.unwrap();
        assert_eq!((overview.outbox_waiting, overview.outbox_dead), (0, 0));
        assert_eq!((overview.consumers[0].waiting, overview.consumers[0].dead), (0, 1));

        // The cause is gone: the event may live again.
        let mend = format!(
            "update platform.undelivered set payload = jsonb_set(payload, '{{note}}', '\"mended\"') where id = {}",
            letters[0].id
        );
        ground.admin.batch_execute(&mend).await.unwrap();
        assert_eq!(operator.revive(Some(&[letters[0].id]), None).await.unwrap(), 1);
        all_settled(ground).await;
        assert_eq!(undelivered(ground, "true").await, 0);
        let notes: Vec<_> = heard(ground, a).await.into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, ["behind", "mended"], "what waited went on when the first was given up");

        // One store's events again, once per replay, in order.
        let range = Range { store: Some(b), ..Range::default() };
        assert_eq!(operator.replay("scribe", "first", &range).await.unwrap(), 2);
        all_settled(ground).await;
        assert_eq!(
            operator.replay("scribe", "first", &range).await.unwrap(),
            2,
            "queued again, heard under the same name"
        );
        all_settled(ground).await;
        let notes: Vec<_> = heard(ground, b).await.into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, ["one", "two", "one", "two"]);
        assert_eq!(heard(ground, a).await.len(), 2, "the other store hears nothing");
        relay.stop().await;
    });
}

#[test]
fn a_fact_that_no_broker_would_carry_does_not_become_true() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let shelf = Uuid::now_v7();
        let around = serde_json::to_vec(&Counted { shelf, note: String::new() }).unwrap().len();
        let states = async |bytes: usize| {
            let fact = Counted { shelf, note: "x".repeat(bytes - around) };
            scope.write::<_, Refused, _>("count", async |tx| Ok(emit(tx, &fact).await?)).await
        };
        let Err(Refused::Db(error)) = states(900_001).await else { panic!("it was stated") };
        let words = "database error: shelf.counted has 900001 bytes, and no event may have more than 900000";
        assert_eq!(error.to_string(), words);
        assert_eq!(count(ground, "true").await, 0);
        states(900_000).await.unwrap();
        assert_eq!(count(ground, "sequence = 1").await, 1, "the one that was refused took no number");
    });
}

#[test]
fn events_are_replayed_by_time_and_kind_to_the_consumer_that_is_named() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let (first, second) = (Scribe::new("first"), Scribe::new("second"));
        let relay = relay(ground, &stores, &[&first, &second]);
        let shelf = Uuid::now_v7();
        state(&stores.scope(store), shelf, &["one", "two", "three"]).await;
        all_settled(ground).await;
        let days = "update platform.outbox set occurred_at = timestamptz '2026-01-01T00:00:00Z' + sequence * interval '1 day'";
        ground.admin.batch_execute(days).await.unwrap();
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        let day = |day: u32| -> Option<chrono::DateTime<chrono::Utc>> {
            Some(format!("2026-01-0{day}T00:00:00Z").parse().unwrap())
        };
        let kinds = |kind: &str| Some(vec![kind.to_owned()]);

        let none = Range { from: day(2), kinds: kinds("shelf.burnt"), ..Range::default() };
        assert_eq!(operator.replay("second", "r", &none).await.unwrap(), 0);
        // What happened at `from` is meant, what happened at `until` is not.
        let range = Range { from: day(3), until: day(4), kinds: kinds("shelf.counted"), ..Range::default() };
        assert_eq!(operator.replay("second", "r", &range).await.unwrap(), 1);
        all_settled(ground).await;
        let wider = Range { from: day(3), ..Range::default() };
        assert_eq!(operator.replay("second", "s", &wider).await.unwrap(), 2);
        all_settled(ground).await;
        let of = |who: &'static str, all: &[(String, String)]| {
            let own = all.iter().filter(|(name, _)| name == who).map(|(_, note)| note.clone());
            own.collect::<Vec<_>>()
        };
        let all = heard(ground, store).await;
        assert_eq!(of("first", &all), ["one", "two", "three"], "nobody else hears it");
        assert_eq!(of("second", &all), ["one", "two", "three", "two", "two", "three"]);
        relay.stop().await;
    });
}

#[test]
fn what_is_old_is_forgotten_and_nothing_else() {
    on_ground(async |ground| {
        let store = shop(ground, "a.test").await;
        let stores = ground.tenancy(ground.config()).await;
        let scope = stores.scope(store);
        let scribe = Scribe::new("scribe");
        let first = relay(ground, &stores, &[&scribe]);
        state(&scope, Uuid::now_v7(), &["one", "two", "three"]).await;
        all_settled(ground).await;
        first.stop().await;
        let age = format!(
            "update platform.outbox set published_at = now() - interval '31 days' where sequence = 1;
             update platform.outbox set published_at = now() - interval '29 days' where sequence = 2;
             update platform.outbox set published_at = null, dead_at = now() - interval '99 days' where sequence = 3;
             insert into platform.unreadable_messages (topic, partition, kafka_offset, payload, reason, noticed_at)
             values ('t', 0, 1, '', 'old', now() - interval '31 days'), ('t', 0, 2, '', 'new', now() - interval '29 days');
             update s_{}.heard_events set heard_at = now() - interval '44 days';
             update s_{0}.heard_events set heard_at = now() - interval '46 days' where event_id <>
                (select event_id from platform.outbox where sequence = 3)",
            store.suffix()
        );
        ground.admin.batch_execute(&age).await.unwrap();

        let relay = relay(ground, &stores, &[&scribe]);
        let operator = Operator::connect(&ground.database(), ground::RELAY_PASSWORD).await.unwrap();
        eventually("old messages are forgotten", async || operator.overview().await.unwrap().unreadable == 1)
            .await;
        relay.stop().await;
        assert_eq!(operator.unreadable(10).await.unwrap()[0].reason, "new");
        assert_eq!((count(ground, "true").await, count(ground, "sequence = 1").await), (2, 0));
        assert_eq!(
            count(ground, "sequence = 3 and dead_at is not null").await,
            1,
            "what was never told stays"
        );

        // As many as it may in one transaction.
        let forget = async |most: u32| {
            scope
                .write::<_, Refused, _>("forget", async |tx| Ok(forget_heard(tx, most).await?))
                .await
                .unwrap()
        };
        assert_eq!((forget(1).await, forget(10).await, forget(10).await), (1, 1, 0));
        let left = format!("select count(*) from s_{}.heard_events", store.suffix());
        let left: i64 = ground.admin.query_one(&left, &[]).await.unwrap().get(0);
        assert_eq!(left, 1);
    });
}
