//! What a store may use and how many an organization may have: quotas, committed as data.

mod model;
mod routes;

pub use model::PlanId;
pub use routes::routes;
