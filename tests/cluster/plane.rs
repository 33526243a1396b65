//! The control plane as a process of its own beside the operator: people's wishes become Store objects, what happens to the
//! objects is shown to the people, and neither needs the other to be there.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kube::ResourceExt as _;
use serde_json::{Value, json};
use souk_store_resource::{Isolation, ORGANIZATION, Reason};
use souk_tests::platform::programs;

use crate::bench::{Bench, FOLDER, eventually};
use crate::rights;

const PASSWORD: &str = "correct horse battery staple";

/// `souk-control-plane serve`, and somebody signed in at it.
struct Plane {
    folder: PathBuf,
    port: u16,
    settings: BTreeMap<&'static str, String>,
    process: Option<Child>,
    http: reqwest::Client,
    token: String,
}

/// Its own port and the next one: health and metrics.
fn free_port() -> u16 {
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let salt = u16::try_from(std::process::id() % 500).unwrap();
    (0..500)
        .map(|step| 24_000 + (salt + step * 7) % 3_000 * 2)
        .find(|port| free(*port) && free(port + 1))
        .unwrap()
}

impl Plane {
    /// Ready to be started; it makes its stores in the bench's namespace.
    fn new(bench: &Bench) -> Self {
        let folder = std::env::temp_dir().join(format!("souk-plane-{}", bench.namespace));
        std::fs::create_dir_all(&folder).unwrap();
        let key = folder.join("signing-key.pem");
        let made =
            Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&key).status();
        assert!(made.expect("openssl runs").success());
        let port = free_port();
        let secrets = &bench.database.secrets;
        let settings = BTreeMap::from([
            ("SOUK_DATABASE_URL", bench.database.url.clone()),
            ("SOUK_LANES", bench.database.lanes.to_string()),
            ("SOUK_CONTROL_PASSWORD", secrets.control_plane.clone()),
            ("SOUK_PROVISIONER_PASSWORD", secrets.provisioner.clone()),
            ("SOUK_SIGNING_KEY_FILE", key.display().to_string()),
            ("SOUK_CONTROL_LISTEN", format!("127.0.0.1:{port}")),
            ("SOUK_CONTROL_INTERNAL_LISTEN", format!("127.0.0.1:{}", port + 1)),
            ("SOUK_PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ("SOUK_PLATFORM_DOMAIN", format!("{}.example", bench.namespace)),
            ("SOUK_SPARE_STORES", "1".to_owned()),
            ("SOUK_STORE_NAMESPACE", bench.namespace.clone()),
            ("KUBECONFIG", format!("{FOLDER}/control-plane.kubeconfig")),
        ]);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { folder, port, settings, process: None, http, token: String::new() }
    }

    async fn start(&mut self) {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let process = Command::new(programs().join("souk-control-plane"))
            .arg("serve")
            .env_clear()
            .envs(&self.settings)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        self.process = Some(process);
        let ready = format!("http://127.0.0.1:{}/readyz", self.port + 1);
        eventually("the control plane is ready", async || {
            self.http.get(&ready).send().await.ok()?.error_for_status().ok().map(|_| ())
        })
        .await;
    }

    /// As the kernel would.
    fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .header("idempotency-key", uuid::Uuid::now_v7().to_string());
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Somebody new, signed in.
    async fn sign_up(&mut self) {
        let email = format!("ada-{}@example.com", uuid::Uuid::now_v7().simple());
        let who = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
        assert_eq!(self.call("POST", "/v1/accounts", Some(who.clone())).await.0, 202);
        let who = json!({ "email": email, "password": PASSWORD });
        let (status, session) = self.call("POST", "/v1/sessions", Some(who)).await;
        assert_eq!(status, 201, "{session}");
        self.token = session["access_token"].as_str().unwrap().to_owned();
    }

    /// Asks for a store; the path of its operation.
    async fn ask(&self, wish: Value) -> String {
        let (status, operation) = self.call("POST", "/v1/stores", Some(wish)).await;
        assert_eq!(status, 202, "{operation}");
        format!("/v1/operations/{}", operation["id"].as_str().unwrap())
    }

    async fn end_of(&self, operation: &str) -> Value {
        eventually("the operation ends", async || {
            let view = self.get(operation).await;
            view["finished_at"].is_string().then_some(view)
        })
        .await
    }

    /// Asks for a change and follows it to its end.
    async fn change(&self, method: &str, path: &str) -> Value {
        let (status, operation) = self.call(method, path, None).await;
        assert_eq!(status, 202, "{path}: {operation}");
        self.end_of(&format!("/v1/operations/{}", operation["id"].as_str().unwrap())).await
    }

    #[track_caller]
    fn succeeded(operation: &Value) -> String {
        assert_eq!(operation["state"], "succeeded", "{operation:#}");
        format!("/v1/stores/{}", operation["store"].as_str().unwrap())
    }

    async fn until(&self, path: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || Some(self.get(path).await).filter(|view| fits(view))).await
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!("what the control plane wrote is in {}", self.folder.join("log").display());
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_becomes_an_object_and_its_conditions_become_progress() {
    let Some(mut bench) = Bench::alone().await else { return };
    let mut plane = Plane::new(&bench);
    plane.start().await;
    plane.sign_up().await;

    // Nobody works in the cluster yet: the operation says what it waits for, in the steps it always has.
    let operation = plane.ask(json!({ "name": "Tea & Toast", "country": "GB", "plan": "growth" })).await;
    let waiting =
        plane.until(&operation, "the step waits", |view| view["steps"][2]["detail"].is_string()).await;
    let steps: Vec<_> = waiting["steps"].as_array().unwrap().iter().map(|step| &step["name"]).collect();
    assert_eq!(steps, ["reserve_name", "make_keys", "provision", "open"]);
    assert_eq!(waiting["steps"][2]["detail"], "the operator has not looked at it yet");
    let object = bench.stores().get("tea-toast").await.unwrap();
    assert_eq!(
        (object.spec.display_name.as_str(), object.spec.isolation),
        ("Tea & Toast", Isolation::Dedicated)
    );
    assert_eq!(object.spec.handle.as_deref(), Some("tea-toast"));

    // With the operator it becomes ready; whoever follows the stream hears every condition.
    let stream = {
        let request = plane.http.get(format!("http://127.0.0.1:{}{operation}/events", plane.port));
        let request = request.bearer_auth(&plane.token).timeout(Duration::from_secs(120));
        tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() })
    };
    bench.start().await;
    let done = plane.end_of(&operation).await;
    let path = Plane::succeeded(&done);
    let heard = stream.await.unwrap();
    assert!(heard.contains("pods serve") && heard.contains("\"succeeded\""), "{heard}");
    assert_eq!(done["steps"][2]["attempts"], 1, "waiting is no new attempt: {done:#}");

    let store = plane.get(&path).await;
    let cluster = json!({
        "namespace": bench.namespace, "name": "tea-toast", "managed_by": "control_plane", "conflicts": [],
    });
    assert_eq!((&store["cluster"], &store["state"]), (&cluster, &json!("live")));
    let object = bench.until_ready("tea-toast").await;
    let record = bench.record(&object).await;
    assert_eq!(store["id"], record.store_id.to_string());
    assert_eq!(object.labels()[ORGANIZATION], store["organization"].as_str().unwrap());
    assert!(record.organization_id.is_some());

    // The keys that are handed over are the store's; the cluster has only their digests.
    let (status, keys) = plane.call("POST", &format!("{operation}/keys"), None).await;
    assert_eq!(status, 200);
    for name in ["publishable_key", "secret_key"] {
        let key = keys[name].as_str().unwrap();
        let found = format!(
            "SELECT count(*) FROM {}.api_keys WHERE hash = sha256(convert_to('{key}', 'UTF8'))",
            record.schema
        );
        assert_eq!(bench.look(&found).await, "1", "{name}");
    }
    assert!(!bench.kubectl(&["get", "secret", "tea-toast-keys"]).status.success());

    // Suspended, resumed, renamed to another host: each is in force when its operation has succeeded.
    Plane::succeeded(&plane.change("POST", &format!("{path}/suspend")).await);
    assert_eq!(bench.record(&object).await.state, souk_provisioner::State::Suspended);
    Plane::succeeded(&plane.change("POST", &format!("{path}/resume")).await);
    assert_eq!(bench.record(&object).await.state, souk_provisioner::State::Live);
    let (status, _) = plane.call("PATCH", &path, Some(json!({ "name": "Toast", "handle": "toast" }))).await;
    assert_eq!(status, 200);
    let host = format!("toast.{}.example", bench.namespace);
    eventually("it answers at its new host", async || {
        let record = bench.record(&object).await;
        (record.hosts == [host.clone()] && record.name == "Toast" && record.handle == "toast").then_some(())
    })
    .await;
    assert_eq!(bench.stores().get("tea-toast").await.unwrap().metadata.uid, object.metadata.uid);

    // Deleted, the object goes and the data stays; restored, a new object takes it up.
    eventually("the rename has ended", async || {
        let (status, _) = plane.call("DELETE", &format!("{path}?confirm=toast"), None).await;
        (status == 202).then_some(())
    })
    .await;
    let deleted = plane.until(&path, "it is deleted", |view| view["state"] == "deleted").await;
    assert!(deleted["purge_after"].is_string());
    assert!(bench.stores().get_opt("tea-toast").await.unwrap().is_none());
    let restored = plane.change("POST", &format!("{path}/restore")).await;
    assert_eq!(Plane::succeeded(&restored), path);
    let again = bench.until_ready("tea-toast").await;
    assert_ne!(again.metadata.uid, object.metadata.uid);
    assert_eq!(bench.record(&again).await.store_id, record.store_id);

    // Somebody else's store is none of its business: it asks whose the namespace is, and that was all it may do here.
    bench.apply("other", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    bench.until_ready("other").await;
    rights::all_are_used("control-plane", &["souk-control-plane", "souk-store-objects"], &[]).await;
    let list = plane.get("/v1/stores").await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list:#}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_comes_first_and_has_the_last_word() {
    let Some(mut bench) = Bench::alone().await else { return };
    let mut plane = Plane::new(&bench);
    plane.start().await;
    plane.sign_up().await;
    let (_, organization) = plane.call("POST", "/v1/organizations", Some(json!({ "name": "Acme" }))).await;
    let organization = organization["id"].as_str().unwrap().to_owned();
    bench.done(&["label", "namespace", &bench.namespace, &format!("{ORGANIZATION}={organization}")]);

    // With the control plane down, kubectl is enough.
    plane.kill();
    bench.start().await;
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled" }))).await.unwrap();
    let object = bench.until_ready("acme").await;
    let id = object.status.as_ref().unwrap().store_id.clone().unwrap();
    let path = format!("/v1/stores/{id}");

    // Back again, it shows the store to its organization, and leaves the say to kubectl.
    plane.start().await;
    let stores = plane.until("/v1/stores", "it is imported", |page| page["data"][0].is_object()).await;
    let store = &stores["data"][0];
    assert_eq!((&store["id"], &store["organization"]), (&json!(id), &json!(organization)), "{stores:#}");
    assert_eq!((&store["name"], &store["handle"]), (&json!("Acme Bakery"), &json!("acme")));
    assert_eq!(store["cluster"]["managed_by"], "kubernetes");
    assert_eq!(store["allowed_actions"], json!(["enter", "take_over"]));
    for (method, to, body) in [
        ("PATCH", path.clone(), Some(json!({ "name": "Mine" }))),
        ("POST", format!("{path}/suspend"), None),
        ("POST", format!("{path}/hand-over"), None),
        ("DELETE", format!("{path}?confirm=acme"), None),
    ] {
        let (status, problem) = plane.call(method, &to, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (409, &json!("managed_in_cluster")),
            "{method} {to}: {problem}"
        );
    }
    assert_eq!(bench.stores().get("acme").await.unwrap().spec, object.spec);
    bench.apply("acme", Bench::spec(json!({ "isolation": "Pooled", "displayName": "Acme" }))).await.unwrap();
    plane.until(&path, "the new name is shown", |view| view["name"] == "Acme").await;

    // Taken over, changes are asked for here; kubectl's are shown as what they are, and not fought.
    Plane::succeeded(&plane.change("POST", &format!("{path}/take-over")).await);
    let (status, _) = plane.call("PATCH", &path, Some(json!({ "name": "Ours" }))).await;
    assert_eq!(status, 200);
    eventually("the object is renamed", async || {
        (bench.stores().get("acme").await.ok()?.spec.display_name == "Ours").then_some(())
    })
    .await;
    let patch = json!({ "spec": { "displayName": "Theirs" } }).to_string();
    bench.done(&["patch", "sto", "acme", "--type=merge", "--field-manager=kubectl-edit", "-p", &patch]);
    let shown =
        plane.until(&path, "the conflict is shown", |view| view["cluster"]["conflicts"] != json!([])).await;
    let conflict = json!([{ "kind": "field", "field": "spec.displayName", "manager": "kubectl-edit" }]);
    assert_eq!(shown["cluster"]["conflicts"], conflict);
    assert_eq!(
        (&shown["name"], &bench.stores().get("acme").await.unwrap().spec.display_name),
        (&json!("Ours"), &"Theirs".to_owned())
    );
    let refused = plane.change("POST", &format!("{path}/suspend")).await;
    assert_eq!(
        (&refused["state"], &refused["error"]["code"]),
        (&json!("failed"), &json!("managed_in_cluster"))
    );
    assert!(
        refused["error"]["detail"].as_str().unwrap().contains("spec.displayName belongs to kubectl-edit")
    );
    assert_eq!(plane.get(&path).await["state"], "live");
    Plane::succeeded(&plane.change("POST", &format!("{path}/take-over")).await);
    assert_eq!(bench.stores().get("acme").await.unwrap().spec.display_name, "Ours");
    assert_eq!(plane.get(&path).await["cluster"]["conflicts"], json!([]));

    // Handed over, whoever applies it has its fields without force.
    Plane::succeeded(&plane.change("POST", &format!("{path}/hand-over")).await);
    let manifest = json!({ "apiVersion": "souk.dev/v1alpha1", "kind": "Store", "metadata": { "name": "acme" },
        "spec": Bench::spec(json!({ "isolation": "Pooled", "displayName": "Handed" })) });
    let how = kube::api::PatchParams::apply("another-person");
    bench.stores().patch("acme", &how, &kube::api::Patch::Apply(&manifest)).await.expect("no conflict");
    plane.until(&path, "what was handed over is followed", |view| view["name"] == "Handed").await;

    // Gone without its operator's leave, its data is still live: nobody deletes anything, a person is told, and may take it over.
    bench.stop().await;
    bench.done(&["patch", "sto", "acme", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"]);
    bench.done(&["delete", "sto", "acme", "--timeout=60s"]);
    let gone = json!([{ "kind": "gone" }]);
    let shown = plane.until(&path, "it is missed", |view| view["cluster"]["conflicts"] == gone).await;
    assert_eq!(shown["state"], "live");
    bench.start().await;
    Plane::succeeded(&plane.change("POST", &format!("{path}/take-over")).await);
    let anew = bench.until_ready("acme").await;
    assert_eq!((anew.spec.display_name.as_str(), anew.spec.store_id.as_ref()), ("Handed", Some(&id)));
    assert_eq!(plane.get(&path).await["cluster"]["conflicts"], json!([]));

    // Deleted with kubectl while nobody here looks, it is deleted here too, and never comes back by itself.
    plane.kill();
    bench.done(&["delete", "sto", "acme", "--timeout=60s"]);
    plane.start().await;
    plane.until(&path, "the deletion is seen", |view| view["state"] == "deleted").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(bench.stores().get_opt("acme").await.unwrap().is_none());
    let entries = plane.get(&format!("/v1/organizations/{organization}/audit-entries")).await;
    assert!(entries.to_string().contains("store.deleted_in_cluster"), "{entries:#}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_control_plane_makes_every_store_once() {
    let Some(mut bench) = Bench::alone().await else { return };
    let mut plane = Plane::new(&bench);
    // The row is written and the cluster does not answer: killed between row and object.
    let real = plane.settings["KUBECONFIG"].clone();
    let dead = plane.folder.join("dead.kubeconfig");
    let text = std::fs::read_to_string(&real).unwrap();
    let at = text.find("https://127.0.0.1:").unwrap();
    let end = at + text[at..].find('"').unwrap();
    std::fs::write(&dead, format!("{}https://127.0.0.1:1{}", &text[..at], &text[end..])).unwrap();
    plane.settings.insert("KUBECONFIG", dead.display().to_string());
    plane.start().await;
    plane.sign_up().await;
    let first = plane.ask(json!({ "name": "First", "country": "DE" })).await;
    plane
        .until(&first, "the cluster is asked", |view| {
            view["steps"][2]["cause"] == "the cluster was not available"
        })
        .await;
    plane.kill();
    assert!(bench.stores().get_opt("first").await.unwrap().is_none());

    // The object is made and nobody has told: killed as soon as it is there, again and again.
    plane.settings.insert("KUBECONFIG", real);
    plane.start().await;
    let mut asked = vec![("first".to_owned(), first)];
    for round in 1..=4 {
        let name = format!("round-{round}");
        let operation = plane.ask(json!({ "name": name, "country": "DE", "plan": "growth" })).await;
        eventually("its object is there", async || bench.stores().get_opt(&name).await.unwrap()).await;
        plane.kill();
        plane.start().await;
        asked.push((name, operation));
    }
    bench.start().await;
    for (name, operation) in &asked {
        let done = plane.end_of(operation).await;
        let path = Plane::succeeded(&done);
        let object = bench
            .until("first", souk_store_resource::ConditionType::Ready, "True", Reason::AllChecksPassed)
            .await;
        assert!(object.metadata.uid.is_some());
        let object = bench.stores().get(name).await.unwrap();
        assert_eq!(path, format!("/v1/stores/{}", bench.record(&object).await.store_id));
    }
    assert_eq!(bench.stores().list(&Default::default()).await.unwrap().items.len(), asked.len());
    let made =
        format!("SELECT count(*) FROM platform.store_ledger WHERE owner_scope = '{}'", bench.namespace);
    assert_eq!(bench.look(&made).await, asked.len().to_string());
    bench.stop().await;
}
