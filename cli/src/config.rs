//! What the environment says about the machine; the command's own settings are options (`souk up --help`).

use std::path::PathBuf;

/// Where downloads are kept between clones: `$XDG_CACHE_HOME/souk`, else `$HOME/.cache/souk`, else below the
/// system's folder for temporary files.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("souk")
}

#[expect(clippy::disallowed_methods, reason = "this is the config.rs that the rule speaks of")]
fn set(variable: &str) -> Option<PathBuf> {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).map(PathBuf::from)
}
