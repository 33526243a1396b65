//! Who may follow what happens in a store.

souk_access::permissions! {
    /// Events with all they carry, names and addresses of shoppers included.
    View = "event", "view", Reads;
    /// Have events heard again, give dead letters up.
    Edit = "event", "edit", Writes;
}
