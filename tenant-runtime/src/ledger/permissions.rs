//! What the books ask of whoever opens them.

souk_access::permissions! {
    /// Read the journal and its balances.
    View = "ledger", "view", Reads;
}
