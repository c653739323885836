//! Measuring a service: the same closed-loop load against it and, in turn, against a server that does the least.

mod baseline;
mod client;
mod clock;
mod cpu;
mod echo;
mod fifo;
mod inbox;
mod load;
mod problem;
mod report;
mod requests;
mod setup;
mod tally;

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use self::baseline::{Baseline, Kind};
use self::client::Replies;
use self::cpu::CpuSource;
use self::load::{Measured, Plan, Target};
use self::report::Report;
use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::span;

const HELP: &str = "\
A pair is an acquire and its release; an operation is one of the two. Every connection waits for its answers before it
sends more. The server's CPU is what it says itself, or what the system says with --server-pid.

Examples:
  tenure bench --connections 100 --duration 10s
  tenure bench --connections 10 --in-flight 16
  tenure bench --mode contended --connections 500 --json
  taskset -c 0 tenure bench --echo        (with the service on core 0 too: figures that repeat)";

/// How many rounds a comparison takes, each against one server and then the other.
const ROUNDS: u32 = 3;

/// The shortest round that says anything.
const ROUND_MIN: Duration = Duration::from_millis(10);

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    service: Service,

    /// How many connections are open and busy all the time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    connections: u32,

    /// How many requests a connection sends before it waits for their answers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    in_flight: u32,

    /// Which keys the connections ask for
    #[arg(long, value_enum, default_value_t = Mode::Own)]
    mode: Mode,

    /// How long each server is measured, after a short warm-up
    #[arg(long, value_name = "DUR", default_value = "5s", value_parser = span::parse)]
    duration: Duration,

    /// The process whose CPU time counts, for a server on this machine that does not tell its own
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,

    /// Run the same load in turn against a minimal echo server, and give the ratios
    #[arg(long)]
    echo: bool,

    /// Run the same load in turn against a minimal server of a single lock
    #[arg(long, hide = true, conflicts_with = "echo")]
    fifo: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the server to compare with does.
#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
    /// Hand over a single lock, instead of sending every byte back
    #[arg(long)]
    fifo: bool,
}

/// Which keys the connections ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Each has its own: nobody ever waits
    Own,
    /// All ask for the same: a pair is one hand-over
    Contended,
}

/// Measures, and prints what came out.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.check()?;
    setup::allow_files(args.connections)?;
    let service = args.target()?;
    let compared = args.compared_with().map(|kind| Ok((kind, Baseline::start(kind)?))).transpose()?;
    let rounds = if compared.is_some() { ROUNDS } else { 1 };
    let plan = args.plan(rounds);
    let yields = setup::let_the_server_finish();
    let other = compared.as_ref().map(|(_, baseline)| baseline.target());
    let (own, others) = measure(&plan, &service, other.as_ref(), rounds)?;
    let compared = compared.as_ref().map(|(kind, _)| (*kind, &others[..]));
    print(&Report::new(&plan, yields, &own, compared), args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Is the server that a service is compared with, until standard input ends.
pub(crate) fn run_echo(args: &EchoArgs) -> Result<ExitCode, Failure> {
    echo::serve(args.fifo).map(|()| ExitCode::SUCCESS)
}

impl Args {
    fn check(&self) -> Result<(), Failure> {
        let refused = |message| Err(Failure::new(Exit::Usage, message));
        if self.mode == Mode::Contended && self.in_flight > 1 {
            return refused(
                "--mode contended has one request in flight on a connection: a second one for the same key would wait \
                 for the first to be released; ask for more --connections instead",
            );
        }
        if self.mode == Mode::Own && self.fifo {
            return refused("--fifo is a single lock: it goes with --mode contended");
        }
        if self.duration < ROUND_MIN * ROUNDS {
            return refused("--duration is too short to measure anything: give a second or more");
        }
        Ok(())
    }

    fn compared_with(&self) -> Option<Kind> {
        match (self.echo, self.fifo) {
            (true, _) => Some(Kind::Echo),
            (false, true) => Some(Kind::Fifo),
            (false, false) => None,
        }
    }

    fn plan(&self, rounds: u32) -> Plan {
        Plan {
            mode: self.mode,
            connections: self.connections as usize,
            in_flight: self.in_flight as usize,
            time: self.duration / rounds,
            run: std::process::id(),
        }
    }

    fn target(&self) -> Result<Target, Failure> {
        if self.service.url.tls {
            return Err(Failure::new(
                Exit::Usage,
                "the bench measures plain connections: give it a tenure:// address of the service",
            ));
        }
        let token = self.service.token()?;
        let address = setup::find(&self.service)?;
        let cpu = match self.server_pid {
            Some(pid) => CpuSource::Process(pid),
            None => CpuSource::Info { address, token: token.clone() },
        };
        Ok(Target { address, token, replies: Replies::Lines, cpu })
    }
}

/// All rounds, against one server and then the other, so that both see the same weather.
fn measure(
    plan: &Plan,
    service: &Target,
    other: Option<&Target>,
    rounds: u32,
) -> Result<(Vec<Measured>, Vec<Measured>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(Exit::Refused, "the load could not be started", error))?;
    runtime.block_on(async {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            own.push(load::round(plan, service).await?);
            if let Some(other) = other {
                others.push(load::round(plan, other).await?);
            }
        }
        Ok((own, others))
    })
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    if !json {
        anstream::println!("{report}");
        return Ok(());
    }
    let text = serde_json::to_string(report)
        .map_err(|error| Failure::from(Exit::Refused, "the report could not be written", error))?;
    anstream::println!("{text}");
    Ok(())
}
