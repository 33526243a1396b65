//! Writing the log, and proving it whole.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use souk_access::{Chronicle, Deed};
use souk_kernel::AuditEntryId;
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{AuditEntry, By, Change, Subject, Verdict, digest, hex, id_in};
use super::queries;

const PIECE: i64 = 1000;

/// The store's log, as the gate writes it for every privileged act that did not tell its own story.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl Chronicle for Log {
    fn look<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>> {
        queries::digest_of(tx, Subject::of(&deed.path)).boxed()
    }

    fn state<'t, 'c: 't>(
        &'t self,
        tx: &'t mut WriteTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        state(tx, deed).boxed()
    }
}

async fn state(tx: &mut WriteTx<'_>, deed: &Deed) -> Result<(), DbError> {
    let mut subject = Subject::of(&deed.path);
    // What was only just made is named in the reply.
    let made = deed.made.as_deref().filter(|_| subject.name.is_empty());
    if let Some(made) = made {
        subject = Subject { name: made, id: id_in(made), ..subject };
    }
    let after = queries::digest_of(tx, subject).await?;
    let object = if subject.name.is_empty() { subject.kind } else { subject.name };
    record(tx, &By::from(deed), deed.name, object, Change::default(), deed.details(after)).await
}

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
    queries::append(tx, &entry).await?;
    tx.logged();
    Ok(())
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
