//! An answer that is there already, or comes.

use crate::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The answer of a coordinator: a future that costs nothing where the answer is there already.
pub struct Reply<'a, T>(Inner<'a, T>);

enum Inner<'a, T> {
    Ready(Option<Result<T, Error>>),
    Coming(Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is there.
    #[must_use]
    pub const fn ready(answer: Result<T, Error>) -> Self {
        Self(Inner::Ready(Some(answer)))
    }

    /// The answer if it was there from the beginning, or what it will come from.
    pub(crate) fn at_once(self) -> Result<Result<T, Error>, Self> {
        match self.0 {
            Inner::Ready(Some(answer)) => Ok(answer),
            coming @ (Inner::Ready(None) | Inner::Coming(_)) => Err(Self(coming)),
        }
    }

    /// An answer that comes.
    #[must_use]
    pub fn coming(answer: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self(Inner::Coming(Box::pin(answer)))
    }
}

impl<T: Unpin> Future for Reply<'_, T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Inner::Ready(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Inner::Coming(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Ready(_) => "Reply(ready)",
            Inner::Coming(_) => "Reply(coming)",
        })
    }
}
