//! The application as a whole.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::app;

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(app::openapi()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path} repeats {name}");
            assert!(!name.contains('_'), "{method} {path}: {name} is not camelCase");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        }
    }
}

#[test]
fn a_request_is_asked_about_by_the_routes_of_few_rooms() {
    let wings = app::PLAN.as_ref().map(|(wings, _)| wings.len());
    assert!(wings.as_ref().is_ok_and(|wings| *wings >= 15), "{wings:?}");
}
