//! What may be done with an organization.

souk_access::permissions! {
    /// See which one is a member of.
    List = "organization", "list", Reads;
    /// Found one.
    Found = "organization", "found", Writes;
    /// See it.
    View = "organization", "view", Reads;
    /// Rename it.
    Edit = "organization", "edit", Writes;
    /// Delete it, once it has no stores.
    Delete = "organization", "delete", Writes, step_up;
}
