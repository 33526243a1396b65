//! Pictures that others gave us.
//!
//! [`sniff`] says what bytes are, by looking at them; [`develop`] decodes them in limits and writes them anew, so that what is kept and shown is
//! pixels of ours and nothing that was hidden beside them; [`render`] makes one of a closed list of sizes. All of it is arithmetic on bytes in
//! memory that blocks for up to some hundred milliseconds: call it where blocking is allowed.

mod colour;
mod develop;
mod limits;
mod refused;
mod size;
mod sniff;

pub use develop::{Master, develop};
pub use limits::Limits;
pub use refused::Refused;
pub use size::{Format, Rendered, Size, WIDTHS, render};
pub use sniff::{Kind, sniff};
