//! `cargo xtask measure`: every figure of `docs/performance.md`, taken again.
//!
//! Everything runs on one core, this program included: what its threads cost one another by waking up on two differs
//! from run to run by more than what is measured here.

mod clock;
mod connections;
mod daemon;
mod held;
mod library;
mod load;
mod pinned;
mod table;
mod wire;

use std::path::{Path, PathBuf};

use crate::process::{self, Failure};
use table::Row;

/// A part of the figures that can be asked for by its name.
struct Section {
    name: &'static str,
    measure: fn(&Path) -> Result<Vec<Row>, Failure>,
}

const SECTIONS: [Section; 9] = [
    Section { name: "own", measure: load::own },
    Section { name: "contended", measure: load::contended },
    Section { name: "waiters", measure: load::waiters },
    Section { name: "pipelined", measure: load::pipelined },
    Section { name: "mux", measure: load::mux },
    Section { name: "held", measure: held::measure },
    Section { name: "connections", measure: connections::measure },
    Section { name: "renewals", measure: library::renewals },
    Section { name: "local", measure: library::local },
];

/// Builds the program as it is released, measures the named sections, or all, and prints a table.
pub(crate) fn run(names: &[&str]) -> Result<(), Failure> {
    let sections = chosen(names)?;
    let program = build()?;
    pinned::to_one_core()?;
    pinned::with_many_files()?;
    println!("{}", pinned::machine());
    let mut rows = Vec::new();
    for section in sections {
        eprintln!("measuring: {}", section.name);
        rows.extend((section.measure)(&program)?);
    }
    print!("\n{}", table::markdown(&rows));
    Ok(())
}

fn chosen(names: &[&str]) -> Result<Vec<&'static Section>, Failure> {
    if names.is_empty() {
        return Ok(SECTIONS.iter().collect());
    }
    names.iter().map(|name| section(name)).collect()
}

fn section(name: &str) -> Result<&'static Section, Failure> {
    SECTIONS.iter().find(|section| section.name == name).ok_or_else(|| {
        let known: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
        Failure::new(format!("`{name}` is nothing to measure: there is {}", known.join(", ")))
    })
}

fn build() -> Result<PathBuf, Failure> {
    process::run(process::cargo().args(["build", "--release", "--package", "tenure-cli"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    Ok(process::workspace().join(target).join("release/tenure"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_measured_unless_some_is_named() {
        assert_eq!(chosen(&[]).unwrap().len(), SECTIONS.len());
        let some = chosen(&["held", "own"]).unwrap();
        assert_eq!(some.iter().map(|section| section.name).collect::<Vec<_>>(), ["held", "own"]);
    }

    #[test]
    fn a_section_that_does_not_exist_is_answered_with_those_that_do() {
        let failure = chosen(&["speed"]).err().unwrap();
        assert!(failure.to_string().contains("`speed`") && failure.to_string().contains("contended"));
    }
}
