//! The task that keeps a link connected.

use super::connection::{Connection, Over};
use super::hello::{Connected, open};
use super::link::Link;
use super::state::Phase;
use super::trouble::Trouble;
use crate::{Clock, ErrorKind, entropy};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// The longest pause before the second attempt to connect again, which doubles with every further one.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest pause of all; and how long a connection has to last for the pauses to begin anew.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How long to wait at the end for the service to hear what was said last.
const LINGER: Duration = Duration::from_secs(1);

/// Keeps a link connected until it is closed, beginning with the connection that it was restored over. `session` is the one
/// that this was made with.
pub(super) async fn drive(end: End, session: u128, connected: Connected) {
    let link = &end.0;
    let (mut session, mut pauses) = (session, Pauses::default());
    let mut next = Some(connected);
    while let Some(connected) = next {
        let began = Clock::system().now();
        let mut connection = Connection::new(link, connected);
        let why = match connection.run().await {
            Over::Broken { superseded, why } => {
                if superseded {
                    // A copy of this process has the same number. The two must not end each other's connections for ever.
                    session = entropy::wide();
                }
                why
            }
            Over::Closed => {
                let _ = tokio::time::timeout(LINGER, connection.finish()).await;
                return;
            }
        };
        drop(connection);
        tracing::warn!(address = %link.address, why, "the connection to the service broke");
        link.broke();
        if Clock::system().now().since(began) > PAUSE_MAX {
            pauses = Pauses::default();
        }
        next = connect_again(link, session, &mut pauses, &why).await;
        next.iter().for_each(|connected| link.restore(connected.greeted));
    }
}

/// Connects as often as it takes; `None` when the link is closed.
async fn connect_again(link: &Link, session: u128, pauses: &mut Pauses, why: &str) -> Option<Connected> {
    let text = format!("the connection to {} broke: {why}", link.address);
    let failing = Failing { link, last: Mutex::new(Trouble::new(ErrorKind::Unavailable, text)) };
    let clock = Clock::system();
    let mut patience = pin!(clock.sleep(link.options.connect_timeout));
    let mut attempts = pin!(failing.attempts(session, pauses));
    let mut waits = true;
    loop {
        tokio::select! {
            biased;
            () = closed(link) => return None,
            connected = &mut attempts => {
                tracing::info!(address = %link.address, "connected to the service again");
                return Some(connected);
            }
            () = &mut patience, if waits => {
                waits = false;
                failing.give_up();
            }
        }
    }
}

/// A link that has no connection, and why.
struct Failing<'a> {
    link: &'a Link,
    last: Mutex<Trouble>,
}

impl Failing<'_> {
    async fn attempts(&self, session: u128, pauses: &mut Pauses) -> Connected {
        loop {
            Clock::system().sleep(pauses.next()).await;
            let error = match open(self.link, session).await {
                Ok(connected) => return connected,
                Err(error) => error,
            };
            let trouble = Trouble::from(&error);
            tracing::debug!(address = %self.link.address, %error, "no connection to the service");
            let given_up = self.link.state().trouble().is_some();
            let hopeless = trouble.is_hopeless();
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
            if given_up || hopeless {
                self.give_up();
            }
        }
    }

    /// Lets everyone hear why there is no connection.
    fn give_up(&self) {
        let trouble = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.link.fail(trouble);
    }
}

/// Ready when the link is closed.
async fn closed(link: &Link) {
    poll_fn(|cx| {
        let mut state = link.state();
        if let Phase::Closed(_) = state.phase {
            return Poll::Ready(());
        }
        state.task = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// How long to pause between attempts: some part, by chance, of a time that doubles, so that not all clients of a service
/// that was started again come at once.
#[derive(Debug, Default)]
struct Pauses {
    made: u32,
}

impl Pauses {
    fn next(&mut self) -> Duration {
        let longest = PAUSE_MIN.saturating_mul(1 << self.made.min(10)).min(PAUSE_MAX);
        self.made += 1;
        longest.mul_f64(fastrand::f64())
    }
}

/// The link, as its task has it. Whatever ends that, and be it before it began, nobody waits for it then.
pub(super) struct End(pub(super) Arc<Link>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close("the client was closed, or the runtime that it was connected in has ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_no_further() {
        for (made, longest) in [(0, 50), (1, 100), (5, 1600), (6, 2000), (40, 2000), (u32::MAX - 1, 2000)] {
            for _ in 0..100 {
                assert!(Pauses { made }.next() <= Duration::from_millis(longest));
            }
        }
    }
}
