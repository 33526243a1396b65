//! Leaving politely: the first SIGTERM or SIGINT asks everybody to finish, the second one ends the process.

use crate::Readiness;
use actix_web::dev::ServerHandle;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The process-wide wish to stop. Clones share it; it happens once and stays.
#[derive(Clone, Debug)]
pub struct Shutdown {
    sender: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    /// A shutdown that nothing but [`begin`](Self::begin) starts: for tests and embedded use.
    #[must_use]
    pub fn manual() -> Self {
        Self { sender: Arc::new(watch::Sender::new(false)) }
    }

    /// A shutdown that SIGTERM and SIGINT start. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::manual();
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let wish = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            tracing::info!("asked to stop: finishing what is under way");
            wish.begin();
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            tracing::warn!("asked to stop again: leaving at once");
            std::process::exit(130);
        });
        Ok(shutdown)
    }

    /// Asks everybody to stop. Idempotent.
    pub fn begin(&self) {
        self.sender.send_replace(true);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns as soon as somebody asks to stop (at once if that was before). Cancel-safe.
    pub async fn begun(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so this cannot fail before the wish is there.
        let _ = receiver.wait_for(|begun| *begun).await;
    }

    /// Sleeps for `duration`, or less when somebody asks to stop: `true` when the loop may go on.
    pub async fn pause(&self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.begun()).await.is_err()
    }
}

/// Waits for the wish to stop, then takes a public server down: first not ready (so that a load balancer turns
/// away), after `notice` no new connections, and the requests under way are answered (up to the server's
/// `shutdown_timeout`). Build the server with `disable_signals()`.
pub async fn drain(shutdown: Shutdown, readiness: Readiness, server: ServerHandle, notice: Duration) {
    shutdown.begun().await;
    readiness.drain();
    tokio::time::sleep(notice).await;
    server.stop(true).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_it_once_it_begins() {
        let shutdown = Shutdown::manual();
        assert!(shutdown.pause(Duration::from_millis(1)).await, "nobody asked yet");
        let listener = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.begun().await }
        });
        shutdown.begin();
        listener.await.unwrap();
        shutdown.begun().await;
        assert!(shutdown.has_begun() && !shutdown.pause(Duration::from_secs(60)).await);
    }
}
