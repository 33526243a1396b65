//! Who may read what a store has written to people, and say what it writes.

souk_access::permissions! {
    /// The log of mails, templates, looks.
    View = "message", "view", Reads;
    /// Templates, looks, sender, suppression list; sending again.
    Edit = "message", "edit", Writes;
    /// Tell of a bounce, with the store's secret.
    Report = "message", "report", Writes;
    /// End marketing to one's own address, with the link of a mail.
    Unsubscribe = "message", "unsubscribe", Writes;
}
