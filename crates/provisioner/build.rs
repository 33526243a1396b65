//! Lists the SQL files of `migrations/` so that a new file is embedded without a line of Rust.
#![expect(clippy::disallowed_methods, reason = "cargo speaks to a build script through its environment")]
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root =
        PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../migrations");
    let root = root.canonicalize().expect("the workspace has a migrations folder");
    let mut out = String::new();
    for (folder, name) in
        [("platform", "PLATFORM"), ("control", "CONTROL"), ("store", "STORE"), ("replaceable", "REPLACEABLE")]
    {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
        writeln!(out, "pub(crate) const {name}: &[(&str, &str)] = &[").expect("a string takes it");
        for file in sql_files(&root.join(folder)) {
            let path = root.join(folder).join(&file);
            println!("cargo:rerun-if-changed={}", path.display());
            writeln!(out, "    ({file:?}, include_str!({:?})),", path.display().to_string())
                .expect("a string takes it");
        }
        out.push_str("];\n");
    }
    let target = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets it")).join("embedded.rs");
    std::fs::write(target, out).expect("the output folder is writable");
}

fn sql_files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    files.retain(|file| file.ends_with(".sql"));
    files.sort();
    files
}
