//! What may be done with sales channels.

souk_access::permissions! {
    /// See sales channels, and what is published on them.
    View = "channel", "view", Reads;
    /// Make, change and delete them, publish products on them and take them off.
    Edit = "channel", "edit", Writes;
}
