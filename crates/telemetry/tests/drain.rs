//! SIGTERM as a process of a plane takes it. Alone in its binary, because the signal is the whole process's.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use souk_telemetry::{InternalServer, Readiness, Shutdown, drain};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

const NOTICE: Duration = Duration::from_millis(200);

/// A handler that says that it was entered, and is kept there.
#[derive(Default)]
struct Room {
    entered: Notify,
    leave: Notify,
}

async fn stay(room: web::Data<Room>) -> HttpResponse {
    room.entered.notify_one();
    room.leave.notified().await;
    HttpResponse::Ok().body("answered in the end")
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn status(address: SocketAddr, path: &str) -> String {
    let answer = ask(address, path).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Waits for what must come true, for a while.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(Duration::from_secs(10), wait).await.is_ok(), "{what}");
}

#[actix_web::test]
async fn whoever_is_inside_is_answered_and_nobody_else_is_let_in() {
    let room = web::Data::new(Room::default());
    let shared = room.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server =
        HttpServer::new(move || App::new().app_data(shared.clone()).route("/stay", web::get().to(stay)))
            .workers(1)
            .disable_signals()
            .shutdown_timeout(20)
            .listen(listener)
            .unwrap()
            .run();
    let (shutdown, readiness) = (Shutdown::on_signals().unwrap(), Readiness::awaiting([]));
    let internal = InternalServer::start("127.0.0.1:0", readiness.clone()).unwrap();
    let health = internal.address();
    let leaving = drain(shutdown.clone(), readiness, server.handle(), NOTICE);
    let process = actix_web::rt::spawn(async move { tokio::join!(server, leaving) });

    let guest = actix_web::rt::spawn(ask(address, "/stay"));
    room.entered.notified().await;
    assert_eq!(status(health, "/readyz").await, "200");
    assert!(!shutdown.has_begun());
    let kill = format!("kill -TERM {}", std::process::id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());

    shutdown.begun().await;
    eventually("it is not ready", async || status(health, "/readyz").await == "503").await;
    // Whoever is let in at the very end, and not asked any more what they want, would be waited for.
    sleep(2 * NOTICE).await;
    let refused = async || {
        let error = TcpStream::connect(address).await.err();
        error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    eventually("new connections are refused", refused).await;
    // It is being waited for, and whoever asks hears that the process lives.
    assert!(!guest.is_finished() && !process.is_finished());
    assert_eq!(
        (status(health, "/livez").await, status(health, "/readyz").await),
        ("200".into(), "503".into())
    );

    room.leave.notify_one();
    let answer = guest.await.unwrap().unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nanswered in the end"),
        "{answer}"
    );
    let (served, ()) = timeout(Duration::from_secs(40), process).await.expect("the process ends").unwrap();
    served.unwrap();
    internal.stop().await;
    assert!(TcpStream::connect(health).await.is_err());
}
