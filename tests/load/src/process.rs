//! What process trees have used, as the kernel counts it.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The kernel's ticks in a second: what `/proc/<pid>/stat` counts in on every Linux there is.
const TICKS: f64 = 100.0;

/// CPU of a process and all below it; of those that have ended, what their parents were told.
pub fn cpu(root: i32) -> Duration {
    let ticks: u64 = tree(root).iter().filter_map(|pid| stat(*pid)).map(|stat| stat.ticks).sum();
    Duration::from_secs_f64(ticks as f64 / TICKS)
}

/// Private memory of a process and all below it, in MB. Shared pages (PostgreSQL's buffers) are not counted, or each backend would count
/// them again.
pub fn private_mb(root: i32) -> f64 {
    tree(root).iter().map(|pid| private_kb(*pid)).sum::<f64>() / 1024.0
}

/// Resident memory of one process, in MB.
pub fn resident_mb(pid: i32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "VmRSS:") / 1024.0
}

/// A variable of a process's environment.
pub fn environment(pid: i32) -> HashMap<String, String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let pairs = bytes.split(|byte| *byte == 0).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The load averages of the machine.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// What the machine is.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<_> = cpus.lines().filter(|line| line.starts_with("model name")).collect();
    let model =
        models.first().and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim());
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&memory, "MemTotal:") / 1024.0 / 1024.0;
    format!("{} × {model}, {memory:.0} GB", models.len().max(1))
}

struct Stat {
    parent: i32,
    ticks: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces; what follows its bracket does not.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let ticks = number(11) + number(12) + number(13) + number(14);
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

fn tree(root: i32) -> Vec<i32> {
    let all: Vec<(i32, i32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.parent)))
        .collect();
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

fn private_kb(pid: i32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    field(&rollup, "Private_Dirty:") + field(&rollup, "Private_Clean:")
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}
