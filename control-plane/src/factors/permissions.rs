//! What may be done with one's own second factor.

souk_access::permissions! {
    /// See whether there is one.
    View = "second_factor", "view", Reads;
    /// Set it up, take it away, prove oneself with it.
    Edit = "second_factor", "edit", Writes;
}
