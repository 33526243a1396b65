//! One private server: its folder, its settings, its command.

use super::install::Installed;
use crate::children::{LONGEST_PAUSE, Ready, Spec};
use crate::home::{Owner, give, reachable};
use crate::outlook;
use anyhow::{Context, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What a server is asked to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Loopback port.
    pub port: u16,
    /// Of the superuser `postgres`.
    pub password: String,
    /// Do not wait for the disk.
    pub careless: bool,
}

/// A server that is prepared and can be started.
#[derive(Clone, Debug)]
pub struct Server {
    programs: PathBuf,
    data: PathBuf,
    owner: Option<Owner>,
    settings: Settings,
}

impl Server {
    /// Makes the data folder (the first time) and writes the settings. `folder` is where it is wanted; when the
    /// database's user cannot pass there, it lives below `/var/tmp`, which is said.
    ///
    /// # Errors
    /// When `initdb` fails; its own words are part of the message.
    pub fn prepared(installed: &Installed, folder: &Path, settings: Settings) -> anyhow::Result<Self> {
        let owner = Owner::needed();
        let place = reachable(folder, owner)?;
        if place.moved {
            outlook::note(&format!(
                "the database runs as another user, who cannot pass to {}: its data lives in {}",
                folder.display(),
                place.folder.display()
            ));
        }
        fs::create_dir_all(&place.folder)?;
        let data = place.folder.join("data");
        let server = Self { programs: installed.folder.join("bin"), data, owner, settings };
        // Written last by initdb, so its presence means that the folder is whole.
        if !server.data.join("PG_VERSION").exists() || !server.data.join("global/pg_control").exists() {
            server.make_data(&place.folder)?;
        }
        server.write_settings()?;
        Ok(server)
    }

    /// The address of a database on this server, as the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.settings.password, self.settings.port)
    }

    /// How to run it as a child. SIGINT is its fast shutdown: sessions end, nothing is lost.
    #[must_use]
    pub fn spec(&self) -> Spec {
        Spec {
            name: "postgres",
            program: self.programs.join("postgres"),
            arguments: vec!["-D".into(), self.data.clone().into()],
            environment: vec![("TZ".into(), "UTC".into())],
            owner: self.owner,
            folder: Some(self.data.clone()),
            stop: rustix::process::Signal::INT,
            grace: Duration::from_secs(20),
            longest_pause: LONGEST_PAUSE,
            ready: Ready::Database(self.url("postgres")),
        }
    }

    fn make_data(&self, parent: &Path) -> anyhow::Result<()> {
        let began = Instant::now();
        if self.data.exists() {
            fs::remove_dir_all(&self.data).context("what an interrupted initdb left could not be removed")?;
        }
        fs::create_dir(&self.data)?;
        fs::set_permissions(&self.data, fs::Permissions::from_mode(0o700))?;
        let password = parent.join("password");
        crate::secrets::write_private(&password, &self.settings.password)?;
        give(&self.data, self.owner)?;
        give(&password, self.owner)?;
        // Not every system has C.UTF-8; C sorts the same bytes and only knows fewer capital letters.
        let outcome = self.initdb(&password, "C.UTF-8").or_else(|_| self.initdb(&password, "C"));
        fs::remove_file(&password)?;
        outcome?;
        outlook::done("PostgreSQL's data folder made", began);
        Ok(())
    }

    fn initdb(&self, password: &Path, locale: &str) -> anyhow::Result<()> {
        let mut command = Command::new(self.programs.join("initdb"));
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--data-checksums", "--no-sync"])
            .arg(format!("--locale={locale}"))
            .arg(format!("--pwfile={}", password.display()))
            .current_dir(&self.data);
        if let Some(owner) = self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        let output = command.output().context("initdb cannot be run")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn write_settings(&self) -> anyhow::Result<()> {
        let main = self.data.join("postgresql.conf");
        let text = fs::read_to_string(&main)?;
        let include = "include 'souk.conf'";
        if !text.lines().any(|line| line == include) {
            fs::write(&main, format!("{text}\n{include}\n"))?;
        }
        let ours = self.data.join("souk.conf");
        fs::write(&ours, self.text_of_settings())?;
        give(&main, self.owner)?;
        give(&ours, self.owner)?;
        Ok(())
    }

    /// What a database with thousands of schemas needs (design, "Tenancy"), and loopback only.
    fn text_of_settings(&self) -> String {
        let sync = if cfg!(target_os = "linux") { "syncfs" } else { "fsync" };
        // Whoever does not wait for the disk does not wait for checkpoints either: more of them keep the log small.
        let careless = if self.settings.careless {
            "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n\
             max_wal_size = '1GB'\nmin_wal_size = '80MB'\n"
        } else {
            "synchronous_commit = on\nmax_wal_size = '2GB'\n"
        };
        format!(
            "# Written by `souk` at every start: change the command, not this file.\n\
             listen_addresses = '127.0.0.1'\n\
             port = {}\n\
             unix_socket_directories = ''\n\
             max_connections = 200\n\
             password_encryption = 'scram-sha-256'\n\
             max_locks_per_transaction = 512\n\
             recovery_init_sync_method = '{sync}'\n\
             shared_buffers = '128MB'\n\
             jit = off\n\
             timezone = 'UTC'\n\
             log_timezone = 'UTC'\n\
             logging_collector = off\n\
             log_line_prefix = '%m [%p] %q%u@%d '\n\
             {careless}",
            self.settings.port
        )
    }
}
