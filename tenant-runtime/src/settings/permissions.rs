//! Who may see and change how a store counts.

souk_access::permissions! {
    /// See the store's public facts.
    ViewStore = "storefront", "view", Reads;
    /// See the settings.
    View = "settings", "view", Reads;
    /// Change the settings.
    Edit = "settings", "edit", Writes;
}
