//! Watching a key, and hearing signals.

use crate::connect::Tenure;
use crate::coordinator::{Seen, Signal};
use crate::unfold::stream;
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::Receiver;

/// What happens to a key, as it happens: grants, their ends and how they came, and how long the line is.
///
/// A watcher that falls behind, or whose connection is made again, sees [`Seen::Missed`] and looks again. It ends with
/// its coordinator.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tenure::Error> {
/// use tenure::{Happened, Seen};
///
/// # let tenure = tenure::Tenure::connect("memory:watch").await?;
/// let lock = tenure.lock("deploy");
/// let mut watch = lock.watch().await?;
/// let guard = lock.acquire().await?;
///
/// let Some(Seen::Observed(seen)) = watch.next().await else { panic!("it was granted") };
/// assert!(matches!(seen.happened, Happened::Granted { fence, .. } if fence == guard.fence()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "it watches until it is dropped"]
pub struct Watch {
    seen: Incoming<Seen>,
    /// Who is watched through stays there.
    _client: Tenure,
}

impl Watch {
    pub(crate) fn new(seen: Receiver<Seen>, client: Tenure) -> Self {
        Self { seen: Incoming(vec![seen]), _client: client }
    }
}

stream!(Watch, seen, Seen);

/// The signals that come, from all addresses of a client.
#[derive(Debug)]
#[must_use = "it listens until it is dropped"]
pub struct Signals {
    signals: Incoming<Signal>,
    /// Who is heard through stays there.
    _client: Tenure,
}

impl Signals {
    pub(crate) fn new(signals: Vec<Receiver<Signal>>, client: Tenure) -> Self {
        Self { signals: Incoming(signals), _client: client }
    }
}

stream!(Signals, signals, Signal);

/// What comes in through several channels, until all have ended.
#[derive(Debug)]
struct Incoming<T>(Vec<Receiver<T>>);

impl<T> Stream for Incoming<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut at = 0;
        while let Some(receiver) = self.0.get_mut(at) {
            match receiver.poll_recv(cx) {
                Poll::Ready(Some(item)) => {
                    // The others come first next time.
                    self.0[at..].rotate_left(1);
                    return Poll::Ready(Some(item));
                }
                Poll::Ready(None) => drop(self.0.remove(at)),
                Poll::Pending => at += 1,
            }
        }
        if self.0.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn no_channel_is_heard_twice_before_another_that_has_something_and_all_have_to_end() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::channel(8)).unzip();
        let mut incoming = Incoming(receivers);
        for number in 0..2 {
            for (channel, sender) in senders.iter().enumerate() {
                sender.try_send((channel, number)).expect("there is room");
            }
        }
        let mut heard = Vec::new();
        for _ in 0..3 {
            let (channel, _) =
                poll_fn(|cx| Pin::new(&mut incoming).poll_next(cx)).await.expect("there is more");
            heard.push(channel);
        }
        heard.sort_unstable();
        assert_eq!(heard, [0, 1, 2]);
        drop(senders);
        for _ in 0..3 {
            assert!(poll_fn(|cx| Pin::new(&mut incoming).poll_next(cx)).await.is_some());
        }
        assert_eq!(poll_fn(|cx| Pin::new(&mut incoming).poll_next(cx)).await, None);
    }
}
