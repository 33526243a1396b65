//! A receiver that behaves as its paths say.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Told {
    pub path: String,
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
    taken: bool,
}

#[derive(Default)]
struct Book {
    told: Mutex<Vec<Told>>,
    mended: AtomicBool,
    flakes: AtomicU32,
}

pub struct Receiver {
    pub url: String,
    pub port: u16,
    book: Arc<Book>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Arc::new(Book::default());
        let shared = Arc::clone(&book);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}"), port, book }
    }

    /// Everything that came, in order.
    pub fn heard(&self) -> Vec<Told> {
        self.book.told.lock().unwrap().clone()
    }

    /// Sequence numbers of an aggregate's events that were answered with 200, in order.
    pub fn taken(&self, aggregate: &str) -> Vec<i64> {
        let numbers = self.heard().into_iter().filter(|told| told.taken).filter_map(|told| {
            let body: serde_json::Value = serde_json::from_str(&told.body).ok()?;
            (body["aggregate_id"] == aggregate).then(|| body["sequence"].as_i64())?
        });
        numbers.collect()
    }

    /// `/fail` works from now on.
    pub fn mend(&self) {
        self.book.mended.store(true, Ordering::SeqCst);
    }
}

async fn serve(mut stream: TcpStream, book: Arc<Book>) -> Option<()> {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&some[..count]);
        let text = String::from_utf8(read.clone()).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = header(head, "content-length")?.parse().ok()?;
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let path = head.split(' ').nth(1)?.to_owned();
    let flaked = path == "/flaky" && book.flakes.fetch_add(1, Ordering::SeqCst) == 0;
    let fails = flaked || (path == "/fail" && !book.mended.load(Ordering::SeqCst));
    book.told.lock().unwrap().push(Told {
        id: header(&head, "webhook-id")?,
        timestamp: header(&head, "webhook-timestamp")?.parse().ok()?,
        signature: header(&head, "webhook-signature")?,
        taken: !fails,
        path: path.clone(),
        body,
    });
    let plain = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    match path.as_str() {
        "/gone" => stream.write_all(plain("410 Gone", "").as_bytes()).await.ok()?,
        "/redirect" => {
            let answer =
                "HTTP/1.1 302 Found\r\nlocation: /ok\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
        "/huge" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n").await.ok()?;
            for _ in 0..500 {
                stream.write_all(&[b'x'; 10_000]).await.ok()?;
            }
        }
        "/drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await.ok()?;
            for _ in 0..1000 {
                stream.write_all(b"x").await.ok()?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        "/hang" => tokio::time::sleep(Duration::from_secs(60)).await,
        "/cut" => {}
        _ if fails => stream.write_all(plain("500 Oops", "not today").as_bytes()).await.ok()?,
        _ => stream.write_all(plain("200 OK", "thank you").as_bytes()).await.ok()?,
    }
    Some(())
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
