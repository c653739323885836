//! `cargo xtask`: what this repository does to itself. `cargo xtask test` is all that CI runs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program talks to its terminal")]

mod checks;
mod measure;
mod process;
mod purity;
mod python;
mod source;
mod steps;
mod tools;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

Commands:
  test                 install what is missing, then run every check and every test
  purity               check that the pure crates can name no clock, entropy, runtime or network
  measure [SECTION…]   take the figures of docs/performance.md again, on a machine with nothing else to do
  help                 this text

A missing tool is installed (as root) or named together with how to install it; it is never skipped.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match arguments.as_slice() {
        ["test"] => steps::run_all(&checks::ALL),
        ["purity"] => steps::run_all(&[checks::PURITY]),
        ["measure", sections @ ..] => {
            measure::run(sections).inspect_err(|failure| eprintln!("{failure}")).is_ok()
        }
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            true
        }
        _ => {
            eprintln!("{HELP}");
            false
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
