//! The conditions under which figures repeat.

use std::fs;

use crate::process::{self, Failure};

/// Keeps this program, and whatever it starts, on the first core.
pub(super) fn to_one_core() -> Result<(), Failure> {
    let own = std::process::id().to_string();
    process::output(process::program("taskset").args(["--cpu-list", "--pid", "0", &own])).map(drop)
}

/// Lets this program, and whatever it starts, open as many files as it may.
pub(super) fn with_many_files() -> Result<(), Failure> {
    let own = std::process::id().to_string();
    let hard = process::output(process::program("sh").args(["-c", "ulimit -Hn"]))?;
    let limit = format!("--nofile={0}:{0}", hard.trim());
    process::output(process::program("prlimit").args(["--pid", &own, &limit])).map(drop)
}

/// What the figures were taken on.
pub(super) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpu, "model name").unwrap_or("unknown processor");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    format!("On one core of: {model}, Linux {}, load average before: {load}", kernel.trim())
}

/// The value of the first line `name : value`.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_stands_behind_its_colon() {
        let text = "VmPeak:\t  9 kB\nVmRSS:\t  5120 kB\nmodel name\t: Some: CPU\n";
        assert_eq!(field(text, "VmRSS"), Some("5120 kB"));
        assert_eq!(field(text, "model name"), Some("Some: CPU"));
        assert_eq!(field(text, "model"), None);
    }
}
