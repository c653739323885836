//! Starting the daemon, and telling it when to stop.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::close;
use tenure_server::{Config, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::values::Misconfigured;
use crate::exit::{Exit, Failure, chain};

/// Serves until SIGTERM or SIGINT, and then drains; a second one ends it at once.
pub(super) fn serve(config: Config) -> Result<ExitCode, Failure> {
    let open = allow_many_files();
    make_room_for_files(open, config.max_connections);
    let secured = (config.tls.is_some(), config.auth_token.is_some());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(Exit::Refused, "cannot start the daemon", error))?;
    runtime.block_on(async {
        match Server::bind(config) {
            Ok(server) => run(server, secured, open).await,
            Err(error) => Ok(super::misconfigured(&Misconfigured::new("", chain(&error)))),
        }
    })
}

async fn run(server: Server, (tls, auth): (bool, bool), open: u64) -> Result<ExitCode, Failure> {
    let heard = |error| Failure::from(Exit::Refused, "cannot hear signals", error);
    let (mut once, mut twice) = (Stops::listen().map_err(heard)?, Stops::listen().map_err(heard)?);
    introduce(&server, &how_to_reach(server.local_addr(), tls, auth));
    tracing::debug!(open, "descriptors that may be open at once");
    tokio::select! {
        () = server.run(async move { once.next().await }) => {}
        () = async { twice.next().await; twice.next().await } => tracing::warn!("told twice: stopping at once"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The signals that tell the daemon to stop.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Says where the daemon listens, and what to try next. It goes on if nobody can be told.
fn introduce(server: &Server, reached: &str) {
    let fences = match server.state_file() {
        Some(file) => format!("in {}", file.display()),
        None => "in memory: they may fall when the daemon restarts".to_owned(),
    };
    let (version, address) = (env!("CARGO_PKG_VERSION"), server.local_addr());
    let _ = writeln!(
        anstream::stdout(),
        "tenure {version} listening on {address}\n\
         fences are kept {fences}\n\
         try, in another terminal:\n  \
         tenure run{reached} demo -- sleep 60      # run a command under the lock `demo`\n  \
         tenure ls{reached}                        # see who holds what"
    );
}

/// The flags by which the other sub-commands reach the daemon; none for the usual address.
fn how_to_reach(address: SocketAddr, tls: bool, auth: bool) -> String {
    let scheme = if tls { "tenures" } else { "tenure" };
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let url = format!(" --url {scheme}://{host}:{}", address.port());
    let mut flags = if url == " --url tenure://127.0.0.1:6388" { String::new() } else { url };
    if tls {
        flags += " --tls-ca CERT";
    }
    if auth {
        flags += " --auth-token-file FILE";
    }
    flags
}

/// Descriptors besides connections: the listener, the state file, the runtime's own.
const FILES_BESIDES: u64 = 64;

/// Lets the table of descriptors grow to its size while there is one thread. Each time it grew later, every thread would
/// have to wait for the system, and the connections that come meanwhile be turned away.
fn make_room_for_files(open: u64, connections_max: Option<usize>) {
    let connections = connections_max.map_or(u64::MAX, |most| most as u64);
    let highest = connections.saturating_add(FILES_BESIDES).min(open).saturating_sub(1);
    let Ok(highest) = i32::try_from(highest.min(FILES_FORESEEN)) else { return };
    // What cannot be prepared comes later, at its price.
    if let Ok(file) = fcntl(std::io::stdin(), FcntlArg::F_DUPFD_CLOEXEC(highest)) {
        let _ = close(file);
    }
}

/// Room beyond this is made only when it is needed: it takes eight bytes a descriptor.
const FILES_FORESEEN: u64 = 65_536;

/// Lets the process open as many files as the system allows it; how many those are.
fn allow_many_files() -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or_default();
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_address_needs_no_flags_and_any_other_is_told_as_a_client_writes_it() {
        let reach = |address: &str, tls, auth| how_to_reach(address.parse().expect("an address"), tls, auth);
        assert_eq!(reach("127.0.0.1:6388", false, false), "");
        assert_eq!(reach("[::1]:7000", false, false), " --url tenure://[::1]:7000");
        assert_eq!(
            reach("0.0.0.0:6388", true, true),
            " --url tenures://localhost:6388 --tls-ca CERT --auth-token-file FILE"
        );
    }
}
