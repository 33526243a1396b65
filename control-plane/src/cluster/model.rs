//! The Store object as we want it, and as its operator judges it. Pure.

use kube::ResourceExt as _;
use serde_json::{Value, json};
use souk_kernel::{OperationId, OrganizationId, StoreId};
use souk_store_resource::{
    ConditionType, GROUP, KIND, KeyDigest, ORGANIZATION, Phase, ROW, Reason, Store, VERSION,
};

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub namespace: String,
    pub name: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What the row says the object shall be.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub row: OperationId,
    pub organization: OrganizationId,
    pub name: &'a str,
    pub handle: &'a str,
    pub plan: &'a str,
    pub pooled: bool,
    pub suspended: bool,
    /// What only the birth decides; the object's own afterwards.
    pub owner_email: &'a str,
    pub country: &'a str,
    pub currency: &'a str,
    pub language: &'a str,
    pub time_zone: &'a str,
    pub first_keys: &'a [KeyDigest],
    /// Retained data to take up.
    pub adopt: Option<StoreId>,
}

impl Wish<'_> {
    /// Every field that we own, and nothing else. What the object was born with is repeated as it stands: to leave a field
    /// out is to let go of it.
    pub fn object(&self, place: &Place, live: Option<&Store>) -> Value {
        let mut spec = json!({
            "displayName": self.name,
            "handle": self.handle,
            "plan": self.plan,
            "isolation": if self.pooled { "Pooled" } else { "Dedicated" },
            "state": if self.suspended { "Suspended" } else { "Active" },
            "deletionPolicy": "Retain",
        });
        match live.map(|live| &live.spec) {
            Some(born) => {
                spec["ownerEmail"] = json!(born.owner_email);
                spec["locale"] = json!(born.locale);
                if !born.first_keys.is_empty() {
                    spec["firstKeys"] = json!(born.first_keys);
                }
                if let Some(id) = &born.store_id {
                    spec["storeId"] = json!(id);
                }
                if born.database.adopt {
                    spec["database"] = json!({ "adopt": true });
                }
            }
            None => {
                spec["ownerEmail"] = json!(self.owner_email);
                spec["locale"] = json!({
                    "country": self.country,
                    "currency": self.currency,
                    "language": self.language,
                    "timezone": self.time_zone,
                });
                if !self.first_keys.is_empty() {
                    spec["firstKeys"] = json!(self.first_keys);
                }
                if let Some(id) = self.adopt {
                    spec["storeId"] = json!(id.to_string());
                    spec["database"] = json!({ "adopt": true });
                }
            }
        }
        let mut object = json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": KIND,
            "metadata": {
                "name": place.name,
                "namespace": place.namespace,
                "labels": { ORGANIZATION: self.organization.to_string() },
                "annotations": { ROW: self.row.to_string() },
            },
            "spec": spec,
        });
        if let Some(uid) = live.and_then(|live| live.metadata.uid.as_ref()) {
            // With it the API server never makes the object anew when it has gone meanwhile.
            object["metadata"]["uid"] = json!(uid);
        }
        object
    }
}

/// Whether the object is already as wanted: everything we would say, it says.
pub fn is_as_wanted(live: &Store, wanted: &Value) -> bool {
    serde_json::to_value(live).is_ok_and(|live| covers(&live, wanted))
}

fn covers(live: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(fields) => fields.iter().all(|(name, value)| covers(&live[name], value)),
        _ => live == wanted,
    }
}

/// The row an object says it is.
pub fn row_of(store: &Store) -> Option<OperationId> {
    store.annotations().get(ROW).and_then(|text| OperationId::parse(text).ok())
}

/// Whether an object was made for this row.
pub fn is_ours(store: &Store, row: OperationId) -> bool {
    row_of(store) == Some(row)
}

/// A name for the object of a handle; the second one is the row's alone.
pub fn object_name(handle: &str, row: Option<OperationId>) -> String {
    let start = if handle.starts_with(|first: char| first.is_ascii_lowercase()) { "" } else { "s-" };
    let end = row.map(|row| format!("-{}", &row.suffix()[16..])).unwrap_or_default();
    let room = 40 - start.len() - end.len();
    let stem: String = handle.chars().take(room).collect();
    format!("{start}{}{end}", stem.trim_end_matches('-'))
}

/// What the operator says about the generation that is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Serves,
    Suspended,
    /// Being worked on; what is waited for.
    Under(String),
    /// It cannot become what it is asked to be.
    Refused(String),
}

/// Reads the conditions. One that judges an older generation says nothing.
pub fn judge(store: &Store) -> Verdict {
    let now = store.metadata.generation;
    let current = |kind| {
        let status = store.status.as_ref()?;
        status.condition(kind).filter(|condition| condition.observed_generation == now)
    };
    let Some(ready) = current(ConditionType::Ready) else {
        return Verdict::Under("the operator has not looked at it yet".to_owned());
    };
    if ready.status == "True" {
        return Verdict::Serves;
    }
    let phase = store.status.as_ref().and_then(|status| status.phase);
    if phase == Some(Phase::Suspended) && ready.reason == Reason::Suspended.as_str() {
        return Verdict::Suspended;
    }
    const HOPELESS: [Reason; 5] = [
        Reason::InvalidSpec,
        Reason::SchemaConflict,
        Reason::HostConflict,
        Reason::NameTaken,
        Reason::DataGone,
    ];
    let told = format!("{}: {}", ready.reason, ready.message);
    if current(ConditionType::Degraded).is_some_and(|degraded| {
        degraded.status == "True" && HOPELESS.iter().any(|reason| reason.as_str() == degraded.reason)
    }) {
        return Verdict::Refused(told);
    }
    Verdict::Under(told)
}

#[cfg(test)]
mod rules {
    use souk_store_resource::StoreSpec;

    use super::*;

    fn store(status: Value) -> Store {
        let mut store = Store::new("tea", StoreSpec::new("Tea", "ada@example.com"));
        store.metadata.generation = Some(2);
        store.status = Some(serde_json::from_value(status).unwrap());
        store
    }

    fn condition(kind: &str, status: &str, reason: &str, generation: i64) -> Value {
        json!({ "type": kind, "status": status, "reason": reason, "message": "why",
            "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z" })
    }

    #[test]
    fn a_verdict_is_of_the_newest_generation() {
        let of = |conditions: Vec<Value>| judge(&store(json!({ "conditions": conditions })));
        assert_eq!(of(vec![condition("Ready", "True", "AllChecksPassed", 2)]), Verdict::Serves);
        let early = of(vec![condition("Ready", "True", "AllChecksPassed", 1)]);
        assert_eq!(early, Verdict::Under("the operator has not looked at it yet".into()));
        assert_eq!(
            of(vec![condition("Ready", "False", "RolloutInProgress", 2)]),
            Verdict::Under("RolloutInProgress: why".into())
        );
        let refused = vec![
            condition("Ready", "False", "HostConflict", 2),
            condition("Degraded", "True", "HostConflict", 2),
        ];
        assert_eq!(of(refused), Verdict::Refused("HostConflict: why".into()));
        let suspended =
            json!({ "phase": "Suspended", "conditions": [condition("Ready", "False", "Suspended", 2)] });
        assert_eq!(judge(&store(suspended)), Verdict::Suspended);
    }

    #[test]
    fn names_fit_the_definition() {
        let row = OperationId::new();
        assert_eq!(object_name("tea", None), "tea");
        assert_eq!(object_name("9lives", None), "s-9lives");
        let long = object_name(&"a".repeat(40), Some(row));
        assert_eq!((long.len(), long.ends_with(&row.suffix()[16..])), (40, true));
    }

    #[test]
    fn what_is_wanted_is_seen_in_the_object() {
        let wish = Wish {
            row: OperationId::new(),
            organization: OrganizationId::new(),
            name: "Tea",
            handle: "tea",
            plan: "free",
            pooled: true,
            suspended: false,
            owner_email: "ada@example.com",
            country: "GB",
            currency: "GBP",
            language: "en-GB",
            time_zone: "Europe/London",
            first_keys: &[],
            adopt: None,
        };
        let place = Place { namespace: "souk-stores".into(), name: "tea".into() };
        let wanted = wish.object(&place, None);
        let mut live: Store = serde_json::from_value(wanted.clone()).unwrap();
        assert!(is_as_wanted(&live, &wanted) && live.validate_cel().is_ok());
        assert_eq!(row_of(&live), Some(wish.row));
        // What others add is theirs.
        live.spec.database.rotate_every_days = 7;
        live.metadata.uid = Some("uid-1".into());
        assert!(is_as_wanted(&live, &wish.object(&place, Some(&live))));
        live.spec.display_name = "Coffee".into();
        assert!(!is_as_wanted(&live, &wish.object(&place, Some(&live))));
        assert_eq!(wish.object(&place, Some(&live))["metadata"]["uid"], "uid-1");
    }
}
