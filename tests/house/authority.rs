//! Rule 4: connections and pools exist in `tenancy`, `provisioner` and the harness only; queries take a transaction.

use crate::source::{Offence, Tree};
use syn::visit::{self, Visit};

/// Names that mean a way to the database which no permit guards.
const BACK_DOORS: [&str; 8] = [
    "AsyncPgConnection",
    "PgConnection",
    "Pool",
    "deadpool",
    "tokio_postgres",
    "begin_transaction",
    "batch_execute",
    "StoreMint",
];

const AT_HOME: [&str; 7] = [
    "crates/tenancy/",
    "crates/provisioner/",
    "crates/event-bus/",
    "crates/due-work/",
    "tests/",
    "cli/",
    "crates/access/src/gate",
];

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let mut found = Vec::new();
    for (path, file) in tree.rust().filter(|(path, _)| !AT_HOME.iter().any(|home| path.starts_with(home))) {
        // Tests may look at the database behind the API's back.
        if path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/testing") {
            continue;
        }
        let mut names = Names::default();
        names.visit_file(&file);
        if let Some(name) = names.0.first() {
            found.push(Offence {
                place: path.to_owned(),
                what: format!("`{name}` is a way to the database that no permit guards"),
                way_out: "take `&mut ReadTx` or `&mut WriteTx`; only a Permit (or, for background work, Gate::worker) opens a transaction",
            });
        }
    }
    found
}

#[derive(Default)]
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_ident(&mut self, ident: &'ast proc_macro2::Ident) {
        let name = ident.to_string();
        if BACK_DOORS.contains(&name.as_str()) {
            self.0.push(name);
        }
        visit::visit_ident(self, ident);
    }
}
