//! What nothing can be cheaper than: a page from the runtime's memory, and a server that does nothing but the work itself.
//!
//! The bare server is actix-web with prepared statements on tokio-postgres: no store, no login, no transaction, no limits. It runs the
//! runtime's own statements and has PostgreSQL make the JSON, so figures of this machine can be read as multiples of it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use anyhow::Context as _;
use tokio::process::{Child, Command};

use crate::http::{Client, Request};
use crate::works::sql::Alone;

/// The page that explains the API: rendered once, the same middleware, no store and no database.
pub fn from_memory(host: &str) -> Vec<Request> {
    vec![Request::get(host, "/docs")]
}

/// Connections to PostgreSQL of each of the bare server's two workers.
const CONNECTIONS: usize = 4;

/// The bare server, in a process of its own.
pub struct Bare {
    pub address: SocketAddr,
    pub pid: i32,
    _child: Child,
}

impl Bare {
    pub async fn start(database: &str, schema: &str) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        drop(listener);
        let child = Command::new(std::env::current_exe()?)
            .args(["--bare-server", &address.to_string()])
            .args(["--bare-database", database, "--bare-schema", schema])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).context("a process id")?;
        for _ in 0..500 {
            if Client::new(address).fine(&Request::get("localhost", "/page")).await.is_ok() {
                return Ok(Self { address, pid, _child: child });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("the bare server does not answer")
    }
}

/// `/page` of 5 KB, `/list` and `/detail`, until it is killed.
pub fn serve(address: SocketAddr, database: String, schema: String) -> anyhow::Result<()> {
    let work = async move {
        let page: &'static str = "five kilobytes ".repeat(341).leak();
        let app = move || {
            let (database, schema) = (database.clone(), schema.clone());
            App::new()
                .data_factory(move || Worker::new(database.clone(), schema.clone()))
                .route("/page", web::get().to(move || async move { HttpResponse::Ok().body(page) }))
                .route("/list", web::get().to(list))
                .route("/detail", web::get().to(detail))
        };
        HttpServer::new(app).workers(2).bind(address)?.run().await
    };
    Ok(rt::System::new().block_on(work)?)
}

/// Its connections lie on the thread that uses them.
struct Worker {
    lists: Vec<Alone>,
    details: Vec<Alone>,
    next: Cell<usize>,
}

impl Worker {
    async fn new(database: String, schema: String) -> anyhow::Result<Self> {
        let connect = async || {
            let (client, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await?;
            rt::spawn(connection);
            anyhow::Ok(client)
        };
        let (mut lists, mut details) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            lists.push(Alone::list(connect().await?, &schema).await?);
            details.push(Alone::detail(connect().await?, &schema).await?);
        }
        Ok(Self { lists, details, next: Cell::new(0) })
    }

    async fn answer(&self, of: &[Alone]) -> HttpResponse {
        let turn = self.next.get().wrapping_add(1);
        self.next.set(turn);
        match of[turn % of.len()].json(turn).await {
            Ok(text) => HttpResponse::Ok().content_type("application/json").body(text),
            Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
        }
    }
}

async fn list(worker: web::Data<Worker>) -> HttpResponse {
    worker.answer(&worker.lists).await
}

async fn detail(worker: web::Data<Worker>) -> HttpResponse {
    worker.answer(&worker.details).await
}
