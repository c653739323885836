//! What has to be there before the load starts.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::process::{Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::args::Service;
use crate::exit::{Exit, Failure};

/// Beside the connections: standard streams, the runtime's own, a question to the server.
const SPARE_FILES: u64 = 64;

/// The first address of the host that answers.
pub(super) fn find(service: &Service) -> Result<SocketAddr, Failure> {
    let url = service.url.only()?;
    let failed = |error| {
        let message = format!("no service at {url}; `tenure serve` starts one");
        Failure::from(Exit::Unavailable, message, error)
    };
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in (url.host.as_str(), url.port).to_socket_addrs().map_err(failed)? {
        match TcpStream::connect(address) {
            Ok(_) => return Ok(address),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// Raises the limit of open files as far as it is needed, here and in the server that is started to compare with.
pub(super) fn allow_files(connections: u32) -> Result<(), Failure> {
    let failed = |error| Failure::from(Exit::Refused, "the limit of open files cannot be changed", error);
    let needed = u64::from(connections) + SPARE_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    if soft >= needed {
        return Ok(());
    }
    if hard < needed {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "{connections} connections need {needed} open files, and the limit is {hard}: see `ulimit -Hn`"
            ),
        ));
    }
    setrlimit(Resource::RLIMIT_NOFILE, needed, hard).map_err(failed)
}

/// Makes the load wait on a core that it shares with the server until the server has nothing more to do; whether the
/// system did so.
///
/// Otherwise whichever of the two has used less of the core interrupts the other the moment it is woken: a server that
/// needs a little more than the load loses the core after every few answers, and pays for getting it back. Nobody gives
/// a server its load on the same core but for measuring, so that cost has no place in its figures. The policy is the
/// same for the service and for what it is compared with, and changes nothing where the load has a core of its own.
pub(super) fn let_the_server_finish() -> bool {
    let own = std::process::id().to_string();
    let changed = Command::new("chrt")
        .args(["--batch", "--pid", "0", &own])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    changed.is_ok_and(|status| status.success())
}
