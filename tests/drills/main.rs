//! Drills: the real processes are killed under load, then the books are compared (`souk_tests::books` says what must be so).
//!
//! `cargo test -p souk-tests --test drills -- [NAME…]` runs all of them, or those named, on one platform, one after the other.
//! `SOUK_DRILL_SEED` repeats a run's choices; every run prints its own.

mod crowd;
mod flash_sale;
mod killed_between_send_and_mark;
mod killed_runtime;
mod lost_database;
mod stage;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use stage::Stage;

type Drill = for<'s> fn(&'s Stage) -> LocalBoxFuture<'s, String>;

const DRILLS: [(&str, Drill); 4] = [
    ("flash_sale", |stage| flash_sale::run(stage).boxed_local()),
    ("killed_between_send_and_mark", |stage| killed_between_send_and_mark::run(stage).boxed_local()),
    ("killed_runtime", |stage| killed_runtime::run(stage).boxed_local()),
    ("lost_database", |stage| lost_database::run(stage).boxed_local()),
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
    let mut failed = 0;
    for (name, drill) in chosen {
        let began = Instant::now();
        let outcome = AssertUnwindSafe(drill(&stage)).catch_unwind().await;
        let seconds = began.elapsed().as_secs_f32();
        match outcome {
            Ok(report) => println!("ok      {name} ({seconds:.1} s): {report}"),
            Err(_) => {
                failed += 1;
                println!("FAILED  {name} ({seconds:.1} s)");
            }
        }
    }
    if failed > 0 {
        println!(
            "{failed} failed with SOUK_DRILL_SEED={}; what the processes wrote:\n{}",
            stage.seed(),
            stage.troubles()
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
