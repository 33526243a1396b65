//! What may be done with grants.

souk_access::permissions! {
    /// Ask for one; the configuration says whose wish counts.
    Request = "store_grant", "request", Writes, step_up;
    /// Enter a store with one's own.
    Use = "store_grant", "use", Reads;
    /// See who of the platform may look at the store, or could.
    View = "store_grant", "view", Reads;
    /// Take one back.
    Withdraw = "store_grant", "withdraw", Writes;
}
