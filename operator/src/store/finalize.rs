//! What happens to the data when the object goes. Nothing here needs anything of the namespace, which may be going too.

use kube::runtime::controller::Action;
use kube::{Api, ResourceExt as _};
use souk_kernel::Clock;
use souk_provisioner::{State, StoreRecord};
use souk_store_resource::{ConditionType, DeletionPolicy, Reason, Store};

use crate::controller::Operator;
use crate::outcome::{Failure, Retry};
use crate::store::database::owner;
use crate::store::status::{self, Findings};

/// Carries out the deletion policy; the finalizer goes when this succeeds. What keeps it from that is said in the conditions.
pub async fn clean_up(api: &Api<Store>, store: &Store, operator: &Operator) -> Result<Action, Failure> {
    let outcome = settle(store, operator).await.map_err(|failure| Failure {
        message: format!("the deletion waits: {}", failure.message),
        // Blocked is never for good: whoever clears the way need not touch the object.
        retry: Retry::Later,
        ..failure
    });
    if let Err(failure) = &outcome {
        let mut findings = Findings::new(store);
        findings.failed(failure);
        findings.set(ConditionType::Degraded, true, Reason::DeleteBlocked, failure.message.clone());
        // The namespace or the object may be gone already; the failure itself says enough.
        let _ = status::write(api, store, findings, operator).await;
    }
    outcome.map(|()| Action::await_change())
}

async fn settle(store: &Store, operator: &Operator) -> Result<(), Failure> {
    let provisioner = &operator.provisioner;
    let uid = store.uid().unwrap_or_default();
    // Never provisioned, or gone already: nothing is left to settle.
    let Some(record) = provisioner.store_of(&owner(&uid)).await? else { return Ok(()) };
    if record.state == State::Deleted {
        return Ok(());
    }
    let fence = store.metadata.generation.unwrap_or(1).max(record.fence);
    provisioner.revoke_logins(record.store_id).await?;
    match store.spec.deletion_policy {
        DeletionPolicy::Retain => {
            let days = chrono::Duration::days(i64::from(operator.config.retention_days));
            retain(operator, &record, fence, Clock::system().now() + days).await
        }
        DeletionPolicy::Delete => {
            retain(operator, &record, fence, chrono::DateTime::UNIX_EPOCH).await?;
            provisioner.purge(record.store_id, fence).await?;
            Ok(())
        }
    }
}

async fn retain(
    operator: &Operator,
    record: &StoreRecord,
    fence: i64,
    until: chrono::DateTime<chrono::Utc>,
) -> Result<(), Failure> {
    if record.state == State::Deleting && until > chrono::DateTime::UNIX_EPOCH {
        return Ok(());
    }
    operator.provisioner.mark_deleting(record.store_id, fence, until).await?;
    Ok(())
}
