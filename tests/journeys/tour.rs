//! One day of a platform: up, the README's tour, the printed commands, children that die, down, and up again.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use souk_tests::platform::{Platform, lives, printed, signal, until};

use crate::{readme, turn};

const CHILDREN: [&str; 4] = ["postgres", "payment-provider", "control-plane", "tenant-runtime"];

/// Runs shell text as a person who pastes it, but stops at the first failure.
fn paste(platform: &Platform, shell: &str, text: &str) -> String {
    let mut command = Command::new(shell);
    platform.equip(command.args(["-eu", "-c", text]).stdin(Stdio::null()));
    printed(&[shell], command.output().unwrap_or_else(|error| panic!("{shell}: {error}")))
}

/// The last line that is a JSON object.
fn last_json(text: &str) -> Value {
    let line = text.lines().rev().find(|line| line.starts_with('{')).expect("a JSON answer");
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn a_day() {
    let _turn = turn();
    let platform = Platform::new("day");
    let first = platform.up(&[]);
    assert!(first.contains("Buy something:") && first.contains("Ready after"), "{first}");

    the_tour(&platform);
    what_is_asked_about_a_store(&platform);
    a_rehearsal(&platform);
    let commands = the_printed_commands(&platform, &first);
    up_again_says_what_runs(&platform);
    whatever_dies_comes_back(&platform);
    assert_eq!(paste_purchase(&platform, &commands)["status"], "completed", "the store sells as before");

    let pids = CHILDREN.map(|name| platform.child(name).expect(name).0);
    platform.souk(&["down"]);
    assert_eq!(pids.map(lives), [false; 4], "nothing is left");
    assert!(platform.souk(&["down"]).contains("does not run"));

    let again = Instant::now();
    platform.up(&[]);
    assert!(again.elapsed() < Duration::from_secs(10), "up again took {:?}", again.elapsed());
    assert_eq!(paste_purchase(&platform, &commands)["status"], "completed", "everything is still there");
    println!("up again after {:.1} s", again.elapsed().as_secs_f32());
}

fn the_tour(platform: &Platform) {
    // The blocks stand as they are; `sh` has no arrays to be clever with, `bash` is what most readers have.
    for shell in ["sh", "bash"] {
        let said = paste(platform, shell, &readme::tour());
        for expected in [
            "event: operation",
            "completed\n#1001\npaid\n",
            "To: grace@example.com",
            "your order #1001",
            "\n10\n8\n",
        ] {
            assert!(said.contains(expected), "{shell}: {expected:?} is missing in\n{said}");
        }
        let books = last_json(&said);
        let total = &books["totals"][0];
        assert_eq!(
            (&total["currency"], &total["balance"]["amount_minor"]),
            (&"EUR".into(), &0.into()),
            "{books}"
        );
        assert_eq!(total["debit"], total["credit"]);
        assert!(total["debit"]["amount_minor"].as_i64() > Some(0), "{books}");
        // `RUN` is a second.
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The commands that ask a store, whose name below `localhost` the system may not know.
fn what_is_asked_about_a_store(platform: &Platform) {
    let said = paste(
        platform,
        "sh",
        "eval \"$(target/debug/souk env)\"\n\
         souk audit verify --store $SOUK_DEMO_STORE --key $SOUK_DEMO_SECRET_KEY\n\
         souk authz explain --store $SOUK_DEMO_STORE --key $SOUK_DEMO_SECRET_KEY anyone cart:use",
    );
    assert!(said.contains("✔ whole: ") && said.contains("✔ anyone may cart:use"), "{said}");
}

/// What the chart's test runs inside a cluster.
fn a_rehearsal(platform: &Platform) {
    let said = paste(platform, "sh", "eval \"$(target/debug/souk env)\"\nsouk rehearse");
    assert!(
        said.contains("✔ order #1001 is paid, booked and taken from stock")
            && said.contains("✔ the store is deleted"),
        "{said}"
    );
}

/// The three curl commands that `souk up` printed.
pub fn printed_commands(printed: &str) -> String {
    let commands = printed.split_once("Buy something:\n").expect("commands").1;
    let commands = commands.split_once("\n\nReady after").expect("an end").0;
    assert_eq!(commands.matches("curl ").count(), 3);
    commands.to_owned()
}

fn the_printed_commands(platform: &Platform, printed: &str) -> String {
    let commands = printed_commands(printed);
    let answer = paste_purchase(platform, &commands);
    assert_eq!(
        (&answer["status"], &answer["order"]["financial_status"]),
        (&"completed".into(), &"paid".into()),
        "{answer}"
    );
    commands
}

/// Buys what they buy; the checkout's answer.
pub fn paste_purchase(platform: &Platform, commands: &str) -> Value {
    let said = paste(platform, "sh", commands);
    // Two answers without a line's end between them.
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&said).into_iter().map(|answer| answer.expect("JSON")).collect();
    answers.into_iter().next_back().expect("an answer")
}

fn up_again_says_what_runs(platform: &Platform) {
    let pids = CHILDREN.map(|name| platform.child(name));
    let said = platform.up(&[]);
    assert!(said.contains("runs already") && said.contains("Demo store"), "{said}");
    assert_eq!(pids, CHILDREN.map(|name| platform.child(name)), "nothing was started again");
    let status = platform.souk(&["status"]);
    assert!(
        status.contains("Souk is ready") && CHILDREN.iter().all(|name| status.contains(name)),
        "{status}"
    );
    assert!(platform.souk(&["logs", "-n", "5"]).contains("tenant-runtime | "));
    let doctor = platform.souk(&["doctor"]);
    assert!(doctor.contains("runs here already"), "{doctor}");
}

fn whatever_dies_comes_back(platform: &Platform) {
    let killed = CHILDREN.map(|name| platform.kill(name));
    for (name, pid) in CHILDREN.into_iter().zip(killed) {
        platform.wait_for_return(name, pid);
    }
    let ports = platform.ports();
    for port in [ports.control, ports.runtime, ports.provider] {
        let ready = format!("http://127.0.0.1:{}/readyz", port + 1000);
        until(Duration::from_secs(20), &format!("{ready} answers"), || {
            Command::new("curl")
                .args(["-sf", "-o", "/dev/null", &ready])
                .status()
                .is_ok_and(|status| status.success())
        });
    }
    assert_eq!(CHILDREN.map(|name| platform.child(name).map(|(_, restarts)| restarts >= 1)), [Some(true); 4]);
}

#[test]
fn in_the_foreground_on_a_database_of_ones_own() {
    let _turn = turn();
    let mut platform = Platform::new("given");
    let database = platform.database("server");
    let platform = platform.with("DATABASE_URL", &database);
    let doctor = platform.souk(&["doctor"]);
    assert!(doctor.contains("DATABASE_URL: PostgreSQL answers"), "{doctor}");
    let mut running = platform.command(&["up", "--no-demo"]).stdout(Stdio::null()).spawn().expect("souk up");
    until(Duration::from_secs(60), "it is ready", || platform.status()["ready"] == true);
    let names = ["payment-provider", "control-plane", "tenant-runtime"];
    assert!(platform.child("postgres").is_none(), "no server of its own");
    let pids = names.map(|name| platform.child(name).expect(name).0);
    assert!(pids.iter().all(|pid| lives(*pid)));

    signal(i32::try_from(running.id()).expect("small"), rustix::process::Signal::INT);
    let ended = running.wait().expect("it ends");
    assert!(ended.success(), "Ctrl-C is a way to end well: {ended}");
    assert_eq!(pids.map(lives), [false; 3], "Ctrl-C stops everything");
    let output = platform.command(&["status"]).output().expect("souk runs");
    assert_eq!(output.status.code(), Some(3));
    let eval = paste_failing(&platform, "eval \"$(target/debug/souk env)\"; echo went on");
    assert!(!eval.contains("went on"), "a script stops where nothing runs");
}

fn paste_failing(platform: &Platform, text: &str) -> String {
    let mut command = Command::new("sh");
    platform.equip(command.args(["-eu", "-c", text]));
    let output = command.output().expect("sh runs");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
