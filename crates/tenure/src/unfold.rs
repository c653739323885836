//! Streams made of steps.

use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// One step: the next item and what the step after it needs, or the end.
pub(crate) type Step<S, T> = Pin<Box<dyn Future<Output = Option<(T, S)>> + Send>>;

/// A stream whose items come from one step after another. A step that was begun goes on, whoever stops waiting for it.
pub(crate) struct Unfold<S, T> {
    state: Option<S>,
    begin: fn(S) -> Step<S, T>,
    step: Option<Step<S, T>>,
}

impl<S, T> Unfold<S, T> {
    pub(crate) fn new(state: S, begin: fn(S) -> Step<S, T>) -> Self {
        Self { state: Some(state), begin, step: None }
    }
}

// Nothing in it is pinned in place: the step is in a box.
impl<S, T> Unpin for Unfold<S, T> {}

impl<S, T> Stream for Unfold<S, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(state) = self.state.take() {
            self.step = Some((self.begin)(state));
        }
        let Some(step) = &mut self.step else { return Poll::Ready(None) };
        let next = ready!(step.as_mut().poll(cx));
        self.step = None;
        Poll::Ready(next.map(|(item, state)| {
            self.state = Some(state);
            item
        }))
    }
}

impl<S, T> fmt::Debug for Unfold<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unfold(..)")
    }
}

/// Gives a type with a stream inside its `next`, and makes it that stream.
macro_rules! stream {
    ($name:ident, $inner:tt, $item:ty) => {
        impl $name {
            /// The next one; `None` after the last.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn next(&mut self) -> Option<$item> {
                std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(&mut *self), cx))
                    .await
            }
        }

        impl futures_core::Stream for $name {
            type Item = $item;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<$item>> {
                std::pin::Pin::new(&mut self.get_mut().$inner).poll_next(cx)
            }
        }
    };
}
pub(crate) use stream;

#[cfg(test)]
#[allow(unreachable_pub, reason = "the streams that it is for are public")]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Countdown(Unfold<u32, u32>);

    stream!(Countdown, 0, u32);

    #[tokio::test]
    async fn steps_follow_each_other_until_one_is_the_last_and_a_dropped_wait_loses_none() {
        let mut countdown = Countdown(Unfold::new(3, |left| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                left.checked_sub(1).map(|less| (left, less))
            })
        }));
        tokio::select! {
            biased;
            _ = countdown.next() => panic!("the first poll of a step is never its last"),
            () = std::future::ready(()) => {}
        }
        for left in [3, 2, 1] {
            assert_eq!(countdown.next().await, Some(left));
        }
        assert_eq!((countdown.next().await, countdown.next().await), (None, None));
    }
}
