//! The application as a whole.

use crate::app;

#[test]
fn no_address_follows_routes_of_two_rooms() {
    if let Err(error) = &*app::PATTERNS {
        panic!("{error}");
    }
}
