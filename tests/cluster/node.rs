//! A real node: containerd and a kubelet run the image that is built here, and what runs in it sells.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::ResourceExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use souk_tests::platform::programs;
use souk_tests::shop::Shop;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::task::JoinHandle;

use crate::bench::{Bench, FOLDER, cluster, eventually};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/node.sh");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts");

/// One node at a time: two kubelets would tidy away each other's pods, whose control groups have the same names.
pub static TURN: Mutex<()> = Mutex::const_new(());

/// What a script printed; its exit code and what it complained of when it failed.
fn run(program: &str, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    let output = Command::new(program).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err((output.status.code(), said))
    }
}

/// The node, for as long as a test holds it.
struct Node {
    /// Where we are for what runs on it.
    ours: String,
    /// Where it is for us.
    theirs: String,
    _turn: MutexGuard<'static, ()>,
}

impl Node {
    /// `None` where it cannot be, because the kernel refuses or its packages cannot be had: loudly.
    async fn up() -> Option<Self> {
        cluster().await?;
        let turn = TURN.lock().await;
        let started = tokio::task::spawn_blocking(|| run(SCRIPT, &["up", FOLDER])).await.expect("it ends");
        match started {
            Ok(network) => {
                let mut lines = network.lines().skip(1).map(str::to_owned);
                Some(Self { ours: lines.next()?, theirs: lines.next()?, _turn: turn })
            }
            Err((Some(3 | 4), why)) => {
                let _ = run(SCRIPT, &["down", FOLDER]);
                eprintln!("\n✘ THE TESTS ON A REAL NODE ARE LEFT OUT: {why}\n");
                None
            }
            Err((_, why)) => panic!("the node did not start: {why}"),
        }
    }
}

/// Packets to a Service's address go by the node at `theirs`, as they do on every machine of a cluster.
pub fn lead_to(address: &str, theirs: &str) {
    run("ip", &["route", "replace", &format!("{address}/32"), "via", theirs]).expect("a route");
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the node is left as it is, its logs are in {FOLDER}/node: {SCRIPT} down {FOLDER}");
        } else {
            let _ = run(SCRIPT, &["down", FOLDER]);
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The Dockerfile's final stage over a root; the digest of what came out.
fn pack(root: &Path, archive: &Path) -> String {
    run("python3", &[&format!("{SCRIPTS}/image.py"), text(root), text(archive)]).expect("the image")
}

/// The image of the programs that were just built, as an archive: packed by whoever needs it first. It goes with the cluster.
pub async fn archive() -> &'static Path {
    static ARCHIVE: OnceCell<PathBuf> = OnceCell::const_new();
    let packing = || {
        let (root, archive) = (Path::new(FOLDER).join("image"), Path::new(FOLDER).join("image.tar"));
        run(&format!("{SCRIPTS}/image-root.sh"), &[text(&root), text(&programs())])
            .expect("the image's root");
        pack(&root, &archive);
        std::fs::remove_dir_all(&root).expect("a folder of ours");
        archive
    };
    ARCHIVE.get_or_init(|| async { tokio::task::spawn_blocking(packing).await.expect("it is packed") }).await
}

/// Somebody who looks around in a shop, twenty times a second, until told to stop.
pub struct Looking {
    stop: Arc<AtomicBool>,
    task: JoinHandle<(u32, u32)>,
}

impl Looking {
    pub fn at(shop: &Shop) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (shop, until) = (shop.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let (mut answered, mut failed) = (0, 0);
            while !until.load(Ordering::Relaxed) {
                let answer = shop.browse().await;
                if answer.status == 200 {
                    answered += 1;
                } else {
                    eprintln!("sent away: {answer:?}");
                    failed += 1;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            (answered, failed)
        });
        Self { stop, task }
    }

    /// How often they were answered, and how often sent away.
    pub async fn end(self) -> (u32, u32) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("it ends")
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("souk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The same files give the same bytes, whenever and in whatever order they were written; beside them lies what they are made of.
#[test]
fn an_image_is_reproducible_and_has_a_bill_of_materials() {
    let folder = Folder::new("pack");
    let packed = |name: &str, files: [&str; 2]| {
        let (root, archive) = (folder.0.join(name), folder.0.join(format!("{name}.tar")));
        std::fs::create_dir_all(root.join("etc")).unwrap();
        for file in files {
            std::fs::write(root.join(file), format!("what is in {file}")).unwrap();
        }
        (pack(&root, &archive), std::fs::read(archive).unwrap())
    };
    let first = packed("first", ["etc/passwd", "souk-tenant-runtime"]);
    assert!(first == packed("second", ["souk-tenant-runtime", "etc/passwd"]), "the same files, other bytes");
    let archive = String::from_utf8_lossy(&first.1).into_owned();
    for said in [
        r#""User":"65532:65532""#,
        r#""Entrypoint":["/souk-tenant-runtime"]"#,
        "org.opencontainers.image.licenses",
        &first.0,
    ] {
        assert!(archive.contains(said), "the image does not say {said}");
    }
    let bill = std::fs::read(folder.0.join("first.cdx.json")).unwrap();
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    let parts: Vec<_> = bill["components"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    for name in ["souk-tenant-runtime", "souk-control-plane", "souk-operator", "souk", "tokio", "rustls"] {
        assert!(parts.contains(&&json!(name)), "{name} is not in the bill of materials");
    }
    for name in ["proptest", "insta", "souk-tests"] {
        assert!(!parts.contains(&&json!(name)), "{name} is no part of the programs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_pod_sells_and_is_replaced_without_a_failed_request() {
    let Some(node) = Node::up().await else { return };
    // By the digest it has on the node.
    let image = run(SCRIPT, &["import", FOLDER, text(archive().await)]).expect("containerd takes the image");

    let database = souk_provisioner::test_support::admin_url();
    let port = database.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap();
    run(SCRIPT, &["forward", FOLDER, port]).expect("the node reaches PostgreSQL");
    let key = run("sh", &["-c", "openssl genpkey -algorithm ed25519 | openssl pkey -pubout"]).unwrap();
    let mut bench = Bench::alone_with(|config| {
        config.runtime.image = image.clone();
        config.runtime.database_url = config.database_url.replace("127.0.0.1", &node.ours);
        config.runtime.staff_key_pem = key;
    })
    .await
    .expect("the cluster is up");
    let annotations = [
        "scheduler.alpha.kubernetes.io/node-selector=souk.dev/real=true",
        "scheduler.alpha.kubernetes.io/defaultTolerations=[{\"key\":\"souk.dev/real\",\"operator\":\"Exists\"}]",
    ];
    bench.done(&["annotate", "namespace", &bench.namespace, annotations[0], annotations[1]]);
    bench.start().await;

    let began = Instant::now();
    let locale = json!({ "country": "PT", "language": "pt-PT", "timezone": "Europe/Lisbon" });
    bench.apply("acme", Bench::spec(json!({ "locale": locale }))).await.unwrap();
    let store = bench.until_ready("acme").await;
    eprintln!("apply to Ready on the real node: {:.1} s", began.elapsed().as_secs_f64());
    let pods = async || {
        let list = bench.api::<Pod>().list(&Default::default()).await.expect("pods");
        list.items.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect::<Vec<_>>()
    };
    let [pod] = &pods().await[..] else { panic!("one pod was asked for") };
    assert_eq!(pod.spec.as_ref().unwrap().node_name.as_deref(), Some("real"));
    let running = &pod.status.as_ref().unwrap().container_statuses.as_ref().unwrap()[0];
    assert!(running.ready && running.image_id.contains("sha256:"), "{running:?}");

    // A sale, through the Service, in the pod, over the pod's own login.
    let service = bench.api::<Service>().get("acme").await.unwrap();
    let address = service.spec.unwrap().cluster_ip.unwrap();
    lead_to(&address, &node.theirs);
    let keys = bench.api::<Secret>().get("acme-keys").await.unwrap().data.unwrap();
    let text = |name: &str| String::from_utf8(keys[name].0.clone()).unwrap();
    let id = store.status.as_ref().unwrap().store_id.clone().unwrap();
    let host = format!("acme.{}.example", bench.namespace);
    let shop =
        Shop::at(&format!("http://{address}"), &host, &id, &text("publishable-key"), &text("secret-key"));
    eventually("the Service leads to the pod", async || (shop.browse().await.status == 200).then_some(()))
        .await;
    let variant = shop.product("Bread", 1490, 10).await;
    let cart = shop.cart(&variant, 2, "grace@example.com").await.expect("a cart");
    let order = shop.pay_by(&cart, json!({ "provider": "manual" })).await.fine("the sale");
    let orders = shop.admin(Method::GET, "/admin/v1/orders", None, None).await.fine("the orders");
    assert_eq!(orders["data"].as_array().map(Vec::len), Some(1), "{order:#} {orders:#}");
    let schema = bench.record(&store).await.schema;
    assert_eq!(bench.look(&format!("SELECT count(*) FROM {schema}.orders")).await, "1");

    // Other pods take over while shoppers look around: nobody is sent away.
    let looking = Looking::at(&shop);
    let resources =
        json!({ "requests": { "cpu": "20m", "memory": "64Mi" }, "limits": { "memory": "300Mi" } });
    let changed = Bench::spec(json!({ "locale": locale, "runtime": { "resources": resources } }));
    bench.apply("acme", changed).await.unwrap();
    bench.until_ready("acme").await;
    eventually("the pod before is gone", async || {
        let list = bench.api::<Pod>().list(&Default::default()).await.ok()?;
        (list.items.len() == 1 && list.items[0].name_any() != pod.name_any()).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (answered, failed) = looking.end().await;
    eprintln!("a rollout under load: {answered} requests answered, {failed} failed");
    assert!(failed == 0 && answered > 50, "{failed} failed, {answered} were answered");

    // The node ends after what runs on it.
    bench.done(&["delete", "sto", "acme", "--timeout=90s"]);
    eventually("its pods are gone", async || {
        bench.api::<Pod>().list(&Default::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    bench.stop().await;
}
