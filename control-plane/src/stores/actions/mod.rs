//! The stories of a store: what a request writes down, and what the worker makes of it.

mod change;
mod opening;
mod resource;
mod watch;
mod worker;

pub use change::{Change, edit, request};
pub use opening::open;
pub use watch::{compare, observed, removed};
pub use worker::{Hands, carry_out, pass, request_due_purges};
