//! Writing the log.

use serde_json::Value;
use souk_kernel::{AuditEntryId, OrganizationId};
use souk_tenancy::{DbError, WriteTx};

use super::model::{AuditEntry, By};
use super::queries;

/// States a fact in the organization's log, in the transaction of the fact. Locks the chain's end until it commits.
pub async fn record(
    tx: &mut WriteTx<'_>,
    organization: OrganizationId,
    by: &By,
    action: &str,
    target: String,
    detail: Value,
) -> Result<(), DbError> {
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
    queries::append(tx, &entry).await
}
