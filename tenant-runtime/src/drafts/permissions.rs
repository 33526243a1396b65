//! What draft orders ask of staff. Whoever has the link needs no right but to shop.

souk_access::permissions! {
    /// See draft orders.
    View = "draft_order", "view", Reads;
    /// Put draft orders together, change them, send their links and cancel them.
    Edit = "draft_order", "edit", Writes;
    /// Make a draft order an order without its buyer: paid by hand, or to be paid later.
    Complete = "draft_order", "complete", Writes;
}
