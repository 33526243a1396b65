//! What the operating system knows about this process: memory and processor time, read when somebody asks.

/// Linux counts processor time in hundredths of a second in `/proc`, whatever the kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Sets `process_resident_memory_bytes` and `process_cpu_seconds_total`; does nothing where there is no `/proc`.
pub(crate) fn observe() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(kibibytes) = resident_kibibytes(&status)
    {
        metrics::gauge!("process_resident_memory_bytes").set(kibibytes * 1024.0);
    }
    if let Ok(stat) = std::fs::read_to_string("/proc/self/stat")
        && let Some(ticks) = processor_ticks(&stat)
    {
        metrics::gauge!("process_cpu_seconds_total").set(ticks / TICKS_PER_SECOND);
    }
}

fn resident_kibibytes(status: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Fields 14 and 15 (user and system), counted after the program's name, which may itself hold spaces.
fn processor_ticks(stat: &str) -> Option<f64> {
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        assert_eq!(resident_kibibytes("Name:\tx\nVmRSS:\t  1024 kB\n"), Some(1024.0));
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 100 0 0";
        assert_eq!(processor_ticks(stat), Some(42.0));
    }
}
