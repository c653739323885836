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

/// Tenths of seconds below a minute, and two units above.
pub(crate) fn shown(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        0..60 => format!("{seconds:.1}s"),
        60..3_600 => format!("{}m {}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h {}m", whole / 3_600, whole / 60 % 60),
        86_400.. => format!("{}d {}h", whole / 86_400, whole / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_are_shown() {
        assert_eq!([12.54, 75.0, 3_700.2, 90_000.0].map(shown), ["12.5s", "1m 15s", "1h 1m", "1d 1h"]);
    }

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
}
