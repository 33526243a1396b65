//! `operations.txt`: what every operation asks for, and what it answers to those who may.

use std::collections::BTreeMap;

use souk_proofs::{Operation, Plane};

const FILE: &str = include_str!("operations.txt");

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// `order:view`; `-` for an operation that asks for nothing.
    pub permission: String,
    /// The answer to a sound request of somebody who may.
    pub allowed: u16,
    /// Answers that follow from more than the permission: `viewer=404`.
    pub except: BTreeMap<String, u16>,
}

/// `store GET /admin/v1/orders/{id}` → its row.
pub fn read() -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in FILE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let wrong = || -> ! { panic!("tests/authority/operations.txt: cannot read `{line}`") };
        let mut words = line.split_whitespace();
        let (Some(plane), Some(method), Some(path), Some(permission), Some(allowed)) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            wrong()
        };
        let rest = words.collect::<Vec<_>>().join(" ");
        let except = rest.split(';').filter(|part| !part.trim().is_empty()).map(|part| {
            let Some((name, status)) = part.split_once('=') else { wrong() };
            (name.trim().to_owned(), status.trim().parse().unwrap_or_else(|_| wrong()))
        });
        let row = Row {
            permission: permission.to_owned(),
            allowed: allowed.parse().unwrap_or_else(|_| wrong()),
            except: except.collect(),
        };
        if rows.insert(format!("{plane} {method} {path}"), row).is_some() {
            panic!("tests/authority/operations.txt: {plane} {method} {path} is there twice");
        }
    }
    rows
}

/// Holds that the table and the documents name the same operations.
pub fn complete(rows: &BTreeMap<String, Row>) {
    let known: Vec<String> =
        Plane::ALL.iter().flat_map(|plane| &plane.document().operations).map(Operation::to_string).collect();
    let new: Vec<&String> = known.iter().filter(|name| !rows.contains_key(*name)).collect();
    let gone: Vec<&String> = rows.keys().filter(|name| !known.contains(name)).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "tests/authority/operations.txt\n  lacks a line for: {new:#?}\n  has a line for what is gone: {gone:#?}\n\
         Add a line `plane METHOD path permission status`, e.g. `store GET /admin/v1/orders order:view 200`: the permission the handler's \
         Permit asks for, and the answer to a sound request of somebody who holds it. The request is the operation's example with ids \
         that exist; where it needs more, say so in tests/authority/requests.rs."
    );
}
