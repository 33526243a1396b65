//! Store resources become schemas and workloads.
//!
//! One pass over a store, whatever woke it ([`store::reconcile`]): look at what is there (`dereference`), read what is wanted
//! (`validate`), provision through `crates/provisioner`, say what objects follow from it (`build`, pure), make them so
//! (`apply`), and write down what was seen (`status`). The ledger in the tenants database is the truth about data; `status`
//! is a copy that nothing reads back. What needs no change is not written, so a settled store is silent.
//!
//! [`release`] gives Dedicated stores the image they run, wave by wave, in the same steps; a StoreRelease is counted from the
//! Stores each time.

pub mod config;
pub mod controller;
pub mod outcome;
pub mod release;
pub mod store;
