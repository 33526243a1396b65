//! Who may see and change markets.

souk_access::permissions! {
    /// See where the store sells.
    ViewStore = "storefront", "view", Reads;
    /// See markets.
    View = "market", "view", Reads;
    /// Make, change and delete markets.
    Edit = "market", "edit", Writes;
}
