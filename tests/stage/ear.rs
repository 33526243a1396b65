//! What both planes log while proofs run, in the words and at the level of production, kept to be searched.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use souk_telemetry::{TelemetryConfig, observer};
use tracing_subscriber::util::SubscriberInitExt as _;

static HEARD: Mutex<String> = Mutex::new(String::new());

/// Hears everything this process logs from now on; again is fine.
///
/// # Panics
/// When somebody else listens already: what is not heard cannot be searched.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let config = TelemetryConfig::default();
        let (dispatch, _) = observer("proofs", &config, || Ear).expect("a filter that is understood");
        dispatch.try_init().expect("nobody else listens");
    });
}

/// Everything that was logged so far.
///
/// # Panics
/// Never.
pub fn heard() -> String {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        // Why something was our own mistake is told in the log only.
        if line.contains("ERROR") {
            print!("{line}");
        }
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
