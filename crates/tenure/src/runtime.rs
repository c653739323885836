//! What tasks and timers run in.

use crate::{Error, ErrorKind};
use tokio::runtime::Handle;

/// The runtime that this is called in; an error that says so where there is none.
pub(crate) fn handle() -> Result<Handle, Error> {
    Handle::try_current().map_err(|error| {
        Error::with_source(ErrorKind::Invalid, "Tenure has to be used in a tokio runtime", error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tenure;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn without_a_runtime_there_is_an_error_wherever_it_would_connect_to() {
        for url in ["memory:", "tenure://127.0.0.1:1", "tenures://127.0.0.1:1"] {
            let connecting = pin!(Tenure::connect(url));
            let Poll::Ready(answer) = connecting.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("{url}: there is nothing to wait for");
            };
            assert_eq!(answer.expect_err(url).kind(), &ErrorKind::Invalid);
        }
    }
}
