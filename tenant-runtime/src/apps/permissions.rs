//! What may be done with apps, and by them.

souk_access::permissions! {
    /// Ask for a token: for everybody, because it is how an app stops being anybody.
    SignIn = "app", "sign_in", Writes;
    /// See apps and what they may, without their secrets.
    View = "app", "view", Reads;
    /// Register an app and say what it needs. It may nothing yet.
    Request = "app", "request", Writes;
    /// Give an app scopes and a secret, and take both away.
    Approve = "app", "approve", Writes, step_up;
}
