//! How much endpoints that do not work delay those that do.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Stage;
use crate::webhooks::model::Ordering;
use crate::webhooks::send_due;

const GOOD: usize = 20;
const BAD: [&str; 5] = ["/hang", "/drip", "/cut", "/fail", "/huge"];
const EVENTS: usize = 8;

/// From the first look until the good ones have everything; the bad ones are there or not.
async fn run(bad: bool) -> Duration {
    let stage = Stage::set().await;
    for _ in 0..GOOD {
        stage.endpoint("/ok", Ordering::None).await;
    }
    if bad {
        for path in BAD.iter().cycle().take(GOOD / 2) {
            stage.endpoint(path, Ordering::None).await;
        }
        // They are known to fail: what a running platform knows of its bad endpoints.
        stage.state(Uuid::now_v7(), 1).await;
        while stage.round().await > 0 {}
        stage.shop.clock.advance(Duration::from_secs(3600));
    }
    let before = stage.receiver.heard().iter().filter(|told| told.path == "/ok").count();
    for _ in 0..EVENTS {
        stage.state(Uuid::now_v7(), 1).await;
    }
    let began = Instant::now();
    while stage.receiver.heard().iter().filter(|told| told.path == "/ok").count() < before + GOOD * EVENTS {
        send_due(&stage.worker, &stage.courier).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    let took = began.elapsed();
    stage.courier.idle().await;
    took
}

/// A third of the endpoints hang, drip, cut, refuse and rant. The ratio is printed; the limit is wide, because neighbours share this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_that_is_broken_hardly_delays_the_others() {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        without.push(run(false).await);
        with.push(run(true).await);
    }
    without.sort_unstable();
    with.sort_unstable();
    let ratio = with[1].as_secs_f64() / without[1].as_secs_f64();
    println!(
        "good endpoints: {:?} alone, {:?} beside {} broken ones: {ratio:.3}",
        without[1],
        with[1],
        GOOD / 2
    );
    assert!(with[1] < without[1] * 2 + Duration::from_millis(500), "{ratio}");
}
