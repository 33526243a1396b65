//! What may be done with operations.

souk_access::permissions! {
    /// Watch one.
    View = "operation", "view", Reads;
    /// Take the keys of a new store, once. Whoever signed up or in for it just now is not asked again.
    RevealKeys = "operation", "reveal_keys", Writes, step_up;
}
