//! The Kubernetes cluster in which stores are Store objects: what we ask of one, what its operator says of it, and who else
//! wants a say. Knows no row of ours; `stores` decides.

mod actions;
mod error;
mod model;

pub use actions::{Cluster, labelled};
pub use error::{ClusterError, Conflict};
pub use model::{Place, Verdict, Wish, is_ours, judge, object_name, row_of};
