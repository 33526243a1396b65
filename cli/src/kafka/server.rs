//! One private broker: its folder, its settings, its command.

use super::install::Installed;
use crate::children::{LONGEST_PAUSE, Ready, Spec};
use crate::{outlook, ports, random};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A broker that is prepared and can be started.
#[derive(Clone, Debug)]
pub struct Server {
    installed: Installed,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Writes the settings and formats the log folder (the first time).
    ///
    /// # Errors
    /// When formatting fails; its own words are part of the message.
    pub fn prepared(installed: Installed, folder: &Path, port: u16) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let server = Self { installed, folder: folder.to_owned(), port };
        // The controller is asked by this broker only.
        let controller = ports::any_free()?;
        fs::write(server.settings(), server.text_of_settings(controller))?;
        if !server.data().join("meta.properties").exists() {
            server.format()?;
        }
        Ok(server)
    }

    /// `host:port`
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How to run it as a child.
    #[must_use]
    pub fn spec(&self) -> Spec {
        let mut arguments = java_arguments(&self.installed);
        arguments.extend(["kafka.Kafka".into(), self.settings().into()]);
        Spec {
            name: "kafka",
            program: self.installed.java.clone(),
            arguments,
            environment: Vec::new(),
            owner: None,
            folder: Some(self.folder.clone()),
            stop: rustix::process::Signal::TERM,
            grace: Duration::from_secs(20),
            longest_pause: LONGEST_PAUSE,
            ready: Ready::Broker(self.port),
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn format(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let _ = fs::remove_dir_all(self.data());
        // Kafka wants 16 bytes in URL-safe base64.
        let cluster = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
        let output = Command::new(&self.installed.java)
            .args(java_arguments(&self.installed))
            .args(["kafka.tools.StorageTool", "format", "-t", &cluster, "-c"])
            .arg(self.settings())
            .current_dir(&self.folder)
            .output()
            .context("java cannot be run")?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            bail!("Kafka's folder cannot be formatted: {}", String::from_utf8_lossy(&text).trim());
        }
        outlook::done("Kafka's folder formatted", began);
        Ok(())
    }

    /// One node that is broker and controller, loopback only, topics made by whoever declares them.
    fn text_of_settings(&self, controller: u16) -> String {
        format!(
            "# Written by `souk` at every start: change the command, not this file.\n\
             process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={data}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             log.cleaner.dedupe.buffer.size=16777216\n\
             broker.session.timeout.ms=4000\n",
            port = self.port,
            data = self.data().display(),
        )
    }
}

fn java_arguments(installed: &Installed) -> Vec<std::ffi::OsString> {
    vec![
        "-Xmx256m".into(),
        "-XX:+UseSerialGC".into(),
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn".into(),
        "-cp".into(),
        installed.jars.join("*").into(),
    ]
}
