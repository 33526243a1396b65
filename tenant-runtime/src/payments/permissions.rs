//! What taking and giving money asks of staff.

souk_access::permissions! {
    /// See how one can pay.
    Offer = "storefront", "view", Reads;
    /// Decide how one can pay.
    SetUp = "payment", "set_up", Writes, step_up;
    /// See payments, their transactions and refunds.
    View = "payment", "view", Reads;
    /// Take money that is held.
    Capture = "payment", "capture", Writes;
    /// Give money back.
    Refund = "payment", "refund", Writes;
    /// Say that an order was paid outside of any provider.
    MarkPaid = "payment", "mark_paid", Writes;
}
