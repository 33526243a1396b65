//! Asking for a change of a store's life or name.

use serde_json::{Value, json};
use souk_api::{ETag, IfMatch};
use souk_kernel::{AccountId, OperationId, StoreId};
use souk_tenancy::WriteTx;

use super::super::error::StoreError;
use super::super::model::{EditStore, ManagedBy, Store};
use super::super::queries;
use super::super::state::StoreEvent;
use super::opening::demand_place;
use crate::audit::{self, By, Subject};
use crate::operations::{self, NewOperation, OperationKind};
use crate::organizations;

/// A change that a worker carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Suspend,
    Resume,
    Delete,
    Restore,
    TakeOver,
    HandOver,
}

impl Change {
    const fn kind(self) -> OperationKind {
        match self {
            Self::Suspend => OperationKind::SuspendStore,
            Self::Resume => OperationKind::ResumeStore,
            Self::Delete => OperationKind::DeleteStore,
            Self::Restore => OperationKind::RestoreStore,
            Self::TakeOver => OperationKind::TakeOverStore,
            Self::HandOver => OperationKind::HandOverStore,
        }
    }

    /// What happens to the store's life; nothing where only the word changes hands.
    const fn event(self) -> Option<StoreEvent> {
        match self {
            Self::Suspend => Some(StoreEvent::Suspended),
            Self::Resume => Some(StoreEvent::Resumed),
            Self::Delete => Some(StoreEvent::Deleted),
            Self::Restore => Some(StoreEvent::Restored),
            Self::TakeOver | Self::HandOver => None,
        }
    }

    /// Refused where somebody else's word counts, or where there is nothing to have a word about.
    fn check(self, store: &Store) -> Result<(), StoreError> {
        match self {
            Self::TakeOver | Self::HandOver if store.resource.is_none() => Err(StoreError::NotInCluster),
            Self::TakeOver | Self::HandOver if !store.state.can_be_renamed() => {
                Err(StoreError::State(store.state))
            }
            Self::HandOver | Self::Suspend | Self::Resume | Self::Delete => demand_ours(store),
            Self::TakeOver | Self::Restore => Ok(()),
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Suspend => "store.suspend_requested",
            Self::Resume => "store.resume_requested",
            Self::Delete => "store.delete_requested",
            Self::Restore => "store.restore_requested",
            Self::TakeOver => "store.take_over_requested",
            Self::HandOver => "store.hand_over_requested",
        }
    }
}

/// Refused while the cluster's word counts.
fn demand_ours(store: &Store) -> Result<(), StoreError> {
    match store.managed_by {
        ManagedBy::ControlPlane => Ok(()),
        ManagedBy::Kubernetes => Err(StoreError::ManagedInCluster),
    }
}

/// Writes down the wish for a change; 409 when the store's state does not allow it or it has unfinished work. A restored
/// store needs a place in the quota again. `confirm` must be the handle, where one is needed.
pub async fn request(
    tx: &mut WriteTx<'_>,
    by: &By,
    account: AccountId,
    id: StoreId,
    change: Change,
    confirm: Option<&str>,
) -> Result<OperationId, StoreError> {
    let store = queries::lock(tx, id).await?.ok_or(StoreError::Unknown)?;
    if confirm.is_some_and(|typed| typed != store.handle.as_str()) {
        return Err(StoreError::NotConfirmed(store.handle.to_string()));
    }
    change.check(&store)?;
    if let Some(event) = change.event() {
        store.state.on(event)?;
    }
    if change == Change::Restore {
        organizations::lock(tx, store.organization_id).await?.ok_or(StoreError::Unknown)?;
        demand_place(tx, store.organization_id, store.plan).await?;
    }
    let was = audit::look(tx, Subject::Store(store.request_id)).await?;
    let operation = submit(tx, &store, change.kind(), Some(account), json!({})).await?;
    audit::record(tx, store.organization_id, by, change.action(), id.to_string(), was, json!({})).await?;
    Ok(operation)
}

pub(super) async fn submit(
    tx: &mut WriteTx<'_>,
    store: &Store,
    kind: OperationKind,
    requested_by: Option<AccountId>,
    input: Value,
) -> Result<OperationId, StoreError> {
    let operation = NewOperation {
        id: OperationId::new(),
        kind,
        organization: store.organization_id,
        store_request: store.request_id,
        requested_by,
        input,
    };
    operations::submit(tx, &operation).await?;
    Ok(operation.id)
}

/// Renames the store, or gives it another plan, here at once and queues the work that tells the runtimes. The old handle stays the
/// organization's for 30 days, so that nobody else's store can answer at it meanwhile. Another plan needs a place in its quota; with a
/// smaller one everything stays that is there, and nothing is added until there is less than it allows. `may_choose` says whether
/// the plan is the caller's to choose.
pub async fn edit(
    tx: &mut WriteTx<'_>,
    by: &By,
    account: AccountId,
    id: StoreId,
    if_match: &IfMatch,
    wish: &EditStore,
    may_choose: bool,
) -> Result<(Store, Option<OperationId>), StoreError> {
    let before = queries::lock(tx, id).await?.ok_or(StoreError::Unknown)?;
    if_match.check(&ETag::new(before.version))?;
    let name = wish.name.as_ref().unwrap_or(&before.name);
    let handle = wish.handle.as_ref().unwrap_or(&before.handle);
    let plan = wish.plan.unwrap_or(before.plan);
    let renamed = *name != before.name || *handle != before.handle;
    if plan != before.plan && !may_choose {
        return Err(StoreError::PlanNotTheirs);
    }
    if !renamed && plan == before.plan {
        return Ok((before, None));
    }
    demand_ours(&before)?;
    if !before.state.can_be_renamed() {
        return Err(StoreError::State(before.state));
    }
    if *handle != before.handle {
        if handle.skeleton() != before.handle.skeleton() {
            queries::release_name(tx, &before.handle, true).await?;
        }
        if !queries::take_name(tx, handle, before.organization_id, before.request_id).await? {
            return Err(StoreError::HandleTaken);
        }
    }
    if plan != before.plan {
        organizations::lock(tx, before.organization_id).await?.ok_or(StoreError::Unknown)?;
        demand_place(tx, before.organization_id, plan).await?;
    }
    let was = audit::look(tx, Subject::Store(before.request_id)).await?;
    let after = queries::edit(tx, before.request_id, name, handle, plan).await?;
    let operation = submit(tx, &after, OperationKind::UpdateStore, Some(account), json!({})).await?;
    if renamed {
        let detail = json!({
            "name": { "from": before.name, "to": after.name },
            "handle": { "from": before.handle, "to": after.handle },
        });
        let (was, action) = (was.clone(), "store.renamed");
        audit::record(tx, after.organization_id, by, action, id.to_string(), was, detail).await?;
    }
    if after.plan != before.plan {
        let detail = json!({ "from": before.plan, "to": after.plan });
        let action = "store.plan_changed";
        audit::record(tx, after.organization_id, by, action, id.to_string(), was, detail).await?;
    }
    Ok((after, Some(operation)))
}
