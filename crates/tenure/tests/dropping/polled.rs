//! Futures that are dropped half-way.

use std::future::poll_fn;
use std::task::Poll;
use tokio::task::yield_now;

/// Polls a future so often at most, whenever it wants to be, and drops it where it waits then; what it was ready with
/// before that.
///
/// Others may run between its last poll and the drop: what it waits for may have come when it is dropped, or not.
pub(crate) async fn polled<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    let ready = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    if ready.is_none() {
        for _ in 0..fastrand::usize(..6) {
            yield_now().await;
        }
    }
    ready
}
