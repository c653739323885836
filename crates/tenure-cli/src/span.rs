//! Spans of time as a user writes them.

use std::time::Duration;

/// Reads `90`, `90s`, `1m30s`, `500ms`: a bare number counts seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    if let Some(seconds) = seconds {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text)
        .map_err(|_| "a span of time is written 30s, 5m, 1h30m or 500ms".to_owned())
}

/// So many whole seconds as hold that span.
pub(crate) fn whole_seconds(span: Duration) -> Duration {
    let up = u64::from(span.subsec_nanos() > 0);
    Duration::from_secs(span.as_secs().saturating_add(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_counts_seconds() {
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn units_are_read_and_anything_else_is_refused() {
        assert_eq!(parse("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1001)), Duration::from_secs(2));
        assert_eq!(whole_seconds(Duration::from_secs(1)), Duration::from_secs(1));
        assert_eq!(whole_seconds(Duration::MAX), Duration::from_secs(u64::MAX));
    }
}
