//! The book on disk: one JSON line for each change, so that a kill at any moment loses at most an unanswered call.

use crate::book::Change;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// An append-only file of changes.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens or makes the file and returns what it holds, oldest first. A last line that was cut off by a crash is
    /// removed: its call was never answered.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a line before the last is not a change.
    pub fn open(path: &Path) -> std::io::Result<(Self, Vec<Change>)> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut changes = Vec::new();
        let mut whole = 0_u64;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
            changes.push(serde_json::from_slice(&line)?);
            whole += line.len() as u64;
            line.clear();
        }
        drop(reader);
        file.set_len(whole)?;
        Ok((Self { file }, changes))
    }

    /// Appends one change; it survives the death of this process when the call returns.
    ///
    /// # Errors
    /// When the file cannot be written; the caller must not answer with success then.
    pub fn append(&mut self, change: &Change) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(change)?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}
