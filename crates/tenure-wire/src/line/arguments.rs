//! The third line: words between blanks, and integers as Go's `strconv.Atoi` reads them.

use core::time::Duration;

use memchr::memchr2;
use tenure_core::Limit;

use super::Refusal;

/// The longest timeout and lease, in seconds: what fits into 64 bits as nanoseconds, 292 years.
pub const SECONDS_MAX: u64 = 9_223_372_036;

/// The words of a line, which blanks and tabs separate.
pub(super) struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    pub(super) const fn of(line: &'a [u8]) -> Self {
        Self(line)
    }

    /// Everything that is left, without the blanks around it.
    pub(super) fn rest(&self) -> &'a [u8] {
        trim(self.0)
    }

    /// The only word that is left.
    pub(super) fn last(mut self) -> Result<Option<&'a [u8]>, Refusal> {
        let word = self.next();
        if self.next().is_some() {
            return Err(Refusal::BadArguments);
        }
        Ok(word)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|byte| !is_blank(*byte))?;
        let word = &self.0[start..];
        let end = word_end(word);
        let (word, rest) = word.split_at(end);
        self.0 = rest;
        Some(word)
    }
}

/// Where the word at the start of `line` ends. Most are numbers of a few digits, for which a plain loop is quicker.
#[inline]
fn word_end(line: &[u8]) -> usize {
    let near = &line[..line.len().min(NEAR)];
    match near.iter().position(|byte| is_blank(*byte)) {
        Some(end) => end,
        None => memchr2(b' ', b'\t', &line[near.len()..]).map_or(line.len(), |end| near.len() + end),
    }
}

/// Within so many bytes a loop finds the end of a word sooner than a vector search does.
const NEAR: usize = 8;

/// The line without the blanks and tabs around it.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let Some(start) = line.iter().position(|byte| !is_blank(*byte)) else { return &[] };
    let end = line.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// The line without the carriage returns at its end.
#[inline]
pub(super) fn trim_line_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r'] = line {
        line = rest;
    }
    line
}

/// A timeout: zero seconds or more.
pub(super) fn wait(word: &[u8]) -> Result<Duration, Refusal> {
    duration(integer(word)?, Refusal::NegativeTimeout)
}

/// A lease: one second or more.
pub(super) fn lease(word: &[u8]) -> Result<Duration, Refusal> {
    match integer(word)? {
        ..=0 => Err(Refusal::BadLease),
        seconds => duration(seconds, Refusal::BadLease),
    }
}

/// A limit: one permit or more.
pub(super) fn limit(word: &[u8]) -> Result<Limit, Refusal> {
    match integer(word)? {
        ..=0 => Err(Refusal::BadLimit),
        permits => u32::try_from(permits).ok().and_then(Limit::new).ok_or(Refusal::BadInteger),
    }
}

/// An optional sign and decimal digits that fit into 64 bits.
pub(super) fn integer(word: &[u8]) -> Result<i64, Refusal> {
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(Refusal::BadInteger);
    }
    let mut number = 0_i64;
    for digit in digits {
        let value = i64::from(digit.wrapping_sub(b'0'));
        if value > 9 {
            return Err(Refusal::BadInteger);
        }
        // Towards the sign's side from the start, because the lowest number has no positive twin.
        let value = if negative { -value } else { value };
        number =
            number.checked_mul(10).and_then(|number| number.checked_add(value)).ok_or(Refusal::BadInteger)?;
    }
    Ok(number)
}

fn duration(seconds: i64, below_zero: Refusal) -> Result<Duration, Refusal> {
    match u64::try_from(seconds) {
        Err(_) => Err(below_zero),
        Ok(seconds) if seconds > SECONDS_MAX => Err(Refusal::BadInteger),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_atoi_does() {
        for (word, number) in [
            (&b"0"[..], 0),
            (b"-0", 0),
            (b"+1", 1),
            (b"01", 1),
            (b"-12", -12),
            (b"0000000000000000000000000000007", 7),
            (b"9223372036854775807", i64::MAX),
            (b"-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(word), Ok(number), "{}", word.escape_ascii());
        }
        for word in [
            &b""[..],
            b"+",
            b"-",
            b"--1",
            b"+-1",
            b"1.0",
            b"1e3",
            b"0x1",
            b"1_0",
            b"1 ",
            b"9223372036854775808",
            b"-9223372036854775809",
            b"99999999999999999999999",
            b"\xd9\xa1",
        ] {
            assert_eq!(integer(word), Err(Refusal::BadInteger), "{}", word.escape_ascii());
        }
    }

    #[test]
    fn times_end_at_the_longest_one() {
        assert_eq!(wait(b"0"), Ok(Duration::ZERO));
        assert_eq!(wait(b"9223372036"), Ok(Duration::from_secs(SECONDS_MAX)));
        assert_eq!(wait(b"9223372037"), Err(Refusal::BadInteger));
        assert_eq!(wait(b"-1"), Err(Refusal::NegativeTimeout));
        assert_eq!(lease(b"1"), Ok(Duration::from_secs(1)));
        assert_eq!(lease(b"9223372036"), Ok(Duration::from_secs(SECONDS_MAX)));
        assert_eq!(lease(b"9223372037"), Err(Refusal::BadInteger));
        assert_eq!(lease(b"0"), Err(Refusal::BadLease));
        assert_eq!(lease(b"-1"), Err(Refusal::BadLease));
    }

    #[test]
    fn limits_end_at_32_bits() {
        assert_eq!(limit(b"1"), Ok(Limit::ONE));
        assert_eq!(limit(b"4294967295").map(Limit::get), Ok(u32::MAX));
        assert_eq!(limit(b"4294967296"), Err(Refusal::BadInteger));
        assert_eq!(limit(b"0"), Err(Refusal::BadLimit));
        assert_eq!(limit(b"-3"), Err(Refusal::BadLimit));
    }

    #[test]
    fn words_are_what_lies_between_blanks_and_tabs() {
        assert_eq!(Words::of(b" \t10\t 20  ").collect::<Vec<_>>(), [&b"10"[..], b"20"]);
        assert_eq!(Words::of(b" \t ").count(), 0);
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"a"), b"a");
    }
}
