//! Who may fill a cart: anybody.

souk_access::permissions! {
    /// Fill a cart.
    Use = "cart", "use", Writes;
}
