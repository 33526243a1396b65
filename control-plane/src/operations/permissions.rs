//! What may be done with operations.

souk_access::permissions! {
    /// Watch one.
    View = "operation", "view", Reads;
    /// Take the keys of a new store, once.
    RevealKeys = "operation", "reveal_keys", Writes;
}
