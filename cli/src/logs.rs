//! What the children wrote.

use crate::home::Home;
use crate::outlook::say;
use anyhow::bail;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How far back a tail looks; longer lines are cut.
const LOOK_BACK: u64 = 256 * 1024;

/// `souk logs`.
///
/// # Errors
/// When there is no such log.
pub async fn logs(home: &Home, name: Option<&str>, follow: bool, lines: usize) -> anyhow::Result<ExitCode> {
    let mut names = known(home);
    if let Some(name) = name {
        if !names.iter().any(|known| known == name) {
            bail!("there is no log of {name}; there are: {}", names.join(", "));
        }
        names = vec![name.to_owned()];
    }
    let alone = names.len() == 1;
    let mut readers: Vec<Reader> = Vec::new();
    for name in names {
        let path = home.log(&name);
        let prefix = if alone { String::new() } else { format!("{name:>16} | ") };
        for line in tail(&path, lines).lines() {
            if !say!("{prefix}{line}") {
                return Ok(ExitCode::SUCCESS);
            }
        }
        let position = std::fs::metadata(&path).map_or(0, |found| found.len());
        readers.push(Reader { path, prefix, position });
    }
    if follow {
        while readers.iter_mut().all(Reader::print_new) {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn known(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.logs()).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| {
        Some(entry.file_name().into_string().ok()?.strip_suffix(".log")?.to_owned())
    };
    let mut names: Vec<_> = entries.filter_map(name).collect();
    names.sort();
    names
}

/// The last lines of a log; empty when there is none.
#[must_use]
pub fn tail(path: &Path, lines: usize) -> String {
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    let text = read_from(path, size.saturating_sub(LOOK_BACK));
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn read_from(path: &Path, position: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(position))?;
        file.take(LOOK_BACK * 4).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

/// Follows one file: prints what is new, whole lines only, from the start again when the file was set aside.
pub struct Reader {
    path: PathBuf,
    prefix: String,
    position: u64,
}

impl Reader {
    /// Follows from a position on, without a prefix.
    #[must_use]
    pub fn from(path: PathBuf, position: u64) -> Self {
        Self { path, prefix: String::new(), position }
    }

    /// Prints what came since the last time; `false` when nobody reads it.
    pub fn print_new(&mut self) -> bool {
        let size = std::fs::metadata(&self.path).map_or(0, |found| found.len());
        if size < self.position {
            self.position = 0;
        }
        let text = read_from(&self.path, self.position);
        let Some(end) = text.rfind('\n') else { return true };
        self.position += end as u64 + 1;
        text[..end].lines().all(|line| say!("{}{line}", self.prefix))
    }
}
