//! Rule 1: who may depend on whom, read from the manifests.

use crate::source::{Offence, Tree};

const PLANES: [&str; 3] = ["souk-control-plane", "souk-tenant-runtime", "souk-operator"];

/// A folder, and the beginnings of the names it must not depend on.
const FORBIDDEN: [(&str, &[&str]); 6] = [
    ("crates/kernel", &["souk-", "actix", "tokio", "diesel-async", "reqwest"]),
    ("operator", &["diesel", "actix", "souk-tenancy", "souk-access", "souk-event-bus"]),
    ("tenant-runtime", &["kube", "k8s-openapi", "souk-provisioner", "souk-store-resource"]),
    ("crates/provisioner", &["kube", "k8s-openapi", "actix", "diesel"]),
    ("crates/store-resource", &["diesel", "actix"]),
    ("crates/api", &["diesel"]),
];

pub fn offences(tree: &Tree) -> Vec<Offence> {
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        let folder = path.trim_end_matches("/Cargo.toml");
        let manifest: toml::Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let Some(dependencies) = manifest.get("dependencies").and_then(toml::Value::as_table) else {
            continue;
        };
        for name in dependencies.keys() {
            // The stage of the proofs holds both planes in one process; it is a program for tests only.
            let plane = PLANES.contains(&name.as_str()) && folder != "tests/stage";
            let forbidden = FORBIDDEN
                .iter()
                .any(|(who, names)| *who == folder && names.iter().any(|start| name.starts_with(start)));
            if plane || forbidden {
                found.push(Offence {
                    place: path.to_owned(),
                    what: format!("`{folder}` depends on `{name}`"),
                    way_out: "what both need belongs into a crate under crates/; what one plane must tell another goes through PostgreSQL, Kafka or the Store resource",
                });
            }
        }
    }
    found
}
