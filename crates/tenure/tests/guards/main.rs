//! What guards and those who ask for them do, on clocks that go when the test says so.

mod asking;
mod crowd;
mod faulty;
mod keeping;
mod leading;
mod line;
mod looking;
mod monitoring;
mod resuming;
mod working;

use faulty::{Fault, Faulty, Request};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tenure::{Clock, Error, ErrorKind, Loss, Tenure};

const KEY: &str = "nightly-backup";
const TTL: Duration = Duration::from_secs(30);
/// How long a guard believes without a renewal: the TTL less a second.
const BELIEVED: Duration = Duration::from_secs(29);

/// A client of an engine of its own, and its clock.
async fn client() -> (Tenure, Clock) {
    let clock = Clock::manual();
    let client = Tenure::builder().clock(clock.clone()).connect("memory:").await.expect("memory is there");
    (client, clock)
}

/// A client of a coordinator that can go wrong.
fn faulty() -> (Tenure, std::sync::Arc<Faulty>, Clock) {
    let clock = Clock::manual();
    let coordinator = Faulty::new(&clock);
    (coordinator.client(), coordinator, clock)
}

/// Lets everything run that can, without time.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass in small steps, and everything run in between.
async fn pass(clock: &Clock, span: Duration) {
    const STEPS: u32 = 50;
    for _ in 0..STEPS {
        clock.advance(span / STEPS);
        settle().await;
    }
}

/// Begins a future and goes so far with it as it gets.
async fn begin<F: Future + Unpin>(future: &mut F) {
    for _ in 0..50 {
        let ready = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready())).await;
        assert!(!ready, "there was something to wait for");
        tokio::task::yield_now().await;
    }
}

fn loss(error: &Error) -> Option<&Loss> {
    if let ErrorKind::Lost(loss) = error.kind() { Some(loss) } else { None }
}
