//! `tenure serve`: the daemon.

mod daemon;
mod flags;
mod go_style;
mod logging;
mod memory;
mod reach;
mod secret;
mod settings;
mod sources;
mod state;
mod values;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

pub(crate) use flags::Flags;
pub(crate) use go_style::normalise;
use settings::Settings;
use sources::Environment;
use values::Misconfigured;

use crate::exit::Failure;
use crate::say;

/// Runs the daemon until it is told to stop.
pub(crate) fn run(flags: &Flags) -> Result<ExitCode, Failure> {
    if flags.wants_the_version() {
        anstream::println!("tenure {}", env!("CARGO_PKG_VERSION"));
        return Ok(ExitCode::SUCCESS);
    }
    memory::give_back_at_once();
    match settings::gather(flags, &Environment(&|name| std::env::var_os(name))) {
        Ok(settings) => {
            for note in &settings.notes {
                say::say(note);
            }
            start(settings)
        }
        Err(wrong) => Ok(misconfigured(&wrong)),
    }
}

/// Whether these are the arguments of `tenure serve`, which follow rules of their own.
pub(crate) fn is_meant(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == "serve")
}

/// Says on one line what is wrong with the arguments.
pub(crate) fn misunderstood(error: &clap::Error) -> ExitCode {
    misconfigured(&explain(error))
}

fn misconfigured(wrong: &Misconfigured) -> ExitCode {
    // There is nobody to tell where this cannot be written.
    let _ = writeln!(anstream::stderr(), "configuration error: {wrong}");
    ExitCode::FAILURE
}

fn explain(error: &clap::Error) -> Misconfigured {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(_) | None => None,
    };
    // Clap names a flag with the placeholder of its value: `--port <N>`.
    let flag =
        named(ContextKind::InvalidArg).and_then(|text| text.split([' ', '[']).next()).unwrap_or_default();
    let problem = if error.kind() == ErrorKind::UnknownArgument {
        unknown(flag, named(ContextKind::SuggestedArg))
    } else if error.kind() == ErrorKind::InvalidValue
        && named(ContextKind::InvalidValue).is_none_or(str::is_empty)
    {
        "needs a value".to_owned()
    } else {
        let text = error.to_string();
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    };
    Misconfigured::new(flag, problem)
}

fn unknown(argument: &str, suggested: Option<&str>) -> String {
    match (argument, suggested) {
        ("true" | "false", _) => format!("a switch takes its value after `=`, as in --debug={argument}"),
        ("--no-auto-release-on-disconnect", _) => "write --auto-release-on-disconnect=false".to_owned(),
        (_, Some(meant)) => format!("there is no such flag; there is {meant}"),
        (_, None) if argument.starts_with('-') => {
            "there is no such flag (see tenure serve --help)".to_owned()
        }
        (_, None) => "nothing but flags is expected (see tenure serve --help)".to_owned(),
    }
}

fn start(settings: Settings) -> Result<ExitCode, Failure> {
    logging::start(settings.debug);
    daemon::serve(settings.config)
}
