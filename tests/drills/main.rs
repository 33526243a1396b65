//! Drills: the real processes are killed under load, then the books are compared (`souk_tests::books` says what must be so).
//!
//! `cargo test -p souk-tests --test drills -- [NAME…]` runs all of them, or those named, one after the other, on two platforms: one whose
//! consumers hear from the outbox, one with a Kafka. `SOUK_DRILL_SEED` repeats a run's choices; every run prints its own.

mod broken_endpoints;
mod canaries;
mod crowd;
mod every_kill_point;
mod flash_sale;
mod killed_between_send_and_mark;
mod killed_control_plane;
mod killed_runtime;
mod lost_database;
mod slow_clients;
mod stage;
mod stopped_broker;
mod topic;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, join_all};
use stage::{Stage, Way};

/// Does what it is about, one drill after the other; gives what compares the books once the store has come to rest, all of which wait together.
type Drill = for<'s> fn(&'s Stage) -> LocalBoxFuture<'s, Reckoning<'s>>;
/// Compares, and reports.
type Reckoning<'s> = LocalBoxFuture<'s, String>;

const DRILLS: [(&str, Way, Drill); 11] = [
    ("broken_endpoints", Way::Direct, |stage| broken_endpoints::run(stage).boxed_local()),
    ("canaries", Way::Direct, |stage| canaries::run(stage).boxed_local()),
    ("flash_sale", Way::Direct, |stage| flash_sale::run(stage).boxed_local()),
    ("killed_between_send_and_mark", Way::Direct, |stage| {
        killed_between_send_and_mark::run(stage).boxed_local()
    }),
    ("killed_runtime", Way::Direct, |stage| killed_runtime::run(stage).boxed_local()),
    ("lost_database", Way::Direct, |stage| lost_database::run(stage).boxed_local()),
    ("slow_clients", Way::Direct, |stage| slow_clients::run(stage).boxed_local()),
    ("killed_control_plane", Way::Direct, |stage| killed_control_plane::run(stage).boxed_local()),
    ("every_kill_point", Way::Direct, |stage| every_kill_point::direct(stage).boxed_local()),
    ("every_kill_point_kafka", Way::Kafka, |stage| every_kill_point::kafka(stage).boxed_local()),
    ("stopped_broker", Way::Kafka, |stage| stopped_broker::run(stage).boxed_local()),
];

#[tokio::main]
async fn main() -> ExitCode {
    // What the test runner understands (`--nocapture`, `--quiet`) has no meaning here.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if std::env::args().any(|argument| argument == "--list") {
        DRILLS.iter().for_each(|(name, ..)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<_> = DRILLS
        .iter()
        .filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|wish| name.contains(wish.as_str())))
        .collect();
    if chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let mut stages = Vec::new();
    for way in [Way::Direct, Way::Kafka] {
        if chosen.iter().any(|(_, wanted, _)| *wanted == way) {
            stages.push((way, Stage::set(way).await));
        }
    }
    let seeds: Vec<_> = stages.iter().map(|(way, stage)| format!("{way:?} {}", stage.seed())).collect();
    let seeds = seeds.join(", ");
    println!("the stage is set after {:.1} s; SOUK_DRILL_SEED: {seeds}", began.elapsed().as_secs_f32());
    let mut reckonings = Vec::new();
    let mut failed = Vec::new();
    let on_stage = stages.iter().flat_map(|(way, stage)| {
        chosen
            .iter()
            .filter(move |(_, wanted, _)| wanted == way)
            .map(move |(name, _, drill)| (name, drill, stage))
    });
    for (name, drill, stage) in on_stage {
        let began = Instant::now();
        match AssertUnwindSafe(drill(stage)).catch_unwind().await {
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
        let troubles: Vec<_> = stages.iter().map(|(_, stage)| stage.troubles()).collect();
        println!(
            "FAILED  {} with SOUK_DRILL_SEED: {seeds}; what the processes wrote:\n{}",
            failed.join(", "),
            troubles.join("\n")
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
