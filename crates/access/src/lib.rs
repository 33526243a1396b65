//! Who is calling, and may they: principals, tokens, passwords, policy, permits.
//!
//! No permit, no transaction. [`Permit<P>`] is an actix extractor: host → store, credentials → [`Actor`], policy → yes. It is the
//! only thing besides [`Gate::worker`] that opens a store's transactions; [`ControlPermit<P>`] does the same for the control plane.
//!
//! ```no_run
//! use actix_web::get;
//! use souk_access::{Permit, Refusal, permissions};
//! use souk_api::{Json, Problem};
//!
//! permissions! {
//!     /// See products.
//!     View = "product", "view", Reads;
//! }
//!
//! #[get("/admin/v1/now")]
//! async fn now(permit: Permit<View>) -> Result<Json<String>, Problem> {
//!     let now = permit.read("product.now", async |tx| Ok::<_, Refusal>(tx.now().to_rfc3339())).await?;
//!     Ok(Json::new(now))
//! }
//! ```
//!
//! What the types refuse, each beside what they take in its place. A reading permission cannot write, a writing one can:
//!
//! ```compile_fail,E0599
//! souk_access::permission!(View, "product", "view", Reads);
//! async fn change(permit: souk_access::Permit<View>) {
//!     let _ = permit.write("product.change", async |_tx| Ok::<_, souk_access::Refusal>(())).await;
//! }
//! ```
//!
//! ```
//! souk_access::permission!(Edit, "product", "edit", Writes);
//! async fn change(permit: souk_access::Permit<Edit>) {
//!     let _ = permit.write("product.change", async |_tx| Ok::<_, souk_access::Refusal>(())).await;
//! }
//! ```
//!
//! nor at the control plane:
//!
//! ```compile_fail,E0599
//! souk_access::permission!(View, "organization", "view", Reads);
//! async fn change(permit: souk_access::ControlPermit<View>) {
//!     let _ = permit.write("organization.change", async |_tx| Ok::<_, souk_access::Refusal>(())).await;
//! }
//! ```
//!
//! ```
//! souk_access::permission!(Edit, "organization", "edit", Writes);
//! async fn change(permit: souk_access::ControlPermit<Edit>) {
//!     let _ = permit.write("organization.change", async |_tx| Ok::<_, souk_access::Refusal>(())).await;
//! }
//! ```
//!
//! One permission is no other, whatever both may do:
//!
//! ```compile_fail,E0308
//! souk_access::permission!(Edit, "product", "edit", Writes);
//! souk_access::permission!(Refund, "order", "refund", Writes);
//! fn refund(_permit: souk_access::Permit<Refund>) {}
//! fn handler(permit: souk_access::Permit<Edit>) {
//!     refund(permit);
//! }
//! ```
//!
//! ```
//! souk_access::permission!(Refund, "order", "refund", Writes);
//! fn refund(_permit: souk_access::Permit<Refund>) {}
//! fn handler(permit: souk_access::Permit<Refund>) {
//!     refund(permit);
//! }
//! ```
//!
//! and a permission of a store is none of the control plane:
//!
//! ```compile_fail,E0308
//! souk_access::permission!(Edit, "product", "edit", Writes);
//! fn edit(_permit: souk_access::Permit<Edit>) {}
//! fn handler(permit: souk_access::ControlPermit<Edit>) {
//!     edit(permit);
//! }
//! ```
//!
//! ```
//! souk_access::permission!(Edit, "product", "edit", Writes);
//! fn edit(_permit: souk_access::ControlPermit<Edit>) {}
//! fn handler(permit: souk_access::ControlPermit<Edit>) {
//!     edit(permit);
//! }
//! ```
//!
//! Nobody makes a permit out of nothing, it is extracted from a request:
//!
//! ```compile_fail,E0624
//! souk_access::permission!(View, "product", "view", Reads);
//! let permit = souk_access::Permit::<View>::new(todo!());
//! ```
//!
//! ```
//! souk_access::permission!(View, "product", "view", Reads);
//! fn extracted<T: actix_web::FromRequest>() {}
//! extracted::<souk_access::Permit<View>>();
//! ```
//!
//! nor a worker's, which the gate gives for a reason:
//!
//! ```compile_fail,E0624
//! let permit = souk_access::WorkerPermit::new(todo!(), todo!());
//! ```
//!
//! ```
//! fn permit(gate: &souk_access::Gate, store: souk_kernel::StoreId) -> Option<souk_access::WorkerPermit> {
//!     gate.worker(store, "relay", "carries events on").ok()
//! }
//! ```
//!
//! A permit does not hand on the right to transactions that do not ask what it is for:
//!
//! ```compile_fail,E0616
//! souk_access::permission!(View, "product", "view", Reads);
//! fn scope(permit: &souk_access::Permit<View>) -> souk_tenancy::StoreScope {
//!     permit.inner.scope.clone()
//! }
//! ```
//!
//! ```compile_fail,E0616
//! fn scope(gate: &souk_access::Gate, store: souk_kernel::StoreId) -> Option<souk_tenancy::StoreScope> {
//!     gate.0.mint.scope_of(store)
//! }
//! ```
//!
//! ```
//! souk_access::permission!(View, "product", "view", Reads);
//! fn store(permit: &souk_access::Permit<View>) -> souk_kernel::StoreId {
//!     permit.store()
//! }
//! fn directory(gate: &souk_access::Gate) -> &souk_tenancy::Directory {
//!     gate.directory()
//! }
//! ```
//!
//! A mode cannot be invented, there are two:
//!
//! ```compile_fail,E0277
//! enum Everything {}
//! impl souk_access::Mode for Everything { const WRITES: bool = true; }
//! ```
//!
//! ```
//! const fn writes<M: souk_access::Mode>() -> bool { M::WRITES }
//! assert!(writes::<souk_access::Writes>() && !writes::<souk_access::Reads>());
//! ```
//!
//! And whose rows somebody may see cannot be widened: see [`Reach`].

mod actor;
mod api_key;
mod caller;
mod chronicle;
mod control;
mod credentials;
mod error;
mod gate;
mod host;
mod idempotency;
mod key_limits;
mod password;
mod permission;
mod permit;
mod policy;
mod principal_cache;
mod queries;
mod refresh;
mod reply;
mod secret;
mod tokens;
mod totp;
mod unsigned;
mod vault;
mod vouched;
mod worker;

pub use actor::{Actor, Reach};
pub use api_key::{ApiKey, KeyKind, KeyMode};
pub use caller::Caller;
pub use chronicle::{Cause, Chronicle, Deed};
pub use control::{Account, ControlActor, ControlGate, ControlPermit, Member, Membership, Place};
pub use error::{
    BAD_HOST, CATALOGUE, CREDENTIALS_AMBIGUOUS, CREDENTIALS_IN_URL, GateError, KEY_RESTRICTED, PASSWORD_BUSY,
    PROOF_LASTS, Refusal, STEP_UP_REQUIRED, database_problem, is_lately, step_up,
};
pub use gate::Gate;
pub use idempotency::{Claim, Claimed, Ticket, prune};
pub use key_limits::{is_network, is_origin};
pub use password::{Hasher, HasherError, LONGEST, Password, PasswordError, PasswordHash, SHORTEST};
pub use permission::{Catalogue, Mode, Permission, PermissionKey, Reads, Writes};
pub use permit::Permit;
pub use policy::{Grant, GrantError, PermissionSet, Policy, PolicyError, read_roles};
pub use refresh::{RefreshRecord, RefreshToken, RefreshVerdict};
pub use reply::Reply;
pub use secret::{AppSecret, LinkSecret, NoEntropy, SecretDigest};
pub use tokens::{
    AccessClaims, Audience, IssuedToken, MAX_LIFETIME, SigningKey, Subject, TokenError, TokenKind, Verifier,
};
pub use totp::{RecoveryCode, Totp};
pub use unsigned::{AtWork, Unsigned};
pub use vault::{Sealed, Vault};
pub use vouched::Vouched;
pub use worker::{ControlWorker, WorkerPermit};
