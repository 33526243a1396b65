//! An entry, and the seal that makes a change to any earlier entry visible.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Jsonb, Nullable, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use souk_access::{Actor, Cause, Deed};
use souk_kernel::{AuditEntryId, Id, StoreId};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who acts, and because of what.
#[derive(Clone, Debug)]
pub struct By {
    /// `staff:stf_…`, `key:key_…`, `customer:cus_…`, `service:…`.
    pub actor: String,
    pub request_id: String,
    pub reason: Option<String>,
}

impl By {
    /// Whoever a permit speaks for, in this request.
    pub fn of(actor: &Actor, cause: Cause) -> Self {
        Self { actor: actor.to_string(), request_id: cause.request_id, reason: cause.reason }
    }
}

impl From<&Deed> for By {
    fn from(deed: &Deed) -> Self {
        let Deed { actor, cause, .. } = deed;
        Self { actor: actor.clone(), request_id: cause.request_id.clone(), reason: cause.reason.clone() }
    }
}

/// What a path is about: `/admin/v1/products/prd_…/variants/var_…` is about a product, the thing that is read and changed as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'p> {
    /// `products`.
    pub kind: &'p str,
    /// `prd_…`; empty where there is only one, or none yet.
    pub name: &'p str,
    /// The bits of the name, where it is an id.
    pub id: Option<Uuid>,
}

impl<'p> Subject<'p> {
    /// Of a path below `/admin/v1/`; what follows a colon says what is done, not to what.
    pub fn of(path: &'p str) -> Self {
        // What is no path is the name of a thing itself.
        let Some(rest) = path.strip_prefix("/admin/v1/") else {
            return Self { kind: "", name: path, id: id_in(path) };
        };
        let mut parts = rest.split('/').map(|part| part.split(':').next().unwrap_or_default());
        let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self { kind, name, id: id_in(name) }
    }
}

/// The bits of an id of any kind.
pub fn id_in(name: &str) -> Option<Uuid> {
    let (_, suffix) = name.split_once('_')?;
    Id::<souk_kernel::id::kind::AuditEntry>::from_suffix(suffix).ok().map(Id::uuid)
}

/// What an act changed. Kept as SHA-256 of the canonical JSON: enough to prove what it was, nothing to leak.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    pub before: Option<&'a Value>,
    pub after: Option<&'a Value>,
}

/// SHA-256 of a value's canonical JSON (members sorted, no spaces), hexadecimal.
pub fn digest(value: &Value) -> String {
    hex(&Sha256::digest(canonical(value).as_bytes()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Members sorted at every depth, whatever order a map of this build keeps.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            let members = sorted
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::String((*name).clone()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

/// One row of the log.
#[derive(Clone, Debug, QueryableByName)]
pub struct AuditEntry {
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = SqlUuid)]
    pub id: AuditEntryId,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = SqlText)]
    pub actor: String,
    #[diesel(sql_type = SqlText)]
    pub action: String,
    #[diesel(sql_type = SqlText)]
    pub object: String,
    #[diesel(sql_type = Jsonb)]
    pub details: Value,
    #[diesel(sql_type = Nullable<SqlText>)]
    pub request_id: Option<String>,
    #[diesel(sql_type = Binary)]
    pub previous: Vec<u8>,
    #[diesel(sql_type = Binary)]
    pub hash: Vec<u8>,
}

impl AuditEntry {
    /// SHA-256 over the previous seal, the store and every field, each preceded by its length, so no two entries spell alike.
    pub fn seal(&self, store: StoreId) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.previous);
        let fields = [
            store.to_string(),
            self.position.to_string(),
            self.id.to_string(),
            self.at.timestamp_micros().to_string(),
            self.actor.clone(),
            self.action.clone(),
            self.object.clone(),
            canonical(&self.details),
            self.request_id.clone().unwrap_or_default(),
        ];
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

/// An entry as the store sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntryView {
    pub id: AuditEntryId,
    /// Counts from 1, without gaps.
    #[schema(example = 7)]
    pub position: i64,
    pub at: DateTime<Utc>,
    #[schema(example = "staff:stf_01h455vb4pex5vsknk084sn02q")]
    pub actor: String,
    #[schema(example = "role.changed")]
    pub action: String,
    #[schema(example = "rol_01h455vb4pex5vsknk084sn02q")]
    pub object: String,
    /// What changed, never a secret; `reason` and the digests `before_sha256` and `after_sha256` where there are.
    #[schema(value_type = Object)]
    pub details: Value,
    pub request_id: Option<String>,
    /// SHA-256 of the previous entry's hash and this entry, hexadecimal.
    pub hash: String,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            position: entry.position,
            at: entry.at,
            hash: hex(&entry.hash),
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            details: entry.details,
            request_id: entry.request_id,
        }
    }
}

/// Whether the log is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    pub whole: bool,
    /// Entries that were looked at.
    #[schema(example = 120)]
    pub entries: i64,
    /// Where the first entry is that does not fit, if one does not.
    pub broken_at: Option<i64>,
    /// The hash of the last entry, hexadecimal: keep it elsewhere, and a log that was cut and sealed anew shows.
    pub last_hash: String,
}

#[cfg(test)]
mod rules {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_says_what_it_is_about() {
        let id = "prd_01h455vb4pex5vsknk084sn02q";
        let path = format!("/admin/v1/products/{id}/variants/var_01h455vb4pex5vsknk084sn02r");
        let subject = Subject::of(&path);
        assert_eq!((subject.kind, subject.name, subject.id.is_some()), ("products", id, true));
        let batch = Subject::of("/admin/v1/inventory-levels:adjust");
        assert_eq!((batch.kind, batch.name, batch.id), ("inventory-levels", "", None));
        assert_eq!(Subject::of("/admin/v1/payment-providers/manual").name, "manual");
    }

    #[test]
    fn canonical_json_has_one_spelling() {
        let a = json!({ "b": [1, { "z": null, "a": "ü\"" }], "a": true });
        assert_eq!(canonical(&a), "{\"a\":true,\"b\":[1,{\"a\":\"ü\\\"\",\"z\":null}]}");
        assert_eq!(digest(&a), digest(&serde_json::from_str(&a.to_string()).unwrap()));
    }
}
