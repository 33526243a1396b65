//! The folder that holds everything this command keeps, and the rules about who may read it.

use anyhow::{Context, bail};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Paths below `.souk`.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home at `folder`, absolute; nothing is made yet.
    ///
    /// # Errors
    /// When the working folder is gone.
    pub fn at(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { root: std::path::absolute(folder)? })
    }

    /// Makes the folders. Only its owner can list them; others may pass through when the database runs as
    /// somebody else.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn make(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.logs()).with_context(|| format!("cannot make {}", self.root.display()))?;
        fs::create_dir_all(self.keys())?;
        let passage = if Owner::needed().is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(&self.root, fs::Permissions::from_mode(passage))?;
        for secret in [self.logs(), self.keys()] {
            fs::set_permissions(secret, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    pub fn run_state(&self) -> PathBuf {
        self.root.join("running.json")
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub fn demo(&self) -> PathBuf {
        self.root.join("demo.json")
    }

    pub fn media(&self) -> PathBuf {
        self.root.join("media")
    }

    pub fn journal(&self) -> PathBuf {
        self.root.join("payment-provider.jsonl")
    }

    pub fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }

    pub fn postgres(&self, major: u64) -> PathBuf {
        self.root.join(format!("postgres-{major}"))
    }
}

/// The user a database server runs as when we are root, which PostgreSQL refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Owner {
    /// `nobody`, when we are root; otherwise no other user is needed.
    #[must_use]
    pub fn needed() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let nobody = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_nobody = fields.next() == Some("nobody");
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            is_nobody.then_some(Self { uid, gid })
        });
        Some(nobody.unwrap_or(Self { uid: 65_534, gid: 65_534 }))
    }
}

/// A folder that the database's user can reach.
#[derive(Clone, Debug)]
pub struct Reachable {
    /// Where.
    pub folder: PathBuf,
    /// It is not where it was wanted, because others may not pass through there.
    pub moved: bool,
}

/// `wanted`, or a folder below `/var/tmp` named after it when `owner` could not pass through to `wanted`.
///
/// # Errors
/// When the substitute exists and belongs to somebody else.
pub fn reachable(wanted: &Path, owner: Option<Owner>) -> anyhow::Result<Reachable> {
    if owner.is_none() || wanted.ancestors().skip(1).all(passable) {
        return Ok(Reachable { folder: wanted.to_owned(), moved: false });
    }
    let folder = elsewhere(wanted);
    match fs::symlink_metadata(&folder) {
        Ok(found) if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() => {
            bail!("{} belongs to somebody else; remove it or choose another --home", folder.display())
        }
        Ok(_) => {}
        Err(_) => {
            fs::create_dir(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o711))?;
        }
    }
    Ok(Reachable { folder, moved: true })
}

/// Where [`reachable`] puts what is wanted at a place that the database's user cannot pass to.
fn elsewhere(wanted: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    PathBuf::from(format!("/var/tmp/souk-{:016x}", hasher.finish()))
}

/// Removes a folder that was once asked for with [`reachable`], wherever it is; does nothing where there is none.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove(wanted: &Path) -> std::io::Result<()> {
    let moved = elsewhere(wanted);
    let ours = |found: fs::Metadata| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if fs::symlink_metadata(&moved).is_ok_and(ours) {
        fs::remove_dir_all(&moved)?;
    }
    match fs::remove_dir_all(wanted) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Whether everybody may pass through. What does not exist yet will be made passable by us.
fn passable(folder: &Path) -> bool {
    fs::metadata(folder).map_or(true, |found| found.permissions().mode() & 0o001 != 0)
}

/// Gives a folder and all that is in it to the database's user; does nothing without one.
///
/// # Errors
/// When the owner cannot be changed.
pub fn give(folder: &Path, owner: Option<Owner>) -> std::io::Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    std::os::unix::fs::lchown(folder, Some(owner.uid), Some(owner.gid))?;
    if fs::symlink_metadata(folder)?.is_dir() {
        for entry in fs::read_dir(folder)? {
            give(&entry?.path(), Some(owner))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_gone_wherever_it_lived() {
        let wanted = std::env::temp_dir().join(format!("souk-home-{}", std::process::id()));
        for folder in [&wanted, &elsewhere(&wanted)] {
            fs::create_dir_all(folder.join("data")).unwrap();
        }
        for _ in 0..2 {
            remove(&wanted).unwrap();
            assert!(!wanted.exists() && !elsewhere(&wanted).exists());
        }
    }
}
