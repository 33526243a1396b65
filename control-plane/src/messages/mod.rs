//! Mails of this plane: queued in the transaction of the fact they tell, sent after it, or captured where no SMTP server is set.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use actions::{Sender, forget_old, queue, send_due};
pub use error::MessageError;
pub use model::{FactorChange, Letter, samples};
pub use permissions::ALL as PERMISSIONS;
pub use routes::captured_routes;
