//! Ctrl-C and SIGTERM, heard from the first moment on and remembered.

use std::sync::OnceLock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

static ASKED: OnceLock<watch::Sender<bool>> = OnceLock::new();

fn asked() -> &'static watch::Sender<bool> {
    ASKED.get_or_init(|| watch::Sender::new(false))
}

/// Begins to listen; from now on the signals do not end this process by themselves. A closed terminal does not
/// stop anything either.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn listen() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => continue,
            }
            asked().send_replace(true);
        }
    });
    Ok(())
}

/// Returns as soon as somebody asked to stop, at once if that was before.
pub async fn asked_to_stop() {
    // The sender is never dropped, so waiting cannot fail.
    let _ = asked().subscribe().wait_for(|asked| *asked).await;
}
