//! What may be done with stores.

souk_access::permissions! {
    /// Ask for one; whether in a given organization is [`Open`]'s question.
    Request = "store", "request", Writes;
    /// See those one is a member for.
    List = "store", "list", Reads;
    /// Say to any store who one is; the store decides what that is worth.
    Present = "store", "present", Reads;
    /// Open one in this organization.
    Open = "store", "open", Writes;
    /// See one.
    View = "store", "view", Reads;
    /// Rename one; whether its plan may change is [`ChoosePlan`]'s question.
    Edit = "store", "edit", Writes;
    /// Give one another plan.
    ChoosePlan = "store", "choose_plan", Writes;
    /// Work in one: take a staff token for it.
    Enter = "store", "enter", Reads;
    /// Suspend and resume one.
    Suspend = "store", "suspend", Writes;
    /// Say whose word about its Store object counts: ours, or the cluster's.
    Place = "store", "place", Writes, step_up;
    /// Delete and restore one.
    Delete = "store", "delete", Writes, step_up;
}
