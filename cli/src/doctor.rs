//! `souk doctor`: does this machine have what `souk up` needs?

use crate::home::{Home, Owner};
use crate::options::Network;
use crate::run_state::RunState;
use crate::{config, outlook, ports, postgres, up};
use std::path::Path;
use std::process::ExitCode;

/// What has to be free on the disk of the home: the private database's log alone may grow to 2 GB.
const ROOM: u64 = 4 << 30;

/// Checks one thing after the other and prints each with what to do about it. Fails when one of them would keep
/// `souk up` from working.
///
/// # Errors
/// When a folder cannot be made.
pub async fn doctor(home: &Home, network: &Network) -> anyhow::Result<ExitCode> {
    let mut well = true;
    let mut check = |fine: bool, good: String, bad: String| {
        if fine {
            outlook::note(&good);
        } else {
            outlook::trouble(&bad);
            well = false;
        }
    };
    for (name, program) in up::programs()? {
        check(
            program.is_file(),
            format!("{name}: {}", program.display()),
            format!("{name} is missing beside this command ({}): run make build", program.display()),
        );
    }
    home.make()?;
    check(true, format!("home: {}", home.root().display()), String::new());
    let free = free_space(home.root())?;
    check(
        free >= ROOM,
        format!("{} are free for it", in_gb(free)),
        format!(
            "only {} are free on the disk of {}, and its database may need {}: `make clean-local` removes the servers of \
             tests and benchmarks, `cargo clean` what was built",
            in_gb(free),
            home.root().display(),
            in_gb(ROOM)
        ),
    );
    let cache = config::cache_folder();
    let writable = std::fs::create_dir_all(&cache).is_ok();
    check(
        writable,
        format!("cache: {}", cache.display()),
        format!("the cache {} cannot be written: set XDG_CACHE_HOME", cache.display()),
    );
    if let Some(owner) = Owner::needed() {
        check(true, format!("we are root: PostgreSQL will run as user {}", owner.uid), String::new());
    }
    let runs = RunState::read(home).is_some_and(|state| state.supervisor.lives());
    if runs {
        check(true, "Souk runs here already: souk status".to_owned(), String::new());
    } else {
        for (port, who, option) in up::listeners(network) {
            let free = ports::expect_free(port, who, option);
            check(
                free.is_ok(),
                format!("port {port} is free for the {who}"),
                free.err().map(|e| e.to_string()).unwrap_or_default(),
            );
        }
    }
    if let Some(url) = &network.database_url {
        let version = postgres::server_version(url).await;
        check(
            version.as_ref().is_ok_and(|version| *version >= postgres::OLDEST),
            "DATABASE_URL: PostgreSQL answers".to_owned(),
            match version {
                Ok(version) => {
                    format!("DATABASE_URL: PostgreSQL 15 or newer is needed, this is {}", version / 10_000)
                }
                Err(error) => format!("DATABASE_URL: {error:#}"),
            },
        );
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Bytes that we may still write below a folder.
fn free_space(folder: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn in_gb(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    format!("{}.{} GB", tenths / 10, tenths % 10)
}
