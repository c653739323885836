//! Starting the daemon, and telling it when to stop.

use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tenure_server::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};

use super::values::Misconfigured;
use crate::exit::{Exit, Failure, chain};

/// Serves until SIGTERM or SIGINT, and then drains.
pub(super) fn serve(config: Config) -> Result<ExitCode, Failure> {
    let open = allow_many_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(Exit::Refused, "cannot start the daemon", error))?;
    runtime.block_on(async {
        match Server::bind(config) {
            Ok(server) => run(server, open).await,
            Err(error) => Ok(super::misconfigured(&Misconfigured::new("", chain(&error)))),
        }
    })
}

async fn run(server: Server, open: u64) -> Result<ExitCode, Failure> {
    let heard = |error| Failure::from(Exit::Refused, "cannot hear signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(heard)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(heard)?;
    introduce(&server);
    tracing::debug!(open, "descriptors that may be open at once");
    server
        .run(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
    Ok(ExitCode::SUCCESS)
}

/// Says where the daemon listens, and what to try next.
fn introduce(server: &Server) {
    let address = server.local_addr();
    let url = if address.port() == 6388 { String::new() } else { format!(" --url tenure://{address}") };
    anstream::println!("tenure {} listening on {address}", env!("CARGO_PKG_VERSION"));
    match server.state_file() {
        Some(file) => anstream::println!("fences are kept in {}", file.display()),
        None => anstream::println!("fences are kept in memory: they may fall when the daemon restarts"),
    }
    anstream::println!("try, in another terminal:");
    anstream::println!("  tenure run{url} demo -- sleep 60      # run a command under the lock `demo`");
    anstream::println!("  tenure ls{url}                        # see who holds what");
}

/// Lets the process open as many files as the system allows it; how many those are.
fn allow_many_files() -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or_default();
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}
