//! The programs that the checks and tests use, and how to get them.

use std::process::Command;

use crate::process::{Failure, cargo, output, program, run};

/// A program, how to see that it is there, and how to get it.
struct Tool {
    what: &'static str,
    /// A command that succeeds when it is there.
    probe: &'static [&'static str],
    /// What the answer must say, on either stream, to be the right program of that name.
    says: &'static str,
    source: Source,
}

enum Source {
    /// A package of Debian and its relatives.
    Debian(&'static str),
    /// A component of the Rust toolchain.
    Component(&'static str),
    /// A crate with a program in it.
    Crate(&'static str),
}

const TOOLS: [Tool; 6] = [
    Tool {
        what: "rustfmt",
        probe: &["cargo", "fmt", "--version"],
        says: "rustfmt",
        source: Source::Component("rustfmt"),
    },
    Tool {
        what: "clippy",
        probe: &["cargo", "clippy", "--version"],
        says: "clippy",
        source: Source::Component("clippy"),
    },
    Tool { what: "a C compiler", probe: &["cc", "--version"], says: "", source: Source::Debian("gcc") },
    Tool {
        what: "OpenBSD's netcat",
        probe: &["nc", "-h"],
        says: "OpenBSD",
        source: Source::Debian("netcat-openbsd"),
    },
    Tool { what: "openssl", probe: &["openssl", "version"], says: "", source: Source::Debian("openssl") },
    Tool {
        what: "cargo-deny",
        probe: &["cargo", "deny", "--version"],
        says: "cargo-deny",
        source: Source::Crate("cargo-deny"),
    },
];

/// Installs what is missing, or says how to when that takes another user.
pub(crate) fn install() -> Result<(), Failure> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !tool.is_there()).collect();
    let mut beyond_reach = Vec::new();
    for tool in missing {
        println!("{} is missing", tool.what);
        match tool.source {
            Source::Debian(package) => match debian(package) {
                Ok(()) => {}
                Err(failure) => beyond_reach.push(failure.to_string()),
            },
            Source::Component(name) => run(program("rustup").args(["component", "add", name]))?,
            Source::Crate(name) => install_crate(name)?,
        }
    }
    if !beyond_reach.is_empty() {
        return Err(Failure::new(beyond_reach.join("\n")));
    }
    match TOOLS.iter().find(|tool| !tool.is_there()) {
        None => Ok(()),
        Some(tool) => Err(Failure::new(format!("{} is still missing after its installation", tool.what))),
    }
}

/// Installs a package of Debian.
///
/// # Errors
///
/// When this user may not, with the command for one who may.
pub(crate) fn debian(package: &str) -> Result<(), Failure> {
    let by_hand = format!("missing: {package}. Install it: sudo apt-get install {package}");
    let root = output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || output(program("apt-get").arg("--version")).is_err() {
        return Err(Failure::new(by_hand));
    }
    let install = || {
        let mut apt = program("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        run(apt.args(["install", "--yes", "--no-install-recommends", package]))
    };
    install().or_else(|_| run(program("apt-get").arg("update")).and_then(|()| install()))
}

/// Builds a program for use here. Its own speed does not matter, so it is built without optimisation.
fn install_crate(name: &str) -> Result<(), Failure> {
    run(cargo().args(["install", "--locked", "--debug", name]).env("CARGO_PROFILE_DEV_DEBUG", "false"))
}

impl Tool {
    fn is_there(&self) -> bool {
        let mut words = self.probe.iter();
        let mut probe: Command = match words.next() {
            Some(&"cargo") => cargo(),
            Some(name) => program(name),
            None => return false,
        };
        match probe.args(words).output() {
            Ok(answer) => {
                let both = [answer.stdout, answer.stderr].concat();
                let said = String::from_utf8_lossy(&both).contains(self.says);
                said && (answer.status.success() || !self.says.is_empty())
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(probe: &'static [&'static str], says: &'static str) -> Tool {
        Tool { what: "a tool", probe, says, source: Source::Debian("none") }
    }

    #[test]
    fn a_tool_that_does_not_start_or_fails_is_not_there() {
        assert!(!tool(&["no-such-program"], "").is_there());
        assert!(!tool(&["false"], "").is_there());
        assert!(tool(&["true"], "").is_there());
    }

    #[test]
    fn another_program_of_the_same_name_does_not_count() {
        assert!(tool(&["echo", "OpenBSD netcat"], "OpenBSD").is_there());
        assert!(!tool(&["echo", "GNU netcat"], "OpenBSD").is_there());
    }
}
