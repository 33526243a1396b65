//! Runs the souk command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match souk_cli::command::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("souk: {error:#}");
            ExitCode::FAILURE
        }
    }
}
