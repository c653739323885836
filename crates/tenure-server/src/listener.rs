//! The door: accepting connections.

use crate::clock::Clock;
use crate::connection::serve;
use crate::shared::{Place, Shared};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 65_535;
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to leave the door shut when there are no descriptors or memory left: at first, and at most.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Listens on an address. What is set here, every connection inherits.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    // A peer that lost its power is seen after 15 + 3 * 10 seconds, even while its request blocks.
    let idle = Duration::from_secs(15);
    let between = Duration::from_secs(10);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(between).with_retries(3))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections for ever. Dropping it closes the door; connections go on.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    let mut pause = PAUSE_MIN;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                pause = PAUSE_MIN;
                // One too many is closed without a byte.
                let Some(place) = shared.admit() else { continue };
                welcome(stream, place, &shared, tls.as_ref());
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, ?pause, "cannot accept connections; those that wait will be tried again");
                Clock::pause(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

fn welcome(stream: TcpStream, place: Place, shared: &Arc<Shared>, tls: Option<&TlsAcceptor>) {
    let shared = Arc::clone(shared);
    match tls {
        None => {
            tokio::spawn(serve(stream, shared, place));
        }
        Some(tls) => {
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
            tokio::spawn(async move {
                match handshake.await {
                    Ok(Ok(stream)) => serve(Box::new(stream), shared, place).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            });
        }
    }
}

/// Whether it is the matter of one connection, which went before it was accepted.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
