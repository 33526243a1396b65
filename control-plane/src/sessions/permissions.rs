//! What may be done with sessions.

souk_access::permissions! {
    /// Sign in and stay in: for everybody, because it is how one stops being anybody.
    SignIn = "session", "sign_in", Writes;
    /// See one's own.
    View = "session", "view", Reads;
    /// End one's own.
    End = "session", "end", Writes;
}
