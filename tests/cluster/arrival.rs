//! The chart on a real node, as people install it: the version before and the one that takes its place while a shop sells, the chart's own
//! test, and the README's tour for users of Kubernetes, word for word.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::json;
use souk_tests::platform::{programs, workspace};
use souk_tests::readme::blocks;
use souk_tests::shop::Shop;

use crate::bench::cluster;
use crate::node::{Looking, TURN, archive, lead_to};

/// A cluster of its own: the one of the other tests has what a chart installs.
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.souk/test-install");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/on-cluster.sh");
/// The chart as it was before the one that is here, as it was packed.
const BEFORE: &str = "tests/cluster/fixtures/souk-0.1.0.tgz";

/// A machine with a cluster, for as long as a test holds it.
struct Place {
    variables: Vec<(&'static str, String)>,
    /// A shell's words for where things are.
    words: String,
}

impl Place {
    /// `None` where there can be no real node, because the kernel refuses or its packages cannot be had: loudly.
    async fn prepared() -> Option<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let variables = vec![
            ("SOUK_CLUSTER", "modules".to_owned()),
            ("SOUK_CLUSTER_HOME", HOME.to_owned()),
            ("SOUK_IMAGE", archive().await.display().to_string()),
            ("SOUK_COMMAND", programs().join("souk").display().to_string()),
            ("SOUK_CONTROL_PORT", free().to_string()),
            ("SOUK_RUNTIME_PORT", free().to_string()),
        ];
        let mut place = Self { variables, words: String::new() };
        let output = place.shell(&format!("{SCRIPT} prepare")).await;
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        if let Some(3 | 4) = output.status.code() {
            eprintln!("\n✘ THE TESTS OF THE CHART ON A REAL NODE ARE LEFT OUT: {why}\n");
            return None;
        }
        assert!(output.status.success(), "the cluster was not prepared: {why}");
        place.words = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(place)
    }

    async fn shell(&self, text: &str) -> Output {
        let mut shell = Command::new("bash");
        shell.args(["-eu", "-c", text]).current_dir(workspace()).stdin(Stdio::null());
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        tokio::task::spawn_blocking(move || shell.output().expect("bash runs")).await.expect("it ends")
    }

    /// Runs shell text as a person who pastes it, but stops at the first failure; what it printed.
    async fn paste(&self, text: &str) -> String {
        let output = self.shell(&format!("{}\n{text}", self.words)).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{text}\n{said}\n{}\nthe cluster is left as it is: {SCRIPT} down, with SOUK_CLUSTER_HOME={HOME}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mut down = Command::new(SCRIPT);
            let _ = down.arg("down").envs(self.variables.iter().map(|(name, value)| (name, value))).output();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_is_upgraded_while_a_shop_sells_and_the_tour_is_true() {
    let Some(()) = cluster().await else { return };
    let _turn = TURN.lock().await;
    // What an earlier run left to be read.
    let _ = Command::new(SCRIPT).arg("down").env("SOUK_CLUSTER_HOME", HOME).output();
    let Some(place) = Place::prepared().await else { return };
    let began = Instant::now();
    an_upgrade_that_no_shop_notices(&place).await;
    eprintln!("upgraded from the chart before: {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    the_tour(&place).await;
    eprintln!("the README's tour for Kubernetes: {:.1} s", began.elapsed().as_secs_f64());
}

/// The shop of a Store in the namespace `shops`, reached through its Service.
async fn shop(place: &Place) -> Shop {
    let facts = place
        .paste(
            "kubectl -n shops get service acme -o jsonpath='{.spec.clusterIP}'; echo\n\
             for key in publishable-key secret-key; do\n\
             kubectl -n shops get secret acme-keys -o jsonpath=\"{.data.$key}\" | base64 -d; echo\n\
             done",
        )
        .await;
    let lines: Vec<&str> = facts.lines().collect();
    let [address, publishable, secret] = lines[..] else { panic!("an address and two keys: {facts}") };
    let network = std::fs::read_to_string(PathBuf::from(HOME).join("cluster/node/network")).unwrap();
    lead_to(address, network.lines().nth(2).expect("the node's address"));
    Shop::at(&format!("http://{address}"), "acme.shops.localhost", "", publishable, secret)
}

async fn an_upgrade_that_no_shop_notices(place: &Place) {
    let said = place.paste(&format!("SOUK_CHART={BEFORE} {SCRIPT} up")).await;
    assert!(said.contains("Souk runs on Kubernetes."), "{said}");
    place
        .paste(
            "kubectl -n shops apply -f - <<END\n\
             { apiVersion: souk.dev/v1alpha1, kind: Store, metadata: { name: acme },\n\
               spec: { displayName: Acme Bakery, ownerEmail: owner@acme.example,\n\
                       locale: { country: PT, language: pt-PT, timezone: Europe/Lisbon } } }\n\
             END\n\
             kubectl -n shops wait --for=condition=Ready sto/acme --timeout=120s",
        )
        .await;
    let shop = shop(place).await;
    let variant = shop.product("Bread", 1490, 10).await;
    let bought = async || {
        let cart = shop.cart(&variant, 1, "grace@example.com").await.expect("a cart");
        shop.pay_by(&cart, json!({ "provider": "manual" })).await.fine("the sale")["order"]["name"].clone()
    };
    assert_eq!(bought().await, "#1001");
    // Which pods there are, and how often their containers were started again.
    let pods = "kubectl -n shops get pods -o \
        jsonpath='{range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}'";
    let before = place.paste(pods).await;
    assert_eq!(before.lines().count(), 1, "{before}");

    let looking = Looking::at(&shop);
    place.paste(&format!("{SCRIPT} up")).await;
    let (answered, failed) = looking.end().await;
    eprintln!("while the chart was upgraded: {answered} requests answered, {failed} failed");
    assert!(failed == 0 && answered > 20, "{failed} failed, {answered} were answered");
    assert_eq!(place.paste(pods).await, before, "the shop's pods are the same");
    assert_eq!(bought().await, "#1002");
    let releases = place.paste("helm list -n souk").await;
    assert!(releases.contains("souk-0.2.0") && releases.contains("deployed"), "{releases}");

    // The operator that came with it does its work: Ready is said of the newest generation only.
    place
        .paste(
            "kubectl -n shops patch sto acme --type=merge -p '{\"spec\": {\"displayName\": \"Acme\"}}'\n\
             kubectl -n shops wait --for=condition=Ready sto/acme --timeout=60s",
        )
        .await;
    // A sale by whoever signs up: from here, where the addresses lead that were printed, and from inside, as the chart's test.
    let sold = "is paid, booked and taken from stock";
    let said = place
        .paste(&format!("souk rehearse --control http://localhost:{}", place.variable("SOUK_CONTROL_PORT")))
        .await;
    assert!(said.contains(sold), "{said}");
    let said = place.paste("helm test souk -n souk --logs").await;
    assert!(said.contains("Succeeded") && said.contains(sold), "{said}");

    // What is uninstalled leaves the definitions, and with them every Store.
    place.paste("helm uninstall souk -n souk --wait").await;
    assert_eq!(bought().await, "#1003", "a shop needs nothing of what is gone");
    let kept = place.paste("kubectl get crd -o name; kubectl -n shops get sto -o name").await;
    for name in ["/stores.souk.dev", "/storereleases.souk.dev", "store.souk.dev/acme"] {
        assert!(kept.contains(name), "{name} is gone: {kept}");
    }
    // Nobody is there who could let it go in order, and the tour brings an operator that never heard of it.
    place
        .paste(
            "kubectl -n shops patch sto acme --type=merge -p '{\"metadata\": {\"finalizers\": null}}'\n\
             kubectl -n shops delete sto acme\n\
             kubectl delete namespace souk shops --wait=false",
        )
        .await;
}

/// The blocks marked `sh cluster`: installed, applied, waited for, sold, deleted.
async fn the_tour(place: &Place) {
    let blocks = blocks("sh cluster");
    assert!(blocks.len() >= 5, "the tour has its steps: {}", blocks.len());
    // A database of its own: the passwords of the tour are new ones.
    let said = place.paste(&format!("export SOUK_CLUSTER_DATABASE=tour\n{}", blocks.join("\n"))).await;
    for expected in [
        "Succeeded",
        "store.souk.dev/acme condition met",
        "completed\n#1001\n",
        "store.souk.dev \"acme\" deleted",
        "release \"souk\" uninstalled",
    ] {
        assert!(said.contains(expected), "{expected:?} is missing in\n{said}");
    }
    assert_eq!(place.paste("kubectl get sto -A -o name").await, "", "no Store is left");
}
