//! Who works in a store, with which role, and the keys of its machines.
