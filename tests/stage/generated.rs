//! The files that are made from the code: what each must hold. `make generate` writes them, `make check` compares.

use std::path::{Path, PathBuf};

use souk_access::{PermissionKey, Policy, PolicyError};

/// A file of this repository and what it must hold.
pub struct Generated {
    /// From the root of the repository.
    pub path: &'static str,
    pub text: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All of them.
///
/// # Errors
/// When a committed policy does not load.
pub async fn all() -> Result<Vec<Generated>, PolicyError> {
    let control = souk_control_plane::app::policy().await?;
    let store = souk_tenant_runtime::app::policy().await?;
    let order = ["anyone", "account", "owner", "admin", "developer", "viewer"];
    let shop = [
        "anyone",
        "shopper",
        "owner",
        "manager",
        "catalogue",
        "fulfilment",
        "support",
        "accountant",
        "viewer",
    ];
    let catalogues = [souk_control_plane::problems::CATALOGUES, souk_tenant_runtime::app::PROBLEMS].concat();
    Ok(vec![
        Generated {
            path: "docs/openapi/control-plane.json",
            text: souk_control_plane::app::openapi().to_owned(),
        },
        Generated {
            path: "docs/openapi/tenant-runtime.json",
            text: souk_tenant_runtime::app::openapi().to_owned(),
        },
        Generated { path: "docs/PROBLEMS.md", text: souk_api::problem::markdown(&catalogues) },
        Generated {
            path: "control-plane/policy/table.txt",
            text: table(&control, &order, souk_control_plane::app::permissions().collect()),
        },
        Generated {
            path: "tenant-runtime/policy/table.txt",
            text: table(&store, &shop, souk_tenant_runtime::app::permissions()),
        },
    ])
}

/// Roles across, permissions down: a change of authority is a readable diff. Roles that are not in `first` follow it.
fn table(policy: &Policy, first: &[&str], mut keys: Vec<PermissionKey>) -> String {
    let rest = policy.built_in_roles().filter(|role| !first.contains(role));
    let roles: Vec<&str> = first.iter().copied().chain(rest).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut text = format!(
        "# Who may do what: {}.\n# Made from roles.csv by `make generate`; a change here is a change of authority.\n",
        roles.join(", ")
    );
    let sets: Vec<_> = roles.iter().map(|role| policy.built_in(role).unwrap_or_default()).collect();
    for key in keys {
        let marks = sets.iter().map(|set| if policy.allows(set, key) { " ✔" } else { " ✘" });
        text.push_str(&format!("{:<28}{}\n", key.to_string(), marks.collect::<String>()));
    }
    text
}
