//! Proof (c): ids of others.
