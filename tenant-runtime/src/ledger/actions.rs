//! Booking: the one way an entry gets into the journal.

use souk_kernel::JournalEntryId;
use souk_tenancy::WriteTx;

use super::error::LedgerError;
use super::model::Entry;
use super::queries;

/// Posts one entry in the fact's own transaction. One statement.
///
/// # Errors
/// [`LedgerError::AlreadyBooked`] if the fact is in the journal; the transaction is still good then.
pub async fn post(tx: &mut WriteTx<'_>, entry: Entry) -> Result<JournalEntryId, LedgerError> {
    let id = JournalEntryId::new();
    let entries = [(id, entry)];
    post_with(tx, &entries).await?;
    Ok(id)
}

/// Posts several entries in one statement, all or none. No entries, no statement.
///
/// # Errors
/// As [`post`], for the first fact that was booked before. The others are then in the transaction already: roll it back,
/// or know that the repeated fact was the only one that could be.
pub async fn post_all(tx: &mut WriteTx<'_>, entries: Vec<Entry>) -> Result<Vec<JournalEntryId>, LedgerError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Vec<_> = entries.into_iter().map(|entry| (JournalEntryId::new(), entry)).collect();
    post_with(tx, &entries).await?;
    Ok(entries.into_iter().map(|(id, _)| id).collect())
}

async fn post_with(tx: &mut WriteTx<'_>, entries: &[(JournalEntryId, Entry)]) -> Result<(), LedgerError> {
    let booked = queries::post(tx, entries).await?;
    match entries.iter().find(|(_, entry)| !booked.iter().any(|fact| fact == entry.fact())) {
        Some((_, entry)) => Err(LedgerError::AlreadyBooked(entry.fact().to_owned())),
        None => Ok(()),
    }
}
