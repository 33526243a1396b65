//! What happens to a store after its birth: suspended, renamed, moved to other hosts, deleted, restored, purged.
use chrono::{DateTime, Utc};
use souk_kernel::StoreId;

use crate::Provisioner;
use crate::claim::check_hosts;
use crate::error::ProvisionError;
use crate::ledger::{self, Owner, State, StoreRecord};
use crate::{login, migrate};

impl Provisioner {
    /// The ledger's row, or none.
    pub async fn store(&self, store: StoreId) -> Result<Option<StoreRecord>, ProvisionError> {
        let client = self.connections().lend().await?;
        let record = ledger::by_id(&client, store).await?;
        client.keep();
        Ok(record)
    }

    /// The store of an owner, in whatever state it is.
    pub async fn store_of(&self, owner: &Owner) -> Result<Option<StoreRecord>, ProvisionError> {
        let client = self.connections().lend().await?;
        let record = ledger::by_owner(&client, owner).await?;
        client.keep();
        Ok(record)
    }

    /// Live → suspended; runtimes hear of it at once. Done already = nothing to do. Needs `fence` ≥ the ledger's, as every order below.
    pub async fn suspend(&self, store: StoreId, fence: i64) -> Result<StoreRecord, ProvisionError> {
        self.change(store, fence, "suspend", &[State::Live, State::Suspended], |it| {
            it.state = State::Suspended
        })
        .await
    }

    /// Suspended → live.
    pub async fn resume(&self, store: StoreId, fence: i64) -> Result<StoreRecord, ProvisionError> {
        self.change(store, fence, "resume", &[State::Live, State::Suspended], |it| it.state = State::Live)
            .await
    }

    /// New name and handle in the ledger; schema and role keep their names for ever. Hosts are [`Provisioner::set_hosts`].
    pub async fn rename(
        &self,
        store: StoreId,
        fence: i64,
        handle: &str,
        name: &str,
    ) -> Result<StoreRecord, ProvisionError> {
        let change = |it: &mut StoreRecord| {
            handle.clone_into(&mut it.handle);
            name.clone_into(&mut it.name);
        };
        self.change(store, fence, "rename", &[State::Live, State::Suspended], change).await
    }

    /// All the hosts the store answers at from now on. One that belongs to another store: `HostTaken`, nothing changed.
    pub async fn set_hosts(
        &self,
        store: StoreId,
        fence: i64,
        hosts: Vec<String>,
    ) -> Result<StoreRecord, ProvisionError> {
        check_hosts(&hosts)?;
        self.change(store, fence, "change hosts", &[State::Live, State::Suspended], |it| it.hosts = hosts)
            .await
    }

    /// Another plan; the runtimes keep its limits as soon as they hear of it.
    pub async fn set_plan(
        &self,
        store: StoreId,
        fence: i64,
        plan: serde_json::Value,
    ) -> Result<StoreRecord, ProvisionError> {
        self.change(store, fence, "change the plan", &[State::Live, State::Suspended], |it| it.plan = plan)
            .await
    }

    /// Stops serving; the data stays until `purge_after` and can be restored until then. Hosts stay taken meanwhile.
    pub async fn mark_deleting(
        &self,
        store: StoreId,
        fence: i64,
        purge_after: DateTime<Utc>,
    ) -> Result<StoreRecord, ProvisionError> {
        let from = [State::Live, State::Suspended, State::Provisioning, State::Deleting];
        let change = |it: &mut StoreRecord| {
            it.state = State::Deleting;
            it.purge_after = Some(purge_after);
        };
        self.change(store, fence, "delete", &from, change).await
    }

    /// Deleting → live with all its data. A store that was deleted before it was ever live goes on provisioning: claim it again.
    pub async fn restore(&self, store: StoreId, fence: i64) -> Result<StoreRecord, ProvisionError> {
        let record = self.store(store).await?.ok_or(ProvisionError::Unknown(store))?;
        let born = self.was_seeded(&record).await?;
        let change = |it: &mut StoreRecord| {
            if it.state == State::Deleting {
                it.state = if born { State::Live } else { State::Provisioning };
            }
            it.purge_after = None;
        };
        self.change(store, fence, "restore", &[State::Deleting, State::Live], change).await
    }

    /// Removes schema and role of a deleting store whose time is over (by the database's clock), in one transaction of its own.
    /// The ledger row stays: the id is never used again. Purged already = nothing to do.
    pub async fn purge(&self, store: StoreId, fence: i64) -> Result<StoreRecord, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '2s'").await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        check_fence(&record, fence)?;
        let rows = client.query_typed("SELECT now()", &[]).await?;
        let now: Option<DateTime<Utc>> = rows.first().map(|row| row.get(0));
        match record.state {
            State::Deleted => {}
            State::Deleting if record.purge_after <= now => {
                let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE;", record.schema);
                client.batch_execute(&drop).await?;
                login::drop_logins(&client, store).await?;
                client.batch_execute(&format!("DROP ROLE IF EXISTS {};", record.role)).await?;
                record.state = State::Deleted;
                record.hosts.clear();
                record.fence = fence;
                ledger::rewrite(&client, &record).await?;
            }
            state => return Err(wrong_state(store, state, "purge")),
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }

    /// Purges every deleting store whose time is over at `now`; one that fails is logged and left for the next time. Returns how many went.
    pub async fn purge_due(&self, now: DateTime<Utc>) -> Result<usize, ProvisionError> {
        let client = self.connections().lend().await?;
        let due = ledger::due_for_purge(&client, now).await?;
        client.keep();
        let mut purged = 0;
        for record in due {
            match self.purge(record.store_id, record.fence).await {
                Ok(_) => purged += 1,
                Err(error) => {
                    tracing::warn!(store = %record.store_id, %error, "a store could not be purged yet")
                }
            }
        }
        Ok(purged)
    }

    pub(crate) async fn was_seeded(&self, record: &StoreRecord) -> Result<bool, ProvisionError> {
        let client = self.connections().lend().await?;
        let mut born = migrate::applied(&client, &record.schema).await?.is_some();
        let table = format!("SELECT to_regclass('{}.store_settings') IS NOT NULL", record.schema);
        let has_settings = client.query_typed(&table, &[]).await?.first().is_some_and(|row| row.get(0));
        if born && has_settings {
            let row = format!("SELECT 1 FROM {}.store_settings LIMIT 1", record.schema);
            born = !client.query_typed(&row, &[]).await?.is_empty();
        }
        client.keep();
        Ok(born)
    }

    async fn change(
        &self,
        store: StoreId,
        fence: i64,
        wanted: &'static str,
        from: &[State],
        change: impl FnOnce(&mut StoreRecord),
    ) -> Result<StoreRecord, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        check_fence(&record, fence)?;
        if !from.contains(&record.state) {
            return Err(wrong_state(store, record.state, wanted));
        }
        change(&mut record);
        record.fence = fence;
        ledger::rewrite(&client, &record).await?;
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }
}

pub(crate) fn check_fence(record: &StoreRecord, fence: i64) -> Result<(), ProvisionError> {
    if fence < record.fence {
        return Err(ProvisionError::Stale { given: fence, recorded: record.fence });
    }
    Ok(())
}

pub(crate) fn wrong_state(store: StoreId, state: State, wanted: &'static str) -> ProvisionError {
    ProvisionError::WrongState { store, state: state.to_string(), wanted }
}
