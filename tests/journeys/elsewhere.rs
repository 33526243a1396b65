//! Another user than root: what most people are. (Where the tests run as somebody else already, the other journeys show it.)

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use souk_tests::platform::{Platform, printed, programs};

use crate::turn;

const NOBODY: &str = "65534";

#[test]
fn as_a_user_who_is_not_root() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let _turn = turn();
    let platform = Platform::new("nobody");
    let home = platform.home();
    // Of their own: the programs (a clone below /root is closed to others), the cache of downloads, the home.
    let programs = programs();
    for folder in [home.to_owned(), home.join("bin"), home.join("cache/souk"), home.join("souk")] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    for name in ["souk", "souk-control-plane", "souk-tenant-runtime", "souk-payment-provider"] {
        std::fs::copy(programs.join(name), home.join("bin").join(name)).expect(name);
    }
    share_downloads(&platform);
    let owned = Command::new("chown").args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(home).status();
    assert!(owned.expect("chown runs").success());
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o755)).expect("passable");

    let souk = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", "--"]);
        platform.equip(command.arg(home.join("bin/souk")).args(arguments));
        command
            .env("SOUK_HOME", home.join("souk"))
            .env("HOME", home)
            .env("XDG_CACHE_HOME", home.join("cache"));
        command.current_dir(home);
        printed(arguments, command.output().expect("setpriv runs"))
    };
    let said = souk(&["up", "--detach", "--no-demo"]);
    assert!(said.contains("Ready after"), "{said}");
    let status = souk(&["status"]);
    assert!(
        ["postgres", "control-plane", "tenant-runtime"].iter().all(|name| status.contains(name)),
        "{status}"
    );
    souk(&["down"]);
}

/// Saves the test a download, where root has one.
fn share_downloads(platform: &Platform) {
    let doctor = platform.souk(&["doctor"]);
    let Some(cache) = doctor.lines().find_map(|line| line.trim().strip_prefix("· cache: ")) else { return };
    let found = std::fs::read_dir(Path::new(cache)).into_iter().flatten().flatten();
    for folder in found.filter(|entry| entry.file_name().to_string_lossy().starts_with("postgresql-")) {
        let copied =
            Command::new("cp").arg("-r").arg(folder.path()).arg(platform.home().join("cache/souk")).status();
        assert!(copied.expect("cp runs").success());
    }
}
