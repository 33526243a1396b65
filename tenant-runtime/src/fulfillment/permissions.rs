//! What sending asks of whoever does it. Whoever may see an order may see what was sent of it.

souk_access::permissions! {
    /// Send what was sold, and take it back.
    Fulfil = "order", "fulfil", Writes;
}
