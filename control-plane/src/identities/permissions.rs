//! What may be done with identities elsewhere.

souk_access::permissions! {
    /// Sign in with one: for everybody, because it is how one stops being anybody.
    SignIn = "identity", "sign_in", Writes;
    /// See one's own.
    View = "identity", "view", Reads;
    /// Link one to the account, or take one away: each is a way in.
    Link = "identity", "link", Writes, step_up;
}
