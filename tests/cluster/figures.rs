//! `make bench-cluster`: what docs/PERFORMANCE.md says of stores on Kubernetes, as a table to be copied there.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bench::Bench;
use crate::front::free_port;
use crate::node::{Node, public_key};
use crate::scale::{crowd, is_ready};

/// So many of each, one after the other.
const POOLED: usize = 40;
const DEDICATED: usize = 20;

#[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Seconds until a Store is Ready, one by one, shortest first.
async fn until_ready(bench: &Bench, isolation: &str, count: usize) -> Vec<f64> {
    let mut seconds = Vec::new();
    for number in 0..count {
        let name = format!("{}-{number}", isolation.to_lowercase());
        let began = Instant::now();
        bench.apply(&name, Bench::spec(json!({ "isolation": isolation }))).await.expect("it is taken");
        while !is_ready(&bench.stores().get(&name).await.expect("the Store is there")) {
            assert!(began.elapsed() < Duration::from_secs(120), "{name} is not Ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seconds.push(began.elapsed().as_secs_f64());
        bench.done(&["delete", "sto", &name, "--timeout=90s"]);
    }
    seconds.sort_by(f64::total_cmp);
    seconds
}

fn row(what: &str, sorted: &[f64], aim: &str) -> String {
    let share = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    format!("{what} | p50 {:.2} s, p95 {:.2} s of {} | {aim}", share(50), share(95), sorted.len())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "make bench-cluster: it takes half an hour"]
async fn figures() {
    let stores = usize::try_from(number("SOUK_BENCH_STORES", 1000)).expect("it fits");
    let window = Duration::from_secs(number("SOUK_BENCH_WINDOW", 300).into());
    let mut rows = Vec::new();

    match Node::with_image().await {
        Some((node, image)) => {
            let mut bench = node.bench(&image, free_port(), &public_key()).await;
            bench.start().await;
            let pooled = until_ready(&bench, "Pooled", POOLED).await;
            rows.push(row("`kubectl apply` of a Pooled store until Ready", &pooled, "p95 ≤ 5 s"));
            let dedicated = until_ready(&bench, "Dedicated", DEDICATED).await;
            let what = "`kubectl apply` of a Dedicated store until its pod serves on the real node";
            rows.push(row(what, &dedicated, "p95 ≤ 20 s"));
            bench.stop().await;
        }
        None => {
            let mut bench = Bench::alone().await.expect("a cluster: Go or its programs are missing");
            bench.start().await;
            let pooled = until_ready(&bench, "Pooled", POOLED).await;
            rows.push(row("`kubectl apply` of a Pooled store until Ready", &pooled, "p95 ≤ 5 s"));
            rows.push(
                "Dedicated on the real node | left out: there is no real node here | p95 ≤ 20 s".to_owned(),
            );
            bench.stop().await;
        }
    }

    // The default of a Store is Dedicated: all of them have pods.
    let outcome = crowd(stores, 1, window, true).await.expect("the cluster is up");
    rows.extend(outcome.rows());
    println!("\n| What | Found | Aim |\n|---|---|---|");
    rows.iter().for_each(|row| println!("| {row} |"));
    println!();
    // The figures are said before they are judged.
    outcome.must_be_silent();
}
