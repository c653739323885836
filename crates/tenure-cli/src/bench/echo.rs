//! The servers that a service is compared with: an echo of every byte, and a single lock.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::fifo::Fifo;
use crate::exit::{Exit, Failure};

/// What one read takes at most.
const BUFFER_LEN: usize = 4096;

/// Serves on a free port of the loopback until standard input ends, so that it never outlives who started it.
pub(super) fn serve(fifo: bool) -> Result<(), Failure> {
    let failed =
        |error| Failure::from(Exit::Refused, "the server to compare with could not be started", error);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
        .enable_io()
        .build()
        .map_err(failed)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = runtime.block_on(listen(address)).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    runtime.spawn(accept(listener, fifo));
    let mut out = io::stdout().lock();
    writeln!(out, "{port}").and_then(|()| out.flush()).map_err(failed)?;
    io::stdin().lock().read_to_end(&mut Vec::new()).map_err(failed)?;
    runtime.shutdown_background();
    Ok(())
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(address)?;
    socket.listen(4096)
}

async fn accept(listener: TcpListener, fifo: bool) {
    let lock = Fifo::default();
    // The loop ends when accepting fails, and whoever measures sees it as a refused connection.
    while let Ok((stream, _)) = listener.accept().await {
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        if fifo {
            tokio::spawn(lock.clone().serve(stream));
        } else {
            tokio::spawn(echo(stream));
        }
    }
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; BUFFER_LEN];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_byte_comes_back() {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(accept(listener, false));
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let sent = vec![b'x'; 3 * BUFFER_LEN + 1];
        stream.write_all(&sent).await.expect("written");
        let mut back = vec![0; sent.len()];
        stream.read_exact(&mut back).await.expect("all of it");
        assert_eq!(back, sent);
    }
}
