//! The keys that a command wants, in the one order in which everyone takes them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use tenure_core::{BadName, Key, Space};
use tenure_wire::line::{Command, Unsendable};

use crate::exit::{Exit, Failure};

/// Sorted, each once: whoever takes several keys takes them in this order, so that no two wait for each other.
///
/// The names live as long as the process, which exists for them.
pub(super) fn keys(space: Space, names: &[OsString]) -> Result<Vec<Key<'static>>, Failure> {
    let mut names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| check(space, name.to_vec().leak())).collect()
}

/// A key that a request can carry.
pub(crate) fn check(space: Space, name: &[u8]) -> Result<Key<'_>, Failure> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
        Failure::from(Exit::Usage, format!("\"{}\" cannot be a key", name.escape_ascii()), error)
    };
    let key = Key::new(space, name).map_err(|error| match error {
        BadName::Empty => wrong(error.into()),
        // The line is shorter than that.
        BadName::TooLong => wrong(Unsendable::TooLong.into()),
    })?;
    let request = Command::Release { key, token: b"0" };
    request.encode(&mut Vec::new()).map_err(|error| wrong(error.into()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Result<Vec<String>, Failure> {
        let names: Vec<OsString> = names.iter().map(OsString::from).collect();
        keys(Space::Lock, &names).map(|keys| keys.iter().map(|key| crate::say::shown(key.name())).collect())
    }

    #[test]
    fn keys_are_taken_in_one_order_and_once() {
        let sorted = names(&["b", "a", "b", "B"]).expect("keys");
        assert_eq!(sorted, ["B", "a", "b"]);
    }

    #[test]
    fn a_key_that_no_request_can_carry_is_refused() {
        for name in ["", "two words", "a\nb", "a\tb", &"k".repeat(257)] {
            let failure = names(&["good", name]).expect_err("no key");
            assert!(failure.to_string().ends_with("cannot be a key"), "{failure}");
        }
        assert!(names(&[&"k".repeat(256)]).is_ok());
    }
}
