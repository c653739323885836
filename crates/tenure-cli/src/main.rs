//! The `tenure` command: the service, and everything that a shell wants from it.

mod address;
mod args;
mod bench;
mod exit;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use exit::Failure;

/// Many connections allocate and free small buffers on two threads at once, which the system's allocator answers with
/// fragmentation: memory that is not given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = dispatch(cli.command);
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            anstream::eprintln!("tenure: {}", exit::chain(&failure));
            failure.code()
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Bench(args) => bench::run(args),
    }
}
