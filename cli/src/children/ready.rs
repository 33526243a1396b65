//! Waiting until a child is ready, and not waiting in vain for one that keeps dying.

use super::board::Board;
use super::spec::{Ready, Spec};
use crate::home::Home;
use crate::{kafka, postgres};
use anyhow::bail;
use std::time::{Duration, Instant};

/// More deaths than this before it was ever ready: it will not come.
const DEATHS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(90);

/// Returns when the child is ready.
///
/// # Errors
/// When it keeps dying or takes too long; the message ends with the last lines of its log.
pub async fn wait_until_ready(spec: &Spec, home: &Home, board: &Board) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
    let began = Instant::now();
    loop {
        let ready = match &spec.ready {
            Ready::Http(url) => client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()),
            Ready::Database(url) => postgres::is_ready(url).await,
            Ready::Broker(port) => kafka::is_ready(*port).await,
        };
        let child = board.child(spec.name);
        let alive = child.as_ref().is_some_and(|child| child.state == "running");
        if ready && alive {
            return Ok(());
        }
        let deaths = child.map_or(0, |child| child.restarts + u32::from(child.state == "restarting"));
        let why = if deaths >= DEATHS {
            "keeps ending"
        } else if began.elapsed() > PATIENCE {
            "is not ready in time"
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        bail!("{} {why}; the end of its log:\n{}", spec.name, crate::logs::tail(&home.log(spec.name), 20));
    }
}
