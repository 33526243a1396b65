//! Rule 5a: SQL lives in queries.rs, DDL in migrations/.

use crate::source::{Offence, Tree};
use syn::visit::{self, Visit};

const STATEMENTS: [&str; 5] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "];
const DEFINITIONS: [&str; 6] =
    ["CREATE TABLE", "ALTER TABLE", "DROP TABLE", "CREATE INDEX", "CREATE SCHEMA", "CREATE TYPE"];
const BUILDERS: [&str; 7] = ["insert_into", "update", "delete", "select", "sql_query", "sql", "replace_into"];

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let mut found = Vec::new();
    for (path, _, _, inner, file) in tree.rooms() {
        if inner.starts_with("tests") {
            continue;
        }
        let mut seen = Seen { in_queries: inner.starts_with("queries"), what: None };
        seen.visit_file(&file);
        if let Some(what) = seen.what {
            found.push(Offence {
                place: path.to_owned(),
                what,
                way_out: "a statement is a function in queries.rs that takes &mut ReadTx or &mut WriteTx; a table is a migration",
            });
        }
    }
    found
}

struct Seen {
    in_queries: bool,
    what: Option<String>,
}

impl<'ast> Visit<'ast> for Seen {
    // A doc comment may talk about SQL.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        let text = literal.value();
        let text = text.trim_start();
        if DEFINITIONS.iter().any(|start| text.starts_with(start)) {
            self.what.get_or_insert_with(|| format!("DDL: {:.40}", text));
        } else if !self.in_queries && STATEMENTS.iter().any(|start| text.starts_with(start)) {
            self.what.get_or_insert_with(|| format!("SQL: {:.40}", text));
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && !self.in_queries
            && let [first, second] =
                &path.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>()[..]
            && (first == "diesel" || first == "souk_tenancy")
            && BUILDERS.contains(&second.as_str())
        {
            self.what.get_or_insert_with(|| format!("a statement is built here: {first}::{second}"));
        }
        visit::visit_expr_call(self, call);
    }
}
