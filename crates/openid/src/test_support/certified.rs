//! A certified provider (npm `oidc-provider`), a process of its own.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{CLIENT, CLIENT_SECRET};

/// It runs as long as this lives.
#[derive(Debug)]
pub struct Certified {
    pub issuer: String,
    _process: Child,
    /// Kept open: it says more, and dies of a closed pipe.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Certified {
    /// Starts it for one client that is sent back to this address; installs it the first time. `None`, and said so, where Node.js is
    /// missing; in CI that is a failure.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(redirect_uri: &str) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/openid/provider/start.sh");
        let client =
            json!({ "client_id": CLIENT, "client_secret": CLIENT_SECRET, "redirect_uri": redirect_uri });
        let mut process = Command::new(script)
            .arg(client.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("a shell");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        if let Some(line) = lines.next_line().await.expect("a line") {
            let told: Value = serde_json::from_str(&line).expect("JSON");
            let issuer = told["issuer"].as_str().expect("an issuer").to_owned();
            return Some(Self { issuer, _process: process, _says: lines });
        }
        let status = process.wait().await.expect("a status");
        #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
        let in_ci = std::env::var("CI").is_ok();
        assert!(status.code() == Some(3) && !in_ci, "the OpenID provider did not start: {status}");
        println!("SKIPPED: signing in with a real provider needs Node.js 20 and npm");
        None
    }

    /// A name nobody has signed in with at another provider: it is this one's port.
    pub fn name(&self) -> &str {
        self.issuer.rsplit(':').next().unwrap_or_default()
    }

    /// Where its keys are changed.
    pub fn rotates(&self) -> String {
        format!("{}/rotate", self.issuer)
    }
}
