//! Where the state of a daemon lives.

use std::ffi::OsString;
use std::path::PathBuf;

use nix::unistd::{Uid, User};
use tenure_server::State;

use super::flags::Flags;
use super::sources::{Environment, Setting};
use super::values::Misconfigured;

const STATE_DIR: Setting = Setting::new("--state-dir", &["TENURE_STATE_DIR"]);
const IN_MEMORY: Setting = Setting::new("--in-memory", &["TENURE_IN_MEMORY"]);

/// Where it was told to live; otherwise in the home of the user.
pub(super) fn gather(flags: &Flags, environment: &Environment<'_>) -> Result<State, Misconfigured> {
    let in_memory = environment.given(IN_MEMORY, flags.in_memory.as_ref());
    let in_memory = in_memory.map_or(Ok(false), |given| given.switch())?;
    let dir = environment.given(STATE_DIR, flags.state_dir.as_ref());
    match (dir, in_memory) {
        (Some(dir), true) if flags.state_dir.is_some() == flags.in_memory.is_some() => {
            Err(dir.wrong("--in-memory is given as well: it is one or the other"))
        }
        // One of the two is a flag, and a flag beats the environment.
        (Some(_), true) if flags.in_memory.is_some() => Ok(State::InMemory),
        (None, true) => Ok(State::InMemory),
        (Some(dir), _) if dir.text.is_empty() => Err(dir.wrong("names no folder")),
        (Some(dir), _) => Ok(State::Dir(PathBuf::from(dir.text))),
        (None, false) => base(environment.0).map(State::Under).ok_or_else(|| {
            Misconfigured::new(
                STATE_DIR.flag(),
                "there is no home folder to keep the state under: name a folder, or give --in-memory",
            )
        }),
    }
}

/// The folder under which every daemon of this user has one of its own, by the XDG base directory specification;
/// `None` for a user without a home.
fn base(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The specification says to ignore a relative path.
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").or_else(home).map(|home| home.join(".local/state")))?;
    Some(state.join("tenure"))
}

fn home() -> Option<PathBuf> {
    let user = User::from_uid(Uid::effective()).ok().flatten()?;
    Some(user.dir).filter(|dir| dir.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        base(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_state_home_is_used_when_it_is_absolute() {
        assert_eq!(base_with(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/tenure".into()));
        assert_eq!(
            base_with(&[("XDG_STATE_HOME", "s"), ("HOME", "/h")]),
            Some("/h/.local/state/tenure".into())
        );
    }

    #[test]
    fn without_variables_the_home_of_the_user_is_used() {
        let base = base_with(&[]).expect("whoever runs tests has a home");
        assert!(base.ends_with(".local/state/tenure"), "{base:?}");
    }
}
