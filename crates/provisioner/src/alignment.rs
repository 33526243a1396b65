//! Bringing what the ledger says of a store to what its owner wants, and giving retained data to a new owner.
use souk_kernel::StoreId;

use crate::Provisioner;
use crate::claim::check_hosts;
use crate::error::ProvisionError;
use crate::ledger::{self, Owner, State, StoreRecord};
use crate::life_cycle::{check_fence, wrong_state};

/// Everything an owner decides about a living store.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    pub handle: String,
    pub name: String,
    pub hosts: Vec<String>,
    pub plan: serde_json::Value,
    pub suspended: bool,
    /// Where the owner lives.
    pub scope: String,
}

impl Alignment {
    /// True when the ledger says all of this already.
    #[must_use]
    pub fn holds(&self, record: &StoreRecord) -> bool {
        let state = if self.suspended { State::Suspended } else { State::Live };
        record.state == state
            && record.handle == self.handle
            && record.name == self.name
            && record.hosts == self.hosts
            && record.plan == self.plan
            && record.owner_scope.as_deref() == Some(&self.scope)
    }
}

impl Provisioner {
    /// Makes the ledger say what the owner wants, in one transaction; nothing to do = nothing written. Needs `fence` ≥ the
    /// ledger's. A host of another store: `HostTaken`, nothing changed. Locks the store (advisory).
    pub async fn align(
        &self,
        store: StoreId,
        fence: i64,
        wanted: &Alignment,
    ) -> Result<StoreRecord, ProvisionError> {
        check_hosts(&wanted.hosts)?;
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        check_fence(&record, fence)?;
        if ![State::Live, State::Suspended].contains(&record.state) {
            return Err(wrong_state(store, record.state, "change"));
        }
        if !wanted.holds(&record) {
            record.handle.clone_from(&wanted.handle);
            record.name.clone_from(&wanted.name);
            record.hosts.clone_from(&wanted.hosts);
            record.plan.clone_from(&wanted.plan);
            record.state = if wanted.suspended { State::Suspended } else { State::Live };
            record.owner_scope = Some(wanted.scope.clone());
            record.fence = fence;
            ledger::rewrite(&client, &record).await?;
            ledger::set_scope(&client, store, &wanted.scope).await?;
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }

    /// Gives retained data (a store that is deleting and was once live) to a new owner of the same kind from the same scope,
    /// who has no store yet; the store lives again. Repeated by the same owner: nothing to do. Anybody else: `Refused`.
    /// Locks the owner, then the store (advisory).
    pub async fn adopt(
        &self,
        store: StoreId,
        owner: &Owner,
        scope: &str,
        fence: i64,
    ) -> Result<StoreRecord, ProvisionError> {
        let known = self.store(store).await?.ok_or(ProvisionError::Unknown(store))?;
        let born = known.state == State::Deleting && self.was_seeded(&known).await?;
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        let has = ledger::lock_owner(&client, owner).await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        match has {
            Some(own) if own.store_id == store && own.state != State::Deleting => {}
            Some(own) if own.store_id != store => {
                return Err(ProvisionError::Refused(format!(
                    "this owner has a store already: {}",
                    own.store_id
                )));
            }
            _ => {
                // One answer for everything that is not theirs, so that nobody learns which ids exist.
                let right = record.owner_scope.as_deref() == Some(scope)
                    && record.owner.as_ref().is_some_and(|before| before.kind == owner.kind);
                if !right || record.state != State::Deleting || !born {
                    return Err(ProvisionError::Refused(format!(
                        "{store} holds no retained data of {scope}"
                    )));
                }
                record.state = State::Live;
                record.purge_after = None;
                record.fence = fence;
                ledger::hand_over(&client, store, owner, scope).await?;
                ledger::rewrite(&client, &record).await?;
                record.owner = Some(owner.clone());
            }
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }
}
