//! What may be done with groups of customers.

souk_access::permissions! {
    /// See groups, who is in them, and what a customer in them pays.
    View = "customer_group", "view", Reads;
    /// Make, change and delete groups, put customers into them and take them out.
    Edit = "customer_group", "edit", Writes;
}
