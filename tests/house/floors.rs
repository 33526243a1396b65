//! Rule 3: the floors of the tenant runtime, and its doors.

use crate::source::{Offence, Tree};
use syn::visit::{self, Visit};

/// From the ground (0) up; a capability may use those of lower floors.
const FLOORS: [&[&str]; 9] = [
    &["settings", "audit"],
    &["tax", "shipping", "markets", "groups", "inventory", "ledger", "staff", "storefront", "media"],
    &["catalog", "customers", "credit"],
    &["discounts", "payments", "identities", "apps", "imports", "content", "channels"],
    &["cart"],
    &["orders", "drafts"],
    &["checkout", "fulfillment", "invoices", "returns", "subscriptions"],
    &["messages", "webhooks", "privacy", "search", "insights", "recommendations"],
    &["feed"],
];

/// Files nobody else may name, whoever they are.
const PRIVATE: [&str; 4] = ["queries", "actions", "routes", "tests"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let mut found = Vec::new();
    for (path, plane, room, inner, file) in tree.rooms() {
        if plane != "tenant-runtime" || inner.starts_with("tests") {
            continue;
        }
        let Some(own) = floor(room) else {
            // `testing/` and the like are not capabilities.
            continue;
        };
        let mut paths = CratePaths::default();
        paths.visit_file(&file);
        for (other, next) in paths.0 {
            let Some(theirs) = floor(&other).filter(|_| other != room) else { continue };
            if theirs >= own {
                found.push(Offence {
                    place: path.to_owned(),
                    what: format!("`{room}` (floor {own}) uses `{other}` (floor {theirs})"),
                    way_out: "calls go down: let the upper room call the lower one, or emit an event the upper room hears",
                });
            } else if next.as_deref().is_some_and(|next| PRIVATE.contains(&next)) {
                found.push(Offence {
                    place: path.to_owned(),
                    what: format!("`{room}` reaches into `{other}::{}`", next.unwrap_or_default()),
                    way_out: "use the door: what others may call is `pub use`d in the capability's mod.rs",
                });
            }
        }
    }
    found.dedup_by(|a, b| a.place == b.place && a.what == b.what);
    found
}

/// The first two names behind every `crate::`.
#[derive(Default)]
struct CratePaths(Vec<(String, Option<String>)>);

impl CratePaths {
    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let mut names = before.to_vec();
        match tree {
            syn::UseTree::Path(path) => {
                names.push(path.ident.to_string());
                self.tree(&names, &path.tree);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Name(name) => {
                names.push(name.ident.to_string());
                self.take(&names);
            }
            syn::UseTree::Rename(rename) => {
                names.push(rename.ident.to_string());
                self.take(&names);
            }
            syn::UseTree::Glob(_) => self.take(&names),
        }
    }

    fn take(&mut self, names: &[String]) {
        if let [first, second, rest @ ..] = names
            && first == "crate"
        {
            self.0.push((second.clone(), rest.first().cloned()));
        }
    }
}

impl<'ast> Visit<'ast> for CratePaths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.take(&names);
        visit::visit_path(self, path);
    }
}
