//! The table of figures.

use std::fmt::Write as _;

/// One figure and what it must reach.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    what: String,
    measured: String,
    wanted: Wanted,
    value: f64,
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted {
    AtMost(f64),
    AtLeast(f64),
    /// It explains another one.
    Nothing,
}

impl Row {
    /// A figure in a unit, which may be empty.
    pub(super) fn new(what: impl Into<String>, value: f64, unit: &str, wanted: Wanted) -> Self {
        let measured = format!("{} {unit}", shown(value)).trim_end().to_owned();
        Self { what: what.into(), measured, wanted, value }
    }

    fn wanted(&self) -> String {
        match self.wanted {
            Wanted::AtMost(bound) => format!("at most {}", shown(bound)),
            Wanted::AtLeast(bound) => format!("at least {}", shown(bound)),
            Wanted::Nothing => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        let reached = match self.wanted {
            Wanted::AtMost(bound) => self.value <= bound,
            Wanted::AtLeast(bound) => self.value >= bound,
            Wanted::Nothing => return "",
        };
        if reached { "yes" } else { "**no**" }
    }
}

/// All rows, as Markdown.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| what | measured | wanted | reached |\n| --- | ---: | ---: | --- |\n");
    for row in rows {
        // Writing into a string does not fail.
        let _ = writeln!(text, "| {} | {} | {} | {} |", row.what, row.measured, row.wanted(), row.verdict());
    }
    text
}

/// Three digits or so, and no more of them than the figure is worth.
fn shown(value: f64) -> String {
    let digits = match value.abs() {
        huge if huge >= 100.0 => 0,
        large if large >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_figure_reaches_what_is_wanted() {
        let rows = [
            Row::new("cost", 1.25, "µs", Wanted::AtMost(1.2)),
            Row::new("rate", 65000.4, "", Wanted::AtLeast(65000.0)),
            Row::new("size", 0.5, "KiB", Wanted::Nothing),
        ];
        let text = markdown(&rows);
        assert!(text.contains("| cost | 1.25 µs | at most 1.2 | **no** |\n"), "{text}");
        assert!(text.contains("| rate | 65000 | at least 65000 | yes |\n"), "{text}");
        assert!(text.contains("| size | 0.5 KiB |  |  |\n"), "{text}");
    }

    #[test]
    fn figures_have_about_three_digits() {
        for (value, text) in
            [(0.0, "0"), (0.126, "0.13"), (4.0, "4"), (43.26, "43.3"), (100.0, "100"), (81234.5, "81234")]
        {
            assert_eq!(shown(value), text);
        }
    }
}
