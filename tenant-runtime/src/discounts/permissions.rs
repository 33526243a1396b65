//! What may be done with discounts.

souk_access::permissions! {
    /// See discounts and who has used them how often.
    View = "discount", "view", Reads;
    /// Make, change, pause and delete discounts.
    Edit = "discount", "edit", Writes;
}
