//! What may be done with gift cards and store credit.

souk_access::permissions! {
    /// See gift cards, store credit and their movements.
    View = "credit", "view", Reads;
    /// Issue gift cards and store credit, and stop gift cards.
    Issue = "credit", "issue", Writes;
}
