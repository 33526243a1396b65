//! The Store resource: what control plane and operator say to each other.
