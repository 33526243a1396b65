//! Who may see and change colleagues and roles, and handle keys.

souk_access::permissions! {
    /// People and roles.
    View = "staff", "view", Reads;
    /// Invite people, give them roles, let them go.
    Edit = "staff", "edit", Writes, step_up;
    /// Change what roles hold.
    EditRoles = "role", "edit", Writes, step_up;
    /// Accept an invitation, before one is anybody here.
    Accept = "invitation", "accept", Writes;
    /// Keys, without their secrets.
    ViewKeys = "api_key", "view", Reads;
    /// New keys, and the end of old ones.
    EditKeys = "api_key", "edit", Writes, step_up;
}
