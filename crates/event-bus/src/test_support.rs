//! For tests that hold whatever is stated against the form it is announced with.

use std::sync::OnceLock;

use serde_json::Value;

/// Looks at kind, version and data of a fact.
pub type Witness = fn(kind: &str, version: u16, data: &Value);

static WITNESS: OnceLock<Witness> = OnceLock::new();

/// From now on it looks at every fact that this process states, before it is written; its panic is that of whoever states it. The first
/// one of a process stays.
pub fn watch(witness: Witness) {
    let _ = WITNESS.set(witness);
}

pub(crate) fn look(kind: &str, version: u16, data: &Value) {
    if let Some(witness) = WITNESS.get() {
        witness(kind, version, data);
    }
}
