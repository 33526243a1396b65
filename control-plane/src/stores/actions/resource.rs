//! What the worker makes of a wish where stores are Store objects of a cluster: it states the wish in the object and waits
//! until the operator says that it is in force. Every step may be repeated: the row names the object before it is made,
//! and the object names the row.

use chrono::{DateTime, Utc};
use kube::ResourceExt as _;
use souk_access::ApiKey;
use souk_kernel::StoreId;
use souk_provisioner::{ProvisionError, State};
use souk_store_resource::{KeyDigest, Store as Resource};
use souk_tenancy::WriteTx;

use super::super::error::StoreError;
use super::super::model::{ManagedBy, Store};
use super::super::queries;
use super::super::state::{StoreEvent, StoreState};
use super::worker::{Hands, Outcome};
use crate::accounts::{self, Account};
use crate::audit::{self, By, Subject};
use crate::cluster::{Cluster, ClusterError, Conflict, Place, Verdict, Wish, is_ours, judge, object_name};
use crate::operations::{Keys, Operation, OperationKind};
use crate::plans::PlanId;

impl Hands<'_> {
    pub(super) fn cluster(&self) -> Result<&Cluster, StoreError> {
        self.cluster.ok_or(StoreError::NoCluster)
    }
}

/// What the row says, for a store that is born already. The free plan runs on shared machines.
pub(super) fn wish(store: &Store, suspended: bool) -> Wish<'_> {
    Wish {
        row: store.request_id,
        organization: store.organization_id,
        name: store.name.as_str(),
        handle: store.handle.as_str(),
        plan: store.plan.as_str(),
        pooled: store.plan == PlanId::Free,
        suspended,
        owner_email: "",
        country: store.country.code(),
        currency: store.currency.code(),
        language: &store.locale,
        time_zone: &store.time_zone,
        first_keys: &[],
        adopt: None,
    }
}

/// Makes the object once, and gives the store's id when it serves.
pub(super) async fn open(
    hands: &Hands<'_>,
    store: &Store,
    owner: &Account,
    keys: &Keys,
) -> Result<StoreId, StoreError> {
    let digests = [digest(&keys.publishable_key)?, digest(&keys.secret_key)?];
    let wish = Wish { owner_email: owner.email.as_str(), first_keys: &digests, ..wish(store, false) };
    let object = make(hands, store, &wish).await?;
    demand(&object, |verdict| *verdict == Verdict::Serves)?;
    id_of(&object)
}

/// The key as the store keeps it: the key itself never enters the cluster.
fn digest(text: &str) -> Result<KeyDigest, StoreError> {
    let key =
        ApiKey::parse(text).ok_or_else(|| ProvisionError::Refused("a kept key does not read".into()))?;
    let sha256 = key.digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(KeyDigest { prefix: key.prefix().to_owned(), sha256 })
}

fn id_of(object: &Resource) -> Result<StoreId, StoreError> {
    let id = object.status.as_ref().and_then(|status| status.store_id.as_deref());
    id.and_then(|id| StoreId::parse(id).ok())
        .ok_or_else(|| StoreError::Waiting("the operator has not said the store's id yet".to_owned()))
}

/// Waits, or gives up, unless the operator says what we want to hear.
fn demand(object: &Resource, fits: impl Fn(&Verdict) -> bool) -> Result<(), StoreError> {
    match judge(object) {
        verdict if fits(&verdict) => Ok(()),
        Verdict::Under(what) => Err(StoreError::Waiting(what)),
        Verdict::Refused(why) => Err(ClusterError::Refused(why).into()),
        Verdict::Serves | Verdict::Suspended => {
            Err(StoreError::Waiting("the operator has not looked at it yet".to_owned()))
        }
    }
}

/// The object of a row that has none yet: found again after a crash, or made. A name that somebody else's object has is
/// left to it.
async fn make(hands: &Hands<'_>, store: &Store, wish: &Wish<'_>) -> Result<Resource, StoreError> {
    let cluster = hands.cluster()?;
    let mut place = store.place().ok_or(StoreError::NotInCluster)?;
    if store.resource_uid.is_some() && wish.adopt.is_none() {
        return present(cluster, store).await;
    }
    for other_name in [false, true] {
        if other_name {
            place.name = object_name(store.handle.as_str(), Some(store.request_id));
            bind(hands, store, &place, None).await?;
        }
        let object = match cluster.find(&place).await? {
            Some(live) if !is_ours(&live, store.request_id) => continue,
            Some(live) if live.metadata.deletion_timestamp.is_some() => {
                return Err(StoreError::Waiting("the object before is still going".to_owned()));
            }
            // It was made as wished. What somebody changed since is said once the store serves.
            Some(live) => live,
            None => match cluster.apply(&place, wish, None, false).await {
                // Somebody made an object of this name between our looking and our writing.
                Err(ClusterError::Conflict(_)) => continue,
                outcome => outcome?,
            },
        };
        bind(hands, store, &place, object.metadata.uid.as_deref()).await?;
        return Ok(object);
    }
    Err(ClusterError::Refused(format!("{place} is the name of another Store object")).into())
}

async fn bind(hands: &Hands<'_>, store: &Store, place: &Place, uid: Option<&str>) -> Result<(), StoreError> {
    let request = store.request_id;
    let work =
        async move |tx: &mut WriteTx<'_>| Ok::<_, StoreError>(queries::bind(tx, request, place, uid).await?);
    hands.worker.scope().write("stores.bind", work).await
}

/// The very object of this row; never another of its name.
async fn present(cluster: &Cluster, store: &Store) -> Result<Resource, StoreError> {
    let place = store.place().ok_or(StoreError::NotInCluster)?;
    let live = cluster.find(&place).await?;
    Ok(live.filter(|live| live.metadata.uid == store.resource_uid).ok_or(ClusterError::Gone)?)
}

/// Carries out a change; what it came to is recorded by the caller.
pub(super) async fn apply(
    hands: &Hands<'_>,
    operation: &Operation,
    store: &Store,
) -> Result<Outcome, StoreError> {
    let settled = |event| Outcome { event, purge_after: None, managed_by: None };
    let suspended = store.state == StoreState::Suspended;
    match operation.kind {
        OperationKind::SuspendStore => {
            state(hands, store, true).await?;
            Ok(settled(Some(StoreEvent::Suspended)))
        }
        OperationKind::ResumeStore => {
            state(hands, store, false).await?;
            Ok(settled(Some(StoreEvent::Resumed)))
        }
        OperationKind::UpdateStore | OperationKind::OpenStore => {
            state(hands, store, suspended).await?;
            Ok(settled(None))
        }
        OperationKind::DeleteStore => {
            let purge_after = Some(remove(hands, operation, store).await?);
            Ok(Outcome { event: Some(StoreEvent::Deleted), purge_after, managed_by: None })
        }
        OperationKind::RestoreStore => {
            revive(hands, operation, store).await?;
            Ok(Outcome { managed_by: Some(ManagedBy::ControlPlane), ..settled(Some(StoreEvent::Restored)) })
        }
        OperationKind::PurgeStore => {
            purge(hands, store).await?;
            Ok(settled(Some(StoreEvent::Purged)))
        }
        OperationKind::TakeOverStore => {
            take_over(hands, operation, store).await?;
            Ok(Outcome { managed_by: Some(ManagedBy::ControlPlane), ..settled(None) })
        }
        OperationKind::HandOverStore => {
            let cluster = hands.cluster()?;
            cluster.let_go(&present(cluster, store).await?).await?;
            Ok(Outcome { managed_by: Some(ManagedBy::Kubernetes), ..settled(None) })
        }
    }
}

/// States the row in the object and waits until that is in force. What others own is left to them and said.
async fn state(hands: &Hands<'_>, store: &Store, suspended: bool) -> Result<(), StoreError> {
    let cluster = hands.cluster()?;
    let place = store.place().ok_or(StoreError::NotInCluster)?;
    let live = present(cluster, store).await?;
    match cluster.apply(&place, &wish(store, suspended), Some(live), false).await {
        Ok(object) => {
            let wanted = if suspended { Verdict::Suspended } else { Verdict::Serves };
            demand(&object, |verdict| *verdict == wanted)
        }
        Err(ClusterError::Conflict(conflicts)) => {
            note(hands, store, &conflicts).await?;
            Err(ClusterError::Conflict(conflicts).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows where the two disagree, if that is news.
pub(super) async fn note(hands: &Hands<'_>, store: &Store, conflicts: &[Conflict]) -> Result<(), StoreError> {
    if store.conflicts() == conflicts {
        return Ok(());
    }
    let by = By::worker(hands.worker.actor());
    let work = async move |tx: &mut WriteTx<'_>| {
        let was = audit::look(tx, Subject::Store(store.request_id)).await?;
        queries::manage(tx, store.request_id, store.managed_by, conflicts).await?;
        let (action, target) = ("store.conflicts_changed", target(store));
        let detail = serde_json::json!({ "conflicts": conflicts });
        audit::record(tx, store.organization_id, &by, action, target, was, detail).await?;
        Ok::<_, StoreError>(())
    };
    hands.worker.scope().write("stores.conflicts", work).await
}

pub(super) fn target(store: &Store) -> String {
    store.id.map_or_else(|| store.request_id.to_string(), |id| id.to_string())
}

/// Asks for the object's end and waits for it. Until when its data can be had back is the ledger's to say.
async fn remove(
    hands: &Hands<'_>,
    operation: &Operation,
    store: &Store,
) -> Result<DateTime<Utc>, StoreError> {
    let cluster = hands.cluster()?;
    let place = store.place().ok_or(StoreError::NotInCluster)?;
    if let Some(uid) = &store.resource_uid
        && cluster.delete(&place, uid).await?
    {
        return Err(StoreError::Waiting("the operator settles the store's data".to_owned()));
    }
    let until = operation.created_at + hands.plane.settings().purge_after;
    retained(hands, store, until).await
}

/// The date in the ledger; a store whose operator was kept from settling it is settled here.
async fn retained(
    hands: &Hands<'_>,
    store: &Store,
    until: DateTime<Utc>,
) -> Result<DateTime<Utc>, StoreError> {
    let id = store.id.ok_or(StoreError::Unknown)?;
    let record = hands.provisioner.store(id).await?.ok_or(ProvisionError::Unknown(id))?;
    if ![State::Live, State::Suspended].contains(&record.state) {
        return Ok(record.purge_after.unwrap_or_else(|| hands.plane.clock().now()));
    }
    hands.provisioner.mark_deleting(id, record.fence, until).await?;
    Ok(until)
}

/// A new object that takes up the retained data. The one before is gone for good: its name may be another's by now.
async fn revive(hands: &Hands<'_>, operation: &Operation, store: &Store) -> Result<(), StoreError> {
    let id = store.id.ok_or(StoreError::Unknown)?;
    let requested_by = operation.requested_by;
    let asks = async move |tx: &mut WriteTx<'_>| {
        Ok::<_, StoreError>(match requested_by {
            Some(account) => accounts::find(tx, account).await?,
            None => None,
        })
    };
    let owner = hands.worker.scope().write("stores.revive", asks).await?;
    let owner = owner
        .ok_or_else(|| ProvisionError::Refused("the account that asked for the store is gone".into()))?;
    let suspended = store.state == StoreState::Suspended;
    let wish = Wish { owner_email: owner.email.as_str(), adopt: Some(id), ..wish(store, suspended) };
    let object = make(hands, store, &wish).await?;
    demand(&object, |verdict| matches!(verdict, Verdict::Serves | Verdict::Suspended))
}

async fn purge(hands: &Hands<'_>, store: &Store) -> Result<(), StoreError> {
    let id = store.id.ok_or(StoreError::Unknown)?;
    match hands.provisioner.store(id).await? {
        Some(record) if record.state != State::Deleted => {
            hands.provisioner.purge(id, record.fence).await?;
        }
        _ => {}
    }
    Ok(())
}

/// The object becomes as the row says, whoever else had a say in it; one that is gone is made anew around its data.
async fn take_over(hands: &Hands<'_>, operation: &Operation, store: &Store) -> Result<(), StoreError> {
    let cluster = hands.cluster()?;
    let place = store.place().ok_or(StoreError::NotInCluster)?;
    let suspended = store.state == StoreState::Suspended;
    match present(cluster, store).await {
        Ok(live) => {
            let object = cluster.take(&place, &wish(store, suspended), live).await?;
            demand(&object, |verdict| matches!(verdict, Verdict::Serves | Verdict::Suspended))
        }
        Err(StoreError::Cluster(ClusterError::Gone)) => {
            // Retained by hand: nobody settled it when the object went.
            retained(hands, store, operation.created_at + hands.plane.settings().purge_after).await?;
            revive(hands, operation, store).await
        }
        Err(error) => Err(error),
    }
}

/// The object of a store that was given up goes, as far as it can be reached now; otherwise when it is next heard of.
pub(super) async fn abandon(hands: &Hands<'_>, store: &Store) {
    let (Some(cluster), Some(place)) = (hands.cluster, store.place()) else { return };
    let gone = async {
        match cluster.find(&place).await? {
            Some(object) if is_ours(&object, store.request_id) => forget(hands, &object).await,
            _ => Ok(()),
        }
    };
    if let Err(error) = gone.await {
        tracing::warn!(%place, %error, "the object of a store that could not be opened is left for now");
    }
}

/// The object of a store that could not be opened goes: it would hold the name.
pub(super) async fn forget(hands: &Hands<'_>, object: &Resource) -> Result<(), StoreError> {
    let place = Place { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    if let Some(uid) = &object.metadata.uid {
        hands.cluster()?.delete(&place, uid).await?;
    }
    Ok(())
}
