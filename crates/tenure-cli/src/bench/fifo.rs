//! The least that a server of one lock with waiters in order can do: what a contended key is compared with.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

const GRANT: &[u8] = b"ok 00000000000000000000000000000000 60\n";
const RELEASED: &[u8] = b"ok\n";
const BUFFER_LEN: usize = 4096;

/// One lock for everybody. It knows no names, tokens, leases or disconnects.
#[derive(Clone, Default)]
pub(super) struct Fifo {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    held: bool,
    waiters: VecDeque<Arc<OwnedWriteHalf>>,
}

impl Fifo {
    /// Serves a connection that has at most one request under way: `l` waits in line, anything else hands over.
    ///
    /// Who releases writes the grant of the next in line itself, so that a hand-over wakes nobody but the two clients.
    pub(super) async fn serve(self, stream: TcpStream) {
        let (mut input, output) = stream.into_split();
        let output = Arc::new(output);
        let mut buffer = vec![0; BUFFER_LEN];
        let (mut filled, mut lines) = (0, 0);
        while let Ok(count @ 1..) = input.read(&mut buffer[filled..]).await {
            lines += buffer[filled..filled + count].iter().filter(|byte| **byte == b'\n').count();
            filled += count;
            if lines < 3 {
                continue;
            }
            if buffer[0] == b'l' {
                self.acquire(&output);
            } else {
                self.release(&output);
            }
            (filled, lines) = (0, 0);
        }
    }

    fn acquire(&self, claimant: &Arc<OwnedWriteHalf>) {
        let mut queue = self.queue.lock().expect("nobody panics with it");
        if queue.held {
            queue.waiters.push_back(Arc::clone(claimant));
            return;
        }
        queue.held = true;
        drop(queue);
        send(claimant, GRANT);
    }

    fn release(&self, holder: &OwnedWriteHalf) {
        let mut queue = self.queue.lock().expect("nobody panics with it");
        let next = queue.waiters.pop_front();
        queue.held = next.is_some();
        drop(queue);
        send(holder, RELEASED);
        if let Some(next) = next {
            send(&next, GRANT);
        }
    }
}

/// A client that waits for an answer has room for it. One that is gone is somebody else's concern: see [`Fifo`].
fn send(to: &OwnedWriteHalf, answer: &[u8]) {
    let _ = to.try_write(answer);
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn client(lock: &Fifo) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client =
            TcpStream::connect(listener.local_addr().expect("its address")).await.expect("a connection");
        let (server, _) = listener.accept().await.expect("the other end");
        tokio::spawn(lock.clone().serve(server));
        client
    }

    async fn answer(client: &mut TcpStream, wanted: &[u8]) {
        let mut answer = vec![0; wanted.len()];
        client.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(answer, wanted);
    }

    #[tokio::test]
    async fn a_release_hands_the_lock_to_who_waits() {
        let lock = Fifo::default();
        let (mut first, mut second) = (client(&lock).await, client(&lock).await);
        for _ in 0..3 {
            first.write_all(b"l\nk\n1 60\n").await.expect("written");
            answer(&mut first, GRANT).await;
            second.write_all(b"l\nk\n").await.expect("written");
            second.write_all(b"1 60\n").await.expect("written");
            first.write_all(b"r\nk\n0\n").await.expect("written");
            answer(&mut first, RELEASED).await;
            answer(&mut second, GRANT).await;
            second.write_all(b"r\nk\n0\n").await.expect("written");
            answer(&mut second, RELEASED).await;
        }
    }
}
