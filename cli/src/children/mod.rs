//! Children: what to run, keeping it running, and telling whether it is ready.

mod board;
mod keeper;
mod ready;
mod spec;

pub use board::Board;
pub use keeper::{Keeper, run_once, stop_process};
pub use ready::wait_until_ready;
pub use spec::{LONGEST_PAUSE, Ready, Spec, open_log};
