//! What the bench says.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::args::{Against, Mode, Protocol};
use super::baseline::Kind;
use super::load::{Measured, Plan};

/// One run, as one JSON object.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    protocol: Protocol,
    mode: Mode,
    connections: usize,
    in_flight: usize,
    duration_s: f64,
    rounds: usize,
    /// Whether the load never interrupts the server on a core that they share.
    load_yields: bool,
    #[serde(flatten)]
    service: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    echo: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fifo: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    ratios: Option<Ratios>,
}

/// The medians of a server's rounds.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    pairs: u64,
    pairs_per_s: f64,
    ops_per_s: f64,
    server_cpu_us_per_pair: Option<f64>,
    server_cpu_us_per_op: Option<f64>,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
}

/// The service's figure over that of what it is compared with.
#[derive(Clone, Copy, Debug, Serialize)]
struct Ratios {
    cpu_ratio: Option<f64>,
    rate_ratio: f64,
}

impl Report {
    /// The report of a service's rounds, and of those of what it is compared with.
    pub(super) fn new(
        plan: &Plan,
        load_yields: bool,
        service: &[Measured],
        compared: Option<(Against, &[Measured])>,
    ) -> Self {
        let figures = Figures::of(service);
        let other = compared.map(|(against, rounds)| (against, Figures::of(rounds)));
        let only =
            |wanted| other.as_ref().filter(|(against, _)| *against == wanted).map(|(_, other)| other.clone());
        Self {
            protocol: plan.protocol,
            mode: plan.mode,
            connections: plan.connections,
            in_flight: plan.in_flight,
            duration_s: rounded(plan.time.as_secs_f64() * service.len() as f64, 3),
            rounds: service.len(),
            load_yields,
            echo: only(Against::Server(Kind::Echo)),
            fifo: only(Against::Server(Kind::Fifo)),
            line: only(Against::Line),
            ratios: other.as_ref().map(|(_, other)| figures.over(other)),
            service: figures,
        }
    }

    /// What it is about, in words.
    fn title(&self) -> String {
        let keys = match self.mode {
            Mode::Own => "every connection with keys of its own",
            Mode::Contended => "all on one key",
        };
        let time = humantime::format_duration(Duration::from_millis((self.duration_s * 1e3).round() as u64));
        let rounds = match self.rounds {
            1 => String::new(),
            rounds => format!(" in {rounds} rounds, medians"),
        };
        let (protocol, connections, in_flight) = (self.protocol.name(), self.connections, self.in_flight);
        let lines = match &self.line {
            None => String::new(),
            Some(_) => format!(" (line: {} connections, 1 in flight on each)", connections * in_flight),
        };
        format!(
            "{keys}, {protocol}: {connections} connections, {in_flight} in flight on each{lines}, {time}{rounds}"
        )
    }

    /// What the service is called, and what it is compared with.
    fn compared(&self) -> (&'static str, Option<(&'static str, &Figures)>) {
        let others = [("echo", &self.echo), ("fifo", &self.fifo), ("line", &self.line)];
        let other = others.into_iter().find_map(|(name, other)| Some((name, other.as_ref()?)));
        (if self.line.is_some() { self.protocol.name() } else { "service" }, other)
    }
}

impl Figures {
    fn of(rounds: &[Measured]) -> Self {
        let pairs_per_s = median(rounds.iter().map(|round| round.pairs_per_s));
        let cpu: Option<Vec<f64>> = rounds.iter().map(|round| round.cpu_us_per_pair).collect();
        let cpu = cpu.map(|rounds| median(rounds.into_iter()));
        Self {
            pairs: rounds.iter().map(|round| round.pairs).sum(),
            pairs_per_s: rounded(pairs_per_s, 1),
            ops_per_s: rounded(2.0 * pairs_per_s, 1),
            server_cpu_us_per_pair: cpu.map(|cpu| rounded(cpu, 3)),
            server_cpu_us_per_op: cpu.map(|cpu| rounded(cpu / 2.0, 3)),
            p50_us: rounded(median(rounds.iter().map(|round| round.latencies.p50_us)), 1),
            p99_us: rounded(median(rounds.iter().map(|round| round.latencies.p99_us)), 1),
            p999_us: rounded(median(rounds.iter().map(|round| round.latencies.p999_us)), 1),
        }
    }

    fn over(&self, other: &Self) -> Ratios {
        let cpu = self.server_cpu_us_per_pair.zip(other.server_cpu_us_per_pair);
        Ratios {
            cpu_ratio: cpu.filter(|(_, other)| *other > 0.0).map(|(own, other)| rounded(own / other, 3)),
            rate_ratio: if other.pairs_per_s > 0.0 {
                rounded(self.pairs_per_s / other.pairs_per_s, 3)
            } else {
                0.0
            },
        }
    }

    /// The rows of the table: a name, and the figure with its digits after the point.
    fn rows(&self) -> [(&'static str, Option<f64>, usize); 7] {
        [
            ("operations/s", Some(self.ops_per_s), 0),
            ("pairs/s", Some(self.pairs_per_s), 0),
            ("p50 of a pair, µs", Some(self.p50_us), 1),
            ("p99 of a pair, µs", Some(self.p99_us), 1),
            ("p99.9 of a pair, µs", Some(self.p999_us), 1),
            ("server CPU per pair, µs", self.server_cpu_us_per_pair, 2),
            ("server CPU per operation, µs", self.server_cpu_us_per_op, 2),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, other) = self.compared();
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match other {
            None => table.set_header(["", own]),
            Some((name, _)) => table.set_header(["", own, name, "ratio"]),
        };
        let others = other.map(|(_, other)| other.rows());
        for (index, (name, value, digits)) in self.service.rows().into_iter().enumerate() {
            let mut row = vec![name.to_owned(), shown(value, digits)];
            if let Some(others) = others {
                let other = others[index].1;
                let ratio =
                    value.zip(other).filter(|(_, other)| *other > 0.0).map(|(own, other)| own / other);
                row.extend([shown(other, digits), shown(ratio, 2)]);
            }
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "{}\n\n{}", self.title(), table.trim_fmt())
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.digits$}"))
}

/// The middle one, or the mean of the two in the middle; zero of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// So many digits after the point.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::super::tally::Latencies;
    use super::*;

    const PLAN: Plan = Plan {
        protocol: Protocol::Line,
        mode: Mode::Own,
        connections: 10,
        in_flight: 2,
        time: Duration::from_millis(500),
        run: 1,
    };

    fn measured(pairs_per_s: f64, cpu_us_per_pair: Option<f64>) -> Measured {
        let latencies = Latencies { p50_us: 10.0, p99_us: 20.0, p999_us: 30.0 };
        Measured { pairs: 100, pairs_per_s, cpu_us_per_pair, latencies }
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 2.5);
        assert_eq!(median([].into_iter()), 0.0);
    }

    #[test]
    fn a_comparison_gives_both_medians_and_their_ratio() {
        let service = [measured(900.0, Some(6.0)), measured(800.0, Some(5.5)), measured(100.0, Some(99.0))];
        let echo = [measured(1000.0, Some(5.0)); 3];
        let report = Report::new(&PLAN, true, &service, Some((Against::Server(Kind::Echo), &echo)));
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!((&json["protocol"], &json["mode"]), (&"line".into(), &"own".into()));
        assert_eq!((json["connections"].as_u64(), json["in_flight"].as_u64()), (Some(10), Some(2)));
        assert_eq!((json["duration_s"].as_f64(), json["rounds"].as_u64()), (Some(1.5), Some(3)));
        assert_eq!((json["pairs_per_s"].as_f64(), json["ops_per_s"].as_f64()), (Some(800.0), Some(1600.0)));
        assert_eq!(json["server_cpu_us_per_pair"], 6.0);
        assert_eq!(json["server_cpu_us_per_op"], 3.0);
        assert_eq!(json["echo"]["server_cpu_us_per_pair"], 5.0);
        assert_eq!((json["cpu_ratio"].as_f64(), json["rate_ratio"].as_f64()), (Some(1.2), Some(0.8)));
        assert!(json.get("fifo").is_none());
    }

    #[test]
    fn what_the_server_does_not_tell_is_null_and_shown_as_unknown() {
        let report = Report::new(&PLAN, true, &[measured(900.0, None)], None);
        let json = serde_json::to_value(&report).expect("JSON");
        assert!(json["server_cpu_us_per_pair"].is_null());
        assert!(json.get("cpu_ratio").is_none());
        let text = report.to_string();
        assert!(text.contains("unknown") && !text.contains("echo"), "{text}");
    }

    #[test]
    fn the_table_names_what_it_compares_with() {
        let rounds = [measured(900.0, Some(6.0)); 3];
        let text = |against| Report::new(&PLAN, true, &rounds, Some((against, &rounds))).to_string();
        let fifo = text(Against::Server(Kind::Fifo));
        assert!(fifo.contains("fifo") && fifo.contains("1.00") && fifo.contains("in 3 rounds"), "{fifo}");
        let line = text(Against::Line);
        assert!(line.contains("line: 20 connections") && !line.contains("service"), "{line}");
    }
}
