//! The only way to a database: lanes of connections, store scopes, read and write transactions.
//!
//! A store is a schema `s_<id>` and a role `r_<id>`. Nothing outside this crate opens a connection, says
//! `BEGIN`, or changes a role:
//!
//! ```text
//! Directory (who exists, where)  ->  Mint (held by access::Gate)  ->  StoreScope  ->  ReadTx / WriteTx
//! ```
//!
//! * [`Directory`] keeps `platform.store_ledger` in memory and follows it.
//! * [`Tenancy`] owns one small pool per lane; [`Mint`] is the right to make a [`StoreScope`].
//! * [`StoreScope::read`] and [`StoreScope::write`] open a transaction with one message that sets role,
//!   search path and timeouts `LOCAL`ly, so nothing survives on the connection; whatever does not end in
//!   an orderly COMMIT or ROLLBACK (an error of the prologue, a dropped future, a panic) ends the
//!   connection instead.
//! * [`ReadTx`] and [`WriteTx`] run diesel queries and [`sql`] statements. Each carries the schema's name
//!   in a comment, so that PostgreSQL keeps one valid plan per (store, statement).
//! * [`ControlPool`] gives the control plane the same two transactions over its own schema.
//!
//! What the types refuse, each beside what they take in its place. A reading transaction has no way to write:
//!
//! ```compile_fail,E0599
//! async fn empty(tx: &mut souk_tenancy::ReadTx<'_>) {
//!     let _ = tx.execute(souk_tenancy::sql("delete from products")).await;
//! }
//! ```
//!
//! ```
//! async fn empty(tx: &mut souk_tenancy::WriteTx<'_>) {
//!     let _ = tx.execute(souk_tenancy::sql("delete from products")).await;
//! }
//! ```
//!
//! nor does it pass for one that has, while who may write may read:
//!
//! ```compile_fail,E0308
//! async fn change(_tx: &mut souk_tenancy::WriteTx<'_>) {}
//! async fn show(tx: &mut souk_tenancy::ReadTx<'_>) {
//!     change(tx).await;
//! }
//! ```
//!
//! ```
//! async fn show(_tx: &mut souk_tenancy::ReadTx<'_>) {}
//! async fn change(tx: &mut souk_tenancy::WriteTx<'_>) {
//!     show(tx).await;
//! }
//! ```
//!
//! A transaction does not hand on its connection, on which somebody could become another store:
//!
//! ```compile_fail,E0616
//! fn leave(tx: &mut souk_tenancy::ReadTx<'_>) {
//!     let _ = &tx.connection;
//! }
//! ```
//!
//! ```
//! fn stay(tx: &mut souk_tenancy::ReadTx<'_>) -> souk_kernel::id::StoreId {
//!     tx.store()
//! }
//! ```
//!
//! and a scope cannot be made up, only minted:
//!
//! ```compile_fail,E0451
//! fn scope(entry: std::sync::Arc<souk_tenancy::StoreEntry>) -> souk_tenancy::StoreScope {
//!     souk_tenancy::StoreScope { shared: todo!(), entry }
//! }
//! ```
//!
//! ```
//! fn scope(
//!     mint: &souk_tenancy::Mint,
//!     entry: std::sync::Arc<souk_tenancy::StoreEntry>,
//! ) -> souk_tenancy::StoreScope {
//!     mint.scope(entry)
//! }
//! ```

mod config;
mod control;
mod count;
mod directory;
mod document;
mod entry;
mod error;
mod follow;
mod lane;
mod prologue;
mod queue;
mod run;
mod scope;
mod session;
mod statement;
mod transaction;
mod work;

pub use config::{ControlConfig, Database, DatabaseUrlError, TenancyConfig};
pub use control::{ControlMint, ControlPool, ControlScope};
pub use count::StatementCount;
pub use directory::{Directory, DirectoryHealth};
pub use document::Document;
pub use entry::{StoreEntry, StoreState};
pub use error::{DbError, TenancyError};
pub use lane::{lane_password, lane_role, role_password};
pub use scope::{Mint, StoreScope, Tenancy};
pub use statement::{Bound, Rows, Sql, sql};
pub use transaction::{ReadTx, WriteTx};
pub use work::Work;
