//! What buying asks of the shopper: nothing but to be there.

souk_access::permissions! {
    /// Buy what is in a cart whose secret one knows.
    Use = "checkout", "use", Writes;
}
