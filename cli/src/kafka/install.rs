//! Finds Java, and Kafka's jars: in the cache, else fetched with Maven (43 MB).

use crate::outlook;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What Kafka 4 needs.
const OLDEST_JAVA: u32 = 17;

/// A Kafka that is ready to run.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The `java` program.
    pub java: PathBuf,
    /// The folder of jars.
    pub jars: PathBuf,
}

/// Java and the jars; installs what is missing, as far as this user may.
///
/// # Errors
/// With what to install when that is left to the user.
pub fn installed(cache: &Path) -> anyhow::Result<Installed> {
    let version = super::VERSION;
    let jars = cache.join(format!("kafka-{version}"));
    let fetched = jars.exists();
    if java_version().is_none_or(|found| found < OLDEST_JAVA) || (!fetched && !runs("mvn", "-version")) {
        install_packages(fetched)?;
    }
    if !fetched {
        fetch(version, cache, &jars)?;
    }
    Ok(Installed { java: "java".into(), jars })
}

/// The major version of the `java` in the path.
fn java_version() -> Option<u32> {
    let output = Command::new("java").arg("-version").stdin(Stdio::null()).output().ok()?;
    parsed(&String::from_utf8_lossy(&output.stderr))
}

/// `openjdk version "17.0.15" 2025-04-15` → 17.
fn parsed(text: &str) -> Option<u32> {
    text.split('"').nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
}

fn runs(program: &str, argument: &str) -> bool {
    let command = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

fn install_packages(fetched: bool) -> anyhow::Result<()> {
    let mut packages = vec!["openjdk-17-jre-headless"];
    if !fetched {
        packages.push("maven");
    }
    let names = packages.join(" ");
    if !rustix::process::geteuid().is_root() || !runs("apt-get", "--version") {
        bail!("Kafka needs Java {OLDEST_JAVA} or newer, and Maven to be fetched: install {names}");
    }
    let began = Instant::now();
    outlook::begin(&format!("installing {names}"));
    let update = Command::new("apt-get").args(["update", "-qq"]).output();
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages);
    let output = install.env("DEBIAN_FRONTEND", "noninteractive").output().context("apt-get")?;
    if !output.status.success() {
        drop(update);
        bail!("{names} could not be installed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    outlook::done(&format!("{names} installed"), began);
    Ok(())
}

fn fetch(version: &str, cache: &Path, jars: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    outlook::begin(&format!("fetching Kafka {version} (43 MB, once; kept in {})", cache.display()));
    // Made whole under another name, so a folder of that name is always whole.
    let unfinished = cache.join(format!("kafka-{version}.{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&unfinished);
    std::fs::create_dir_all(&unfinished)?;
    std::fs::write(unfinished.join("pom.xml"), super::pom::text(version))?;
    let output = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", unfinished.display()))
        .current_dir(&unfinished)
        .output()
        .context("mvn cannot be run")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout);
        let _ = std::fs::remove_dir_all(&unfinished);
        bail!(
            "Kafka {version} could not be fetched; set KAFKA_BROKERS to use brokers of yours\n{}",
            text.trim()
        );
    }
    // Somebody else may have finished the same meanwhile.
    if std::fs::rename(&unfinished, jars).is_err() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    outlook::done(&format!("Kafka {version} fetched"), began);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn java_tells_its_version_in_many_ways() {
        assert_eq!(parsed("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(parsed("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(parsed("java version \"1.8.0_301\""), Some(1));
        assert_eq!(parsed("command not found"), None);
    }
}
