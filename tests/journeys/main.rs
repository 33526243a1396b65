//! What people do with Souk from outside: the README's tour as it stands, and the life of `souk up`.

mod broker;
mod elsewhere;
mod readme;
mod secrets;
mod servers;
mod tour;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One platform at a time: each is timed, and two would share the cores.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
