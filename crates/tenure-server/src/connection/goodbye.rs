//! The end of a connection that is told why.

use super::{Connection, scratch};
use crate::clock::Clock;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// How long the last answer has to arrive before the socket is closed over what the peer is still sending. Closed at once,
/// the system would throw away the answer along with what was not read.
const LINGER: Duration = Duration::from_secs(1);

/// Sends the last answer, waits out the pause, and closes once the peer has seen it or had time to.
pub(super) async fn say_goodbye<S: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<S>,
    pause: Duration,
) {
    let Connection { stream, output, door, .. } = &mut connection;
    let sent = poll_fn(|cx| output.poll_flush(stream, cx));
    let time = door.shared().config.write_timeout.unwrap_or(Duration::MAX);
    if !matches!(timeout(time, sent).await, Ok(Ok(()))) {
        return;
    }
    if !pause.is_zero() {
        Clock::pause(pause).await;
    }
    // A peer that is gone already hears nothing, and the rest ends at once.
    let _ = timeout(LINGER, async {
        let _ = stream.shutdown().await;
        poll_fn(|cx| poll_discard(stream, cx)).await;
    })
    .await;
}

/// Throws away what comes; ready when the peer has gone.
fn poll_discard(stream: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    loop {
        let more = scratch::with_input(|buffer| {
            let mut read = ReadBuf::new(buffer);
            let result = ready!(Pin::new(&mut *stream).poll_read(cx, &mut read));
            Poll::Ready(result.is_ok() && !read.filled().is_empty())
        });
        if !ready!(more) {
            return Poll::Ready(());
        }
    }
}
