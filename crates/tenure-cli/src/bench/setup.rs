//! What has to be there before the load starts.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::args::Service;
use crate::exit::{Exit, Failure};

/// Beside the connections: standard streams, the runtime's own, a question to the server.
const SPARE_FILES: u64 = 64;

/// The first address of the host that answers.
pub(super) fn find(service: &Service) -> Result<SocketAddr, Failure> {
    let url = &service.url;
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

/// The token that the service asks for, if any.
pub(super) fn token(service: &Service) -> Result<Option<String>, Failure> {
    let Some(file) = &service.auth_token_file else {
        return Ok(std::env::var("TENURE_AUTH_TOKEN").ok());
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::from(Exit::Refused, format!("{} cannot be read", file.display()), error))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
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
