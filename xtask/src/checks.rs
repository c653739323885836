//! What `cargo xtask test` runs, the quick things first.

use crate::process::{Failure, cargo, run};
use crate::steps::Step;
use crate::{purity, python, tools};

pub(crate) const PURITY: Step = Step { name: "purity", essential: false, run: purity::check };

pub(crate) const ALL: [Step; 9] = [
    Step { name: "tools", essential: true, run: tools::install },
    Step { name: "mounts", essential: false, run: tools::may_mount },
    Step { name: "python clients", essential: false, run: python::install },
    Step { name: "formatting", essential: false, run: formatting },
    PURITY,
    Step { name: "licences, bans and sources", essential: false, run: deny },
    Step { name: "lints", essential: false, run: lints },
    Step { name: "documentation", essential: false, run: documentation },
    Step { name: "tests", essential: false, run: tests },
];

fn formatting() -> Result<(), Failure> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

fn deny() -> Result<(), Failure> {
    run(cargo().args(["deny", "--locked", "--workspace", "check", "bans", "licenses", "sources"]))
}

fn lints() -> Result<(), Failure> {
    run(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn documentation() -> Result<(), Failure> {
    let mut doc = cargo();
    run(doc.args(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<(), Failure> {
    run(cargo().args(["test", "--locked", "--workspace", "--no-fail-fast"]))
}
