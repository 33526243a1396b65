//! Who may see colleagues, and handle keys.

souk_access::permissions! {
    /// People and roles.
    View = "staff", "view", Reads;
    /// Keys, without their secrets.
    ViewKeys = "api_key", "view", Reads;
    /// New keys, and the end of old ones.
    EditKeys = "api_key", "edit", Writes;
}
