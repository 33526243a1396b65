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
//! What the types refuse. A reading permission cannot write:
//!
//! ```compile_fail,E0599
//! souk_access::permission!(View, "product", "view", Reads);
//! async fn tamper(permit: souk_access::Permit<View>) {
//!     let _ = permit.write("product.tamper", async |_tx| Ok::<_, souk_access::Refusal>(())).await;
//! }
//! ```
//!
//! nobody makes a permit or a store scope out of nothing:
//!
//! ```compile_fail,E0624
//! souk_access::permission!(View, "product", "view", Reads);
//! let permit = souk_access::Permit::<View>::new(todo!());
//! ```
//!
//! ```compile_fail,E0616
//! fn scope(permit: &souk_access::Permit<View>) -> souk_tenancy::StoreScope { permit.inner.scope.clone() }
//! souk_access::permission!(View, "product", "view", Reads);
//! ```
//!
//! and a mode cannot be invented:
//!
//! ```compile_fail,E0277
//! enum Everything {}
//! impl souk_access::Mode for Everything { const WRITES: bool = true; }
//! ```

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
    PROOF_LASTS, Refusal, STEP_UP_REQUIRED, database_problem,
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
