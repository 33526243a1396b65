//! What may be done with members and invitations.

souk_access::permissions! {
    /// See who is a member.
    View = "member", "view", Reads;
    /// Change roles and remove members.
    Manage = "member", "manage", Writes, step_up;
    /// See open invitations.
    ViewInvitations = "invitation", "view", Reads;
    /// Invite.
    Invite = "invitation", "send", Writes, step_up;
    /// Take an invitation back.
    Revoke = "invitation", "revoke", Writes;
    /// Follow an invitation one received: for every signed-in account.
    Accept = "invitation", "accept", Writes;
}
