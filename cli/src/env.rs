//! `souk env`: where things are, for a shell.

use crate::home::Home;
use crate::outlook::say;
use crate::run_state::RunState;
use anyhow::Context;
use std::process::ExitCode;

/// Prints what `eval "$(souk env)"` reads. When nothing runs, what it reads fails, so that a script stops there.
///
/// # Errors
/// When this command does not know where it lies.
pub fn env(home: &Home) -> anyhow::Result<ExitCode> {
    let running = RunState::read(home).filter(|state| state.supervisor.lives() && state.ready);
    let Some(state) = running else {
        eprintln!("souk: nothing runs in {}; start it with: souk up", home.root().display());
        say!("false");
        return Ok(ExitCode::FAILURE);
    };
    let own = std::env::current_exe()?;
    let folder = own.parent().context("this command lies nowhere")?;
    say!("export SOUK_HOME={}", quoted(&home.root().display().to_string()));
    for (name, value) in &state.variables {
        say!("export {name}={}", quoted(value));
    }
    // Told once, also when it is read again and again.
    let folder = quoted(&folder.display().to_string());
    say!(r#"case ":$PATH:" in *:{folder}:*) ;; *) export PATH={folder}:"$PATH" ;; esac"#);
    Ok(ExitCode::SUCCESS)
}

/// As one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
