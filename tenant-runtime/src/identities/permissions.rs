//! What may be done with identities elsewhere, and with the providers that vouch for them.

souk_access::permissions! {
    /// Sign in with one: for everybody, because it is how one stops being anybody.
    SignIn = "identity", "sign_in", Writes;
    /// Staff: see one's own.
    ViewOwn = "identity", "view", Reads;
    /// Staff: link one to oneself, or take one away. Each is a way in.
    Link = "identity", "link", Writes, step_up;
    /// See whom the store lets vouch for people.
    View = "identity_provider", "view", Reads;
    /// Say whom. Whoever vouches for staff lets people in.
    Edit = "identity_provider", "edit", Writes, step_up;
}
