//! Giving an owner a store: a spare one in a single transaction, or one built on the spot.
use serde::{Deserialize, Serialize};
use souk_kernel::StoreId;
use uuid::Uuid;

use crate::Provisioner;
use crate::connection::Lent;
use crate::error::ProvisionError;
use crate::ledger::{self, Face, Owner, State, StoreRecord};
use crate::migrate;
use crate::rights;
use crate::seeds::{self, StoreSeeds};

/// What the owner wants. The same `owner` always gets the same store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClaimRequest {
    pub owner: Owner,
    pub organization_id: Option<Uuid>,
    pub handle: String,
    pub name: String,
    /// Host names in lower case, without port; unique in the database.
    pub hosts: Vec<String>,
    /// Plan limits, copied to the ledger for the runtimes.
    pub plan: serde_json::Value,
    pub fence: i64,
    pub seeds: StoreSeeds,
}

/// A store that serves. `fresh` = this call made it live; `from_spare` = without any DDL.
#[derive(Clone, Debug)]
pub struct Provisioned {
    pub store_id: StoreId,
    pub record: StoreRecord,
    pub fresh: bool,
    pub from_spare: bool,
}

/// How far the work is; each is reported after it is done, and what a committed one did survives anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A spare store is bound to the owner (not committed yet).
    Claimed,
    /// Id and lane are taken (committed).
    Reserved,
    /// Role, schema and default rights exist (not committed yet).
    Founded,
    /// Every migration ran (not committed yet).
    Migrated,
    /// Role, schema and tables are there (committed).
    Built,
    /// The store was seen not to reach anything of others.
    Checked,
    /// Settings, roles, keys, tax, shipping … are written (not committed yet).
    Seeded,
    /// The store serves (committed).
    Live,
}

/// Hears about the steps; an error stops the work there as a crash would, and the next call goes on.
pub trait Watch: Send + Sync {
    fn step(&self, step: Step) -> Result<(), ProvisionError>;
}

impl<F: Fn(Step) -> Result<(), ProvisionError> + Send + Sync> Watch for F {
    fn step(&self, step: Step) -> Result<(), ProvisionError> {
        self(step)
    }
}

pub(crate) struct Nobody;
impl Watch for Nobody {
    fn step(&self, _: Step) -> Result<(), ProvisionError> {
        Ok(())
    }
}

impl Provisioner {
    /// The owner's store, live. Idempotent per owner; safe to call from several processes and to repeat after any crash.
    /// A repetition returns the store as it is: its seeds (and API keys) are those of the call that made it live.
    /// Locks: the owner (advisory), then the store (advisory), never two stores.
    pub async fn claim(&self, request: &ClaimRequest) -> Result<Provisioned, ProvisionError> {
        self.claim_watched(request, &Nobody).await
    }

    /// [`Provisioner::claim`] with somebody to tell about each step.
    pub async fn claim_watched(
        &self,
        request: &ClaimRequest,
        watch: &dyn Watch,
    ) -> Result<Provisioned, ProvisionError> {
        request.check()?;
        let record = match self.begin_claim(request, watch).await? {
            Begun::Done(provisioned) => return Ok(*provisioned),
            Begun::ToBuild(record) => *record,
        };
        if let Err(error) = self.build(&record, Patience::Wait, watch).await {
            self.remember(record.store_id, &error).await;
            return Err(error);
        }
        self.finish_claim(request, &record, watch).await
    }

    async fn begin_claim(&self, request: &ClaimRequest, watch: &dyn Watch) -> Result<Begun, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        if let Some(record) = ledger::lock_owner(&client, &request.owner).await? {
            client.batch_execute("COMMIT").await?;
            client.keep();
            return match record.state {
                State::Live | State::Suspended => Ok(Begun::Done(Box::new(Provisioned::known(record)))),
                State::Provisioning => Ok(Begun::ToBuild(Box::new(record))),
                State::Spare | State::Deleting | State::Deleted | State::Failed => {
                    Err(ProvisionError::Gone { store: record.store_id, state: record.state.to_string() })
                }
            };
        }
        let face = request.face();
        if let Some(record) = ledger::take_spare(&client, &face, &self.migrations().digest()).await? {
            watch.step(Step::Claimed)?;
            seeds::plant(&client, &record, &request.seeds).await?;
            watch.step(Step::Seeded)?;
            client.batch_execute("COMMIT").await?;
            client.keep();
            watch.step(Step::Live)?;
            let store_id = record.store_id;
            return Ok(Begun::Done(Box::new(Provisioned {
                store_id,
                record,
                fresh: true,
                from_spare: true,
            })));
        }
        let record = self.reserve(&client, Some(&face)).await?;
        client.batch_execute("COMMIT").await?;
        client.keep();
        watch.step(Step::Reserved)?;
        Ok(Begun::ToBuild(Box::new(record)))
    }

    async fn finish_claim(
        &self,
        request: &ClaimRequest,
        record: &StoreRecord,
        watch: &dyn Watch,
    ) -> Result<Provisioned, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, record.store_id).await?;
        let fresh = ledger::advance(&client, record.store_id, State::Provisioning, State::Live).await?;
        if fresh {
            seeds::plant(&client, record, &request.seeds).await?;
            watch.step(Step::Seeded)?;
        }
        let now =
            ledger::by_id(&client, record.store_id).await?.ok_or(ProvisionError::Unknown(record.store_id))?;
        client.batch_execute("COMMIT").await?;
        client.keep();
        watch.step(Step::Live)?;
        Ok(Provisioned { store_id: record.store_id, record: now, fresh, from_spare: false })
    }

    pub(crate) async fn reserve(
        &self,
        client: &Lent<'_>,
        face: Option<&Face<'_>>,
    ) -> Result<StoreRecord, ProvisionError> {
        let (lanes, per_lane) = (self.lanes(), self.stores_per_lane());
        let record = ledger::reserve(client, StoreId::new(), face, lanes, per_lane).await?;
        record.ok_or(ProvisionError::LanesFull { lanes, per_lane })
    }

    /// Role, schema, tables and rights of a reserved store in one transaction, then the negative self-check.
    /// Does nothing that is done already. False when somebody else is at it and `patience` says not to wait.
    pub(crate) async fn build(
        &self,
        record: &StoreRecord,
        patience: Patience,
        watch: &dyn Watch,
    ) -> Result<bool, ProvisionError> {
        let mut client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '30s'").await?;
        match patience {
            Patience::Wait => ledger::lock_store(&client, record.store_id).await?,
            Patience::Skip => {
                if !ledger::try_lock_store(&client, record.store_id).await? {
                    client.batch_execute("COMMIT").await?;
                    client.keep();
                    return Ok(false);
                }
            }
        }
        let state = ledger::by_id(&client, record.store_id).await?.map(|now| now.state);
        if state == Some(State::Provisioning) {
            let had = migrate::applied(&client, &record.schema).await?;
            if had.is_none() {
                let founding = rights::store_rights(&record.schema, &record.role, record.lane, self.server());
                client.batch_execute(&founding).await?;
                client.count_schema();
            }
            watch.step(Step::Founded)?;
            for migration in self.migrations().missing(&had.unwrap_or_default()) {
                migrate::apply(&client, &record.schema, &record.role, migration).await?;
            }
            watch.step(Step::Migrated)?;
            let (target, digest) = (self.migrations().target(), self.migrations().digest());
            ledger::note_migrated(&client, record.store_id, target, Some(&digest)).await?;
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        watch.step(Step::Built)?;
        self.demand_isolation(record).await?;
        watch.step(Step::Checked)?;
        Ok(true)
    }

    /// Best effort: the error itself goes to the caller anyway.
    pub(crate) async fn remember(&self, store: StoreId, error: &ProvisionError) {
        let noted = async {
            let client = self.connections().lend().await?;
            ledger::note_error(&client, store, &error.to_string()).await?;
            client.keep();
            Ok::<(), ProvisionError>(())
        };
        if let Err(second) = noted.await {
            tracing::warn!(%store, %second, "could not note why provisioning failed");
        }
    }
}

/// Whether to wait for whoever builds the same store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    Skip,
}

enum Begun {
    Done(Box<Provisioned>),
    ToBuild(Box<StoreRecord>),
}

impl Provisioned {
    fn known(record: StoreRecord) -> Self {
        Self { store_id: record.store_id, record, fresh: false, from_spare: false }
    }
}

impl ClaimRequest {
    fn face(&self) -> Face<'_> {
        Face {
            owner: &self.owner,
            organization_id: self.organization_id,
            handle: &self.handle,
            name: &self.name,
            hosts: &self.hosts,
            plan: &self.plan,
            fence: self.fence,
        }
    }

    fn check(&self) -> Result<(), ProvisionError> {
        if self.owner.kind.is_empty() || self.owner.reference.is_empty() {
            return Err(ProvisionError::Refused("a claim needs an owner: kind and reference".into()));
        }
        check_hosts(&self.hosts)?;
        self.seeds.check()
    }
}

pub(crate) fn check_hosts(hosts: &[String]) -> Result<(), ProvisionError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    match hosts.iter().find(|host| host.is_empty() || host.len() > 253 || !host.bytes().all(plain)) {
        None => Ok(()),
        Some(host) => Err(ProvisionError::Refused(format!(
            "host {host:?}: use a-z, 0-9, hyphen and dot, at most 253, no port"
        ))),
    }
}
