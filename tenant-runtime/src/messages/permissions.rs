//! Who may read what a store has written to people.

souk_access::permissions! {
    /// The log of mails.
    View = "message", "view", Reads;
}
