//! What happens in stores without a request: the event relay, mail, and the clocks of the checkout.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use souk_access::Gate;
use souk_event_bus::{Relay, RelayConfig, Scopes};
use souk_telemetry::Shutdown;

use crate::checkout::{self, Till};
use crate::messages::{self, Sender};

/// Rounds are this far apart; a mail queued by an event leaves at the latest after it.
const ROUND: Duration = Duration::from_secs(1);
/// Stores visited at the same time: fewer than connections, so that shoppers always find one.
const AT_ONCE: usize = 4;

/// The consumers of this plane, fed from the outbox or from Kafka.
pub fn consumers(till: &Till, console_url: &str) -> Vec<Arc<dyn souk_event_bus::Consumer>> {
    let (address, console_url) = (till.address.clone(), console_url.to_owned());
    vec![Arc::new(messages::OrderMail), Arc::new(messages::CustomerMail { address, console_url })]
}

/// Runs until the wish to stop, then finishes the round under way.
pub async fn run(
    gate: Gate,
    relay: RelayConfig,
    till: Till,
    sender: Sender,
    console_url: String,
    shutdown: Shutdown,
) {
    let opens = gate.clone();
    let scopes: Scopes = Arc::new(move |store| {
        opens.worker(store, "relay", "delivers events").ok().map(|permit| permit.scope().clone())
    });
    let relay = Relay::start(relay, consumers(&till, &console_url), scopes);
    while shutdown.pause(ROUND).await {
        round(&gate, &till, &sender).await;
    }
    relay.stop().await;
}

/// One visit to every live store that has work due. A store that fails is logged and comes back.
pub async fn round(gate: &Gate, till: &Till, sender: &Sender) {
    let stores: Vec<_> = gate.directory().all_live().iter().map(|entry| entry.id).collect();
    stream::iter(stores)
        .for_each_concurrent(AT_ONCE, |store| async move {
            let Ok(worker) = gate.worker(store, "clocks", "reservations, payments and mail that are due")
            else {
                return;
            };
            if let Err(error) = checkout::sweep(&worker, till).await {
                tracing::warn!(%store, %error, "the checkout's clocks stopped; they go on next round");
            }
            if let Err(error) = messages::send_due(&worker, sender).await {
                tracing::warn!(%store, %error, "mail could not be sent; it is tried again");
            }
        })
        .await;
}
