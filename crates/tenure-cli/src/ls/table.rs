//! Keys for people: a line for each holder.

use super::report::{Holder, Report, Row};
use crate::exit::Failure;
use crate::{say, span, table};

const HEADER: [&str; 6] = ["KEY", "KIND", "HOLDER", "FENCE", "TIME LEFT", "WAITERS"];

/// Prints the keys.
pub(super) fn print(report: &Report) -> Result<(), Failure> {
    if report.keys.is_empty() {
        say::say("no keys");
        return Ok(());
    }
    table::print(&[format(report)])
}

fn format(report: &Report) -> String {
    table::format(HEADER, report.keys.iter().flat_map(lines))
}

fn lines(row: &Row) -> Vec<[String; 6]> {
    let untold = row.holders_len.saturating_sub(row.holders.len());
    let told: u32 = row.holders.iter().map(|holder| holder.permits).sum();
    // Those who are not told hold a permit each, at least.
    let holders = if untold == 0 { told.to_string() } else { format!("≥{}", told as usize + untold) };
    let kind = match row.space.as_str() {
        "semaphore" => format!("semaphore {holders}/{}", row.limit),
        "rwlock" if told == row.limit => "rwlock, written".to_owned(),
        "rwlock" => format!("rwlock, {holders} reading"),
        _ => "lock".to_owned(),
    };
    let line = |holder: [String; 3]| {
        let [holder, fence, left] = holder;
        [name(row), kind.clone(), holder, fence, left, row.waiters.to_string()]
    };
    if row.holders.is_empty() {
        let idle =
            row.idle_s.map_or_else(|| "none".to_owned(), |idle| format!("idle for {}", span::shown(idle)));
        return vec![line([idle, "-".to_owned(), "-".to_owned()])];
    }
    let mut lines: Vec<_> = row.holders.iter().map(|holder| line(columns(row, holder))).collect();
    if untold > 0 {
        lines.push(line([format!("and {untold} more"), "-".to_owned(), "-".to_owned()]));
    }
    lines
}

fn columns(row: &Row, holder: &Holder) -> [String; 3] {
    let permits = match holder.permits {
        // A writer has all there are, and the kind says so.
        permits if permits == 1 || row.space == "rwlock" => String::new(),
        permits => format!(" ({permits} permits)"),
    };
    [who(holder) + &permits, holder.fence.clone(), span::shown(holder.expires_in_s)]
}

/// What a holder calls itself, or else where it runs, or else its connection.
fn who(holder: &Holder) -> String {
    if !holder.label.is_empty() {
        table::name(holder.label.as_bytes())
    } else if holder.pid != 0 && !holder.host.is_empty() {
        format!("process {} on {}", holder.pid, table::name(holder.host.as_bytes()))
    } else {
        format!("connection {}", holder.owner_conn_id)
    }
}

fn name(row: &Row) -> String {
    let name = say::shown(row.key.as_bytes());
    table::cut(row.key_hex.as_ref().map_or_else(|| name.clone(), |hex| format!("{name} (0x{hex})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_holder_has_a_line_and_idle_keys_say_so() {
        let report = serde_json::from_str(
            r#"{"keys":[
                {"space":"lock","key":"db","limit":1,"waiters":2,"idle_s":null,
                 "holders":[{"fence":"18446744073709551615","owner_conn_id":7,"permits":1,"expires_in_s":12.54}]},
                {"space":"semaphore","key":"k\ufffd","key_hex":"6b80","limit":3,"waiters":0,"idle_s":null,
                 "holders":[{"fence":"1","owner_conn_id":8,"permits":1,"expires_in_s":75},
                            {"fence":"2","owner_conn_id":9,"permits":2,"expires_in_s":90000}]},
                {"space":"lock","key":"old","limit":1,"waiters":0,"idle_s":3700.2,"holders":[]}]}"#,
        )
        .expect("a report");
        let expected = "\
KEY          KIND           HOLDER                    FENCE                 TIME LEFT  WAITERS
db           lock           connection 7              18446744073709551615  12.5s      2
k\u{fffd} (0x6b80)  semaphore 3/3  connection 8              1                     1m 15s     0
k\u{fffd} (0x6b80)  semaphore 3/3  connection 9 (2 permits)  2                     1d 1h      0
old          lock           idle for 1h 1m            -                     -          0
";
        assert_eq!(format(&report), expected);
    }

    #[test]
    fn a_holder_is_named_by_its_label_or_its_process() {
        let shown = |told: &str| {
            let holder = format!(r#"{{"fence":"1","owner_conn_id":7,"permits":1,"expires_in_s":1{told}}}"#);
            who(&serde_json::from_str(&holder).expect("a holder"))
        };
        assert_eq!(shown(""), "connection 7");
        assert_eq!(shown(r#","label":"","host":"host-1","pid":4711"#), "process 4711 on host-1");
        assert_eq!(shown(r#","label":"night\tly","host":"host-1","pid":4711"#), "night\u{fffd}ly");
    }

    #[test]
    fn a_read_write_lock_is_read_or_written() {
        let kind = |holders: &str| {
            let row = format!(
                r#"{{"space":"rwlock","key":"k","limit":4294967295,"waiters":0,"idle_s":null,"holders":[{holders}]}}"#
            );
            let [_, kind, holder, ..] = lines(&serde_json::from_str(&row).expect("a row"))[0].clone();
            (kind, holder)
        };
        let holder = |permits: u32| {
            format!(r#"{{"fence":"1","owner_conn_id":8,"permits":{permits},"expires_in_s":75}}"#)
        };
        assert_eq!(kind(&holder(u32::MAX)), ("rwlock, written".to_owned(), "connection 8".to_owned()));
        assert_eq!(kind(&[holder(1), holder(1)].join(",")).0, "rwlock, 2 reading");
    }

    #[test]
    fn holders_that_are_not_told_are_counted() {
        let row = serde_json::from_str::<Row>(
            r#"{"space":"semaphore","key":"k","limit":100,"waiters":0,"idle_s":null,"holders_len":70,
                "holders":[{"fence":"1","owner_conn_id":8,"permits":1,"expires_in_s":75}]}"#,
        );
        let lines = lines(&row.expect("a row"));
        assert_eq!(lines[0][1], "semaphore ≥70/100");
        assert_eq!((lines.len(), lines[1][2].as_str()), (2, "and 69 more"));
    }
}
