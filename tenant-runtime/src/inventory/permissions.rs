//! What may be done with stock.

souk_access::permissions! {
    /// See locations, levels and movements.
    View = "inventory", "view", Reads;
    /// Change what is on hand.
    Adjust = "inventory", "adjust", Writes;
}
