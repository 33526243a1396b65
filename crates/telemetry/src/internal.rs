//! The port that is not for customers: health and metrics.

use crate::{Readiness, metering};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A running server of `/livez`, `/readyz`, `/startupz` and `/metrics`. Give it a port that the internet cannot reach.
pub struct InternalServer {
    address: SocketAddr,
    server: ServerHandle,
    upkeep: JoinHandle<()>,
}

impl InternalServer {
    /// Listens on `listen` (`host:port`, port 0 takes a free one) with one worker. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(listen: &str, readiness: Readiness) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let server = HttpServer::new(move || App::new().configure(internal_routes(readiness.clone())))
            .workers(1)
            .disable_signals()
            .shutdown_timeout(1)
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        let upkeep = tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                metering::tidy();
            }
        });
        Ok(Self { address, server: handle, upkeep })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening; call it last, so that the drain is visible from outside.
    pub async fn stop(self) {
        self.upkeep.abort();
        self.server.stop(false).await;
    }
}

fn internal_routes(readiness: Readiness) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(readiness))
            .route("/livez", web::get().to(alive))
            .route("/readyz", web::get().to(ready))
            .route("/startupz", web::get().to(started))
            .route("/metrics", web::get().to(metrics_text));
    }
}

/// The process answers: that is all a liveness probe may ask, or an outage of the database restarts every pod.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "alive" }))
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    let is_ready = readiness.is_ready();
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    let status = if is_ready { "ready" } else { "not ready" };
    response.json(serde_json::json!({ "status": status, "checks": readiness.report() }))
}

async fn started(readiness: web::Data<Readiness>) -> HttpResponse {
    if readiness.has_started() {
        HttpResponse::Ok().json(serde_json::json!({ "status": "started" }))
    } else {
        HttpResponse::ServiceUnavailable()
            .json(serde_json::json!({ "status": "starting", "checks": readiness.report() }))
    }
}

async fn metrics_text() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metering::rendered_metrics())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test;

    #[actix_web::test]
    async fn health_follows_readiness() {
        crate::install_metrics();
        metrics::counter!("souk_test_total").increment(3);
        let readiness = Readiness::awaiting(["database"]);
        let app = test::init_service(App::new().configure(internal_routes(readiness.clone()))).await;
        let status = async |path: &'static str| {
            test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await.status().as_u16()
        };
        assert_eq!(
            [status("/livez").await, status("/readyz").await, status("/startupz").await],
            [200, 503, 503]
        );
        readiness.up("database");
        assert_eq!([status("/readyz").await, status("/startupz").await], [200, 200]);
        readiness.drain();
        assert_eq!(
            [status("/livez").await, status("/readyz").await, status("/startupz").await],
            [200, 503, 200]
        );
        let request = test::TestRequest::get().uri("/metrics").to_request();
        let text = test::call_and_read_body(&app, request).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(
            text.contains("souk_test_total 3") && text.contains("process_resident_memory_bytes"),
            "{text}"
        );
    }

    #[actix_web::test]
    async fn it_listens_and_stops() {
        let internal = InternalServer::start("127.0.0.1:0", Readiness::awaiting([])).unwrap();
        let address = internal.address();
        assert!(std::net::TcpStream::connect(address).is_ok());
        internal.stop().await;
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
