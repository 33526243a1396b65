//! Who may see and change what delivery costs.

souk_access::permissions! {
    /// See zones and rates.
    View = "shipping", "view", Reads;
    /// Change zones and rates.
    Edit = "shipping", "edit", Writes;
}
