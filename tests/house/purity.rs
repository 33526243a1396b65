//! Rule 5b: rules and arithmetic never wait for anything.

use crate::source::{Offence, Tree};
use syn::visit::{self, Visit};

pub fn offences(tree: &Tree) -> Vec<Offence> {
    tree.rust()
        .filter(|(path, _)| {
            let in_room = crate::source::room_of(path).is_some_and(|(_, _, inner)| {
                ["model", "state"]
                    .iter()
                    .any(|pure| inner.strip_prefix(pure).is_some_and(|rest| rest.starts_with(['.', '/'])))
            });
            in_room
                || ["operator/src/store/build/", "operator/src/release/build"]
                    .iter()
                    .any(|pure| path.starts_with(pure))
        })
        .filter_map(|(path, file)| {
            let mut waits = Waits(false);
            waits.visit_file(&file);
            waits.0.then(|| Offence {
                place: path.to_owned(),
                what: "it awaits".to_owned(),
                way_out: "let actions.rs fetch what the rule needs and hand it in as a value",
            })
        })
        .collect()
}

struct Waits(bool);

impl<'ast> Visit<'ast> for Waits {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.0 |= signature.asyncness.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.0 = true;
    }

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {
        self.0 = true;
    }
}
