//! Runs steps one after the other and sums up.

use std::time::{Duration, Instant};

use crate::process::Failure;

/// One thing that must hold.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// Whether the steps behind it make sense when this one fails.
    pub(crate) essential: bool,
    pub(crate) run: fn() -> Result<(), Failure>,
}

struct Report {
    name: &'static str,
    took: Duration,
    result: Result<(), Failure>,
}

/// Runs the steps in order and prints a summary. True when all of them passed.
pub(crate) fn run_all(steps: &[Step]) -> bool {
    let mut reports = Vec::new();
    for step in steps {
        let report = run_one(step);
        let stop = step.essential && report.result.is_err();
        reports.push(report);
        if stop {
            break;
        }
    }
    println!("\n== summary");
    print!("{}", summary(&reports, steps.len()));
    reports.len() == steps.len() && reports.iter().all(|report| report.result.is_ok())
}

#[allow(clippy::disallowed_methods, reason = "this is where xtask reads the clock")]
fn run_one(step: &Step) -> Report {
    println!("\n== {}", step.name);
    let started = Instant::now();
    let result = (step.run)();
    if let Err(failure) = &result {
        println!("{failure}");
    }
    Report { name: step.name, took: started.elapsed(), result }
}

fn summary(reports: &[Report], planned: usize) -> String {
    let mut lines = String::new();
    for report in reports {
        let verdict = if report.result.is_ok() { "passed" } else { "FAILED" };
        lines += &format!("{verdict}  {:>6.1} s  {}\n", report.took.as_secs_f64(), report.name);
    }
    for report in reports {
        if let Err(failure) = &report.result {
            lines += &format!("{}: {failure}\n", report.name);
        }
    }
    if reports.len() < planned {
        lines += &format!("{} steps did not run.\n", planned - reports.len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn pass() -> Result<(), Failure> {
        Ok(())
    }

    fn fail() -> Result<(), Failure> {
        Err(Failure::new("it is broken"))
    }

    fn step(essential: bool, run: fn() -> Result<(), Failure>) -> Step {
        Step { name: "a step", essential, run }
    }

    #[test]
    fn one_failure_fails_the_whole_and_the_rest_still_runs() {
        static RAN: AtomicBool = AtomicBool::new(false);
        let last = step(false, || {
            RAN.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(!run_all(&[step(false, fail), last]));
        assert!(RAN.load(Ordering::Relaxed));
        assert!(run_all(&[step(true, pass), last]));
    }

    #[test]
    fn nothing_runs_behind_an_essential_failure() {
        static RAN: AtomicBool = AtomicBool::new(false);
        let last = step(false, || {
            RAN.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(!run_all(&[step(true, fail), last]));
        assert!(!RAN.load(Ordering::Relaxed));
    }

    #[test]
    fn the_summary_says_what_failed_and_why() {
        let reports = [
            Report { name: "one", took: Duration::from_millis(1500), result: Ok(()) },
            Report { name: "two", took: Duration::ZERO, result: fail() },
        ];
        let lines = summary(&reports, 3);
        assert_eq!(
            lines,
            "passed     1.5 s  one\nFAILED     0.0 s  two\ntwo: it is broken\n1 steps did not run.\n"
        );
    }
}
