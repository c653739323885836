//! The two releases of the Python client that the end-to-end tests drive, each in its own virtual environment.

use std::path::{Path, PathBuf};

use crate::process::{Failure, output, program, run, workspace};
use crate::tools;

/// A release of `dflockd-client`, and the folder below `.venv` that it lives in.
struct Client {
    folder: &'static str,
    version: &'static str,
}

/// The last release with signals, and the newest one.
const CLIENTS: [Client; 2] =
    [Client { folder: "1.9", version: "1.9.0" }, Client { folder: "2.1", version: "2.1.1" }];

/// The Python that the client states. It runs on [`ENOUGH`] as well.
const STATED: (u32, u32) = (3, 12);
const ENOUGH: (u32, u32) = (3, 11);

#[derive(Debug)]
struct Python {
    program: PathBuf,
    version: (u32, u32),
}

/// Makes the environments that are not there yet.
pub(crate) fn install() -> Result<(), Failure> {
    for client in &CLIENTS {
        let folder = workspace().join(".venv").join(client.folder);
        if installed(&folder).as_deref() != Some(client.version) {
            make(&folder, client)?;
        }
        println!("dflockd-client {} is in {}", client.version, folder.display());
    }
    Ok(())
}

fn make(folder: &Path, client: &Client) -> Result<(), Failure> {
    let python = find()?;
    run(program(&python.program).args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = program(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    if python.version < STATED {
        pip.arg("--ignore-requires-python");
    }
    run(pip.arg(format!("dflockd-client=={}", client.version)))
}

fn installed(folder: &Path) -> Option<String> {
    let ask = "import importlib.metadata as m; print(m.version('dflockd-client'))";
    let version = output(program(folder.join("bin/python")).args(["-c", ask])).ok()?;
    Some(version.trim().to_owned())
}

/// The newest Python that can make environments; Debian's own is completed when that is what it lacks.
fn find() -> Result<Python, Failure> {
    if let Some(python) = best(candidates()) {
        return Ok(python);
    }
    tools::debian("python3-venv")?;
    best(candidates()).ok_or_else(|| {
        let (major, minor) = ENOUGH;
        Failure::new(format!("there is no Python of at least {major}.{minor} with its venv module"))
    })
}

fn best(candidates: Vec<PathBuf>) -> Option<Python> {
    let mut usable: Vec<Python> = candidates.into_iter().filter_map(probe).collect();
    usable.retain(|python| python.version >= ENOUGH);
    usable.sort_by_key(|python| python.version);
    usable.pop()
}

fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["python3", "python3.14", "python3.13", "python3.12"].map(Into::into).into();
    if let Some(pyenv) = std::env::var_os("PYENV_ROOT")
        && let Ok(versions) = std::fs::read_dir(Path::new(&pyenv).join("versions"))
    {
        found.extend(versions.flatten().map(|version| version.path().join("bin/python3")));
    }
    found
}

fn probe(path: PathBuf) -> Option<Python> {
    let ask = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    let answer = output(program(&path).args(["-c", ask])).ok()?;
    Some(Python { program: path, version: version(&answer)? })
}

fn version(answer: &str) -> Option<(u32, u32)> {
    let (major, minor) = answer.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_numbers_and_nothing_else() {
        assert_eq!(version("3 12\n"), Some((3, 12)));
        for strange in ["", "3", "3 12 1", "three twelve"] {
            assert_eq!(version(strange), None, "{strange}");
        }
    }

    #[test]
    fn what_is_no_python_is_passed_over() {
        assert!(best(vec!["no-such-program".into(), "false".into(), "true".into()]).is_none());
    }

    #[test]
    fn an_environment_that_was_never_made_holds_nothing() {
        assert_eq!(installed(Path::new("/nonexistent")), None);
    }
}
