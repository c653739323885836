//! The way to a service.

use std::io::{self, ErrorKind};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::Stream;
use crate::address::Address;
use crate::args::Service;
use crate::exit::{Exit, Failure};

/// How long to try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how much silence a peer is asked whether it is still there, which a wait without end depends on.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Opens a connection.
pub(super) async fn connect(service: &Service) -> Result<Box<dyn Stream>, Failure> {
    let address = &service.url;
    if address.tls {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{address}: this command does not speak TLS; put a TLS tunnel before it, or use tenure://"
            ),
        ));
    }
    let stream =
        tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((address.host.as_str(), address.port)))
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            .map_err(|error| unreachable(address, error))?;
    prepare(&stream).map_err(|error| unreachable(address, error))?;
    Ok(Box::new(stream))
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

fn unreachable(address: &Address, error: io::Error) -> Failure {
    let message = if error.kind() == ErrorKind::ConnectionRefused {
        format!(
            "no service at {address}; start one with `tenure serve`, or name another with --url or TENURE_URL"
        )
    } else {
        format!("cannot reach {address}; name another service with --url or TENURE_URL")
    };
    Failure::from(Exit::Unavailable, message, error)
}
