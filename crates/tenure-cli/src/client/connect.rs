//! The way to a service.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::Stream;
use super::tls::Tls;
use crate::address::Address;
use crate::args::Service;
use crate::exit::{Exit, Failure};

/// How long to try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how much silence a peer is asked whether it is still there, which a wait without end depends on.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Opens a connection.
pub(super) async fn connect(service: &Service) -> Result<Box<dyn Stream>, Failure> {
    let tls = service.url.tls.then(|| Tls::new(service)).transpose()?;
    let reached = Cell::new(false);
    let connecting = async {
        let stream = plain(&service.url).await.map_err(|error| unreachable(&service.url, error))?;
        reached.set(true);
        let stream: Box<dyn Stream> = match tls {
            Some(tls) => Box::new(tls.wrap(stream, &service.url).await?),
            None => Box::new(stream),
        };
        Ok(stream)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| {
        Err(if reached.get() {
            not_in_tls(&service.url)
        } else {
            unreachable(&service.url, ErrorKind::TimedOut.into())
        })
    })
}

async fn plain(address: &Address) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    prepare(&stream)?;
    Ok(stream)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// The failure of a service that can be reached but has no answer to the beginning of TLS, or not the right one.
pub(super) fn not_in_tls(address: &Address) -> Failure {
    let plain = Address { tls: false, ..address.clone() };
    Failure::new(
        Exit::Unavailable,
        format!("{address} can be reached, but does not answer in TLS; without TLS it is {plain}"),
    )
}

fn unreachable(address: &Address, error: io::Error) -> Failure {
    let message = if error.kind() == ErrorKind::ConnectionRefused {
        format!(
            "no service at {address}; start one with `tenure serve`, or name another with --url or TENURE_URL"
        )
    } else if error.raw_os_error() == Some(nix::libc::EMFILE) {
        "each key takes a connection, and this process may open no more: raise `ulimit -n`".to_owned()
    } else {
        format!("cannot reach {address}; name another service with --url or TENURE_URL")
    };
    Failure::from(Exit::Unavailable, message, error)
}
