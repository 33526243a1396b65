//! What is done with what a shop says. Every action reads before it writes, so that a refusal costs nothing.

pub mod menus;
pub mod pages;
pub mod policies;

pub use pages::publish_due;

use souk_tenancy::WriteTx;

use super::error::ContentError;

/// What was deleted is seen no more, if it was there.
fn gone(tx: &mut WriteTx<'_>, was_there: bool) -> Result<(), ContentError> {
    if !was_there {
        return Err(ContentError::Unknown);
    }
    tx.catalogue_changed();
    Ok(())
}
