//! What can be asked of the bench.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::baseline::Kind;
use super::client::Replies;
use super::cpu::CpuSource;
use super::load::{Plan, Side, Target};
use super::setup;
use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::span;

const HELP: &str = "\
A pair is an acquire and its release; an operation is one of the two. The load is closed: with the line protocol a
connection waits for all its answers before it sends more, with mux every claim is released as soon as it is granted,
and asked for again as soon as it is released. With these two the load speaks the protocol itself, so that it is the
wire and the service that are measured; with library it is a program like any other. The server's CPU is what it says itself, or what the system says with --server-pid.

Examples:
  tenure bench --connections 100 --duration 10s
  tenure bench --connections 10 --in-flight 16
  tenure bench --mode contended --connections 500 --json
  tenure bench --protocol mux --line      (one connection against as many as there are claims on it)
  taskset -c 0 tenure bench --echo        (with the service on core 0 too: figures that repeat)";

/// How many rounds a comparison takes, each on one side and then on the other.
const ROUNDS: u32 = 3;

/// The shortest round that says anything.
const ROUND_MIN: Duration = Duration::from_millis(10);

/// The most connections: no address has more ports to come from.
const CONNECTIONS_MAX: u32 = 60_000;

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) service: Service,

    /// What the connections speak
    #[arg(long, value_enum, default_value_t = Protocol::Line)]
    protocol: Protocol,

    /// How many connections are open and busy all the time [default: 100; 1 where it carries many]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CONNECTIONS_MAX)))]
    connections: Option<u32>,

    /// How many requests a connection has under way at the same time [default: 1; 100 where a connection carries many]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    in_flight: Option<u32>,

    /// Which keys are asked for
    #[arg(long, value_enum, default_value_t = Mode::Own)]
    mode: Mode,

    /// How long each side is measured, after a short warm-up
    #[arg(long, value_name = "DUR", default_value = "5s", value_parser = span::parse)]
    duration: Duration,

    /// The process whose CPU time counts, for a server on this machine that does not tell its own
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,

    /// Run the same load in turn against a minimal echo server, and give the ratios
    #[arg(long)]
    echo: bool,

    /// Run as many claims in turn on line connections with one each, and give the ratios
    #[arg(long, conflicts_with = "echo")]
    line: bool,

    /// Run the same load in turn against a minimal server of a single lock
    #[arg(long, hide = true, conflicts_with_all = ["echo", "line"])]
    fifo: bool,

    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// What the server to compare with does.
#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
    /// Hand over a single lock, instead of sending every byte back
    #[arg(long)]
    pub(super) fifo: bool,
}

/// What the library is measured with, beside a load.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LibraryArgs {
    /// Acquire and release within this process, and compare with a semaphore of tokio's
    Local {
        /// How many pairs a round has
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        pairs: u32,
    },
    /// Hold locks of a service until standard input ends
    Hold {
        /// Where
        #[command(flatten)]
        service: Service,

        /// How many
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        locks: u32,
    },
}

/// Which keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Every request has its own: nobody ever waits
    Own,
    /// All ask for the same: a pair is one hand-over
    Contended,
}

/// What the connections speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// The line protocol, as dflockd does
    Line,
    /// The multiplexed protocol: many claims on one connection
    Mux,
    /// The multiplexed protocol through the library, a task for each claim: what programs see
    Library,
}

/// What the load is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// A server that does the least.
    Server(Kind),
    /// The same service and as many claims, each on a line connection of its own.
    Line,
}

impl Protocol {
    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Mux => "mux",
            Self::Library => "library",
        }
    }
}

impl Args {
    /// Whether all that is asked for goes together.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let refused = |message| Err(Failure::new(Exit::Usage, message));
        let line = self.protocol == Protocol::Line;
        if line && self.mode == Mode::Contended && self.in_flight() > 1 {
            return refused(
                "--mode contended has one request in flight on a line connection: a second one for the same key would \
                 wait for the first to be released; ask for more --connections instead, or for --protocol mux",
            );
        }
        if self.fifo && (self.mode == Mode::Own || !line) {
            return refused("--fifo is a single lock: it goes with --mode contended and the line protocol");
        }
        if self.echo && self.protocol == Protocol::Library {
            return refused("--echo sends back what the load sends: it goes with --protocol line and mux");
        }
        if self.line && self.claims() > CONNECTIONS_MAX {
            return refused(
                "--line takes a connection for each request in flight: there can be 60000 in all",
            );
        }
        if self.duration < ROUND_MIN * ROUNDS {
            return refused("--duration is too short to measure anything: give a second or more");
        }
        Ok(())
    }

    /// What to compare with, if anything.
    pub(super) fn against(&self) -> Option<Against> {
        match (self.echo, self.line, self.fifo) {
            (true, _, _) => Some(Against::Server(Kind::Echo)),
            (_, true, _) => Some(Against::Line),
            (_, _, true) => Some(Against::Server(Kind::Fifo)),
            (false, false, false) => None,
        }
    }

    /// How often each side is measured.
    pub(super) fn rounds(&self) -> u32 {
        if self.against().is_some() { ROUNDS } else { 1 }
    }

    /// The most connections that are open at the same time.
    pub(super) fn connections_max(&self) -> u32 {
        if self.line { self.claims() } else { self.connections() }
    }

    /// What is asked for.
    pub(super) fn side(&self) -> Result<Side, Failure> {
        let plan = Plan {
            protocol: self.protocol,
            mode: self.mode,
            connections: self.connections() as usize,
            in_flight: self.in_flight() as usize,
            time: self.duration / self.rounds(),
            run: std::process::id(),
        };
        Ok(Side { plan, target: self.target()? })
    }

    fn connections(&self) -> u32 {
        self.connections.unwrap_or(match self.protocol {
            Protocol::Line => 100,
            Protocol::Mux | Protocol::Library => 1,
        })
    }

    fn in_flight(&self) -> u32 {
        self.in_flight.unwrap_or(match self.protocol {
            Protocol::Line => 1,
            Protocol::Mux | Protocol::Library => 100,
        })
    }

    fn claims(&self) -> u32 {
        self.connections() * self.in_flight()
    }

    fn target(&self) -> Result<Target, Failure> {
        if self.service.url.only()?.tls {
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
        Ok(Target { address, token, replies: Replies::Served, cpu })
    }
}
