//! Rule 2: the closed list of file names inside a capability.

use crate::source::{Offence, Tree, room_of};

const FILES: [&str; 11] = [
    "mod.rs",
    "model.rs",
    "state.rs",
    "permissions.rs",
    "queries.rs",
    "actions.rs",
    "routes.rs",
    "graphql.rs",
    "events.rs",
    "error.rs",
    "tests.rs",
];

pub fn offences(tree: &Tree) -> Vec<Offence> {
    tree.files()
        .filter(|(path, _)| path.ends_with(".rs"))
        .filter_map(|(path, _)| {
            let (_, _, inner) = room_of(path)?;
            // A file that outgrew its 500 lines is a folder of the same name.
            let file = inner.split_once('/').map_or_else(|| inner.to_owned(), |(folder, _)| format!("{folder}.rs"));
            (!FILES.contains(&file.as_str())).then(|| Offence {
                place: path.to_owned(),
                what: format!("`{inner}` is not a file a capability has"),
                way_out: "put it into the file of the list that holds such things (types: model.rs, use cases: actions.rs, SQL: queries.rs), or open a capability of its own",
            })
        })
        .collect()
}
