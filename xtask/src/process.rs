//! Running other programs.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why a step did not pass: one sentence for the person who has to act on it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder that holds the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The cargo that runs this program, at the root of the workspace.
pub(crate) fn cargo() -> Command {
    program(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

/// A program, at the root of the workspace.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace()).stdin(Stdio::null());
    command
}

/// Runs a program that talks to the terminal itself.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("$ {}", shown(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{}` ended with {status}", shown(command)))),
        Err(error) => Err(Failure::new(format!("`{}` did not start: {error}", shown(command)))),
    }
}

/// What a program prints, provided that it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| no_answer(command, &error))?;
    if !output.status.success() {
        return Err(no_answer(command, &String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn no_answer(command: &Command, why: &dyn fmt::Display) -> Failure {
    Failure::new(format!("`{}` did not answer: {why}", shown(command)))
}

fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_whole_command() {
        let failure = run(&mut program("false")).unwrap_err();
        assert!(failure.to_string().starts_with("`false` ended with exit status: 1"), "{failure}");
        let failure = output(program("no-such-program").arg("-x")).unwrap_err();
        assert!(failure.to_string().starts_with("`no-such-program -x` did not answer"), "{failure}");
    }

    #[test]
    fn the_workspace_holds_its_manifest() {
        assert!(workspace().join("Cargo.lock").is_file());
    }
}
