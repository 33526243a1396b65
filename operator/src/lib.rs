//! Store resources become schemas and workloads.
