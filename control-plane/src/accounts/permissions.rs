//! What may be done with accounts.

souk_access::permissions! {
    /// Sign up.
    SignUp = "account", "sign_up", Writes;
    /// Follow a mailed link, or ask for one.
    Recover = "account", "recover", Writes;
    /// See oneself.
    View = "account", "view", Reads;
    /// Change or delete oneself.
    Edit = "account", "edit", Writes;
}
