//! What payouts ask of staff.

souk_access::permissions! {
    /// See what providers pay out and what it is made of.
    View = "payout", "view", Reads;
}
