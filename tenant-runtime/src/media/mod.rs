//! Files of pictures: taken in limits, kept once, shown in sizes, put away when nothing shows them.
//!
//! The [`Darkroom`] does what costs processor time, on threads that may block and few at a time, and keeps bytes in an object store, or leaves
//! them to the store's own tables where none is configured. A file is announced before its bytes are put down and kept in the transaction that
//! shows it, so whatever breaks between leaves something that [`tidy`] finds. What a file belongs to is for rooms above: they hold its id, and a
//! trigger lets it go with what held it.

mod actions;
mod error;
mod model;
mod queries;

pub use actions::{Darkroom, Fetcher, Missed, Shelf, ShelfError, announce, keep, sweep, tidy};
pub use error::{CATALOGUE, MediaError};
pub use model::{Developed, MOST_BYTES, Original, Shown};
