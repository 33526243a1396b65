//! An entry, and the seal that makes a change to any earlier entry visible.

use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use serde::Serialize;
use sha2::{Digest, Sha256};
use souk_access::{Cause, ControlActor, Deed};
use souk_kernel::{AccountId, AuditEntryId, InvitationId, OperationId, OrganizationId, StoreGrantId};
use utoipa::ToSchema;

use crate::schema::audit_entries;

/// What an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Somebody's account with their ways in and their sessions.
    Account(AccountId),
    Organization(OrganizationId),
    /// Somebody's place in an organization.
    Member(OrganizationId, AccountId),
    Invitation(InvitationId),
    /// A store, by the operation that opens it, with what is to be done about it.
    Store(OperationId),
    Operation(OperationId),
    Grant(StoreGrantId),
}

/// What an act is about, and what that was before it: enough to prove it, nothing to leak.
#[derive(Clone, Debug)]
pub struct Was {
    pub(super) subject: Subject,
    /// SHA-256, hexadecimal; none where there was nothing.
    pub(super) digest: Option<String>,
}

impl Was {
    /// The act makes it.
    pub const fn nothing(subject: Subject) -> Self {
        Self { subject, digest: None }
    }
}

/// Who acts, in which request: what an entry needs to know of its cause.
#[derive(Clone, Debug)]
pub struct By {
    /// The person; `None` when a clock or worker of ours acts.
    pub account: Option<AccountId>,
    /// `account:acc_…` or `service:worker`.
    pub actor: String,
    pub request_id: String,
    /// Why, where somebody said so in `X-Souk-Reason`.
    pub reason: Option<String>,
}

impl From<&Deed> for By {
    fn from(deed: &Deed) -> Self {
        let Deed { actor, account, cause, .. } = deed;
        let Cause { request_id, reason } = cause.clone();
        Self { account: *account, actor: actor.clone(), request_id, reason }
    }
}

impl By {
    /// Whoever a permit speaks for, in this request.
    pub fn of(actor: &ControlActor, cause: &Cause) -> Self {
        let Cause { request_id, reason } = cause.clone();
        Self { request_id, reason, ..Self::worker(actor) }
    }

    /// Work of ours, outside of any request.
    pub fn worker(actor: &ControlActor) -> Self {
        let account = match actor {
            ControlActor::Account { id, .. } => Some(*id),
            ControlActor::Anonymous | ControlActor::Service { .. } => None,
        };
        Self { account, actor: actor.to_string(), request_id: String::new(), reason: None }
    }
}

/// One row of the log.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
pub struct AuditEntry {
    pub id: AuditEntryId,
    pub organization_id: OrganizationId,
    pub position: i64,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub detail: String,
    pub request_id: String,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

impl AuditEntry {
    /// SHA-256 over the previous seal and every field, each preceded by its length, so no two entries spell alike.
    pub fn seal(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.prev_hash);
        let at = self.at.timestamp_micros().to_string();
        let position = self.position.to_string();
        let organization = self.organization_id.to_string();
        let id = self.id.to_string();
        let fields = [
            &organization,
            &position,
            &id,
            &at,
            &self.actor,
            &self.action,
            &self.target,
            &self.detail,
            &self.request_id,
        ];
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

/// An entry as its organization sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntryView {
    pub id: AuditEntryId,
    /// Counts from 1 in each organization, without gaps.
    pub position: i64,
    pub at: DateTime<Utc>,
    #[schema(example = "account:acc_01h455vb4pex5vsknk084sn02q")]
    pub actor: String,
    #[schema(example = "store.suspended")]
    pub action: String,
    #[schema(example = "sto_01h455vb4pex5vsknk084sn02q")]
    pub target: String,
    /// What changed, never a secret; `reason` and the digests `before_sha256` and `after_sha256` where there are.
    pub detail: serde_json::Value,
    pub request_id: String,
    /// SHA-256 of the previous entry's hash and this entry, hexadecimal.
    pub hash: String,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            position: entry.position,
            at: entry.at,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
            hash: hex(&entry.hash),
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            request_id: entry.request_id,
        }
    }
}

/// Whether the log is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    pub whole: bool,
    /// Entries that fit, from the first on.
    #[schema(example = 120)]
    pub entries: i64,
    /// Where the first entry is that does not fit, if one does not.
    pub broken_at: Option<i64>,
    /// The hash of the last entry that fits, hexadecimal: keep it elsewhere, and a log that was cut and sealed anew shows.
    pub last_hash: String,
}

impl Verdict {
    /// All of it fits, up to here; or all before the one that does not.
    pub fn new(whole: bool, entries: i64, hash: &[u8]) -> Self {
        let broken_at = (!whole).then_some(entries + 1);
        Self { whole, entries, broken_at, last_hash: hex(hash) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
