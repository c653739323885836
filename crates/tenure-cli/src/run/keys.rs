//! The keys that a command wants, in the one order in which everyone takes them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use tenure_core::Space;

use crate::exit::{Exit, Failure};
use crate::{say, space};

/// Sorted, each once: whoever takes several keys takes them in this order, so that no two wait for each other.
pub(super) fn keys(names: &[OsString]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| check(name).map(|()| name.to_vec())).collect()
}

/// The command finds the names in one variable, with blanks between them.
fn check(name: &[u8]) -> Result<(), Failure> {
    if name.iter().any(|byte| b" \t\r\n".contains(byte)) {
        let message = format!("\"{}\" cannot be a key: it has a blank or a line end in it", say::shown(name));
        return Err(Failure::new(Exit::Usage, message));
    }
    space::key(Space::Lock, name).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Result<Vec<String>, Failure> {
        let names: Vec<OsString> = names.iter().map(OsString::from).collect();
        keys(&names).map(|keys| keys.iter().map(|key| say::shown(key)).collect())
    }

    #[test]
    fn keys_are_taken_in_one_order_and_once() {
        let sorted = names(&["b", "a", "b", "B"]).expect("keys");
        assert_eq!(sorted, ["B", "a", "b"]);
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for name in ["", "two words", "a\nb", "a\tb", &"k".repeat(513)] {
            let failure = names(&["good", name]).expect_err("no key");
            assert!(failure.to_string().contains("cannot be a key"), "{failure}");
        }
        assert!(names(&[&"k".repeat(512)]).is_ok());
    }
}
