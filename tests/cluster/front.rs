//! What stands between shoppers and the cluster in these tests: a router that follows a store's Ingress as an Ingress controller does,
//! with its delay, and a shared runtime to lead to.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use reqwest::ClientBuilder;
use souk_tests::platform::programs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bench::{Bench, eventually};

/// How long the router goes on as before after an Ingress has changed.
const DELAY: Duration = Duration::from_millis(500);

/// The name of the Service that the Ingress leads to.
pub async fn backend(bench: &Bench, store: &str) -> String {
    let route = bench.api::<Ingress>().get(store).await.expect("the Ingress is there");
    named(&route).expect("it leads to a Service")
}

fn named(route: &Ingress) -> Option<String> {
    let rules = route.spec.as_ref()?.rules.as_ref()?;
    let path = rules.first()?.http.as_ref()?.paths.first()?;
    Some(path.backend.service.as_ref()?.name.clone())
}

/// Leads connections to a store's own Service or to the shared runtime, whichever its Ingress names.
pub struct Router {
    pub port: u16,
    tasks: [JoinHandle<()>; 2],
}

impl Router {
    /// Services are reached by way of `gateway`, the node; the shared runtime is at `shared`, an address with its port.
    pub async fn start(bench: &Bench, store: &str, gateway: &str, shared: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (leads, led) = watch::channel(shared.to_owned());
        let follower = Follower {
            routes: bench.api(),
            services: bench.api(),
            store: store.to_owned(),
            gateway: gateway.to_owned(),
            shared: shared.to_owned(),
        };
        Self { port, tasks: [tokio::spawn(follower.follow(leads)), tokio::spawn(serve(listener, led))] }
    }
}

struct Follower {
    routes: Api<Ingress>,
    services: Api<Service>,
    store: String,
    gateway: String,
    shared: String,
}

impl Follower {
    async fn follow(self, leads: watch::Sender<String>) {
        loop {
            let seen = self.look().await;
            // As slow as a controller that gathers changes.
            tokio::time::sleep(DELAY).await;
            // Without a route of its own a store is the platform's wildcard's, which leads to the shared runtime.
            leads.send_replace(seen.unwrap_or_else(|| self.shared.clone()));
        }
    }

    /// The address of the store's own Service, if the route leads there.
    async fn look(&self) -> Option<String> {
        let route = self.routes.get_opt(&self.store).await.ok()??;
        named(&route).filter(|name| *name == self.store)?;
        let address = self.services.get_opt(&self.store).await.ok()??.spec?.cluster_ip?;
        // Packets to a Service's address go by the node, as they do on every machine of a cluster.
        let mut ip = Command::new("ip");
        ip.args(["route", "replace"]).arg(format!("{address}/32")).arg("via").arg(&self.gateway);
        let added = ip.status().is_ok_and(|status| status.success());
        added.then(|| format!("{address}:80"))
    }
}

async fn serve(listener: TcpListener, led: watch::Receiver<String>) {
    loop {
        let Ok((mut shopper, _)) = listener.accept().await else { continue };
        let to = led.borrow().clone();
        tokio::spawn(async move {
            if let Ok(mut there) = TcpStream::connect(&to).await {
                let _ = copy_bidirectional(&mut shopper, &mut there).await;
            }
        });
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A client for processes of this machine.
pub fn plain_http() -> ClientBuilder {
    // Another test may have chosen already; the same choice is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientBuilder::new().no_proxy()
}

/// A port that nobody listens at now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// `souk-tenant-runtime serve`: the shared runtime as a process of this machine.
pub struct SharedRuntime {
    process: Child,
    folder: PathBuf,
}

impl SharedRuntime {
    /// It serves every store of the bench's database at `127.0.0.1:port`. `key` is the control plane's public one, PEM.
    pub async fn start(bench: &Bench, port: u16, key: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("souk-shared-{}", bench.namespace));
        std::fs::create_dir_all(&folder).unwrap();
        let pem = folder.join("staff.pem");
        std::fs::write(&pem, key).unwrap();
        let internal = free_port();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let process = Command::new(programs().join("souk-tenant-runtime"))
            .args(["serve", "--no-worker"])
            .env_clear()
            .envs([
                ("SOUK_DATABASE_URL", bench.database.url.clone()),
                ("SOUK_LANES", bench.database.lanes.to_string()),
                ("SOUK_LANE_SECRET", bench.database.secrets.lane_secret.clone()),
                ("SOUK_CURSOR_SECRET", "a cursor secret of tests, long enough".to_owned()),
                ("SOUK_STAFF_KEY_FILE", pem.display().to_string()),
                ("SOUK_PUBLIC_URL", "https://souk.example".to_owned()),
                ("SOUK_PLATFORM_DOMAIN", format!("{}.example", bench.namespace)),
                ("SOUK_RUNTIME_LISTEN", format!("127.0.0.1:{port}")),
                ("SOUK_RUNTIME_INTERNAL_LISTEN", format!("127.0.0.1:{internal}")),
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let http = plain_http().build().expect("a client");
        let ready = format!("http://127.0.0.1:{internal}/readyz");
        eventually("the shared runtime is ready", async || {
            http.get(&ready).send().await.ok()?.error_for_status().ok().map(|_| ())
        })
        .await;
        Self { process, folder }
    }
}

impl Drop for SharedRuntime {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Answers everything with the same status: enough where nobody shops.
pub struct StandIn {
    pub address: String,
    pub answers: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl StandIn {
    /// 503 until `answers` is true.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let answers = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(answer(listener, Arc::clone(&answers)));
        Self { address, answers, task }
    }
}

async fn answer(listener: TcpListener, well: Arc<AtomicBool>) {
    loop {
        let Ok((mut caller, _)) = listener.accept().await else { continue };
        let status = if well.load(Ordering::Relaxed) { "200 OK" } else { "503 Service Unavailable" };
        let mut question = [0u8; 1024];
        let _ = caller.read(&mut question).await;
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = caller.write_all(answer.as_bytes()).await;
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Shoppers who look around without end, and are counted by nobody: asked as the operator asks, they keep no store awake.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU32>,
    failed: Arc<AtomicU32>,
    shoppers: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub fn start(shoppers: usize, base: &str, host: &str, key: &str) -> Self {
        let http = plain_http()
            .timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(0)
            .user_agent("souk-operator: a crowd of tests")
            .build()
            .expect("a client");
        let stop = Arc::new(AtomicBool::new(false));
        let (answered, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let shoppers = (0..shoppers)
            .map(|_| {
                let request = http
                    .get(format!("{base}/store/v1/products"))
                    .header("host", host)
                    .header("x-souk-publishable-key", key)
                    .build()
                    .expect("a request");
                let (http, stop) = (http.clone(), Arc::clone(&stop));
                let (answered, failed) = (Arc::clone(&answered), Arc::clone(&failed));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let again = request.try_clone().expect("it has no body");
                        let fine = match http.execute(again).await {
                            Ok(answer) if answer.status().is_success() => answer.bytes().await.is_ok(),
                            other => {
                                eprintln!("sent away: {other:?}");
                                false
                            }
                        };
                        let count = if fine { &answered } else { &failed };
                        count.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                })
            })
            .collect();
        Self { stop, answered, failed, shoppers }
    }

    pub fn answered(&self) -> u32 {
        self.answered.load(Ordering::Relaxed)
    }

    /// How many were answered, and how many were not.
    pub async fn end(self) -> (u32, u32) {
        self.stop.store(true, Ordering::Relaxed);
        for shopper in self.shoppers {
            shopper.await.expect("a shopper ends in order");
        }
        (self.answered.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}
