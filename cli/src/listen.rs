//! `souk listen`: a store's events, sent to a program on this machine as webhooks are.

use crate::home::Home;
use crate::loopback;
use crate::options::Listen;
use crate::outlook::say;
use crate::random;
use crate::run_state::RunState;
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Follows the stream until Ctrl-C, coming back when it ends.
///
/// # Errors
/// When the store refuses, or the addresses are not understood.
pub async fn listen(home: &Home, wish: Listen) -> anyhow::Result<ExitCode> {
    let store = store_of(home, &wish)?;
    let secret = random::bytes::<32>()?;
    // A receiver on this machine answers quickly; the stream itself goes on.
    let client = loopback::client().connect_timeout(Duration::from_secs(5)).build()?;
    say!("Listening to  {}", store.url);
    say!("Signing with  whsec_{}", STANDARD.encode(secret));
    say!("Forwarding to {}; Ctrl-C ends it.\n", wish.forward_to);
    let mut place = None;
    let following = async {
        loop {
            match follow(&client, &wish, &store, &secret, &mut place).await {
                Ok(()) => {}
                Err(Ended::ForGood(error)) => return Err(error),
                Err(Ended::ForNow(error)) => {
                    say!("the stream broke ({error}); connecting again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    };
    tokio::select! {
        outcome = following => outcome,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
    }
}

/// The store that is listened to.
struct Store {
    url: String,
    key: String,
}

/// The one that is named, or the demo store of the platform that runs here.
fn store_of(home: &Home, wish: &Listen) -> anyhow::Result<Store> {
    if let (Some(url), Some(key)) = (&wish.store, &wish.key) {
        return Ok(Store { url: url.clone(), key: key.clone() });
    }
    let state = RunState::read(home).filter(|state| state.supervisor.lives());
    let variable = |wanted: &str| {
        let state = state.as_ref()?;
        state.variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    match (variable("SOUK_DEMO_STORE"), variable("SOUK_DEMO_SECRET_KEY")) {
        (Some(url), Some(key)) => Ok(Store { url, key }),
        _ => bail!("no demo store runs in {}: name one with --store and --key", home.root().display()),
    }
}

enum Ended {
    ForGood(anyhow::Error),
    ForNow(reqwest::Error),
}

impl From<reqwest::Error> for Ended {
    fn from(error: reqwest::Error) -> Self {
        if error.is_builder() { Self::ForGood(error.into()) } else { Self::ForNow(error) }
    }
}

/// One connection's life.
async fn follow(
    client: &reqwest::Client,
    wish: &Listen,
    store: &Store,
    secret: &[u8],
    place: &mut Option<String>,
) -> Result<(), Ended> {
    let url = format!("{}/admin/v1/events/stream", store.url.trim_end_matches('/'));
    let mut request = client.get(url).bearer_auth(&store.key);
    if !wish.types.is_empty() {
        request = request.query(&[("type", wish.types.join(","))]);
    }
    if let Some(place) = place.as_deref() {
        request = request.header("last-event-id", place);
    }
    let mut answer = request.send().await?;
    let status = answer.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(Ended::ForNow(
            answer.error_for_status().err().ok_or(Ended::ForGood(anyhow::anyhow!("{status}")))?,
        ));
    }
    if !status.is_success() {
        let text = answer.text().await.unwrap_or_default();
        return Err(Ended::ForGood(anyhow::anyhow!("the store refused ({status}): {text}")));
    }
    let mut read = Vec::new();
    while let Some(bytes) = answer.chunk().await? {
        read.extend_from_slice(&bytes);
        while let Some(end) = read.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = read.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let (Some(id), Some(data)) = (field("id: "), field("data: ")) else { continue };
            if let Err(error) = forward(client, wish, secret, &data).await {
                say!("  {error:#}");
            }
            *place = Some(id);
        }
    }
    Ok(())
}

/// Sends one event on and says what came back. Is not tried again: look, mend, and let it happen again.
async fn forward(client: &reqwest::Client, wish: &Listen, secret: &[u8], data: &str) -> anyhow::Result<()> {
    let mut event: Value = serde_json::from_str(data).context("an event that is no JSON")?;
    if let Some(event) = event.as_object_mut() {
        event.shift_remove("cursor");
    }
    let (Some(id), Some(kind)) = (event["id"].as_str(), event["type"].as_str()) else {
        bail!("an event without id")
    };
    let body = event.to_string();
    let timestamp = now();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).context("signing")?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let began = Instant::now();
    let answer = client
        .post(&wish.forward_to)
        .timeout(Duration::from_secs(15))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        .body(body.clone())
        .send()
        .await;
    let took = began.elapsed().as_millis();
    match answer {
        Ok(answer) => say!("  {kind}  {id}  {} ({took} ms)", answer.status().as_u16()),
        Err(error) => say!("  {kind}  {id}  not delivered: {error}"),
    };
    Ok(())
}

/// A receiver compares it with its own clock.
#[expect(clippy::disallowed_methods, reason = "the signature holds the real time")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}
