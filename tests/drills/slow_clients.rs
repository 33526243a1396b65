//! Clients who send a little at a time, and for ever: they are sent away, and nobody else notices them.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Reckoning;
use crate::stage::Stage;

const CLIENTS: usize = 200;
/// A head is waited for 5 seconds, a body 10; the rest is what a busy machine adds.
const HEAD_PATIENCE: Duration = Duration::from_secs(9);
const BODY_PATIENCE: Duration = Duration::from_secs(16);
/// How much slower a page may be for others, at the median; a few milliseconds are nobody's.
const SLOWER: f64 = 3.0;
const NOISE: Duration = Duration::from_millis(10);

pub async fn run(stage: &Stage) -> Reckoning<'_> {
    let shop = stage.open_shop("slow-clients").await;
    shop.product("Cup", 1250, 10).await;
    let idle = median(&shop).await;
    let (base, host) = shop.place();
    let address = base.trim_start_matches("http://").to_owned();
    let head = format!("GET /store/v1/products HTTP/1.1\r\nhost: {host}\r\nx-slow: ");
    let body = format!(
        "POST /store/v1/carts HTTP/1.1\r\nhost: {host}\r\nx-souk-publishable-key: {}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{{\"email\": \"",
        shop.keys()[0]
    );
    let heads = (0..CLIENTS).map(|_| drips(address.clone(), head.clone(), HEAD_PATIENCE));
    let bodies = (0..CLIENTS).map(|_| drips(address.clone(), body.clone(), BODY_PATIENCE));
    let heads = tokio::spawn(join_all(heads));
    let bodies = tokio::spawn(join_all(bodies));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beset = median(&shop).await;
    let (heads, bodies) = (heads.await.expect("no panic"), bodies.await.expect("no panic"));
    for (sent_away, what) in [(&heads, "head"), (&bodies, "body")] {
        let there = sent_away.iter().filter(|sent| sent.is_none()).count();
        assert_eq!(there, 0, "{there} of {CLIENTS} clients with a slow {what} are still there");
    }
    assert!(
        beset < idle.mul_f64(SLOWER) + NOISE,
        "a page took {idle:?} before and {beset:?} while {CLIENTS} + {CLIENTS} clients dripped"
    );
    let longest = |all: &[Option<Duration>]| all.iter().flatten().max().copied().unwrap_or_default();
    let (heads, bodies) = (longest(&heads), longest(&bodies));
    async move {
        format!(
            "{CLIENTS} slow heads sent away within {:.1} s, {CLIENTS} slow bodies within {:.1} s; a page took {:.1} ms before and {:.1} ms meanwhile",
            heads.as_secs_f32(),
            bodies.as_secs_f32(),
            idle.as_secs_f64() * 1000.0,
            beset.as_secs_f64() * 1000.0
        )
    }
    .boxed_local()
}

/// Sends the beginning, then a byte a second, until the server ends it; none when it does not in time.
async fn drips(address: String, beginning: String, patience: Duration) -> Option<Duration> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(beginning.as_bytes()).await.ok()?;
    let (mut reading, mut writing) = stream.into_split();
    let dripping = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let ending = async {
        let mut answer = [0_u8; 1024];
        // An answer counts, and so does a closed door.
        let _ = reading.read(&mut answer).await;
    };
    let ended = async {
        tokio::select! {
            () = dripping => {}
            () = ending => {}
        }
    };
    tokio::time::timeout(patience, ended).await.ok()?;
    Some(began.elapsed())
}

async fn median(shop: &souk_tests::shop::Shop) -> Duration {
    let mut times = Vec::new();
    for _ in 0..60 {
        let began = Instant::now();
        assert_eq!(shop.browse().await.status, 200, "shoppers are served");
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}
