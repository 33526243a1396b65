//! What may be done with customers: by themselves, and by the people of the store.

souk_access::permissions! {
    /// Register, sign in and recover: for everybody, because it is how one stops being anybody.
    SignIn = "account", "sign_in", Writes;
    /// See one's own account.
    ViewOwn = "account", "view", Reads;
    /// Change one's own account.
    EditOwn = "account", "edit", Writes;
    /// See the store's customers.
    View = "customer", "view", Reads;
    /// Change, disable and sign out customers, and take a copy of all that is known of them.
    Edit = "customer", "edit", Writes;
    /// Forget a customer for good.
    Erase = "customer", "erase", Writes;
}
