//! The code as the rules see it: paths and texts, and the syntax behind them.

use std::{collections::BTreeMap, fs, path::Path};

/// Where, what, and how to put it right.
#[derive(Debug)]
pub struct Offence {
    pub place: String,
    pub what: String,
    pub way_out: &'static str,
}

/// Paths relative to the top of the repository, with `/`, and their texts.
pub struct Tree(BTreeMap<String, String>);

const LEFT_OUT: [&str; 6] = ["target", ".git", ".souk", "node_modules", "snapshots", "generated"];

/// Endings of the files that some rule reads.
const READ: [&str; 8] = [".rs", ".toml", ".sql", ".ts", ".tsx", ".md", ".yaml", ".json"];

impl Tree {
    /// The repository this test was built in.
    pub fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent");
        let mut files = BTreeMap::new();
        walk(top, top, &mut files);
        Self(files)
    }

    /// A tree made for a test.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust sources with their syntax tree; the generated tables of diesel are left out.
    pub fn rust(&self) -> impl Iterator<Item = (&str, syn::File)> {
        self.files().filter(|(path, _)| path.ends_with(".rs") && !path.ends_with("/schema.rs")).map(
            |(path, text)| {
                (path, syn::parse_file(text).unwrap_or_else(|error| panic!("{path} does not parse: {error}")))
            },
        )
    }

    /// Rust sources of the planes' capabilities: (path, plane, capability, file within it, syntax).
    pub fn rooms(&self) -> impl Iterator<Item = (&str, &str, &str, &str, syn::File)> {
        self.rust().filter_map(|(path, file)| {
            let (plane, room, inner) = room_of(path)?;
            Some((path, plane, room, inner, file))
        })
    }
}

/// `tenant-runtime/src/cart/queries/lines.rs` → (`tenant-runtime`, `cart`, `queries/lines.rs`).
pub fn room_of(path: &str) -> Option<(&str, &str, &str)> {
    let (plane, rest) = path.split_once("/src/")?;
    if !["tenant-runtime", "control-plane"].contains(&plane) {
        return None;
    }
    let (room, inner) = rest.split_once('/')?;
    // What the tests of all rooms share is no room.
    (room != "testing").then_some((plane, room, inner))
}

fn walk(top: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a file of the repository").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !LEFT_OUT.contains(&name) {
                walk(top, &path, files);
            }
        } else if READ.iter().any(|end| name.ends_with(end)) {
            let relative =
                path.strip_prefix(top).expect("below the top").to_string_lossy().replace('\\', "/");
            files.insert(relative, fs::read_to_string(&path).expect("UTF-8 text"));
        }
    }
}
