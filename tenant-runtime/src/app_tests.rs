//! The application as a whole.

use crate::app;

#[test]
fn a_request_is_asked_about_by_the_routes_of_few_rooms() {
    let wings = app::PLAN.as_ref().map(|(wings, _)| wings.len());
    assert!(wings.as_ref().is_ok_and(|wings| *wings >= 15), "{wings:?}");
}
