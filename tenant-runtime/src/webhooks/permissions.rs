//! Who may see and change where a store's events go.

souk_access::permissions! {
    /// Endpoints and what became of deliveries.
    View = "webhook", "view", Reads;
    /// Endpoints, their secrets, sending again.
    Edit = "webhook", "edit", Writes;
}
