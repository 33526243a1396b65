//! People of the platform in somebody's store: only with a reason, for at most an hour, only to look, and before the owner's eyes.
//!
//! Who is of the platform the configuration says (`SOUK_PLATFORM_STAFF`). A grant lives in the schema the planes share, where the store asks
//! after it with every token (remembered for less than a second); the owner sees it in the organization's log and can take it back, and each
//! request made with it is in the store's log.

mod actions;
mod error;
mod model;
mod permissions;
mod queries;
mod routes;
#[cfg(test)]
mod tests;

pub use error::CATALOGUE;
pub use permissions::ALL as PERMISSIONS;
pub use routes::routes;
