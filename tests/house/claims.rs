//! Rule 9: docs/SECURITY.md names tests that exist, and says where there are none.

use crate::source::{Offence, Tree};

const PAGE: &str = "docs/SECURITY.md";

/// A name as tests have them: at least one `_`, or one of the proofs over all bodies, addresses, headers, cursors.
fn is_name(word: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let proof = ["bodies", "addresses", "headers", "cursors"].contains(&word);
    word.bytes().all(letters) && (word.matches('_').count() > 1 || proof)
}

/// What the third column of a table's row names: tests, and drills as `drill `…``.
fn named(row: &str) -> Vec<(String, bool)> {
    let Some(shown) = row.trim_end().trim_end_matches('|').rsplit('|').next() else { return Vec::new() };
    let parts: Vec<&str> = shown.split('`').collect();
    let quoted = parts.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
    quoted.map(|(before, name)| ((*name).to_owned(), before.trim_end().ends_with("drill"))).collect()
}

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let offence = |what: String| Offence {
        place: PAGE.to_owned(),
        what,
        way_out: "name a test that shows it, or say **gap**",
    };
    let mut found = Vec::new();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Attack"));
    for row in rows {
        let tests = named(row);
        let attack = row.split('|').nth(1).unwrap_or_default().trim().to_owned();
        if tests.is_empty() && !row.contains("**gap**") {
            found.push(offence(format!("nothing shows `{attack}`")));
        }
        for (name, drill) in tests {
            let there = if drill {
                tree.text(&format!("tests/drills/{name}.rs")).is_some()
            } else if is_name(&name) {
                let signature = format!("fn {name}(");
                tree.files().any(|(path, text)| path.ends_with(".rs") && text.contains(&signature))
            } else {
                name.starts_with("make ")
            };
            if !there {
                found.push(offence(format!("`{name}` is no test")));
            }
        }
    }
    found
}
