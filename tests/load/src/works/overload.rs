//! More than it can do, and one store that takes more than its share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};

use crate::http::{Client, Request};
use crate::measure::percentile;

/// What became of requests that came at a fixed rate.
#[derive(Debug, Default)]
pub struct Outcome {
    pub offered_per_second: f64,
    pub good_per_second: f64,
    pub refused_per_second: f64,
    /// Refusals that did not say when to come back, other answers, broken connections: should be 0.
    pub wrong: u64,
    pub p99: Duration,
}

/// Open loop: requests leave when their time has come, whether or not others were answered. `connections` bounds the clients' side; time
/// spent waiting for a free one counts.
pub async fn open_loop(
    address: SocketAddr,
    request: &Request,
    per_second: f64,
    time: Duration,
    connections: usize,
) -> Outcome {
    let (sender, receiver) = mpsc::unbounded_channel::<Instant>();
    let receiver = Arc::new(Mutex::new(receiver));
    let (refused, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (receiver, request) = (Arc::clone(&receiver), request.clone());
            let (refused, wrong) = (Arc::clone(&refused), Arc::clone(&wrong));
            tokio::spawn(async move {
                let (mut client, mut times) = (Client::new(address), Vec::new());
                loop {
                    let Some(due) = receiver.lock().await.recv().await else { return times };
                    match client.send(&request).await {
                        Ok(answer) if answer.status == 200 => times.push(due.elapsed()),
                        Ok(answer)
                            if matches!(answer.status, 429 | 503)
                                && answer.header("retry-after").is_some() =>
                        {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();
    let began = Instant::now();
    let mut sent = 0_u64;
    while began.elapsed() < time {
        let wanted = (began.elapsed().as_secs_f64() * per_second) as u64;
        while sent < wanted {
            let _ = sender.send(began + Duration::from_secs_f64(sent as f64 / per_second));
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(sender);
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await.unwrap_or_default());
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort_unstable();
    Outcome {
        offered_per_second: sent as f64 / time.as_secs_f64(),
        good_per_second: times.len() as f64 / seconds,
        refused_per_second: refused.load(Ordering::Relaxed) as f64 / seconds,
        wrong: wrong.load(Ordering::Relaxed),
        p99: percentile(&times, 0.99),
    }
}

/// Times of one request after another, `pause` apart.
pub async fn gentle(
    address: SocketAddr,
    request: &Request,
    pause: Duration,
    time: Duration,
) -> (Vec<Duration>, u64) {
    let (mut client, mut times, mut wrong) = (Client::new(address), Vec::new(), 0);
    let end = Instant::now() + time;
    while Instant::now() < end {
        let began = Instant::now();
        match client.fine(request).await {
            Ok(_) => times.push(began.elapsed()),
            Err(_) => wrong += 1,
        }
        tokio::time::sleep(pause).await;
    }
    times.sort_unstable();
    (times, wrong)
}
