//! `souk audit verify`: whether a log of privileged acts is whole.

use crate::loopback;
use crate::options::{Audit, Verify};
use crate::outlook::say;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::process::ExitCode;
use std::time::Duration;

/// What the plane says.
#[derive(Debug, Deserialize)]
struct Verdict {
    whole: bool,
    entries: i64,
    broken_at: Option<i64>,
    last_hash: String,
}

/// Has the chain walked from its first entry to its last. The exit status is 0 for a whole log and 1 for a broken one, or for one that does
/// not end as it did when its last hash was kept.
///
/// # Errors
/// When the plane does not answer, or does not let the bearer see the log.
pub async fn audit(command: Audit) -> anyhow::Result<ExitCode> {
    let Audit::Verify(wish) = command;
    let (address, token) = place(&wish)?;
    let Verdict { whole, entries, broken_at, last_hash } = ask(&address, &token).await?;
    if !whole {
        let position = broken_at.unwrap_or(entries + 1);
        say!("✘ broken at entry {position}; {entries} before it fit, the last with {last_hash}");
        return Ok(ExitCode::FAILURE);
    }
    if let Some(kept) = wish.ends_with.filter(|kept| !kept.eq_ignore_ascii_case(&last_hash)) {
        say!("✘ {entries} entries fit one another, and end with {last_hash}, not with {kept}");
        return Ok(ExitCode::FAILURE);
    }
    say!("✔ whole: {entries} entries, the last with {last_hash}");
    Ok(ExitCode::SUCCESS)
}

/// Where the log is, and with what it is asked for.
fn place(wish: &Verify) -> anyhow::Result<(String, String)> {
    match (&wish.store, &wish.organization) {
        // The store may be named by the environment only.
        (Some(store), None) => {
            let key = wish.key.clone().context("--key or SOUK_SECRET_KEY: a key that may see the log")?;
            Ok((format!("{}/admin/v1/audit-entries:verify", store.trim_end_matches('/')), key))
        }
        (_, Some(organization)) => {
            let token = wish.token.clone().context("--token or SOUK_TOKEN: an access token of a member")?;
            let control = wish.control.trim_end_matches('/');
            Ok((format!("{control}/v1/organizations/{organization}/audit-entries:verify"), token))
        }
        (None, None) => bail!("say whose: --store URL, or --organization org_…"),
    }
}

async fn ask(address: &str, token: &str) -> anyhow::Result<Verdict> {
    let client = loopback::client().timeout(Duration::from_secs(60)).build()?;
    let answer = client.get(address).bearer_auth(token).send().await;
    let answer = answer.with_context(|| format!("asking {address}"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("refused ({status}): {}", answer.text().await.unwrap_or_default());
    }
    answer.json().await.context("the answer")
}
