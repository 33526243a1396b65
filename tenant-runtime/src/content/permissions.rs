//! What may be done with what a shop says.

souk_access::permissions! {
    /// See pages, menus and policies, also those that shoppers do not see.
    View = "content", "view", Reads;
    /// Write them.
    Edit = "content", "edit", Writes;
}
