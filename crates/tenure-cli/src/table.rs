//! Tables for people.

use anstyle::{Effects, Style};
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::exit::Failure;
use crate::say;

/// How much of a name is shown; `--json` tells all of it.
const NAME_WIDTH_MAX: usize = 60;

const BOLD: Style = Style::new().effects(Effects::BOLD);

/// Rows in columns, below a header.
pub(crate) fn format<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

/// Prints some tables, with an empty line between them; their headers bold on a terminal that wants it.
pub(crate) fn print(tables: &[String]) -> Result<(), Failure> {
    let mut out = anstream::AutoStream::new(Vec::new(), anstream::AutoStream::choice(&std::io::stdout()));
    for (at, table) in tables.iter().enumerate() {
        let (header, rows) = table.split_once('\n').unwrap_or((table, ""));
        let gap = if at == 0 { "" } else { "\n" };
        // Nothing fails that goes into memory.
        let _ = std::io::Write::write_fmt(&mut out, format_args!("{gap}{BOLD}{header}{BOLD:#}\n{rows}"));
    }
    say::print(&out.into_inner())
}

/// A name that leaves room for the other columns, and gives a terminal no commands.
pub(crate) fn name(bytes: &[u8]) -> String {
    cut(say::shown(bytes))
}

/// The start of a text, if it is too long for a column.
pub(crate) fn cut(name: String) -> String {
    match name.char_indices().nth(NAME_WIDTH_MAX) {
        None => name,
        Some(_) => name.chars().take(NAME_WIDTH_MAX - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a", "1"], ["long", "2"]].map(|row| row.map(str::to_owned));
        assert_eq!(format(["KEY", "N"], rows), "KEY   N\na     1\nlong  2\n");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(cut("k".repeat(60)), "k".repeat(60));
        assert_eq!(cut("ü".repeat(61)), format!("{}…", "ü".repeat(59)));
    }
}
