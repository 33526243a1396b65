//! Rule 10: what operators are told to watch is measured: docs/OPERATIONS.md, the chart's alerts and its dashboards.

use std::collections::BTreeSet;

use crate::source::{Offence, Tree};

const FAMILIES: [&str; 3] = ["souk_", "http_requests", "http_request_"];
/// What Prometheus adds to a histogram's name.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

fn watches(path: &str) -> bool {
    path == "docs/OPERATIONS.md"
        || path == "charts/souk/templates/monitoring.yaml"
        || path.starts_with("charts/souk/dashboards/")
}

/// Words of the text that are metrics by their first letters, without what Prometheus adds.
fn named(text: &str) -> BTreeSet<&str> {
    let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter: char| !inside(letter));
    words
        .filter(|word| FAMILIES.iter().any(|family| word.starts_with(family)))
        .map(|word| PARTS.iter().find_map(|part| word.strip_suffix(part)).unwrap_or(word))
        .collect()
}

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let measured = |name: &str| {
        let call = format!("!(\"{name}\"");
        tree.files().any(|(path, text)| path.ends_with(".rs") && text.contains(&call))
    };
    let watched = tree.files().filter(|(path, _)| watches(path));
    let pairs = watched.flat_map(|(path, text)| named(text).into_iter().map(move |name| (path, name)));
    pairs
        .filter(|(_, name)| !measured(name))
        .map(|(path, name)| Offence {
            place: path.to_owned(),
            what: format!("nothing measures `{name}`"),
            way_out: "name a metric that the code has, as `counter!`, `gauge!` or `histogram!` spell it",
        })
        .collect()
}
