//! The pure crates stay pure: what cannot be named cannot be used by mistake.

use std::path::{Path, PathBuf};

use crate::process::{self, Failure};
use crate::{source, tree};

/// A crate that may name nothing outside the list, itself included.
struct Pure {
    package: &'static str,
    may_name: &'static [&'static str],
}

const PURE: [Pure; 2] = [
    Pure { package: "tenure-core", may_name: &["tenure-core", "foldhash", "hashbrown"] },
    Pure {
        package: "tenure-wire",
        may_name: &["tenure-wire", "tenure-core", "foldhash", "hashbrown", "itoa", "memchr"],
    },
];

/// Checks the dependencies and the sources of every pure crate.
pub(crate) fn check() -> Result<(), Failure> {
    let mut found = Vec::new();
    for pure in &PURE {
        let of_this = violations(pure)?;
        if of_this.is_empty() {
            println!("{} is pure: it names {}", pure.package, pure.may_name.join(", "));
        }
        found.extend(of_this.into_iter().map(|violation| format!("{} {violation}", pure.package)));
    }
    if found.is_empty() { Ok(()) } else { Err(Failure::new(found.join("\n"))) }
}

fn violations(pure: &Pure) -> Result<Vec<String>, Failure> {
    let answer = process::output(process::cargo().args(["tree", "--locked", "-p", pure.package]).args([
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
        "-f",
        tree::FORMAT,
    ]))?;
    let mut found = tree::violations(&answer, pure.may_name);
    let sources = process::workspace().join("crates").join(pure.package).join("src");
    for file in rust_files(&sources)? {
        let text = std::fs::read_to_string(&file).map_err(|error| cannot_read(&file, &error))?;
        let of_file = if file == sources.join("lib.rs") {
            source::root_violations(&text)
        } else {
            source::violations(&text)
        };
        found.extend(of_file.into_iter().map(|violation| format!("{violation} in {}", file.display())));
    }
    Ok(found)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| cannot_read(&folder, &error))? {
            let path = entry.map_err(|error| cannot_read(&folder, &error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sees_the_dependencies_that_are_really_there() {
        let planted = Pure { package: "tenure-core", may_name: &["tenure-core"] };
        let found = violations(&planted).unwrap();
        assert!(found.iter().any(|violation| violation.contains("`hashbrown`")), "{found:?}");
    }

    #[test]
    fn the_check_sees_every_file_of_a_crate() {
        let files = rust_files(&process::workspace().join("xtask/src")).unwrap();
        assert!(files.iter().any(|file| file.ends_with("purity.rs")), "{files:?}");
    }
}
