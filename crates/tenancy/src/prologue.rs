//! The first message of every transaction, written once per store.

use std::time::Duration;

/// BEGIN and the LOCAL settings, as one simple-protocol message, and the comment for the statements after it.
///
/// The names go into the text unquoted, so whoever makes a prologue proves them first (see `entry.rs`).
#[derive(Debug)]
pub(crate) struct Prologue {
    pub(crate) read: String,
    pub(crate) look_up: String,
    pub(crate) write: String,
    pub(crate) tag: String,
}

/// What finds its rows by keys is planned once and for all values: planning would cost more than the work.
const PLANNED_ONCE: &str = "; SET LOCAL plan_cache_mode = force_generic_plan";

/// Limits that hold for each statement of a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) statement: Duration,
    pub(crate) lock: Duration,
}

impl Prologue {
    /// For a store: its role, its schema, and the shared extensions.
    pub(crate) fn of_store(schema: &str, role: &str, limits: Limits) -> Self {
        Self::new(schema, &format!("SET LOCAL ROLE {role}; "), limits)
    }

    /// For the control plane, whose login owns its rights directly.
    pub(crate) fn of_control(limits: Limits) -> Self {
        Self::new("control", "", limits)
    }

    fn new(schema: &str, role: &str, Limits { statement, lock }: Limits) -> Self {
        let settings = format!(
            "{role}SET LOCAL search_path = {schema}, extensions; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",
            statement.as_millis(),
            lock.as_millis(),
        );
        Self {
            read: format!("BEGIN READ ONLY; {settings}"),
            look_up: format!("BEGIN READ ONLY; {settings}{PLANNED_ONCE}"),
            write: format!("BEGIN; {settings}{PLANNED_ONCE}"),
            tag: format!(" /* {schema} */"),
        }
    }
}
