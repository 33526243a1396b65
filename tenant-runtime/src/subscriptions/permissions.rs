//! Who may be told things, and who says when.

souk_access::permissions! {
    /// Ask to be told, and confirm it.
    Ask = "notice", "ask", Writes;
    /// See who waits and when staff and shoppers are told.
    View = "notice", "view", Reads;
    /// Say when staff and shoppers are told.
    Edit = "notice", "edit", Writes;
}
