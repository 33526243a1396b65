//! What happens to a piece of work in the middle: it is dropped, or it panics, at one of its waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, error};

/// The header by which a request asks for it: `drop 3`, `panic 12`: at the so manieth wait.
pub const HEADER: &str = "x-strike";
/// In every panic of ours, so that they need not be printed.
pub const ON_PURPOSE: &str = "on purpose";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Drop,
    Panic,
}

/// Strikes that hit something which was still at work.
pub static DROPPED: AtomicUsize = AtomicUsize::new(0);
pub static PANICKED: AtomicUsize = AtomicUsize::new(0);

/// Work that is let go on so many times, and no more.
pub struct Struck<F> {
    work: Pin<Box<F>>,
    left: usize,
    kind: Kind,
}

impl<F: Future> Struck<F> {
    pub fn new(work: F, waits: usize, kind: Kind) -> Self {
        Self { work: Box::pin(work), left: waits, kind }
    }
}

impl<F: Future> Future for Struck<F> {
    /// `None` when it was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(outcome) = self.work.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        if self.left > 0 {
            self.left -= 1;
            return Poll::Pending;
        }
        match self.kind {
            Kind::Drop => {
                DROPPED.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Kind::Panic => {
                PANICKED.fetch_add(1, Ordering::Relaxed);
                panic!("{ON_PURPOSE}");
            }
        }
    }
}

/// Around the whole application: strikes the requests that ask for it.
pub async fn strikes<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let asked = req.headers().get(HEADER).and_then(|value| value.to_str().ok()).and_then(read);
    let work = next.call(req);
    let Some((kind, waits)) = asked else { return work.await };
    match Struck::new(work, waits, kind).await {
        Some(answer) => answer,
        None => Err(error::ErrorGatewayTimeout("dropped")),
    }
}

fn read(text: &str) -> Option<(Kind, usize)> {
    let (kind, waits) = text.split_once(' ')?;
    let kind = match kind {
        "drop" => Kind::Drop,
        "panic" => Kind::Panic,
        _ => return None,
    };
    Some((kind, waits.parse().ok()?))
}

/// Panics that are ours are not printed; there are thousands.
pub fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let ours = panic.payload_as_str().is_some_and(|text| text.contains(ON_PURPOSE));
            if !ours {
                before(panic);
            }
        }));
    });
}
