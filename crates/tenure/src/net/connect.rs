//! A connection to a service.

use super::tls::Tls;
use super::{Address, TlsRoots};
use crate::{Error, ErrorKind};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// After how much silence a peer is asked whether it is still there, which a wait without end depends on.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Bytes in both directions: what [`connect`] makes, or anything else that tokio can read and write.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a connection within `timeout`, in TLS where the address says so.
///
/// # Errors
///
/// `Unavailable` when there is no service, or none that answers in time or is trusted; `Invalid` when the roots cannot
/// be used, where there is no tokio runtime, or no certificate can be for the host.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub async fn connect(
    address: &Address,
    roots: &TlsRoots,
    timeout: Duration,
) -> Result<Box<dyn Stream>, Error> {
    crate::runtime::handle()?;
    let tls = address.tls.then(|| Tls::new(address, roots)).transpose()?;
    let reached = AtomicBool::new(false);
    let connecting = async {
        let stream = plain(address).await.map_err(|error| unreachable(address, error))?;
        reached.store(true, Ordering::Relaxed);
        let stream: Box<dyn Stream> = match tls {
            Some(tls) => Box::new(tls.wrap(stream, address).await?),
            None => Box::new(stream),
        };
        Ok(stream)
    };
    tokio::time::timeout(timeout, connecting).await.unwrap_or_else(|_| {
        Err(if reached.load(Ordering::Relaxed) {
            not_in_tls(address)
        } else {
            unreachable(address, io::ErrorKind::TimedOut.into())
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

/// The error for a service that can be reached but has no answer to the beginning of TLS, or not the right one.
pub(super) fn not_in_tls(address: &Address) -> Error {
    let plain = Address { tls: false, ..address.clone() };
    Error::new(
        ErrorKind::Unavailable,
        format!("{address} can be reached, but does not answer in TLS; without TLS it is {plain}"),
    )
}

fn unreachable(address: &Address, error: io::Error) -> Error {
    let message = if error.kind() == io::ErrorKind::ConnectionRefused {
        format!("no service at {address}: start one with `tenure serve`, or name another")
    } else if error.raw_os_error() == Some(nix::libc::EMFILE) {
        "this process may open no more connections: raise `ulimit -n`".to_owned()
    } else {
        format!("cannot reach {address}")
    };
    Error::with_source(ErrorKind::Unavailable, message, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_millis(50);

    fn address(tls: bool, port: u16) -> Address {
        Address { tls, host: "127.0.0.1".to_owned(), port }
    }

    async fn failure(address: &Address, roots: &TlsRoots) -> (ErrorKind, String) {
        let error = connect(address, roots, SOON).await.err().expect("nobody is there");
        (error.kind().clone(), error.to_string())
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_unavailable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let gone = address(false, listener.local_addr().expect("its address").port());
        drop(listener);
        let (kind, text) = failure(&gone, &TlsRoots::default()).await;
        assert_eq!(kind, ErrorKind::Unavailable);
        assert!(text.starts_with(&format!("no service at {gone}: start one")), "{text}");
    }

    #[tokio::test]
    async fn a_service_that_is_silent_in_tls_is_unavailable_and_roots_that_cannot_be_read_are_invalid() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let silent = address(true, listener.local_addr().expect("its address").port());
        let (kind, text) = failure(&silent, &TlsRoots::default()).await;
        assert_eq!(kind, ErrorKind::Unavailable);
        assert!(text.contains("does not answer in TLS; without TLS it is tenure://127.0.0.1"), "{text}");
        let (kind, text) = failure(&silent, &TlsRoots::file("/nowhere/ca.pem")).await;
        assert_eq!(kind, ErrorKind::Invalid);
        assert!(text.contains("/nowhere/ca.pem"), "{text}");
    }
}
