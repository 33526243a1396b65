//! Orders over HTTP: what staff sees and does. How they come about is told in `checkout`.

mod cancelling;
mod claiming;
mod reading;
mod refunds;
