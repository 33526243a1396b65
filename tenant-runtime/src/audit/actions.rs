//! Writing the log, and proving it whole.

use serde_json::{Value, json};
use souk_kernel::AuditEntryId;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{AuditEntry, By, Change, Verdict, digest, hex};
use super::queries;

const PIECE: i64 = 1000;

/// States an act in the log, in its transaction. Two statements. Locks the chain's end until the transaction ends.
///
/// # Errors
/// The database's only.
pub async fn record(
    tx: &mut WriteTx<'_>,
    by: &By,
    action: &str,
    object: &str,
    change: Change<'_>,
    mut details: Value,
) -> Result<(), DbError> {
    if let Value::Object(members) = &mut details {
        let parts = [
            ("reason", by.reason.clone()),
            ("before_sha256", change.before.map(digest)),
            ("after_sha256", change.after.map(digest)),
        ];
        members.extend(parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), json!(part?)))));
    }
    let head = queries::lock_head(tx).await?;
    let mut entry = AuditEntry {
        position: head.position + 1,
        id: AuditEntryId::new(),
        at: tx.now(),
        actor: by.actor.clone(),
        action: action.to_owned(),
        object: object.to_owned(),
        details,
        request_id: Some(by.request_id.clone()).filter(|id| !id.is_empty()),
        previous: head.hash,
        hash: Vec::new(),
    };
    entry.hash = entry.seal(tx.store()).to_vec();
    queries::append(tx, &entry).await
}

/// Walks the whole chain: every entry fits its seal, follows the one before, none is missing, and the last one is the known end.
///
/// # Errors
/// The database's only.
pub async fn verify(tx: &mut ReadTx<'_>) -> Result<Verdict, DbError> {
    let (mut position, mut hash) = (0, vec![0_u8; 32]);
    let broken = |position, hash: &[u8]| Verdict {
        whole: false,
        entries: position,
        broken_at: Some(position + 1),
        last_hash: hex(hash),
    };
    loop {
        let piece = queries::piece(tx, position, PIECE).await?;
        if piece.is_empty() {
            break;
        }
        for entry in piece {
            let fits = entry.position == position + 1 && entry.previous == hash;
            if !fits || entry.seal(tx.store()).as_slice() != entry.hash {
                return Ok(broken(position, &hash));
            }
            (position, hash) = (entry.position, entry.hash);
        }
    }
    let head = queries::head(tx).await?;
    if (head.position, &head.hash) != (position, &hash) {
        return Ok(broken(position, &hash));
    }
    Ok(Verdict { whole: true, entries: position, broken_at: None, last_hash: hex(&hash) })
}
