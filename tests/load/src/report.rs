//! One table for people, on the terminal and in `docs/PERFORMANCE.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::measure::Figures;
use crate::process;

/// What was found, in order.
#[derive(Default)]
pub struct Report {
    works: Vec<Row>,
    facts: Vec<(String, String, String)>,
    notes: Vec<String>,
}

struct Row {
    work: String,
    figures: Figures,
    statements: String,
    goal: Option<f64>,
}

impl Report {
    /// A piece of work at a number of connections; `goal` is in CPU-seconds per 1,000.
    pub fn work(&mut self, work: &str, figures: &Figures, statements: &str, goal: Option<f64>) {
        let row =
            Row { work: work.to_owned(), figures: figures.clone(), statements: statements.to_owned(), goal };
        println!("{}", line(&row));
        self.works.push(row);
    }

    /// A single number with its aim.
    pub fn fact(&mut self, what: &str, found: &str, aim: &str) {
        println!(
            "  {what}: {found}{}",
            if aim.is_empty() { String::new() } else { format!("  (aim: {aim})") }
        );
        self.facts.push((what.to_owned(), found.to_owned(), aim.to_owned()));
    }

    /// A remark below the tables.
    pub fn note(&mut self, text: String) {
        println!("  {text}");
        self.notes.push(text);
    }

    /// The tables as Markdown.
    pub fn tables(&self, date: &str, load: &str) -> String {
        let mut page = format!(
            "{date} · {} · load averages at the start {load}, at the end {}\n\n",
            process::machine(),
            process::load()
        );
        page.push_str("| Work | Connections | CPU-s per 1,000 | of it runtime | of it PostgreSQL | Aim | Requests/s | p50 ms | p99 ms | Statements/transactions |\n");
        page.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
        for row in &self.works {
            let f = &row.figures;
            let goal = row.goal.map_or_else(String::new, |goal| {
                format!("≤ {goal} {}", if f.cpu() <= goal { "✔" } else { "✘" })
            });
            let _ = writeln!(
                page,
                "| {} | {} | {:.3} | {:.3} | {:.3} | {goal} | {:.0} | {:.2} | {:.2} | {} |",
                row.work,
                f.connections,
                f.cpu(),
                f.runtime,
                f.postgres,
                f.per_second,
                ms(f.p50),
                ms(f.p99),
                row.statements
            );
        }
        page.push_str("\n| What | Found | Aim |\n|---|---|---|\n");
        for (what, found, aim) in &self.facts {
            let _ = writeln!(page, "| {what} | {found} | {aim} |");
        }
        if !self.notes.is_empty() {
            page.push('\n');
            for note in &self.notes {
                let _ = writeln!(page, "- {note}");
            }
        }
        page
    }
}

const BEGIN: &str = "<!-- make bench: begin -->\n";
const END: &str = "<!-- make bench: end -->";

/// Writes a file and the folders above it.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// Puts the tables into a page, in place of those that were there.
pub fn replace(path: &Path, tables: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    write(path, &placed(&page, tables).with_context(|| format!("{} has no marks", path.display()))?)
}

fn placed(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{tables}{END}{after}"))
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn line(row: &Row) -> String {
    let f = &row.figures;
    let goal = row
        .goal
        .map_or_else(String::new, |goal| format!("aim {goal} {}", if f.cpu() <= goal { "✔" } else { "✘" }));
    format!(
        "  {:<34} c={:<3} {:>8.3} CPU-s/1000 (runtime {:>6.3}, PostgreSQL {:>6.3}) {:<10} {:>8.0}/s  p50 {:>7.2} ms  p99 {:>8.2} ms  errors {}  {}",
        row.work,
        f.connections,
        f.cpu(),
        f.runtime,
        f.postgres,
        goal,
        f.per_second,
        ms(f.p50),
        ms(f.p99),
        f.errors,
        row.statements
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_go_between_the_marks_and_nothing_else_changes() {
        let page = format!("# Title\n\n{BEGIN}old\n{END}\n\nafter\n");
        let expected = format!("# Title\n\n{BEGIN}new\n{END}\n\nafter\n");
        assert_eq!(placed(&page, "new\n").as_deref(), Some(expected.as_str()));
        assert_eq!(placed("no marks", "new"), None);
    }

    #[test]
    fn a_row_says_whether_the_aim_was_met() {
        let mut report = Report::default();
        let figures = Figures { connections: 16, runtime: 0.1, postgres: 0.2, ..Figures::default() };
        report.work("a work", &figures, "2/1", Some(0.31));
        report.work("a work", &figures, "2/1", Some(0.29));
        report.fact("a fact", "12 ms", "≤ 10 ms");
        let tables = report.tables("today", "0.1");
        assert!(tables.contains("| a work | 16 | 0.300 | 0.100 | 0.200 | ≤ 0.31 ✔ |"), "{tables}");
        assert!(tables.contains("| ≤ 0.29 ✘ |"), "{tables}");
        assert!(tables.contains("| a fact | 12 ms | ≤ 10 ms |"), "{tables}");
    }
}
