//! What taking and giving money asks of staff.

souk_access::permissions! {
    /// See payments, their transactions and refunds.
    View = "payment", "view", Reads;
    /// Take money that is held.
    Capture = "payment", "capture", Writes;
    /// Say that an order was paid outside of any provider.
    MarkPaid = "payment", "mark_paid", Writes;
}
