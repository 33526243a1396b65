//! The bound that lets an async closure borrow a transaction and still be sent between threads.

use std::future::Future;

/// What is done inside a transaction: `async |tx| { … }`.
///
/// `AsyncFnOnce` alone cannot say on stable Rust that its future is `Send`; naming the future as an
/// associated type can. Implemented for every fitting closure, never by hand.
pub trait Work<Tx, R>: AsyncFnOnce(Tx) -> R + FnOnce(Tx) -> <Self as Work<Tx, R>>::Fut {
    /// The future the closure returns.
    type Fut: Future<Output = R>;
}

impl<F, Tx, Fut, R> Work<Tx, R> for F
where
    F: AsyncFnOnce(Tx) -> R + FnOnce(Tx) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}
