//! Who may see invoices, issue them, and say what stands on them.

souk_access::permissions! {
    /// See invoices and credit notes.
    View = "invoice", "view", Reads;
    /// Issue them.
    Issue = "invoice", "issue", Writes;
    /// Say who the seller is, how documents are numbered and when they are issued.
    Edit = "invoice", "edit", Writes;
}
