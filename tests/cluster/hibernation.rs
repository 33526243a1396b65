//! A store that nobody asks loses its pods and no shopper; the first one who asks has them back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use souk_operator::controller::work;
use souk_store_resource::{ConditionType, Phase, Reason, ReleaseCondition, ReleaseReason, Store};
use souk_tests::shop::Shop;
use tokio::sync::oneshot::channel;
use tokio::task::JoinHandle;

use crate::bench::{Bench, eventually};
use crate::front::{Crowd, SharedRuntime, StandIn, backend, free_port};
use crate::node::public_key;
use crate::release::Releases;

fn sleepy(more: Value) -> Value {
    let mut spec = Bench::spec(json!({ "hibernation": { "afterMinutes": 5 } }));
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        spec[key] = value;
    }
    spec
}

/// As if nobody had asked the store for so many minutes, and a look at it now: its own would be minutes away.
pub async fn idle(bench: &Bench, store: &Store, minutes: u32) {
    let id = bench.record(store).await.store_id.uuid();
    let sql = format!(
        "INSERT INTO platform.store_activity AS a VALUES ('{id}', now() - interval '{minutes} minutes')
         ON CONFLICT (store_id) DO UPDATE SET last_request_at = excluded.last_request_at"
    );
    bench.look(&sql).await;
    // Whoever sleeps is heard of by the operator itself.
    if minutes > 0 {
        look_at(bench, &store.name_any());
    }
}

fn look_at(bench: &Bench, store: &str) {
    let now = format!("souk.dev/reconcile-at={}", uuid::Uuid::now_v7());
    bench.done(&["annotate", "--overwrite", "sto", store, &now]);
}

pub async fn until_asleep(bench: &Bench, name: &str) -> Store {
    bench.until(name, ConditionType::Hibernated, "True", Reason::Hibernated).await
}

pub async fn until_awake(bench: &Bench, name: &str) -> Store {
    bench.until(name, ConditionType::Hibernated, "False", Reason::Awake).await
}

async fn replicas(bench: &Bench, name: &str) -> Option<i32> {
    bench.api::<Deployment>().get(name).await.expect("the Deployment is there").spec?.replicas
}

/// Whether it has an autoscaler and a disruption budget.
async fn companions(bench: &Bench) -> [bool; 2] {
    let scaler = bench.api::<HorizontalPodAutoscaler>().get_opt("acme").await.expect("an answer");
    let budget = bench.api::<PodDisruptionBudget>().get_opt("acme").await.expect("an answer");
    [scaler.is_some(), budget.is_some()]
}

async fn until_no_pods(bench: &Bench) {
    eventually("its pods are gone", async || {
        bench.api::<Pod>().list(&Default::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
}

/// Looks all the time whether shoppers are led to pods that are not there.
struct Guard {
    stop: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
    looking: JoinHandle<()>,
}

impl Guard {
    fn of(bench: &Bench, store: &str) -> Self {
        let (stop, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (routes, workloads): (Api<Ingress>, Api<Deployment>) = (bench.api(), bench.api());
        let (store, over, count) = (store.to_owned(), stop.clone(), lost.clone());
        let looking = tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                // The route first: pods that were there when it led to them may not go before it leads away.
                let route = routes.get_opt(&store).await.expect("an answer");
                let spec =
                    route.and_then(|route| serde_json::to_string(&route.spec).ok()).unwrap_or_default();
                let leads_to_it = spec.contains(&format!("\"name\":\"{store}\""));
                let pods = workloads.get_opt(&store).await.expect("an answer").and_then(|pods| pods.status);
                let serve = pods.and_then(|status| status.available_replicas).unwrap_or(0);
                if leads_to_it && serve == 0 {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        });
        Self { stop, lost, looking }
    }

    async fn nobody_was_lost(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.looking.await.expect("it looks to the end");
        assert_eq!(self.lost.load(Ordering::Relaxed), 0, "shoppers were led to pods that were not there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_nobody_asks_go_and_come_back() {
    let shared = StandIn::start().await;
    let address = shared.address.clone();
    let Some(mut bench) = Bench::open_with(|config| config.runtime.pooled_address = Some(address)).await
    else {
        return;
    };
    bench.apply("acme", sleepy(json!({}))).await.unwrap();
    bench.until_ready("acme").await;
    let store = until_awake(&bench, "acme").await;
    assert_eq!(backend(&bench, "acme").await, "acme");
    let guard = Guard::of(&bench, "acme");

    // Nobody else would answer: it stays as it is, and says why.
    idle(&bench, &store, 10).await;
    let told = bench.until("acme", ConditionType::Hibernated, "False", Reason::NobodyToTakeOver).await;
    assert_eq!(told.status.unwrap().phase, Some(Phase::Ready));
    assert_eq!((replicas(&bench, "acme").await, backend(&bench, "acme").await), (Some(1), "acme".into()));

    // Taken over, it has no pods and serves all the same.
    shared.answers.store(true, Ordering::Relaxed);
    look_at(&bench, "acme");
    let asleep = until_asleep(&bench, "acme").await.status.unwrap();
    assert_eq!(asleep.phase, Some(Phase::Hibernated));
    let said = |kind| asleep.condition(kind).map(|it| (it.status.as_str(), it.reason.as_str()));
    assert_eq!(said(ConditionType::Ready), Some(("True", "AllChecksPassed")));
    assert_eq!(said(ConditionType::RuntimeReady), Some(("True", "Hibernated")));
    assert_eq!(
        (replicas(&bench, "acme").await, backend(&bench, "acme").await),
        (Some(0), "acme-pooled".into())
    );
    until_no_pods(&bench).await;
    assert!(bench.done(&["get", "sto", "acme"]).contains("Hibernated"));
    bench.done(&["wait", "--for=condition=Hibernated", "sto/acme", "--timeout=10s"]);

    // It sleeps in silence, also for an operator that has just come.
    let before = bench.until_quiet().await;
    bench.stop().await;
    bench.start().await;
    look_for_nothing(&bench, before.len()).await;
    // Drift is repaired without waking it.
    bench.done(&["scale", "deployment", "acme", "--replicas=2"]);
    eventually("it sleeps on", async || (replicas(&bench, "acme").await == Some(0)).then_some(())).await;
    until_asleep(&bench, "acme").await;

    // A release reaches it in its sleep; the pods it will have are of the new image.
    let releases = Releases::of(&bench);
    releases.apply("first", json!({})).await.unwrap();
    releases.until("first", ReleaseCondition::Complete, "True", ReleaseReason::RolledOut).await;
    let given = bench.api::<Deployment>().get("acme").await.unwrap().spec.unwrap();
    let image = given.template.spec.unwrap().containers[0].image.clone().unwrap();
    assert!(given.replicas == Some(0) && image.ends_with(&"1".repeat(64)), "{image}");
    until_asleep(&bench, "acme").await;

    // Somebody asks: the pods first, then the route.
    idle(&bench, &store, 0).await;
    let awake = until_awake(&bench, "acme").await.status.unwrap();
    assert_eq!(awake.phase, Some(Phase::Ready));
    assert_eq!((replicas(&bench, "acme").await, backend(&bench, "acme").await), (Some(1), "acme".into()));
    guard.nobody_was_lost().await;
    let told = bench.done(&["describe", "sto", "acme"]);
    assert!(told.contains("Hibernated") && told.contains("Woken"), "{told}");
    bench.stop().await;
}

async fn look_for_nothing(bench: &Bench, before: usize) {
    bench.done(&["annotate", "--overwrite", "sto", "acme", "somebody.example/note=1"]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.writes()[before..], Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_is_served_and_wakes_it() {
    let (pooled, key) = (free_port(), public_key());
    let place = format!("127.0.0.1:{pooled}");
    let Some(mut bench) = Bench::alone_with(|config| config.runtime.pooled_address = Some(place)).await
    else {
        return;
    };
    bench.start().await;
    let shared = SharedRuntime::start(&bench, pooled, &key).await;
    bench.apply("acme", sleepy(json!({}))).await.unwrap();
    let store = until_awake(&bench, "acme").await;
    let keys = bench.api::<Secret>().get("acme-keys").await.unwrap().data.unwrap();
    let text = |name: &str| String::from_utf8(keys[name].0.clone()).unwrap();
    let id = store.status.as_ref().unwrap().store_id.clone().unwrap();
    let (base, host) = (format!("http://127.0.0.1:{pooled}"), format!("acme.{}.example", bench.namespace));
    let shop = Shop::at(&base, &host, &id, &text("publishable-key"), &text("secret-key"));
    idle(&bench, &store, 10).await;
    until_asleep(&bench, "acme").await;

    // The operator's own question wakes nobody.
    let crowd = Crowd::start(1, &base, &host, shop.keys()[0]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (answered, failed) = crowd.end().await;
    assert!(answered > 0 && failed == 0, "{answered} answered, {failed} failed");
    until_asleep(&bench, "acme").await;
    assert_eq!(replicas(&bench, "acme").await, Some(0));

    let first = shop.browse().await;
    assert_eq!(first.status, 200, "{first:?}");
    until_awake(&bench, "acme").await;
    assert_eq!((replicas(&bench, "acme").await, backend(&bench, "acme").await), (Some(1), "acme".into()));
    drop(shared);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_stopped_on_the_way_is_followed_by_another() {
    let shared = StandIn::start().await;
    shared.answers.store(true, Ordering::Relaxed);
    let address = shared.address.clone();
    let change = |config: &mut souk_operator::config::Config| {
        config.runtime.pooled_address = Some(address.clone());
        // This one never sees routers settle.
        config.runtime.route_settles = Duration::from_secs(3600);
    };
    let Some(mut bench) = Bench::open_with(change).await else { return };
    let autoscaling = json!({ "autoscaling": { "minReplicas": 2, "maxReplicas": 3 } });
    bench.apply("acme", sleepy(json!({ "runtime": autoscaling }))).await.unwrap();
    let store = until_awake(&bench, "acme").await;
    eventually("it has as many pods as the autoscaler must keep", async || {
        (replicas(&bench, "acme").await == Some(2)).then_some(())
    })
    .await;
    bench.until_ready("acme").await;
    assert_eq!(companions(&bench).await, [true, true]);
    let guard = Guard::of(&bench, "acme");

    // The route is away, the pods are there: stopped in between.
    idle(&bench, &store, 10).await;
    let falling =
        bench.until("acme", ConditionType::Hibernated, "False", Reason::FallingAsleep).await.status.unwrap();
    assert_eq!(falling.phase, Some(Phase::Updating));
    assert_eq!(backend(&bench, "acme").await, "acme-pooled");
    assert_eq!((companions(&bench).await, replicas(&bench, "acme").await), ([true, true], Some(2)));
    // Somebody asks just then: back at once, no pod is touched.
    let pods = bench.api::<Deployment>().get("acme").await.unwrap().metadata.generation;
    idle(&bench, &store, 0).await;
    until_awake(&bench, "acme").await;
    assert_eq!(backend(&bench, "acme").await, "acme");
    assert_eq!(bench.api::<Deployment>().get("acme").await.unwrap().metadata.generation, pods);
    idle(&bench, &store, 10).await;
    bench.until("acme", ConditionType::Hibernated, "False", Reason::FallingAsleep).await;
    bench.stop().await;

    // The next one goes on there.
    let next = bench.operator(|config| config.runtime.route_settles = Duration::from_secs(1)).await;
    let (stop, stopped) = channel::<()>();
    let running = tokio::spawn(work(next, async move { stopped.await.is_ok() }));
    until_asleep(&bench, "acme").await;
    until_no_pods(&bench).await;
    eventually("nothing scales it", async || (companions(&bench).await == [false, false]).then_some(()))
        .await;

    // Suspended in its sleep, and opened again: that wakes nobody, and it is not Ready while it is closed.
    let mut suspended = sleepy(json!({ "runtime": autoscaling }));
    suspended["state"] = json!("Suspended");
    bench.apply("acme", suspended).await.unwrap();
    let closed = bench.until("acme", ConditionType::Ready, "False", Reason::Suspended).await.status.unwrap();
    assert_eq!(closed.phase, Some(Phase::Suspended));
    bench.apply("acme", sleepy(json!({ "runtime": autoscaling }))).await.unwrap();
    until_asleep(&bench, "acme").await;
    assert_eq!(replicas(&bench, "acme").await, Some(0));

    // Without the wish to sleep it wakes, and everything is as it was.
    bench.apply("acme", Bench::spec(json!({ "runtime": autoscaling }))).await.unwrap();
    bench.until("acme", ConditionType::Hibernated, "False", Reason::NotNeeded).await;
    let store = bench.until_ready("acme").await;
    assert_eq!(store.status.as_ref().unwrap().phase, Some(Phase::Ready));
    assert_eq!(backend(&bench, "acme").await, "acme");
    assert_eq!(companions(&bench).await, [true, true]);
    guard.nobody_was_lost().await;

    // Asleep, it may become Pooled like any other: its pods are gone already.
    idle(&bench, &store, 0).await;
    bench.apply("acme", sleepy(json!({}))).await.unwrap();
    let store = until_awake(&bench, "acme").await;
    idle(&bench, &store, 10).await;
    until_asleep(&bench, "acme").await;
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    eventually("its Deployment is gone", async || {
        bench.api::<Deployment>().get_opt("acme").await.ok()?.is_none().then_some(())
    })
    .await;
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_come_before_the_route_and_go_after_it() {
    let Some(mut bench) = Bench::open().await else { return };
    let domains = json!([{ "host": format!("shop.{}.test", bench.namespace) }]);
    let of = |isolation: &str| Bench::spec(json!({ "isolation": isolation, "domains": domains }));
    bench.apply("acme", of("Pooled")).await.unwrap();
    bench.until_ready("acme").await;
    let guard = Guard::of(&bench, "acme");
    bench.apply("acme", of("Dedicated")).await.unwrap();
    let store = bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutComplete).await;
    assert_eq!(backend(&bench, "acme").await, "acme");
    bench.apply("acme", of("Pooled")).await.unwrap();
    // The route is away, and whoever is led to the pods still is served by them, with their login.
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutInProgress).await;
    assert_eq!(
        (replicas(&bench, "acme").await, backend(&bench, "acme").await),
        (Some(1), "acme-pooled".into())
    );
    assert!(bench.record(&store).await.login.is_some());
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    assert!(bench.record(&store).await.login.is_none());
    eventually("its Deployment is gone", async || {
        bench.api::<Deployment>().get_opt("acme").await.ok()?.is_none().then_some(())
    })
    .await;
    guard.nobody_was_lost().await;
    bench.stop().await;
}

/// For the real node: the store becomes Pooled and Dedicated again while shoppers come, and nobody is sent away.
pub async fn pooled_and_back_under_load(bench: &Bench, shop: &Shop, pooled: Value, dedicated: Value) {
    let (base, host) = shop.place();
    let crowd = Crowd::start(4, base, host, shop.keys()[0]);
    bench.apply("acme", pooled).await.unwrap();
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::Pooled).await;
    until_no_pods(bench).await;
    let meanwhile = crowd.answered();
    bench.apply("acme", dedicated).await.unwrap();
    bench.until("acme", ConditionType::RuntimeReady, "True", Reason::RolloutComplete).await;
    // Routers follow.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (answered, failed) = crowd.end().await;
    eprintln!("to Pooled and back under load: {answered} requests answered, {failed} failed");
    assert!(meanwhile > 20 && answered > meanwhile + 20, "{meanwhile}, then {answered}");
    assert_eq!(failed, 0);
}

/// For the real node: shoppers come all the time while the store falls asleep and wakes, and nobody is sent away.
pub async fn sleeps_and_wakes_under_load(bench: &Bench, shop: &Shop, spec: Value) {
    bench.apply("acme", spec).await.unwrap();
    let store = until_awake(bench, "acme").await;
    let (base, host) = shop.place();
    let crowd = Crowd::start(4, base, host, shop.keys()[0]);
    // Whoever shopped here before is noted within half a minute: what was said of the store is said again until that is over.
    let asleep = async || {
        let status = bench.stores().get("acme").await.ok()?.status?;
        status.condition(ConditionType::Hibernated).is_some_and(|it| it.status == "True").then_some(())
    };
    for _ in 0..10 {
        idle(bench, &store, 10).await;
        tokio::time::sleep(Duration::from_secs(8)).await;
        if asleep().await.is_some() {
            break;
        }
    }
    until_asleep(bench, "acme").await;
    until_no_pods(bench).await;
    let during_sleep = crowd.answered();

    // The first request to the sleeping store is answered like any other, and has its pods started.
    let began = std::time::Instant::now();
    let first = shop.browse().await;
    let waited = began.elapsed();
    assert_eq!(first.status, 200, "{first:?}");
    until_awake(bench, "acme").await;
    let awake = began.elapsed();
    // Routers follow.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (answered, failed) = crowd.end().await;
    eprintln!(
        "asleep and awake again under load: {answered} requests answered, {failed} failed; the first one to the sleeping store after {} ms, its own pods answered after {:.1} s",
        waited.as_millis(),
        awake.as_secs_f64()
    );
    assert!(during_sleep > 20 && answered > during_sleep + 20, "{during_sleep}, then {answered}");
    assert_eq!(failed, 0);
}
