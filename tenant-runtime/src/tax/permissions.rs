//! Who may see and change what is owed.

souk_access::permissions! {
    /// See the tax rates.
    View = "tax", "view", Reads;
    /// Set and end tax rates.
    Edit = "tax", "edit", Writes;
}
