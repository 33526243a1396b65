//! Store resources become schemas and workloads.
//!
//! The plane that will reconcile `Store` resources (design: `dereference → validate → build → apply → status`)
//! through `crates/provisioner`. Until its issue is built it only says so.
