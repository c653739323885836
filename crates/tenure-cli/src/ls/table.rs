//! Keys for people: a line for each holder.

use anstyle::{Effects, Style};
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::report::{Holder, Report, Row};
use crate::exit::Failure;
use crate::say;

const HEADER: [&str; 6] = ["KEY", "KIND", "HOLDER", "FENCE", "TIME LEFT", "WAITERS"];

/// How much of a name is shown; `--json` tells all of it.
const NAME_WIDTH_MAX: usize = 60;

const BOLD: Style = Style::new().effects(Effects::BOLD);

/// Prints the keys; the header bold on a terminal that wants it.
pub(super) fn print(report: &Report) -> Result<(), Failure> {
    if report.keys.is_empty() {
        say::say("no keys");
        return Ok(());
    }
    let text = format(report);
    let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
    let mut out = anstream::AutoStream::new(Vec::new(), anstream::AutoStream::choice(&std::io::stdout()));
    // Nothing fails that goes into memory.
    let _ = std::io::Write::write_fmt(&mut out, format_args!("{BOLD}{header}{BOLD:#}\n{rows}"));
    say::print(&out.into_inner())
}

fn format(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(HEADER);
    for key in &report.keys {
        for line in lines(key) {
            table.add_row(line);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

fn lines(row: &Row) -> Vec<[String; 6]> {
    let untold = row.holders_len.saturating_sub(row.holders.len());
    let told: u32 = row.holders.iter().map(|holder| holder.permits).sum();
    // Those who are not told hold a permit each, at least.
    let holders = if untold == 0 { told.to_string() } else { format!("≥{}", told as usize + untold) };
    let kind = match row.space.as_str() {
        "semaphore" => format!("semaphore {holders}/{}", row.limit),
        _ => "lock".to_owned(),
    };
    let line = |holder: [String; 3]| {
        let [holder, fence, left] = holder;
        [name(row), kind.clone(), holder, fence, left, row.waiters.to_string()]
    };
    if row.holders.is_empty() {
        let idle = row.idle_s.map_or_else(|| "none".to_owned(), |idle| format!("idle for {}", span(idle)));
        return vec![line([idle, "-".to_owned(), "-".to_owned()])];
    }
    let mut lines: Vec<_> = row.holders.iter().map(|holder| line(columns(holder))).collect();
    if untold > 0 {
        lines.push(line([format!("and {untold} more"), "-".to_owned(), "-".to_owned()]));
    }
    lines
}

fn columns(holder: &Holder) -> [String; 3] {
    let permits = if holder.permits == 1 { String::new() } else { format!(" ({} permits)", holder.permits) };
    let who = format!("connection {}{permits}", holder.owner_conn_id);
    [who, holder.fence.clone(), span(holder.expires_in_s)]
}

fn name(row: &Row) -> String {
    let name = say::shown(row.key.as_bytes());
    cut(row.key_hex.as_ref().map_or_else(|| name.clone(), |hex| format!("{name} (0x{hex})")))
}

/// A name that leaves room for the other columns.
fn cut(name: String) -> String {
    match name.char_indices().nth(NAME_WIDTH_MAX) {
        None => name,
        Some(_) => name.chars().take(NAME_WIDTH_MAX - 1).chain(['…']).collect(),
    }
}

/// Tenths below a minute, and two units above.
fn span(seconds: f64) -> String {
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
    fn a_long_name_is_cut_and_holders_that_are_not_told_are_counted() {
        assert_eq!(cut("k".repeat(60)), "k".repeat(60));
        assert_eq!(cut("ü".repeat(61)), format!("{}…", "ü".repeat(59)));
        let row = serde_json::from_str::<Row>(
            r#"{"space":"semaphore","key":"k","limit":100,"waiters":0,"idle_s":null,"holders_len":70,
                "holders":[{"fence":"1","owner_conn_id":8,"permits":1,"expires_in_s":75}]}"#,
        );
        let lines = lines(&row.expect("a row"));
        assert_eq!(lines[0][1], "semaphore ≥70/100");
        assert_eq!((lines.len(), lines[1][2].as_str()), (2, "and 69 more"));
    }
}
