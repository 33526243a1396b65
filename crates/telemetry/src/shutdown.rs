//! Leaving politely: the first SIGTERM or SIGINT asks everybody to finish, the second one ends the process.

use crate::Readiness;
use actix_web::HttpRequest;
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use futures_util::{Stream, StreamExt as _};
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

/// An answer without an end of its own (server-sent events), ended by the wish to stop: [`drain`] would wait for it in vain.
/// The server keeps its [`Shutdown`] as application data; where there is none, as in tests, nothing ends it.
pub fn until_shutdown<S: Stream>(req: &HttpRequest, answer: S) -> impl Stream<Item = S::Item> + use<S> {
    let shutdown = req.app_data::<Data<Shutdown>>().cloned();
    answer.take_until(async move {
        match shutdown {
            Some(shutdown) => shutdown.begun().await,
            None => std::future::pending().await,
        }
    })
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

    #[tokio::test]
    async fn an_endless_answer_ends_with_the_server() {
        use actix_web::test::TestRequest;
        let shutdown = Shutdown::manual();
        let request = TestRequest::default().app_data(Data::new(shutdown.clone())).to_http_request();
        let mut answer = std::pin::pin!(until_shutdown(&request, futures_util::stream::repeat(1)));
        assert_eq!(answer.next().await, Some(1));
        shutdown.begin();
        assert_eq!(answer.next().await, None);
        let without = TestRequest::default().to_http_request();
        let whole = until_shutdown(&without, futures_util::stream::iter([1, 2]));
        assert_eq!(whole.collect::<Vec<_>>().await, [1, 2]);
    }
}
