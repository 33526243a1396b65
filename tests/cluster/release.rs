//! Releases: an image reaches the stores wave by wave, halts by itself when stores fail with it, goes on when told, and is
//! taken back by another one.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use souk_operator::controller::work;
use souk_store_resource::{
    ConditionType, HALTED, RELEASE, RELEASED_AT, ReleaseCondition, ReleaseReason, SUPERSEDED_BY, Store,
    StoreRelease, WaveState,
};
use tokio::sync::oneshot::channel;

use crate::bench::{Bench, FOLDER, eventually, kubernetes};

/// Of the digit's digest; the operator's own setting is the one of noughts.
fn image(digit: &str) -> String {
    format!("localhost/souk-runtime@sha256:{}", digit.repeat(64))
}

/// Releases for the stores of one namespace, which go with the test: they are the cluster's, not the namespace's.
pub struct Releases {
    client: Client,
    namespace: String,
}

impl Releases {
    pub fn of(bench: &Bench) -> Self {
        Self { client: bench.client.clone(), namespace: bench.namespace.clone() }
    }

    fn api(&self) -> Api<StoreRelease> {
        Api::all(self.client.clone())
    }

    pub fn name(&self, short: &str) -> String {
        format!("{}-{short}", self.namespace)
    }

    /// `kubectl apply` of a release: one wave for everybody, without soaking, and with more in it.
    pub async fn apply(&self, short: &str, more: Value) -> Result<StoreRelease, kube::Error> {
        let all = json!([{ "name": "all", "size": "100%", "soakSeconds": 0 }]);
        let mut spec =
            json!({ "version": short, "image": image("1"), "namespaces": [self.namespace], "waves": all });
        for (key, value) in more.as_object().cloned().unwrap_or_default() {
            spec[key] = value;
        }
        let object = json!({
            "apiVersion": "souk.dev/v1alpha1", "kind": "StoreRelease", "spec": spec,
            "metadata": { "name": self.name(short), "labels": { "souk-tests/namespace": self.namespace } },
        });
        let how = PatchParams::apply("a-person").force();
        self.api().patch(&self.name(short), &how, &Patch::Apply(&object)).await
    }

    pub async fn get(&self, short: &str) -> StoreRelease {
        self.api().get(&self.name(short)).await.expect("the release is there")
    }

    /// Waits until the condition says this of the newest generation.
    pub async fn until(
        &self,
        short: &str,
        kind: ReleaseCondition,
        status: &str,
        reason: ReleaseReason,
    ) -> StoreRelease {
        eventually(&format!("{short}: {kind} is {status}/{reason}"), async || {
            let release = self.get(short).await;
            let condition = release.status.as_ref()?.condition(kind)?;
            let fits = condition.status == status
                && condition.reason == reason.as_str()
                && condition.observed_generation == release.metadata.generation;
            fits.then_some(release)
        })
        .await
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        let _ = Command::new(kubernetes().join("kubectl"))
            .arg(format!("--kubeconfig={FOLDER}/admin.kubeconfig"))
            .args(["delete", "storereleases", "--wait=false", "-l"])
            .arg(format!("souk-tests/namespace={}", self.namespace))
            .output();
    }
}

/// What each store's Deployment runs, and how often its spec was changed.
async fn workloads(bench: &Bench) -> BTreeMap<String, (String, i64)> {
    let list = bench.api::<Deployment>().list(&Default::default()).await.expect("Deployments");
    let told = |deployment: Deployment| {
        let pod = deployment.spec.clone()?.template.spec?;
        let image = pod.containers.first()?.image.clone()?;
        Some((deployment.name_any(), (image, deployment.metadata.generation?)))
    };
    list.items.into_iter().filter_map(told).collect()
}

async fn images(bench: &Bench) -> BTreeMap<String, String> {
    workloads(bench).await.into_iter().map(|(name, (image, _))| (name, image)).collect()
}

async fn stores(bench: &Bench) -> Vec<Store> {
    bench.stores().list(&Default::default()).await.expect("Stores").items
}

/// The stores that were given a release of this name.
async fn given(bench: &Bench, release: &str) -> Vec<String> {
    let named = |store: &Store| store.annotations().get(RELEASE).is_some_and(|name| name == release);
    stores(bench).await.iter().filter(|store| named(store)).map(Store::name_any).collect()
}

async fn dedicated(bench: &Bench, names: &[&str]) {
    for name in names {
        bench.apply(name, Bench::spec(json!({}))).await.unwrap();
    }
    for name in names {
        bench.until_ready(name).await;
    }
}

/// From now on a pod more than there are is refused, and so nothing can be replaced.
async fn no_room_for_more_pods(bench: &Bench, pods: usize) {
    bench.done(&["create", "quota", "full", &format!("--hard=pods={pods}")]);
    eventually("the quota counts the pods", async || {
        let used = bench.done(&["get", "quota", "full", "-o", "jsonpath={.status.used.pods}"]);
        (used == pods.to_string()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_reaches_the_stores_wave_by_wave() {
    let Some(mut bench) = Bench::open().await else { return };
    let releases = Releases::of(&bench);
    bench.apply("shared", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.apply("pinned", Bench::spec(json!({ "runtime": { "image": image("7") } }))).await.unwrap();
    dedicated(&bench, &["one", "two", "three", "four"]).await;
    bench.until_ready("pinned").await;
    bench.done(&["label", "sto", "three", "souk.dev/ring=canary"]);
    let before = workloads(&bench).await;

    // The canary, and then a person is asked.
    let canary = json!({ "matchLabels": { "souk.dev/ring": "canary" } });
    let spec = json!({ "maxUnavailable": "2", "waves": [
        { "name": "canary", "size": "5", "selector": canary, "soakSeconds": 1 },
        { "name": "rest", "size": "100%", "soakSeconds": 0, "requiresApproval": true },
    ] });
    releases.apply("first", spec).await.unwrap();
    let release = releases
        .until("first", ReleaseCondition::Progressing, "False", ReleaseReason::AwaitingApproval)
        .await;
    let mut expected = before.clone();
    expected.insert("three".into(), (image("1"), before["three"].1 + 1));
    assert_eq!(workloads(&bench).await, expected);
    let status = release.status.clone().unwrap();
    assert_eq!((status.total, status.updated, status.failed, status.aside), (4, 1, 0, 0));
    assert_eq!(status.current_wave.as_deref(), Some("rest"));
    let waves: Vec<_> =
        status.waves.iter().map(|wave| (wave.name.as_str(), wave.state, wave.total)).collect();
    assert_eq!(waves, [("canary", WaveState::Done, 1), ("rest", WaveState::AwaitingApproval, 3)]);
    assert!(!release.is_complete());

    // Approved, the others follow, two at a time.
    let name = releases.name("first");
    let approval = json!({ "spec": { "approvedWaves": ["rest"] } }).to_string();
    bench.done(&["patch", "srel", &name, "--type=merge", "-p", &approval]);
    let mut most = 0;
    eventually("it is complete", async || {
        let under_way = stores(&bench).await.into_iter().filter(|store| {
            let status = store.status.clone().unwrap_or_default();
            let has_it = status.runtime.as_ref().is_some_and(|runtime| runtime.image == Some(image("1")));
            let serves = status.condition(ConditionType::Ready).is_some_and(|ready| ready.status == "True");
            store.annotations().contains_key(RELEASE) && !(has_it && serves)
        });
        most = most.max(under_way.count());
        releases.get("first").await.is_complete().then_some(())
    })
    .await;
    assert!((1..=2).contains(&most), "{most} were under way at once");
    for name in ["one", "two", "three", "four"] {
        let store = bench.until_ready(name).await;
        assert_eq!(store.status.unwrap().runtime.unwrap().release, Some(releases.name("first")));
    }
    let after = images(&bench).await;
    let expected = [("four", "1"), ("one", "1"), ("pinned", "7"), ("three", "1"), ("two", "1")];
    assert_eq!(after, BTreeMap::from(expected.map(|(name, digit)| (name.to_owned(), image(digit)))));
    assert_eq!(given(&bench, &name).await.len(), 4);
    let table = bench.done(&["get", "srel", &name]);
    assert!(table.contains("UPDATED") && table.contains("RolledOut"), "{table}");
    bench.done(&["wait", "--for=condition=Complete", &format!("srel/{name}"), "--timeout=30s"]);
    assert!(bench.done(&["describe", "srel", &name]).contains("RolledOut"));

    // A store that is made now begins with it: its pods are never replaced.
    dedicated(&bench, &["five"]).await;
    let born = bench.api::<Deployment>().get("five").await.unwrap();
    assert_eq!(born.annotations()["deployment.kubernetes.io/revision"], "1");
    assert_eq!(images(&bench).await["five"], image("1"));
    assert!(!bench.stores().get("five").await.unwrap().annotations().contains_key(RELEASED_AT));

    // An operator with another setting of its own restarts no shop.
    bench.stop().await;
    let before = workloads(&bench).await;
    let upgraded = bench.operator(|config| config.runtime.image = image("9")).await;
    let (stop, stopped) = channel::<()>();
    let running = tokio::spawn(work(upgraded, async move { stopped.await.is_ok() }));
    bench.done(&["annotate", "sto", "--all", "souk.dev/reconcile-at=upgraded"]);
    for name in ["one", "two", "three", "four", "five", "pinned", "shared"] {
        eventually("the new operator has looked at it", async || {
            let status = bench.stores().get(name).await.unwrap().status?;
            (status.last_handled_reconcile_at? == "upgraded").then_some(())
        })
        .await;
    }
    assert_eq!(workloads(&bench).await, before);
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_image_halts_by_itself_and_is_taken_back() {
    let Some(mut bench) = Bench::open().await else { return };
    let releases = Releases::of(&bench);
    dedicated(&bench, &["one", "two", "three"]).await;
    let before = workloads(&bench).await;
    no_room_for_more_pods(&bench, 3).await;

    // Two may be down and two fail: the third is left as it is.
    let spec = json!({
        "image": image("2"), "maxUnavailable": "2", "maxFailures": "2", "progressDeadlineSeconds": 10,
    });
    releases.apply("bad", spec).await.unwrap();
    let bad = releases.name("bad");
    let release = releases.until("bad", ReleaseCondition::Progressing, "False", ReleaseReason::Halted).await;
    let hurt = given(&bench, &bad).await;
    assert_eq!(hurt.len(), 2, "{hurt:?}");
    let untouched =
        ["one", "two", "three"].into_iter().find(|name| !hurt.contains(&(*name).to_owned())).unwrap();
    assert_eq!(workloads(&bench).await[untouched], before[untouched]);
    let status = release.status.clone().unwrap();
    assert_eq!((status.total, status.updated, status.unavailable, status.failed), (3, 0, 2, 2));
    assert_eq!(status.failures.len(), 2);
    assert!(release.annotations()[HALTED].contains("2 of 3 stores failed"));
    let degraded = status.condition(ReleaseCondition::Degraded).unwrap();
    assert!(degraded.status == "True" && degraded.message.contains("souk.dev/halted"), "{degraded:?}");

    // Another operator finds it as it was, and so does whoever lets it go on while nothing is better.
    bench.stop().await;
    bench.start().await;
    bench.done(&["annotate", "srel", &bad, "souk.dev/halted-"]);
    eventually("it halts again", async || releases.get("bad").await.annotations().get(HALTED).cloned()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(given(&bench, &bad).await, hurt);
    assert_eq!(workloads(&bench).await[untouched], before[untouched]);

    // Back to the image before, for those that are down at once; whoever has it still is not replaced.
    releases.apply("good", json!({ "image": image("0"), "maxUnavailable": "1" })).await.unwrap();
    let good = releases.name("good");
    let release = releases.until("good", ReleaseCondition::Complete, "True", ReleaseReason::RolledOut).await;
    assert_eq!((release.status.clone().unwrap().updated, release.status.unwrap().total), (3, 3));
    for name in ["one", "two", "three"] {
        let store = bench.until_ready(name).await;
        assert_eq!(store.annotations()[RELEASE], good);
    }
    let after = workloads(&bench).await;
    assert!(after.values().all(|(image_now, _)| *image_now == image("0")), "{after:?}");
    assert_eq!(after[untouched], before[untouched]);
    let release =
        releases.until("bad", ReleaseCondition::Progressing, "False", ReleaseReason::Superseded).await;
    assert_eq!(release.annotations()[SUPERSEDED_BY], good);

    // Deleted, what it gave stays, and the one before does not come back.
    bench.done(&["delete", "srel", &good]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(workloads(&bench).await, after);
    assert_eq!(given(&bench, &good).await.len(), 3);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_release_goes_on_when_told() {
    let Some(mut bench) = Bench::open().await else { return };
    let releases = Releases::of(&bench);
    dedicated(&bench, &["one", "two"]).await;
    let before = workloads(&bench).await;
    no_room_for_more_pods(&bench, 2).await;
    let spec = json!({ "maxUnavailable": "1", "maxFailures": "1", "progressDeadlineSeconds": 10 });
    releases.apply("first", spec.clone()).await.unwrap();
    let name = releases.name("first");
    releases.until("first", ReleaseCondition::Progressing, "False", ReleaseReason::Halted).await;
    let hurt = given(&bench, &name).await;
    let [hurt] = &hurt[..] else { panic!("one was given it: {hurt:?}") };
    let other = if hurt == "one" { "two" } else { "one" };

    // Mended, the store serves with it; the release still waits for a person.
    bench.done(&["delete", "quota", "full"]);
    bench.until_ready(hurt).await;
    assert_eq!(images(&bench).await[hurt], image("1"));
    eventually("nobody fails any more", async || {
        (releases.get("first").await.status?.failed == 0).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(workloads(&bench).await[other], before[other]);

    // Let go on while it is paused, it waits for that.
    let mut paused = spec.clone();
    paused["paused"] = json!(true);
    releases.apply("first", paused).await.unwrap();
    bench.done(&["annotate", "srel", &name, "souk.dev/halted-"]);
    releases.until("first", ReleaseCondition::Progressing, "False", ReleaseReason::Paused).await;
    assert_eq!(workloads(&bench).await[other], before[other]);
    releases.apply("first", spec).await.unwrap();
    releases.until("first", ReleaseCondition::Complete, "True", ReleaseReason::RolledOut).await;
    assert!(images(&bench).await.values().all(|now| *now == image("1")));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_cannot_be_is_refused_or_says_why() {
    let Some(bench) = Bench::open().await else { return };
    let releases = Releases::of(&bench);
    let wave = |name: &str, size: &str| json!({ "name": name, "size": size });
    for (spec, words) in [
        (json!({ "image": "souk:latest" }), "pinned by digest"),
        (json!({ "waves": [] }), "waves"),
        (json!({ "waves": [wave("some", "50%")] }), "must take whoever is left"),
        (json!({ "waves": [wave("all", "0")] }), "size"),
        (json!({ "waves": [wave("all", "101%")] }), "size"),
        (json!({ "waves": [wave("all", "100%"), wave("all", "100%")] }), "duplicate entries"),
        (json!({ "approvedWaves": ["nobody"] }), "must name waves of this release"),
        (json!({ "maxUnavailable": "0" }), "maxUnavailable"),
        (json!({ "progressDeadlineSeconds": 5 }), "progressDeadlineSeconds"),
    ] {
        match releases.apply("wrong", spec.clone()).await {
            Err(kube::Error::Api(status)) => assert!(
                [400, 422, 500].contains(&status.code) && status.message.contains(words),
                "{spec}: {status:?}"
            ),
            other => panic!("{spec} was not refused: {other:?}"),
        }
    }
    assert!(releases.api().get_opt(&releases.name("wrong")).await.unwrap().is_none());

    // What the server fills in; what stays as it was.
    let wave = json!([{ "name": "all", "size": "100%" }]);
    let made = releases.apply("a-made", json!({ "waves": wave })).await.unwrap();
    assert_eq!((made.spec.waves[0].soak_seconds, made.spec.max_failures.as_str()), (600, "3"));
    let changed = json!({ "waves": wave, "image": image("2") });
    let error = releases.apply("a-made", changed).await.expect_err("it is refused");
    assert!(error.to_string().contains("image is immutable"), "{error}");

    // What only the operator can know. (Of releases of the same second, the one whose name comes later is the newer.)
    releases.apply("b-early", json!({ "schemaVersion": 99_999 })).await.unwrap();
    let release =
        releases.until("b-early", ReleaseCondition::Degraded, "True", ReleaseReason::OperatorTooOld).await;
    let status = release.status.unwrap();
    let said = &status.condition(ReleaseCondition::Progressing).unwrap().message;
    assert!(said.contains("needs migration 99999") && said.contains("upgrade the operator first"), "{said}");
    let near = json!({ "matchExpressions": [{ "key": "ring", "operator": "Near" }] });
    let waves = json!([{ "name": "near", "size": "1", "selector": near }, { "name": "all", "size": "100%" }]);
    releases.apply("c-strange", json!({ "waves": waves })).await.unwrap();
    releases.until("c-strange", ReleaseCondition::Degraded, "True", ReleaseReason::InvalidSpec).await;
}
