//! Who may do what, proved over every operation of both OpenAPI documents.
//!
//! (a) `roles`: a committed table says which role holds which permission. (b) `matrix`: everybody tries everything, and gets exactly the
//! answer that the tables say; whoever is refused has changed nothing; and the database is asked exactly as often as `costs` says. (c) `foreign`: an id of another store, or of another shopper, is
//! answered like one that does not exist. (d) `acts`: what somebody does by a right of theirs is in the log afterwards. (e) `visits`:
//! people of the platform only look, and only with a grant. (f) `timing`: what must not be told is not told by the clock either. (g) `endings`:
//! what ends at the control plane ends in stores. (h) `lately`: what is dangerous asks again who somebody is, and nothing else does.
//! (i) `replayed`: what one store gave out is worth nothing in another. (j) `logs`: no secret is in what was logged meanwhile.

mod acts;
pub mod cast;
mod costs;
mod endings;
mod foreign;
mod lately;
mod logs;
mod matrix;
mod replayed;
pub mod requests;
mod roles;
pub mod rows;
pub mod scene;
mod timing;
mod visits;
