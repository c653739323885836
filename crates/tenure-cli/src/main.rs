//! The `tenure` command: the service, and everything that a shell wants from it.

mod args;
mod bench;
mod completions;
mod exit;
mod explain;
mod listen;
mod ls;
mod query;
mod release;
mod run;
mod say;
mod serve;
mod show;
mod signal;
mod space;
mod span;
mod stats;
mod steal;
mod table;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use args::{Cli, Command};
use exit::Failure;

/// Many connections allocate and free small buffers on two threads at once, which the system's allocator answers with
/// fragmentation: memory that is not given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match parse() {
        Ok(cli) => dispatch(cli.command).unwrap_or_else(|failure| {
            say::say(exit::chain(&failure));
            failure.code()
        }),
        Err(code) => code,
    }
}

/// The command line; or, where there is nothing to do with it, the exit code after saying so.
fn parse() -> Result<Cli, ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let serves = serve::is_meant(&arguments);
    let arguments = if serves { serve::normalise(arguments) } else { arguments };
    let cli = args::command().try_get_matches_from(arguments).and_then(|given| Cli::from_arg_matches(&given));
    cli.map_err(|error| {
        if serves && error.use_stderr() {
            return serve::misunderstood(&error);
        }
        // Nothing can be done about a closed stdout, and nothing depends on it.
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { exit::USAGE } else { 0 })
    })
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Run(args) => run::run(&args),
        Command::Ls(args) => ls::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Release(args) => release::run(&args),
        Command::Steal(args) => steal::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Signal(args) => signal::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Exec(args) => run::exec::run(&args),
        Command::Guard(_) => run::guard::run(),
        Command::Bench(args) => bench::run(&args),
        Command::BenchEcho(args) => bench::run_echo(&args),
        Command::BenchLibrary(args) => bench::run_library(&args),
    }
}
