//! The token that clients must show.

use std::os::unix::ffi::OsStrExt as _;

use tenure_server::AuthToken;

use super::flags::Flags;
use super::sources::{Environment, Setting};
use super::values::{Given, Misconfigured, show};

const TOKEN: Setting = Setting::new("--auth-token", &["TENURE_AUTH_TOKEN"]);
const FILE: Setting = Setting::new("--auth-token-file", &["TENURE_AUTH_TOKEN_FILE"]);

/// The token that was given, or the content of the file that was; either as a flag beats both in the environment.
///
/// An empty one is refused rather than taken for none: it is what a script with a misspelt variable gives, and its
/// author believes in being protected.
pub(super) fn gather(
    flags: &Flags,
    environment: &Environment<'_>,
) -> Result<Option<AuthToken>, Misconfigured> {
    let by_flags = (TOKEN.by_flag(flags.auth_token.as_ref()), FILE.by_flag(flags.auth_token_file.as_ref()));
    let given = match by_flags {
        (None, None) => (environment.by_environment(TOKEN), environment.by_environment(FILE)),
        by_flags => by_flags,
    };
    match given {
        (None, None) => Ok(None),
        (Some(token), None) => checked(&token, token.text.as_bytes()).map(Some),
        (None, Some(file)) => from_file(&file).map(Some),
        (Some(token), Some(file)) => {
            Err(token.wrong(format!("{} is given as well: it is one or the other", file.from)))
        }
    }
}

fn from_file(file: &Given) -> Result<AuthToken, Misconfigured> {
    let content = std::fs::read(&file.text)
        .map_err(|error| file.wrong(format!("{} cannot be read: {error}", show(&file.text))))?;
    let end = content.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    checked(file, &content[..end])
}

fn checked(given: &Given, token: &[u8]) -> Result<AuthToken, Misconfigured> {
    if token.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(given.wrong("the token has more than one line, and the protocol carries one"));
    }
    if token.trim_ascii() != token {
        return Err(given.wrong("the token begins or ends with a blank, which the protocol does not carry"));
    }
    AuthToken::new(token).ok_or_else(|| given.wrong("the token is empty"))
}
