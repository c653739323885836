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
    /// A component of the Rust toolchain, and the package of Debian for those whose Rust is Debian's.
    Component(&'static str, &'static str),
    /// A crate with a program in it, and which version of it.
    Crate(&'static str, &'static str),
}

/// Every machine judges dependencies with the same program.
const CARGO_DENY: &str = "0.20.2";

const TOOLS: [Tool; 10] = [
    Tool {
        what: "rustfmt",
        probe: &["cargo", "fmt", "--version"],
        says: "rustfmt",
        source: Source::Component("rustfmt", "rustfmt"),
    },
    Tool {
        what: "clippy",
        probe: &["cargo", "clippy", "--version"],
        says: "clippy",
        source: Source::Component("clippy", "rust-clippy"),
    },
    debian_tool("a C compiler", &["cc", "--version"], "", "gcc"),
    debian_tool("OpenBSD's netcat", &["nc", "-h"], "OpenBSD", "netcat-openbsd"),
    debian_tool("openssl", &["openssl", "version"], "", "openssl"),
    debian_tool("bash", &["bash", "--version"], "GNU bash", "bash"),
    debian_tool("mount", &["mount", "--version"], "util-linux", "mount"),
    debian_tool("setsid", &["setsid", "--version"], "util-linux", "util-linux"),
    debian_tool("fallocate", &["fallocate", "--version"], "util-linux", "util-linux"),
    Tool {
        what: "cargo-deny of the version that is wanted",
        probe: &["cargo", "deny", "--version"],
        says: CARGO_DENY,
        source: Source::Crate("cargo-deny", CARGO_DENY),
    },
];

const fn debian_tool(
    what: &'static str,
    probe: &'static [&'static str],
    says: &'static str,
    package: &'static str,
) -> Tool {
    Tool { what, probe, says, source: Source::Debian(package) }
}

/// Installs what is missing, or says how to when that takes another user: of everything at once.
pub(crate) fn install() -> Result<(), Failure> {
    let missing = TOOLS.iter().filter(|tool| !tool.is_there());
    let mut beyond_reach: Vec<String> =
        missing.filter_map(|tool| tool.install().err()).map(|failure| failure.to_string()).collect();
    // Two programs may come in one package.
    beyond_reach.dedup();
    if !beyond_reach.is_empty() {
        return Err(Failure::new(beyond_reach.join("\n")));
    }
    match TOOLS.iter().find(|tool| !tool.is_there()) {
        None => Ok(()),
        Some(tool) => Err(Failure::new(format!("{} is still missing after its installation", tool.what))),
    }
}

/// Checks that the tests of a full disk may mount one.
pub(crate) fn may_mount() -> Result<(), Failure> {
    // In mounts of its own, so nothing of it is left.
    let mount = ["--mount", "mount", "-t", "tmpfs", "-o", "size=256k", "tenure-probe", "/mnt"];
    let may = |rights: &[&str]| output(program("unshare").args(rights).args(mount)).is_ok();
    if may(&[]) || may(&["--user", "--map-root-user"]) {
        return Ok(());
    }
    Err(Failure::new(
        "the tests of a full disk mount a small one in memory, which this user may not: run the tests as root \
         (in a container: with the capability SYS_ADMIN), or allow user namespaces",
    ))
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

/// Adds a component to a toolchain that rustup keeps.
fn component(name: &str, package: &str) -> Result<(), Failure> {
    run(program("rustup").args(["component", "add", name])).map_err(|failure| {
        let debian = format!("where Rust is Debian's: sudo apt-get install {package}");
        Failure::new(format!(
            "missing: {name}. Install it: rustup component add {name}; {debian} ({failure})"
        ))
    })
}

/// Builds a program for use here. Its own speed does not matter, so it is built without optimisation.
fn install_crate(name: &str, version: &str) -> Result<(), Failure> {
    let mut install = cargo();
    install.args(["install", "--locked", "--debug", &format!("{name}@{version}")]);
    run(install.env("CARGO_PROFILE_DEV_DEBUG", "false"))
}

impl Tool {
    fn install(&self) -> Result<(), Failure> {
        println!("{} is missing", self.what);
        match self.source {
            Source::Debian(package) => debian(package),
            Source::Component(name, package) => component(name, package),
            Source::Crate(name, version) => install_crate(name, version),
        }
    }

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
        debian_tool("a tool", probe, says, "none")
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
