//! What may be done with stock.

souk_access::permissions! {
    /// See locations, levels and movements.
    View = "inventory", "view", Reads;
    /// Change what is on hand.
    Adjust = "inventory", "adjust", Writes;
    /// Open, change and close locations, and say what an item asks of its stock.
    Arrange = "inventory", "arrange", Writes;
}
