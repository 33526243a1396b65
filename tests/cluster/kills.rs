//! Killed after any write of those that make a store, put it to sleep and wake it, an operator is followed by one that goes on there.

use std::sync::atomic::Ordering;

use serde_json::json;
use souk_store_resource::{ConditionType, Reason};

use crate::bench::{Bench, eventually};
use crate::faults::Proxy;
use crate::front::{StandIn, backend};
use crate::hibernation::{Guard, replicas, sleepy, until_asleep, until_awake};

/// Each is killed one write later than the one before: more than falling asleep takes, or waking, so that then the last ones are not
/// killed at all.
const STORES: usize = 18;

fn names() -> impl Iterator<Item = String> {
    (1..=STORES).map(|number| format!("kill-{number}"))
}

/// As if nobody had asked any of them for so many minutes.
async fn all_idle(bench: &Bench, minutes: u32) {
    let sql = format!(
        "INSERT INTO platform.store_activity (store_id, last_request_at)
         SELECT store_id, now() - interval '{minutes} minutes' FROM platform.store_ledger WHERE owner_scope = '{}'
         ON CONFLICT (store_id) DO UPDATE SET last_request_at = excluded.last_request_at",
        bench.namespace
    );
    bench.look(&sql).await;
}

/// An operator begins with all of them and dies over each one after another write, until the rest is there; then another one comes.
/// How many it died over.
async fn killed_on_the_way_to(bench: &mut Bench, goal: Reason) -> usize {
    let proxy = Proxy::deadly(names().zip(1..)).await;
    bench.start_by(Some(&proxy.address)).await;
    eventually("each is there, or its operator dead", async || {
        let dead = proxy.dead();
        for name in names().filter(|name| !dead.contains(name)) {
            let store = bench.stores().get(&name).await.ok()?;
            let condition = store.status.as_ref()?.condition(ConditionType::Hibernated)?;
            if condition.reason != goal.as_str() {
                return None;
            }
        }
        Some(())
    })
    .await;
    bench.kill().await;
    let dead = proxy.dead().len();
    eprintln!("on the way to {goal}: killed after each of {dead} writes");
    bench.start().await;
    dead
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_killed_after_any_write_is_followed_by_another() {
    let shared = StandIn::start().await;
    shared.answers.store(true, Ordering::Relaxed);
    let address = shared.address.clone();
    let Some(mut bench) = Bench::idle(|config| config.runtime.pooled_address = Some(address)).await else {
        return;
    };
    let guard = Guard::of(&bench);
    for name in names() {
        bench.apply(&name, sleepy(json!({}))).await.unwrap();
    }
    let killed = killed_on_the_way_to(&mut bench, Reason::Awake).await;
    assert!(killed >= 10, "{killed}");
    for name in names() {
        until_awake(&bench, &name).await;
        let store = bench.until_ready(&name).await;
        // Whatever was repeated, the keys that its owner was given open it.
        let key =
            bench.done(&["get", "secret", &format!("{name}-keys"), "-o", "jsonpath={.data.secret-key}"]);
        let found = format!(
            "SELECT count(*) FROM {}.api_keys WHERE hash = sha256(decode('{key}', 'base64'))",
            bench.record(&store).await.schema
        );
        assert_eq!(bench.look(&found).await, "1");
    }
    let made =
        format!("SELECT count(*) FROM platform.store_ledger WHERE owner_scope = '{}'", bench.namespace);
    assert_eq!(bench.look(&made).await, STORES.to_string());

    bench.stop().await;
    all_idle(&bench, 10).await;
    let killed = killed_on_the_way_to(&mut bench, Reason::Hibernated).await;
    assert!((4..STORES).contains(&killed), "{killed}");
    for name in names() {
        until_asleep(&bench, &name).await;
        let there = (replicas(&bench, &name).await, backend(&bench, &name).await);
        assert_eq!(there, (Some(0), format!("{name}-pooled")));
    }

    bench.stop().await;
    all_idle(&bench, 0).await;
    let killed = killed_on_the_way_to(&mut bench, Reason::Awake).await;
    assert!((4..STORES).contains(&killed), "{killed}");
    for name in names() {
        until_awake(&bench, &name).await;
        bench.until_ready(&name).await;
        let there = (replicas(&bench, &name).await, backend(&bench, &name).await);
        assert_eq!(there, (Some(1), name));
    }
    guard.nobody_was_lost().await;
    bench.stop().await;
}
