//! A way to a daemon that breaks now and then.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How often it breaks. A client pauses longer from time to time before it connects again, so these are few.
const BREAKS: usize = 3;

/// After how many pieces at most, in either direction, it does so.
const PIECES_MAX: usize = 40;

/// Opens a way to a daemon whose connections break at one piece of bytes or another.
pub(crate) async fn start(daemon: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        for number in 0.. {
            let (client, _) = listener.accept().await.expect("accepted");
            let daemon = TcpStream::connect(daemon).await.expect("the daemon is there");
            for stream in [&client, &daemon] {
                stream.set_nodelay(true).expect("a TCP connection");
            }
            let pieces = if number < BREAKS { fastrand::usize(2..PIECES_MAX) } else { usize::MAX };
            tokio::spawn(pass(client, daemon, pieces));
        }
    });
    address
}

/// Moves so many pieces, and loses the next: a request, or an answer to one that was done.
async fn pass(mut client: TcpStream, mut daemon: TcpStream, pieces: usize) {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..pieces {
        let passed = tokio::select! {
            read = client.read_buf(&mut up) => match read {
                Ok(1..) => daemon.write_all(&std::mem::take(&mut up)).await,
                Ok(0) | Err(_) => return,
            },
            read = daemon.read_buf(&mut down) => match read {
                Ok(1..) => client.write_all(&std::mem::take(&mut down)).await,
                Ok(0) | Err(_) => return,
            },
        };
        if passed.is_err() {
            return;
        }
    }
    tokio::select! {
        _ = client.read_buf(&mut up) => {}
        _ = daemon.read_buf(&mut down) => {}
    }
}
