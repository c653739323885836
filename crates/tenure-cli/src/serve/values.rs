//! Texts from flags and the environment, as the values that they stand for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The most seconds that dflockd takes: as nanoseconds they fill 63 bits.
pub(super) const SECONDS_MAX: i128 = 9_223_372_036;

/// Something that a daemon cannot run with, told in one line that begins with the flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misconfigured {
    flag: String,
    problem: String,
}

/// A value as it was given, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// The flag, and the environment variable where it came from that.
    pub(super) from: String,
    /// The text.
    pub(super) text: OsString,
}

impl Misconfigured {
    pub(super) fn new(flag: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { flag: flag.into(), problem: problem.into() }
    }
}

impl Given {
    /// What is wrong with this value.
    pub(super) fn wrong(&self, problem: impl Into<String>) -> Misconfigured {
        Misconfigured::new(&self.from, problem)
    }

    /// A whole number in a range.
    pub(super) fn number(&self, range: RangeInclusive<i128>) -> Result<i128, Misconfigured> {
        let shown = show(&self.text);
        let text = self.text.to_str().unwrap_or_default();
        if !is_number(text) {
            return Err(self.wrong(format!("{shown} is not a whole number")));
        }
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            Ok(_) | Err(_) => {
                Err(self.wrong(format!("{shown} is not between {} and {}", range.start(), range.end())))
            }
        }
    }

    /// How many of something, at least `least`.
    pub(super) fn count(&self, least: i128) -> Result<usize, Misconfigured> {
        let most = i128::from(i64::MAX).min(isize::MAX as i128);
        self.number(least..=most).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Seconds, at least `least`.
    pub(super) fn seconds(&self, least: i128) -> Result<Duration, Misconfigured> {
        self.number(least..=SECONDS_MAX)
            .map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// Yes or no, in any of the words that Go's `ParseBool` takes.
    pub(super) fn switch(&self) -> Result<bool, Misconfigured> {
        match self.text.to_str() {
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(true),
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(false),
            Some(_) | None => Err(self.wrong(format!("{} is neither true nor false", show(&self.text)))),
        }
    }
}

/// A text that fits into one line.
pub(super) fn show(text: &OsStr) -> String {
    let printable = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let shown: String = text.to_string_lossy().chars().map(printable).collect();
    if shown.is_empty() { "nothing".to_owned() } else { shown }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.flag.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.flag, self.problem)
        }
    }
}

impl std::error::Error for Misconfigured {}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        Given { from: "--port".to_owned(), text: text.into() }
    }

    #[test]
    fn a_number_in_its_range_is_taken_with_either_sign() {
        assert_eq!(given("+07").number(0..=65535), Ok(7));
        assert_eq!(given("-1").number(-1..=1), Ok(-1));
        assert_eq!(given("65535").number(0..=65535), Ok(65535));
    }

    #[test]
    fn a_number_beyond_its_range_says_the_range() {
        for text in ["70000", "-1", "99999999999999999999999999999999999999999999"] {
            let wrong = given(text).number(0..=65535).expect_err("out of range");
            assert_eq!(wrong.to_string(), format!("--port: {text} is not between 0 and 65535"));
        }
    }

    #[test]
    fn what_is_no_number_is_shown_on_one_line() {
        for (text, shown) in [("", "nothing"), ("1.5", "1.5"), ("1e3", "1e3"), ("7\n8", "7\\n8"), ("+", "+")]
        {
            let wrong = given(text).number(0..=1).expect_err("no number");
            assert_eq!(wrong.to_string(), format!("--port: {shown} is not a whole number"));
        }
    }

    #[test]
    fn seconds_end_where_their_nanoseconds_would_overflow() {
        assert_eq!(given("9223372036").seconds(1), Ok(Duration::from_secs(9_223_372_036)));
        assert!(given("9223372037").seconds(1).is_err());
        assert!(given("0").seconds(1).is_err());
    }

    #[test]
    fn switches_take_the_words_of_go() {
        for word in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(given(word).switch(), Ok(true));
        }
        for word in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(given(word).switch(), Ok(false));
        }
        for word in ["", "yes", "tRUE", "2"] {
            assert!(given(word).switch().is_err(), "{word}");
        }
    }
}
