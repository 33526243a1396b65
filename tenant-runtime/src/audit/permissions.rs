//! What may be done with the log.

souk_access::permissions! {
    /// Read the log, and prove it whole.
    View = "audit", "view", Reads;
}
