//! The way in which Go programs, dflockd among them, take their flags: `-port 7000` is `--port 7000`, and what follows
//! a flag that wants a value is its value, whatever it looks like.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Args as _, Command};

use super::Flags;

/// Rewrites the arguments of `tenure serve` into the form that clap understands: `--name=value`.
pub(crate) fn normalise(arguments: Vec<OsString>) -> Vec<OsString> {
    let command = Flags::augment_args(Command::new("serve"));
    let mut arguments = arguments.into_iter();
    let mut rewritten: Vec<OsString> = arguments.by_ref().take(2).collect();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            rewritten.push(argument);
            break;
        }
        let mut flag = long_form(argument);
        if wants_the_next(&command, &flag)
            && let Some(value) = arguments.next()
        {
            flag.push("=");
            flag.push(value);
        }
        rewritten.push(flag);
    }
    rewritten.extend(arguments);
    rewritten
}

/// `-name` as `--name`; `-h` stays the short form that it is.
fn long_form(argument: OsString) -> OsString {
    match argument.to_str().and_then(|text| text.strip_prefix('-')) {
        Some(name) if name.len() > 1 && !name.starts_with('-') => OsString::from(format!("--{name}")),
        Some(_) => argument,
        None if is_flag_of_other_bytes(&argument) => {
            let mut long = OsString::from("-");
            long.push(&argument);
            long
        }
        None => argument,
    }
}

/// A single dash before something that is not UTF-8, such as a path after `=`.
fn is_flag_of_other_bytes(argument: &OsStr) -> bool {
    let bytes = argument.as_encoded_bytes();
    argument.to_str().is_none() && bytes.starts_with(b"-") && !bytes.starts_with(b"--")
}

fn wants_the_next(command: &Command, flag: &OsStr) -> bool {
    let name = flag.to_str().and_then(|text| text.strip_prefix("--"));
    name.and_then(|name| command.get_arguments().find(|known| known.get_long() == Some(name)))
        .is_some_and(takes_a_separate_value)
}

fn takes_a_separate_value(known: &Arg) -> bool {
    known.get_action().takes_values() && !known.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(arguments: &[&str]) -> Vec<String> {
        let given = ["tenure", "serve"].iter().chain(arguments).map(OsString::from).collect();
        normalise(given).into_iter().skip(2).map(|text| text.into_string().expect("UTF-8")).collect()
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        assert_eq!(normalised(&["-port", "7000", "--host=::1"]), ["--port=7000", "--host=::1"]);
        assert_eq!(normalised(&["-port=7000", "-debug"]), ["--port=7000", "--debug"]);
    }

    #[test]
    fn what_follows_a_flag_is_its_value_even_when_it_looks_like_a_flag() {
        assert_eq!(
            normalised(&["--auth-token", "-port", "-port", "-1"]),
            ["--auth-token=-port", "--port=-1"]
        );
    }

    #[test]
    fn a_switch_does_not_take_the_next_argument() {
        assert_eq!(normalised(&["-debug", "false"]), ["--debug", "false"]);
        assert_eq!(normalised(&["-debug=false"]), ["--debug=false"]);
    }

    #[test]
    fn help_the_end_of_flags_and_a_missing_value_are_left_alone() {
        assert_eq!(normalised(&["-h", "-help", "--", "-port"]), ["-h", "--help", "--", "-port"]);
        assert_eq!(normalised(&["--port"]), ["--port"]);
    }

    #[test]
    fn bytes_that_are_not_text_are_carried_through() {
        use std::os::unix::ffi::OsStringExt as _;
        let given = vec!["tenure".into(), "serve".into(), OsString::from_vec(b"-tls-cert=/\xff".to_vec())];
        assert_eq!(normalise(given)[2], OsString::from_vec(b"--tls-cert=/\xff".to_vec()));
    }
}
