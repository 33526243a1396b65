//! Who may do what, proved over every operation of both OpenAPI documents.
//!
//! (a) `roles`: a committed table says which role holds which permission. (b) `matrix`: everybody tries everything, and gets exactly the
//! answer that the tables say; whoever is refused has changed nothing. (c) `foreign`: an id of another store, or of another shopper, is
//! answered like one that does not exist.

pub mod cast;
mod foreign;
mod matrix;
pub mod requests;
mod roles;
pub mod rows;
pub mod scene;
