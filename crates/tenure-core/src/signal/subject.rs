//! What a signal is about, and which signals a listener asks for.

use core::fmt;

use crate::key::NAME_LEN_MAX;

/// What a signal is about: one to [`NAME_LEN_MAX`] bytes without blanks and wildcards, in tokens that dots separate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject<'a>(&'a [u8]);

/// Why bytes are neither a subject nor a pattern of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSubject {
    /// There is nothing.
    Empty,
    /// There are more than [`NAME_LEN_MAX`] bytes.
    TooLong,
    /// There is a blank, a tab, a carriage return or a line feed.
    Blank,
    /// There is a `*` or a `>` where one subject must be named.
    Wildcard,
    /// In a pattern, a wildcard shares its token with other bytes, or a `>` is not the last token.
    MisplacedWildcard,
}

impl<'a> Subject<'a> {
    /// Names what a signal is about.
    ///
    /// Empty tokens are tokens: `a..b` has three.
    ///
    /// # Errors
    ///
    /// [`BadSubject`], any but [`BadSubject::MisplacedWildcard`].
    ///
    /// ```
    /// use tenure_core::{BadSubject, Subject};
    ///
    /// assert!(Subject::new(b"orders.eu.created").is_ok());
    /// assert_eq!(Subject::new(b"orders.*"), Err(BadSubject::Wildcard));
    /// ```
    pub fn new(bytes: &'a [u8]) -> Result<Self, BadSubject> {
        check_bytes(bytes)?;
        if has_wildcard(bytes) {
            return Err(BadSubject::Wildcard);
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Whether a payload arrives whole at those who get it as the end of a line: it is not blank, has no line feed, and does not
/// end in a carriage return.
#[must_use]
pub fn is_payload(payload: &[u8]) -> bool {
    payload.iter().any(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        && !payload.contains(&b'\n')
        && !payload.ends_with(b"\r")
}

/// Checks that bytes are a pattern of subjects: a `*` stands for one token, a `>` at the end for one or more.
///
/// # Errors
///
/// [`BadSubject`], any but [`BadSubject::Wildcard`].
///
/// ```
/// use tenure_core::{BadSubject, check_pattern};
///
/// assert_eq!(check_pattern(b"orders.*.created"), Ok(()));
/// assert_eq!(check_pattern(b"orders.>"), Ok(()));
/// assert_eq!(check_pattern(b"orders.eu*"), Err(BadSubject::MisplacedWildcard));
/// ```
pub fn check_pattern(pattern: &[u8]) -> Result<(), BadSubject> {
    check_bytes(pattern)?;
    let mut tokens = tokens(pattern).peekable();
    while let Some(token) = tokens.next() {
        let fits = match token {
            b"*" => true,
            b">" => tokens.peek().is_none(),
            literal => !has_wildcard(literal),
        };
        if !fits {
            return Err(BadSubject::MisplacedWildcard);
        }
    }
    Ok(())
}

/// The tokens of a subject or a pattern, at least one.
pub(super) fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'.')
}

/// Whether a `*` or a `>` is anywhere in the bytes.
pub(super) fn has_wildcard(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'*' | b'>'))
}

fn check_bytes(bytes: &[u8]) -> Result<(), BadSubject> {
    if bytes.is_empty() {
        return Err(BadSubject::Empty);
    }
    if bytes.len() > NAME_LEN_MAX {
        return Err(BadSubject::TooLong);
    }
    if bytes.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        return Err(BadSubject::Blank);
    }
    Ok(())
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject(\"{}\")", self.0.escape_ascii())
    }
}

impl fmt::Display for BadSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a subject needs at least one byte"),
            Self::TooLong => write!(f, "a subject has at most {NAME_LEN_MAX} bytes"),
            Self::Blank => write!(f, "a subject has no blanks, tabs or line ends"),
            Self::Wildcard => {
                write!(f, "a signal goes to one subject: leave `*` and `>` to those who listen")
            }
            Self::MisplacedWildcard => {
                write!(f, "`*` and `>` are whole tokens between dots, and `>` only the last one")
            }
        }
    }
}

impl core::error::Error for BadSubject {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_at_the_limit_is_taken_and_one_byte_more_is_not() {
        assert!(Subject::new(&[b's'; NAME_LEN_MAX]).is_ok());
        assert_eq!(Subject::new(&[b's'; NAME_LEN_MAX + 1]), Err(BadSubject::TooLong));
        assert_eq!(check_pattern(&[b's'; NAME_LEN_MAX]), Ok(()));
        assert_eq!(check_pattern(&[b's'; NAME_LEN_MAX + 1]), Err(BadSubject::TooLong));
    }

    #[test]
    fn neither_a_subject_nor_a_pattern_is_empty_or_has_blanks() {
        for (bytes, why) in [
            (&b""[..], BadSubject::Empty),
            (b"a b", BadSubject::Blank),
            (b"a\t", BadSubject::Blank),
            (b"\ra", BadSubject::Blank),
            (b"a\nb", BadSubject::Blank),
        ] {
            assert_eq!(Subject::new(bytes), Err(why));
            assert_eq!(check_pattern(bytes), Err(why));
        }
    }

    #[test]
    fn a_subject_has_no_wildcard_anywhere() {
        for bytes in [&b"*"[..], b">", b"a.*", b"a.>", b"a*b", b"a.b>"] {
            assert_eq!(Subject::new(bytes), Err(BadSubject::Wildcard));
        }
    }

    #[test]
    fn wildcards_of_a_pattern_are_whole_tokens_and_the_tail_is_last() {
        for pattern in [&b"*"[..], b">", b"a.*", b"*.a", b"a.*.*.>", b"a..b", b".", b"a.", b"\xff.*"] {
            assert_eq!(check_pattern(pattern), Ok(()), "{}", pattern.escape_ascii());
        }
        for pattern in [&b"a*"[..], b"*a", b"**", b"a.>.b", b">.", b"a.b>", b">>", b"*>", b">.>"] {
            let verdict = check_pattern(pattern);
            assert_eq!(verdict, Err(BadSubject::MisplacedWildcard), "{}", pattern.escape_ascii());
        }
    }
}
