//! What may be done with the catalogue.

souk_access::permissions! {
    /// See products, also those not for sale.
    View = "product", "view", Reads;
    /// Make, change and delete products.
    Edit = "product", "edit", Writes;
    /// See collections, also those not published, and categories.
    ViewCollections = "collection", "view", Reads;
    /// Make, change and delete collections and categories.
    EditCollections = "collection", "edit", Writes;
    /// Look around in the shop.
    Browse = "storefront", "view", Reads;
}
