//! What is heard of Store objects: operations that wait for one go on, stores that were first made with kubectl get a row,
//! and a row follows its object to its end. Nothing that was deleted is ever made anew from here.

use std::collections::HashSet;

use kube::ResourceExt as _;
use serde_json::json;
use souk_kernel::{Country, Currency, HostLabel, OperationId, OrganizationId, StoreId, Text};
use souk_provisioner::State;
use souk_store_resource::{DesiredState, Store as Resource};
use souk_tenancy::{ReadTx, TenancyError, WriteTx};
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::model::{Defaults, ManagedBy, Store};
use super::super::queries;
use super::super::state::{StoreEvent, StoreState};
use super::resource::{forget, note, target, wish};
use super::worker::Hands;
use crate::audit::{self, By, Subject, Was};
use crate::cluster::{ClusterError, Conflict, row_of};
use crate::operations;
use crate::organizations;
use crate::plans::PlanId;

/// Looks at an object that was made, changed, or listed.
pub async fn observed(hands: &Hands<'_>, object: &Resource) -> Result<(), StoreError> {
    let Some(uid) = object.metadata.uid.clone() else { return Ok(()) };
    let claimed = row_of(object);
    let find = async move |tx: &mut ReadTx<'_>| {
        let row = match queries::find_object(tx, &uid).await? {
            Some(row) => Some(row),
            // Made a moment ago, by a worker that has not noted it yet.
            None => match claimed {
                Some(request) => queries::find_request(tx, request).await?.filter(|row| names(row, object)),
                None => None,
            },
        };
        let busy = match &row {
            Some(row) => operations::unfinished(tx, row.request_id).await?.is_some(),
            None => false,
        };
        Ok::<_, StoreError>((row, busy))
    };
    let (row, busy) = hands.worker.scope().read("stores.observe", find).await?;
    match row {
        Some(row) if busy => nudge(hands, row.request_id).await,
        Some(row) => settle(hands, &row, object).await,
        None if object.metadata.deletion_timestamp.is_none() => import(hands, object).await,
        None => Ok(()),
    }
}

/// Whether the row is about to have an object of this name.
fn names(row: &Store, object: &Resource) -> bool {
    row.namespace == object.namespace() && row.resource.as_deref() == object.metadata.name.as_deref()
}

async fn nudge(hands: &Hands<'_>, request: OperationId) -> Result<(), StoreError> {
    let work = async move |tx: &mut WriteTx<'_>| Ok::<_, StoreError>(operations::nudge(tx, request).await?);
    if hands.worker.scope().write("stores.nudge", work).await? {
        hands.plane.wake();
    }
    Ok(())
}

/// Nothing is under way: row and object shall say the same, in the words of whoever manages it.
async fn settle(hands: &Hands<'_>, row: &Store, object: &Resource) -> Result<(), StoreError> {
    if row.resource_uid != object.metadata.uid || object.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    match (row.state, row.managed_by) {
        (StoreState::Failed, ManagedBy::ControlPlane) => forget(hands, object).await,
        (StoreState::Live | StoreState::Suspended, ManagedBy::ControlPlane) => keep(hands, row, object).await,
        (StoreState::Live | StoreState::Suspended, ManagedBy::Kubernetes) => {
            note(hands, row, &[]).await?;
            copy(hands, row, object).await
        }
        _ => Ok(()),
    }
}

/// What we own is put right; what others own is said.
async fn keep(hands: &Hands<'_>, row: &Store, object: &Resource) -> Result<(), StoreError> {
    let place = row.place().ok_or(StoreError::NotInCluster)?;
    let wish = wish(row, row.state == StoreState::Suspended);
    match hands.cluster()?.apply(&place, &wish, Some(object.clone()), false).await {
        Ok(_) => note(hands, row, &[]).await,
        Err(ClusterError::Conflict(conflicts)) => note(hands, row, &conflicts).await,
        // Going at this moment; that will be heard too.
        Err(ClusterError::Gone) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What an object says, in the words of a row. `None` while it says something no row can say.
struct Said {
    name: Text<120>,
    handle: HostLabel,
    plan: PlanId,
    state: StoreState,
}

impl Said {
    fn by(object: &Resource) -> Option<Self> {
        let spec = &object.spec;
        Some(Self {
            name: Text::parse(&spec.display_name).ok()?,
            handle: HostLabel::parse(spec.handle.as_deref().unwrap_or(&object.name_any())).ok()?,
            plan: spec.plan.parse().ok()?,
            state: match spec.state {
                DesiredState::Active => StoreState::Live,
                DesiredState::Suspended => StoreState::Suspended,
            },
        })
    }
}

/// The row says what the object says.
async fn copy(hands: &Hands<'_>, row: &Store, object: &Resource) -> Result<(), StoreError> {
    let Some(said) = Said::by(object) else { return Ok(()) };
    let same = (&row.name, &row.handle, row.plan) == (&said.name, &said.handle, said.plan);
    if same && row.state == said.state {
        return Ok(());
    }
    let by = By::worker(hands.worker.actor());
    let work = async move |tx: &mut WriteTx<'_>| {
        let row = queries::lock_request(tx, row.request_id).await?;
        // A name that is another store's stays as it was here; the operator will have said the same of its host.
        let handle = if said.handle == row.handle {
            row.handle.clone()
        } else if queries::take_name(tx, &said.handle, row.organization_id, row.request_id).await? {
            if row.handle.skeleton() != said.handle.skeleton() {
                queries::release_name(tx, &row.handle, true).await?;
            }
            said.handle.clone()
        } else {
            row.handle.clone()
        };
        let was = audit::look(tx, Subject::Store(row.request_id)).await?;
        queries::copy(tx, row.request_id, &said.name, &handle, said.plan).await?;
        let event = match said.state {
            StoreState::Suspended => StoreEvent::Suspended,
            _ => StoreEvent::Resumed,
        };
        if let Ok(to) = row.state.on(event) {
            queries::advance(tx, row.request_id, row.state, to, None).await?;
        }
        let detail = json!({ "name": said.name, "handle": handle, "plan": said.plan, "state": said.state });
        let action = "store.changed_in_cluster";
        audit::record(tx, row.organization_id, &by, action, target(&row), was, detail).await?;
        Ok::<_, StoreError>(())
    };
    hands.worker.scope().write("stores.copy", work).await
}

/// A store that was first made with kubectl, in a namespace that the cluster's administrators gave to an organization (or
/// among our own objects, whose row was lost), gets a row once it has an id.
async fn import(hands: &Hands<'_>, object: &Resource) -> Result<(), StoreError> {
    let namespace = object.namespace().unwrap_or_default();
    let id = object.status.as_ref().and_then(|status| status.store_id.as_deref());
    let Some(id) = id.and_then(|id| StoreId::parse(id).ok()) else { return Ok(()) };
    let Some(said) = Said::by(object) else { return Ok(()) };
    let label = match hands.cluster()?.organization_of(&namespace).await? {
        None if hands.plane.settings().store_namespace.as_deref() == Some(&namespace) => {
            crate::cluster::labelled(object)
        }
        label => label,
    };
    let Some(organization) = label else { return Ok(()) };
    let Some(row) = row_for(object, said, organization, id, hands) else { return Ok(()) };
    let by = By::worker(hands.worker.actor());
    let place = row.place();
    let work = async move |tx: &mut WriteTx<'_>| {
        if organizations::lock(tx, organization).await?.is_none() {
            tracing::warn!(?place, %organization, "a Store is labelled with an organization that does not exist");
            return Ok(());
        }
        match queries::lock(tx, id).await? {
            Some(known) => rebind(tx, &by, &known, &row).await,
            None => insert(tx, &by, &row).await,
        }
    };
    match hands.worker.scope().write("stores.import", work).await {
        // Another process of ours was quicker.
        Err(StoreError::Database(TenancyError::Db(error))) if error.is_unique("stores_resource_uid") => {
            Ok(())
        }
        outcome => outcome,
    }
}

fn row_for(
    object: &Resource,
    said: Said,
    organization: OrganizationId,
    id: StoreId,
    hands: &Hands<'_>,
) -> Option<Store> {
    let country = Country::parse(&object.spec.locale.country).ok()?;
    let own = object.spec.locale.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let now = hands.plane.clock().now();
    Some(Store {
        request_id: OperationId::new(),
        id: Some(id),
        organization_id: organization,
        name: said.name,
        handle: said.handle,
        country,
        currency: own.or_else(|| Defaults::of(country).map(|it| it.currency))?,
        locale: object.spec.locale.language.clone(),
        time_zone: object.spec.locale.timezone.clone(),
        plan: said.plan,
        state: said.state,
        purge_after: None,
        created_at: now,
        updated_at: now,
        version: 1,
        namespace: object.namespace(),
        resource: object.metadata.name.clone(),
        resource_uid: object.metadata.uid.clone(),
        managed_by: ManagedBy::Kubernetes,
        conflicts: json!([]),
    })
}

/// A known store whose data a new object took up: restored in the cluster.
async fn rebind(tx: &mut WriteTx<'_>, by: &By, known: &Store, row: &Store) -> Result<(), StoreError> {
    let restored = known.state.on(StoreEvent::Restored);
    let (Ok(to), Some(place)) = (restored, row.place()) else { return Ok(()) };
    if known.organization_id != row.organization_id {
        return Ok(());
    }
    let was = audit::look(tx, Subject::Store(known.request_id)).await?;
    queries::bind(tx, known.request_id, &place, row.resource_uid.as_deref()).await?;
    queries::advance(tx, known.request_id, known.state, to, None).await?;
    queries::manage(tx, known.request_id, ManagedBy::Kubernetes, &[]).await?;
    let detail = json!({ "namespace": place.namespace, "name": place.name });
    let action = "store.restored_in_cluster";
    Ok(audit::record(tx, known.organization_id, by, action, target(known), was, detail).await?)
}

async fn insert(tx: &mut WriteTx<'_>, by: &By, row: &Store) -> Result<(), StoreError> {
    queries::insert(tx, row).await?;
    if !queries::take_name(tx, &row.handle, row.organization_id, row.request_id).await? {
        // Its host is its own all the same: the ledger decided. Only the name is not held for it here.
        tracing::warn!(handle = %row.handle, "an imported store's name is held for another one");
    }
    let detail = json!({ "namespace": row.namespace, "name": row.resource, "handle": row.handle });
    let was = Was::nothing(Subject::Store(row.request_id));
    Ok(audit::record(tx, row.organization_id, by, "store.imported", target(row), was, detail).await?)
}

/// An object went away.
pub async fn removed(hands: &Hands<'_>, object: &Resource) -> Result<(), StoreError> {
    let Some(uid) = object.metadata.uid.clone() else { return Ok(()) };
    let find = async move |tx: &mut ReadTx<'_>| Ok::<_, StoreError>(queries::find_object(tx, &uid).await?);
    match hands.worker.scope().read("stores.removed", find).await? {
        Some(row) => vanished(hands, &row).await,
        None => Ok(()),
    }
}

/// Compares every row that should have an object with all the objects there are.
pub async fn compare(hands: &Hands<'_>, present: &HashSet<String>) -> Result<(), StoreError> {
    let mut after = OperationId::from_uuid(Uuid::nil());
    loop {
        let page = async move |tx: &mut ReadTx<'_>| {
            Ok::<_, StoreError>(queries::with_objects(tx, after, 500).await?)
        };
        let rows = hands.worker.scope().read("stores.compare", page).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.request_id;
        for row in
            rows.iter().filter(|row| !row.resource_uid.as_ref().is_some_and(|uid| present.contains(uid)))
        {
            vanished(hands, row).await?;
        }
    }
}

/// The object is gone. Where its data was settled, the store was deleted; where it was not (another cluster answers, or its
/// past does), nothing happens but that a person is told.
async fn vanished(hands: &Hands<'_>, row: &Store) -> Result<(), StoreError> {
    let request = row.request_id;
    let look =
        async move |tx: &mut ReadTx<'_>| Ok::<_, StoreError>(operations::unfinished(tx, request).await?);
    if hands.worker.scope().read("stores.busy", look).await?.is_some() {
        return nudge(hands, request).await;
    }
    let (Some(id), Ok(to)) = (row.id, row.state.on(StoreEvent::Deleted)) else { return Ok(()) };
    if let Some(place) = row.place() {
        let there = hands.cluster()?.find(&place).await?;
        if there.is_some_and(|object| object.metadata.uid == row.resource_uid) {
            // Made after the listing.
            return Ok(());
        }
    }
    let record = hands.provisioner.store(id).await?;
    let purge_after = match record {
        Some(record) if record.state == State::Deleting => record.purge_after,
        Some(record) if record.state == State::Deleted => Some(hands.plane.clock().now()),
        _ => return note(hands, row, &[Conflict::Gone]).await,
    };
    let by = By::worker(hands.worker.actor());
    let work = async move |tx: &mut WriteTx<'_>| {
        let was = audit::look(tx, Subject::Store(request)).await?;
        if queries::advance(tx, request, row.state, to, purge_after).await? {
            let (action, detail) = ("store.deleted_in_cluster", json!({ "purge_after": purge_after }));
            audit::record(tx, row.organization_id, &by, action, target(row), was, detail).await?;
        }
        Ok::<_, StoreError>(())
    };
    hands.worker.scope().write("stores.vanished", work).await
}
