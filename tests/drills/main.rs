//! Drills: the real processes are killed under load, then the books are compared (`souk_tests::books` says what must be so).
//!
//! `cargo test -p souk-tests --test drills -- [NAME…]` runs all of them, or those named, on one platform, one after the other.
//! `SOUK_DRILL_SEED` repeats a run's choices; every run prints its own.

mod canaries;
mod crowd;
mod flash_sale;
mod killed_between_send_and_mark;
mod killed_runtime;
mod lost_database;
mod slow_clients;
mod stage;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, join_all};
use stage::Stage;

/// Does what it is about, one drill after the other; gives what compares the books once the store has come to rest, all of which wait together.
type Drill = for<'s> fn(&'s Stage) -> LocalBoxFuture<'s, Reckoning<'s>>;
/// Compares, and reports.
type Reckoning<'s> = LocalBoxFuture<'s, String>;

const DRILLS: [(&str, Drill); 6] = [
    ("canaries", |stage| canaries::run(stage).boxed_local()),
    ("flash_sale", |stage| flash_sale::run(stage).boxed_local()),
    ("killed_between_send_and_mark", |stage| killed_between_send_and_mark::run(stage).boxed_local()),
    ("killed_runtime", |stage| killed_runtime::run(stage).boxed_local()),
    ("lost_database", |stage| lost_database::run(stage).boxed_local()),
    ("slow_clients", |stage| slow_clients::run(stage).boxed_local()),
];

#[tokio::main]
async fn main() -> ExitCode {
    // What the test runner understands (`--nocapture`, `--quiet`) has no meaning here.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if std::env::args().any(|argument| argument == "--list") {
        DRILLS.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<_> = DRILLS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wish| name.contains(wish.as_str())))
        .collect();
    if chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let stage = Stage::set().await;
    println!(
        "the stage is set after {:.1} s; SOUK_DRILL_SEED={}",
        began.elapsed().as_secs_f32(),
        stage.seed()
    );
    let mut reckonings = Vec::new();
    let mut failed = Vec::new();
    for (name, drill) in chosen {
        let began = Instant::now();
        match AssertUnwindSafe(drill(&stage)).catch_unwind().await {
            Ok(reckoning) => reckonings.push((*name, began, reckoning)),
            Err(_) => failed.push(*name),
        }
    }
    let reckoned = join_all(reckonings.into_iter().map(async |(name, began, reckoning)| {
        (name, AssertUnwindSafe(reckoning).catch_unwind().await, began.elapsed().as_secs_f32())
    }));
    for (name, outcome, seconds) in reckoned.await {
        match outcome {
            Ok(report) => println!("ok      {name} ({seconds:.1} s): {report}"),
            Err(_) => failed.push(name),
        }
    }
    println!("{:.1} s in all", began.elapsed().as_secs_f32());
    if !failed.is_empty() {
        println!(
            "FAILED  {} with SOUK_DRILL_SEED={}; what the processes wrote:\n{}",
            failed.join(", "),
            stage.seed(),
            stage.troubles()
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
