//! What may be done with the log.

souk_access::permissions! {
    /// Read the log.
    View = "audit", "view", Reads;
}
