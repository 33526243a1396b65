//! A namespace of the real cluster, an operator that works in it, and eyes on both.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::{Value, json};
use souk_operator::config::{Config, RuntimeConfig};
use souk_operator::controller::{Operator, work};
use souk_provisioner::test_support::{TestDatabase, admin_url};
use souk_provisioner::{Owner, Provisioner, StoreRecord};
use souk_store_resource::{ConditionType, Reason, Store};
use tokio::sync::OnceCell;
use tokio::sync::oneshot::{Sender, channel};
use tokio::task::JoinHandle;

pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.souk/test-cluster");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/cluster.sh");
/// Nothing here takes longer, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(90);

/// Starts the cluster once. `None` without Go to build it with, where that is allowed.
pub async fn cluster() -> Option<()> {
    static CLUSTER: OnceCell<Option<()>> = OnceCell::const_new();
    *CLUSTER
        .get_or_init(|| async {
            let up = || Command::new(SCRIPT).args(["up", FOLDER]).output().expect("bash runs");
            let output = tokio::task::spawn_blocking(up).await.expect("the task ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => {
                    let crds: Api<CustomResourceDefinition> = Api::all(client("admin").await);
                    let how = PatchParams::apply("cluster-tests").force();
                    for crd in [souk_store_resource::crd(), souk_store_resource::release_crd()] {
                        let name = crd.metadata.name.clone().expect("a CRD has a name");
                        crds.patch(&name, &how, &Patch::Apply(&crd)).await.expect("the CRD is accepted");
                        eventually("the CRD is served", async || {
                            let crd = crds.get_status(&name).await.ok()?;
                            let conditions = crd.status?.conditions?;
                            conditions
                                .iter()
                                .any(|it| it.type_ == "Established" && it.status == "True")
                                .then_some(())
                        })
                        .await;
                    }
                    grant_what_the_chart_grants();
                    sweep().await;
                    Some(())
                }
                Some(3) if !in_ci() => {
                    eprintln!("skipped: {said}");
                    None
                }
                _ => panic!("the cluster did not start: {said}"),
            }
        })
        .await
}

/// What an earlier run left: namespaces that wait for an operator that is gone.
async fn sweep() {
    let admin = client("admin").await;
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    let going = |namespace: &Namespace| namespace.metadata.deletion_timestamp.is_some();
    for namespace in
        namespaces.list(&Default::default()).await.expect("namespaces").iter().filter(|it| going(it))
    {
        let stores: Api<Store> =
            Api::namespaced(admin.clone(), namespace.metadata.name.as_deref().unwrap_or_default());
        for store in stores.list(&Default::default()).await.expect("stores") {
            let free = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
            let _ = stores
                .patch(store.metadata.name.as_deref().unwrap_or_default(), &PatchParams::default(), &free)
                .await;
        }
    }
}

/// The operator of the tests may do what the chart's may, and nothing more: everything here proves that it is enough.
fn grant_what_the_chart_grants() {
    let rights = rendered(&[
        "-s",
        "templates/operator-rights.yaml",
        "-s",
        "templates/control-plane-rights.yaml",
        "--set",
        "controlPlane.storeNamespace=default",
    ]);
    let bindings = "---\n{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: souk-lease },
        rules: [{ apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, patch] }] }
---\n{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: operator-of-tests },
        roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: souk-operator },
        subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: operator }] }
---\n{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: control-plane-of-tests },
        roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: souk-control-plane },
        subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: control-plane }] }\n";
    pipe_to_kubectl(&["apply", "-n", "default", "-f", "-"], &format!("{rights}{bindings}"));
}

/// The chart as Helm renders it.
pub fn rendered(more: &[&str]) -> String {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/souk");
    let arguments = ["template", "souk", chart, "-n", "default", "--kube-version", "1.35.4"];
    let output = helm(&[&arguments[..], more].concat());
    assert!(output.status.success(), "helm {more:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn helm(arguments: &[&str]) -> Output {
    Command::new(kubernetes().join("helm")).args(arguments).output().expect("helm runs")
}

fn pipe_to_kubectl(arguments: &[&str], text: &str) {
    use std::io::Write as _;
    let mut kubectl = Command::new(kubernetes().join("kubectl"))
        .arg(format!("--kubeconfig={FOLDER}/admin.kubeconfig"))
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("kubectl runs");
    kubectl.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it listens");
    assert!(kubectl.wait().expect("it ends").success(), "kubectl {arguments:?}");
}

#[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok()
}

async fn client(user: &str) -> Client {
    client_by(user, None).await
}

/// The same by way of something that listens at `server` and is no TLS server.
async fn client_by(user: &str, server: Option<&str>) -> Client {
    let mut file = Kubeconfig::read_from(format!("{FOLDER}/{user}.kubeconfig")).expect("a kubeconfig");
    if let Some(server) = server {
        for cluster in file.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(server.to_owned());
        }
    }
    let config =
        kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.expect("it is whole");
    Client::try_from(config).expect("a client")
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub struct Bench {
    pub namespace: String,
    pub client: Client,
    pub provisioner: Provisioner,
    pub database: &'static TestDatabase,
    config: Config,
    running: Vec<(Sender<()>, JoinHandle<bool>)>,
}

impl Bench {
    /// A fresh namespace with one operator at work; `None` = the test is skipped.
    pub async fn open() -> Option<Self> {
        Self::open_with(|_| {}).await
    }

    pub async fn open_with(change: impl FnOnce(&mut Config)) -> Option<Self> {
        let mut bench = Self::idle(change).await?;
        bench.start().await;
        Some(bench)
    }

    /// Nobody works in it yet.
    pub async fn idle(change: impl FnOnce(&mut Config)) -> Option<Self> {
        cluster().await?;
        Self::over(TestDatabase::get().await, change).await
    }

    /// With a database of its own, for a test that has a control plane: two of them in one would do each other's work.
    /// Whoever starts next removes it.
    pub async fn alone() -> Option<Self> {
        Self::alone_with(|_| {}).await
    }

    pub async fn alone_with(change: impl FnOnce(&mut Config)) -> Option<Self> {
        cluster().await?;
        Self::over(Box::leak(Box::new(TestDatabase::fresh().await)), change).await
    }

    async fn over(database: &'static TestDatabase, change: impl FnOnce(&mut Config)) -> Option<Self> {
        let client = client("admin").await;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        // Pods of every store pass the strictest of the cluster's own checks.
        let namespace: Namespace = serde_json::from_value(json!({
            "metadata": { "generateName": "org-", "labels": { "pod-security.kubernetes.io/enforce": "restricted" } },
        }))
        .unwrap();
        let namespace =
            namespaces.create(&PostParams::default(), &namespace).await.unwrap().metadata.name.unwrap();
        eventually("the namespace has its service account", async || {
            let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
                Api::namespaced(client.clone(), &namespace);
            accounts.get_opt("default").await.ok().flatten()
        })
        .await;
        let bind = |role: &str, name: &str, user: &str| {
            let user = format!("--user={user}");
            let arguments = ["create", "rolebinding", name, role, &user, "-n", &namespace];
            let kubectl = Command::new(kubernetes().join("kubectl"))
                .arg(format!("--kubeconfig={FOLDER}/admin.kubeconfig"))
                .args(arguments)
                .output()
                .expect("kubectl runs");
            assert!(kubectl.status.success(), "{}", String::from_utf8_lossy(&kubectl.stderr));
        };
        bind("--clusterrole=souk-store-secrets", "store-secrets", "operator");
        bind("--clusterrole=souk-lease", "lease", "operator");
        bind("--clusterrole=souk-store-objects", "store-objects", "control-plane");
        let mut config = Config {
            database_url: database.url.clone(),
            provisioner_password: database.secrets.provisioner.clone(),
            lanes: database.lanes,
            stores_per_lane: 250,
            internal_listen: "127.0.0.1:0".into(),
            lease_namespace: namespace.clone(),
            lease_identity: None,
            lease_seconds: 5,
            watch_namespace: Some(namespace.clone()),
            concurrency: 4,
            connections: 4,
            resync: Duration::from_secs(600),
            retention_days: 30,
            runtime: RuntimeConfig {
                image: format!("localhost/souk-runtime@sha256:{}", "0".repeat(64)),
                database_url: database.url.clone(),
                cursor_secret: "a cursor secret of tests, long enough".into(),
                staff_key_pem: "-----BEGIN PUBLIC KEY-----".into(),
                public_url: "https://souk.example".into(),
                // Hosts are unique in the database, and the tests share one: each namespace is a platform of its own.
                platform_domain: format!("{namespace}.example"),
                pooled_service: "souk-runtime.souk-system:80".parse().unwrap(),
                pooled_address: None,
                route_settles: Duration::from_secs(1),
                gateway: None,
                ingress_class: Some("nginx".into()),
            },
        };
        change(&mut config);
        let provisioner = database.provisioner().await;
        Some(Self { namespace, client, provisioner, database, config, running: Vec::new() })
    }

    /// An operator as it stands before it works, for whoever wants to lead it.
    pub async fn operator(&self, change: impl FnOnce(&mut Config)) -> Arc<Operator> {
        let mut config = self.config.clone();
        change(&mut config);
        Arc::new(Operator::connect(client("operator").await, config).await.expect("the database answers"))
    }

    /// One more operator that asks nobody whether it may.
    pub async fn start(&mut self) {
        self.start_by(None).await;
    }

    /// The same, whose API server is at `server`.
    pub async fn start_by(&mut self, server: Option<&str>) {
        let client = client_by("operator", server).await;
        let operator = Operator::connect(client, self.config.clone()).await.expect("the database answers");
        let operator = Arc::new(operator);
        let (stop, stopped) = channel();
        let until = async move { stopped.await.is_ok() };
        self.running.push((stop, tokio::spawn(work(operator, until))));
    }

    /// Every operator finishes what it has under way.
    pub async fn stop(&mut self) {
        for (stop, running) in self.running.drain(..) {
            let _ = stop.send(());
            running.await.expect("an operator ends in order");
        }
    }

    pub fn stores(&self) -> Api<Store> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// As a person at a terminal.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        let kubectl = kubernetes().join("kubectl");
        let config = format!("--kubeconfig={FOLDER}/admin.kubeconfig");
        Command::new(kubectl)
            .args([&config, "-n", &self.namespace])
            .args(arguments)
            .output()
            .expect("kubectl runs")
    }

    /// The same, and it must succeed; returns what it printed.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `kubectl apply` of a Store with this spec.
    pub async fn apply(&self, name: &str, spec: Value) -> Result<Store, kube::Error> {
        let object = json!({ "apiVersion": "souk.dev/v1alpha1", "kind": "Store", "metadata": { "name": name }, "spec": spec });
        let how = PatchParams::apply("a-person").force();
        self.stores().patch(name, &how, &Patch::Apply(&object)).await
    }

    /// The smallest spec with more in it.
    pub fn spec(more: Value) -> Value {
        let mut spec = json!({ "displayName": "Acme Bakery", "ownerEmail": "owner@acme.example" });
        for (key, value) in more.as_object().cloned().unwrap_or_default() {
            spec[key] = value;
        }
        spec
    }

    /// Waits until the condition says this of the newest generation.
    pub async fn until(&self, name: &str, kind: ConditionType, status: &str, reason: Reason) -> Store {
        let mut last = None;
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let store = self.stores().get(name).await.expect("the Store is there");
                let condition = store.status.as_ref().and_then(|status| status.condition(kind)).cloned();
                let fits = condition.as_ref().is_some_and(|it| {
                    it.status == status
                        && it.reason == reason.as_str()
                        && it.observed_generation == store.metadata.generation
                });
                if fits {
                    return store;
                }
                last = store.status;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("{name}: {kind} never became {status}/{reason}: {last:#?}"))
    }

    pub async fn until_ready(&self, name: &str) -> Store {
        self.until(name, ConditionType::Ready, "True", Reason::AllChecksPassed).await
    }

    /// The ledger's row of this object.
    pub async fn record(&self, store: &Store) -> StoreRecord {
        let reference = store.metadata.uid.clone().expect("it was created");
        let owner = Owner { kind: "k8s".into(), reference };
        self.provisioner
            .store_of(&owner)
            .await
            .expect("the ledger answers")
            .expect("the store is in the ledger")
    }

    /// How many objects the operators have written in this namespace, Events and leases left out.
    pub fn writes(&self) -> Vec<String> {
        let log = std::fs::read_to_string(format!("{FOLDER}/audit.log")).expect("the audit log");
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["user"]["username"] == "operator")
            .filter(|event| !["get", "list", "watch"].iter().any(|verb| event["verb"] == *verb))
            .filter(|event| event["objectRef"]["namespace"] == self.namespace.as_str())
            .filter(|event| !["events", "leases"].iter().any(|kind| event["objectRef"]["resource"] == *kind))
            .map(|event| {
                format!(
                    "{} {} {}",
                    event["verb"], event["objectRef"]["resource"], event["objectRef"]["subresource"]
                )
            })
            .collect()
    }

    /// Until no operator has written anything for a while.
    pub async fn until_quiet(&self) -> Vec<String> {
        let mut before = self.writes();
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = self.writes();
            if now.len() == before.len() {
                return now;
            }
            before = now;
        }
    }

    /// One value from the database, as its admin.
    pub async fn look(&self, sql: &str) -> String {
        let mut url = admin_url();
        let end = url.rfind('/').expect("a URL with a database");
        url.replace_range(end + 1.., &self.database.name);
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the admin logs in");
        tokio::spawn(connection);
        let rows = client.simple_query(sql).await.expect("the admin's SQL runs");
        rows.iter()
            .find_map(|row| match row {
                tokio_postgres::SimpleQueryMessage::Row(row) => {
                    Some(row.get(0).unwrap_or_default().to_owned())
                }
                _ => None,
            })
            .unwrap_or_default()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nobody waits for it: the cluster tidies up by itself, and no operator is needed for what holds no Store.
        let _ = self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

pub fn kubernetes() -> PathBuf {
    let output = Command::new(SCRIPT.replace("cluster.sh", "build.sh")).output().expect("bash runs");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
