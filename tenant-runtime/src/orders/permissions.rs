//! What orders ask of whoever looks at them or undoes them.

souk_access::permissions! {
    /// See the store's orders.
    View = "order", "view", Reads;
    /// See one order by its secret, or one's own.
    LookUp = "order", "look_up", Reads;
    /// Undo an order.
    Cancel = "order", "cancel", Writes;
}
