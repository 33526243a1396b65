//! No secret comes with the programs: whoever forgets one cannot start, and is told which.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use souk_tests::platform::programs;

/// Sooner than any connection could time out: what is missing is seen before anything is tried.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A database that is not there; a key that is none.
fn everything(folder: &Path) -> Vec<(&'static str, String)> {
    let key = folder.join("key.pem");
    std::fs::write(&key, "no key").expect("a file");
    let file = || key.display().to_string();
    vec![
        ("SOUK_DATABASE_URL", "postgres://127.0.0.1:1/nothing".to_owned()),
        ("SOUK_ADMIN_DATABASE_URL", "postgres://admin@127.0.0.1:1/nothing".to_owned()),
        ("SOUK_CONTROL_PASSWORD", "a".repeat(32)),
        ("SOUK_PROVISIONER_PASSWORD", "b".repeat(32)),
        ("SOUK_RELAY_PASSWORD", "c".repeat(32)),
        ("SOUK_LANE_SECRET", "d".repeat(32)),
        ("SOUK_CURSOR_SECRET", "e".repeat(32)),
        ("SOUK_SIGNING_KEY_FILE", file()),
        ("SOUK_STAFF_KEY_FILE", file()),
    ]
}

#[test]
fn a_secret_that_is_missing_ends_the_start() {
    let folder = std::env::temp_dir().join(format!("souk-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let all = everything(&folder);
    let needs: [(&str, &[&str], &[&str]); 3] = [
        (
            "souk-control-plane",
            &["serve"],
            &["SOUK_DATABASE_URL", "SOUK_CONTROL_PASSWORD", "SOUK_SIGNING_KEY_FILE"],
        ),
        (
            "souk-control-plane",
            &["migrate"],
            &[
                "SOUK_ADMIN_DATABASE_URL",
                "SOUK_DATABASE_URL",
                "SOUK_LANE_SECRET",
                "SOUK_CONTROL_PASSWORD",
                "SOUK_PROVISIONER_PASSWORD",
                "SOUK_RELAY_PASSWORD",
            ],
        ),
        (
            "souk-tenant-runtime",
            &["serve"],
            &["SOUK_DATABASE_URL", "SOUK_LANE_SECRET", "SOUK_CURSOR_SECRET", "SOUK_STAFF_KEY_FILE"],
        ),
    ];
    for (program, arguments, needed) in needs {
        for missing in needed {
            // Set to nothing is not set.
            for nothing in [None, Some(""), Some("  ")] {
                let mut start = Command::new(programs().join(program));
                start.args(arguments).env_clear().stdin(Stdio::null());
                start.envs(all.iter().filter(|(name, _)| name != missing).cloned());
                start.envs(nothing.map(|text| (missing, text)));
                let began = Instant::now();
                let ended = start.output().expect("the program starts");
                let said = format!(
                    "{}{}",
                    String::from_utf8_lossy(&ended.stdout),
                    String::from_utf8_lossy(&ended.stderr)
                );
                assert!(!ended.status.success(), "{program} starts without {missing}: {said}");
                assert!(
                    said.contains(&format!("{missing} must be set")),
                    "{program} without {missing}: {said}"
                );
                assert!(began.elapsed() < AT_ONCE, "{program} without {missing}: {:?}", began.elapsed());
            }
        }
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn a_secret_that_is_short_ends_the_start_and_is_not_told() {
    let folder = std::env::temp_dir().join(format!("souk-short-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let all = everything(&folder);
    for (program, task, name) in [
        ("souk-control-plane", "migrate", "SOUK_LANE_SECRET"),
        ("souk-tenant-runtime", "serve", "SOUK_LANE_SECRET"),
        ("souk-tenant-runtime", "serve", "SOUK_CURSOR_SECRET"),
    ] {
        let short = "z".repeat(31);
        let mut start = Command::new(programs().join(program));
        start.arg(task).env_clear().stdin(Stdio::null()).envs(all.iter().cloned()).env(name, &short);
        let ended = start.output().expect("the program starts");
        let said =
            format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(!ended.status.success(), "{program} starts with a short {name}: {said}");
        assert!(said.contains(&format!("{name}: has 31 bytes, must have at least 32")), "{program}: {said}");
        assert!(!said.contains(&short), "{program} tells {name}: {said}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
