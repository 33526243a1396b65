//! `souk authz explain`: which rule of a store decides whether somebody may do something.

use crate::loopback;
use crate::options::{Authz, Explain};
use crate::outlook::say;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::process::ExitCode;
use std::time::Duration;

/// What the store says.
#[derive(Debug, Deserialize)]
struct Explanation {
    allowed: bool,
    because: String,
}

/// Asks the store. The exit status is 0 for yes and 1 for no, so that a script can go by it.
///
/// # Errors
/// When the store does not answer, or knows neither the actor nor the action.
pub async fn authz(command: Authz) -> anyhow::Result<ExitCode> {
    let Authz::Explain(wish) = command;
    let Explanation { allowed, because } = ask(&wish).await?;
    let (sign, word) = if allowed { ('✔', "may") } else { ('✘', "may not") };
    say!("{sign} {} {word} {}: {because}", wish.actor, wish.action);
    Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn ask(wish: &Explain) -> anyhow::Result<Explanation> {
    let url = format!("{}/admin/v1/permissions/explain", wish.store.trim_end_matches('/'));
    let client = loopback::client().timeout(Duration::from_secs(10)).build()?;
    let request = client.get(&url).query(&[("actor", &wish.actor), ("action", &wish.action)]);
    let answer = request.bearer_auth(&wish.key).send().await.with_context(|| format!("asking {url}"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("the store refused ({status}): {}", answer.text().await.unwrap_or_default());
    }
    answer.json().await.context("the store's answer")
}
