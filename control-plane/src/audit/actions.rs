//! Writing the log, and proving it whole.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use souk_access::{Chronicle, Deed};
use souk_kernel::{AuditEntryId, OrganizationId};
use souk_tenancy::{DbError, ReadTx, WriteTx};

use super::model::{AuditEntry, By, Subject, Verdict, Was};
use super::queries;

const PIECE: i64 = 1000;

/// The log, as the gate writes it for what accounts do and no capability told itself.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl Chronicle for Log {
    fn look<'t, 'c: 't>(
        &'t self,
        tx: &'t mut ReadTx<'c>,
        deed: &'t Deed,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>> {
        async move {
            // The others tell their story themselves, with what was and what is.
            let own = ["account", "second_factor", "identity", "session"].contains(&deed.permission.object);
            match deed.account.filter(|_| own && deed.organization.is_none()) {
                None => Ok(None),
                Some(account) => queries::digest_of(tx, Subject::Account(account)).await,
            }
        }
        .boxed()
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
    let (organizations, target, after) = match (deed.organization, deed.account) {
        // What tells no story of its own changed nothing there.
        (Some(organization), _) => {
            let after = queries::digest_of(tx, Subject::Organization(organization)).await?;
            (vec![organization], organization.to_string(), after)
        }
        (None, Some(account)) => {
            let after = queries::digest_of(tx, Subject::Account(account)).await?;
            (queries::organizations_of(tx, account).await?, account.to_string(), after)
        }
        (None, None) => return Ok(()),
    };
    let detail = deed.details(after);
    let by = By::from(deed);
    for organization in organizations {
        append(tx, organization, &by, deed.name, target.clone(), detail.clone()).await?;
    }
    Ok(())
}

/// What an act will be about, as it is before it. One statement.
///
/// # Errors
/// The database's only.
pub async fn look(tx: &mut ReadTx<'_>, subject: Subject) -> Result<Was, DbError> {
    Ok(Was { subject, digest: queries::digest_of(tx, subject).await? })
}

/// States a fact in the organization's log, in the transaction of the fact and after it, with digests of what it was about before and is now.
/// Five statements. Locks the chain's end until the transaction ends.
///
/// # Errors
/// The database's only.
pub async fn record(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    by: &By,
    action: &str,
    target: String,
    was: Was,
    mut detail: Value,
) -> Result<(), DbError> {
    let after = queries::digest_of(tx, was.subject).await?;
    if let Value::Object(members) = &mut detail {
        let digests = [("before_sha256", was.digest), ("after_sha256", after)];
        members
            .extend(digests.into_iter().filter_map(|(name, digest)| Some((name.to_owned(), json!(digest?)))));
    }
    append(tx, organization, by, action, target, detail).await
}

async fn append(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    by: &By,
    action: &str,
    target: String,
    mut detail: Value,
) -> Result<(), DbError> {
    if let (Value::Object(members), Some(reason)) = (&mut detail, &by.reason) {
        members.entry("reason").or_insert_with(|| json!(reason));
    }
    queries::start(tx, organization).await?;
    let (position, prev_hash) = queries::lock_head(tx, organization).await?;
    let mut entry = AuditEntry {
        id: AuditEntryId::new(),
        organization_id: organization,
        position: position + 1,
        at: tx.now(),
        actor: by.actor.clone(),
        action: action.to_owned(),
        target,
        detail: detail.to_string(),
        request_id: by.request_id.clone(),
        prev_hash,
        hash: Vec::new(),
    };
    entry.hash = entry.seal().to_vec();
    queries::append(tx, &entry).await?;
    tx.logged();
    Ok(())
}

/// Walks an organization's whole chain: every entry fits its seal, follows the one before, none is missing, and the last one is the known
/// end.
///
/// # Errors
/// The database's only.
pub async fn verify(tx: &mut ReadTx<'_>, organization: OrganizationId) -> Result<Verdict, DbError> {
    let (mut position, mut hash) = (0, vec![0_u8; 32]);
    loop {
        let piece = queries::piece(tx, organization, position, PIECE).await?;
        if piece.is_empty() {
            break;
        }
        for entry in piece {
            let follows = entry.position == position + 1 && entry.prev_hash == hash;
            if !follows || entry.seal().as_slice() != entry.hash {
                return Ok(Verdict::new(false, position, &hash));
            }
            (position, hash) = (entry.position, entry.hash);
        }
    }
    let known = queries::head(tx, organization).await?.unwrap_or_else(|| (0, vec![0_u8; 32]));
    Ok(Verdict::new(known == (position, hash.clone()), position, &hash))
}
