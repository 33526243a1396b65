//! One store as the ledger has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use souk_kernel::id::{OrganizationId, StoreId};
use souk_kernel::plan;

use crate::prologue::{Limits, Prologue};
use crate::queue::Queue;

/// Where a store is in its life. Only `Live` serves shoppers; what `Suspended` still allows, `access` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreState {
    /// Schema, role and migrations are being made.
    Provisioning,
    /// Open.
    Live,
    /// Closed by its owner or by the platform; nothing is lost.
    Suspended,
    /// On its way out; no transaction opens any more.
    Deleting,
    /// Provisioning stopped with an error.
    Failed,
}

impl StoreState {
    /// The ledger's word. `spare` and `deleted` rows are nobody's store and have none here.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "provisioning" => Some(Self::Provisioning),
            "live" => Some(Self::Live),
            "suspended" => Some(Self::Suspended),
            "deleting" => Some(Self::Deleting),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    /// Whether transactions may be opened.
    #[must_use]
    pub fn has_data(self) -> bool {
        matches!(self, Self::Live | Self::Suspended)
    }
}

/// A row of `platform.store_ledger`. Immutable; a change in the ledger makes a new entry.
#[derive(Debug)]
pub struct StoreEntry {
    /// The store.
    pub id: StoreId,
    /// `s_` and the id's 26 characters.
    pub schema: String,
    /// `r_` and the id's 26 characters.
    pub role: String,
    /// Which lane serves it, from 1; for life.
    pub lane: u16,
    /// Where it is in its life.
    pub state: StoreState,
    /// Host names it answers to, lower case, without port.
    pub hosts: Vec<String>,
    /// Its short name.
    pub handle: String,
    /// Its display name.
    pub name: String,
    /// Who owns it, if an organization of this control plane does.
    pub organization: Option<OrganizationId>,
    /// What its plan allows it now.
    pub limits: plan::Limits,
    /// Grows with every change of ownership or placement; what holds an older number must stop.
    pub fence: i64,
    /// Version of its schema.
    pub schema_version: i32,
    pub(crate) prologue: Prologue,
    /// What outlives every change of the entry.
    pub(crate) standing: Arc<Standing>,
}

/// What a process keeps about a store through every change of its ledger row.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) queue: Queue,
    /// Grows with every change of what shoppers see; starts anew with the process.
    pub(crate) catalogue: AtomicU64,
    /// Somebody has asked it for something, and that is not in the database yet.
    pub(crate) asked: AtomicBool,
    /// Milliseconds after the directory's beginning when that was last written; 0 = never.
    pub(crate) noted_at: AtomicU64,
}

impl StoreEntry {
    /// The version of the store's catalogue as far as this process knows; see [`crate::Directory::follows_catalogues`]. Taken before a
    /// transaction begins, it is never newer than what the transaction sees.
    #[must_use]
    pub fn catalogue_version(&self) -> u64 {
        self.standing.catalogue.load(Ordering::Acquire)
    }

    /// Somebody has asked the store for something. Costs nothing; the directory's connection writes it down, at most every 30 s.
    pub fn note_request(&self) {
        // Written once and then only read: many requests at once do not pull at one cache line.
        if !self.standing.asked.load(Ordering::Relaxed) {
            self.standing.asked.store(true, Ordering::Relaxed);
        }
    }
}

impl Standing {
    /// Whether there is something to write down, and the last time is `pause` milliseconds ago.
    pub(crate) fn is_due(&self, now: u64, pause: u64) -> bool {
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        self.asked.load(Ordering::Relaxed) && (noted_at == 0 || now.saturating_sub(noted_at) >= pause)
    }
}

/// Why a ledger row was left out of the directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("the row cannot be read: {0}")]
    Row(#[from] tokio_postgres::Error),
    #[error("store {id} has schema {schema} and role {role}, which do not follow from its id")]
    Names { id: StoreId, schema: String, role: String },
    #[error("store {id} has the unknown state {state}")]
    State { id: StoreId, state: String },
    #[error("store {id} has the impossible lane {lane}")]
    Lane { id: StoreId, lane: i32 },
}

impl StoreEntry {
    /// Reads a row of [`crate::follow`]'s query. Schema and role must follow from the id: they are written into
    /// the prologue as they are.
    pub(crate) fn from_row(
        row: &tokio_postgres::Row,
        limits: Limits,
        standing: impl FnOnce(StoreId, &plan::Limits) -> Arc<Standing>,
    ) -> Result<Self, EntryError> {
        let id = StoreId::from_uuid(row.try_get("store_id")?);
        let suffix = id.suffix();
        let (schema, role): (String, String) = (row.try_get("schema_name")?, row.try_get("role_name")?);
        if schema != format!("s_{suffix}") || role != format!("r_{suffix}") {
            return Err(EntryError::Names { id, schema, role });
        }
        let state: String = row.try_get("state")?;
        let Some(state) = StoreState::parse(&state) else {
            return Err(EntryError::State { id, state });
        };
        let lane: i32 = row.try_get("lane")?;
        let lane = match u16::try_from(lane) {
            Ok(lane) if lane > 0 => lane,
            _ => return Err(EntryError::Lane { id, lane }),
        };
        let hosts: Option<Vec<String>> = row.try_get("hosts")?;
        let organization: Option<uuid::Uuid> = row.try_get("organization_id")?;
        let plan: Option<serde_json::Value> = row.try_get("plan")?;
        let plan = plan.unwrap_or_default();
        let written = serde_json::from_value(plan["limits"].clone()).ok();
        let allowed = plan::Limits::of(plan["id"].as_str(), written);
        Ok(Self {
            id,
            lane,
            state,
            hosts: hosts.unwrap_or_default().iter().map(|host| host.to_lowercase()).collect(),
            handle: row.try_get::<_, Option<String>>("handle")?.unwrap_or_default(),
            name: row.try_get::<_, Option<String>>("name")?.unwrap_or_default(),
            organization: organization.map(OrganizationId::from_uuid),
            fence: row.try_get("fence")?,
            schema_version: row.try_get("schema_version")?,
            prologue: Prologue::of_store(&schema, &role, limits),
            standing: standing(id, &allowed),
            limits: allowed,
            schema,
            role,
        })
    }
}
