//! Measuring a service: the same closed-loop load against it and, in turn, against what it is compared with.

mod args;
mod baseline;
mod client;
mod clock;
mod cpu;
mod echo;
mod fifo;
mod hold;
mod inbox;
mod library;
mod load;
mod local;
mod mux;
mod problem;
mod report;
mod requests;
mod setup;
mod tally;

use std::process::ExitCode;

use self::args::Against;
pub(crate) use self::args::{Args, EchoArgs, LibraryArgs};
use self::baseline::Baseline;
use self::load::{Measured, Side};
use self::report::Report;
use crate::exit::{Exit, Failure};

/// Measures, and prints what came out.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.check()?;
    setup::allow_files(args.connections_max())?;
    let own = args.side()?;
    let compared = args.against().map(|against| Compared::start(against, &own)).transpose()?;
    let yields = setup::let_the_server_finish();
    let other = compared.as_ref().map(|compared| &compared.side);
    let (service, others) = measure(&own, other, args.rounds())?;
    let compared = compared.as_ref().map(|compared| (compared.against, &others[..]));
    print(&Report::new(&own.plan, yields, &service, compared), args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Is the server that a service is compared with, until standard input ends.
pub(crate) fn run_echo(args: &EchoArgs) -> Result<ExitCode, Failure> {
    echo::serve(args.fifo).map(|()| ExitCode::SUCCESS)
}

/// Measures what the library costs without a load, or is a client that is measured.
pub(crate) fn run_library(args: &LibraryArgs) -> Result<ExitCode, Failure> {
    match args {
        LibraryArgs::Local { pairs } => local::run(*pairs)?,
        LibraryArgs::Hold { service, locks } => hold::run(service, *locks)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The other side of a comparison. Its server, if it has one of its own, ends with it.
struct Compared {
    against: Against,
    side: Side,
    _server: Option<Baseline>,
}

impl Compared {
    fn start(against: Against, own: &Side) -> Result<Self, Failure> {
        match against {
            Against::Server(kind) => {
                let server = Baseline::start(kind)?;
                let side = Side { plan: own.plan, target: server.target() };
                Ok(Self { against, side, _server: Some(server) })
            }
            Against::Line => Ok(Self { against, side: own.on_lines(), _server: None }),
        }
    }
}

/// All rounds, on one side and then on the other, so that both see the same weather.
fn measure(own: &Side, other: Option<&Side>, rounds: u32) -> Result<(Vec<Measured>, Vec<Measured>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(Exit::Refused, "the load could not be started", error))?;
    runtime.block_on(async {
        let (mut service, mut others) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            service.push(load::round(own).await?);
            if let Some(other) = other {
                others.push(load::round(other).await?);
            }
        }
        Ok((service, others))
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
