//! What renewing costs in memory. The counter is the allocator of the whole program, so this is a program of its own.
#![allow(clippy::panic, reason = "a test stops at what it did not expect")]

use std::future::poll_fn;
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;
use tenure::{Clock, Guard, Instant, Tenure};
use tokio::runtime::{Builder, Runtime};

const TTL: Duration = Duration::from_secs(30);
const ROUNDS: u32 = 20;
/// Before everything that is made once, and used again, is there.
const WARM_UP: u32 = 5;

/// Lets one renewal of every guard come due, and everything run that can.
async fn round(clock: &Clock) {
    clock.advance(TTL / 3);
    let mut turns = 20;
    // As `yield_now` does, which keeps a list of those who yielded.
    poll_fn(|cx| {
        turns -= 1;
        cx.waker().wake_by_ref();
        if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn hold(guards: usize, clock: &Clock) -> Vec<Guard> {
    let tenure = Tenure::builder().clock(clock.clone()).connect("memory:").await.expect("memory is there");
    let mut held = Vec::with_capacity(guards);
    for number in 0..guards {
        held.push(tenure.lock(format!("key {number}")).ttl(TTL).acquire().await.expect("it is free"));
    }
    held
}

fn earliest(guards: &[Guard]) -> Instant {
    guards.iter().map(Guard::deadline).min().expect("there are guards")
}

/// One thread, so that everything that happens is counted.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn to_renew_a_hundred_guards_in_process_allocates_nothing() {
    let (runtime, clock) = (runtime(), Clock::manual());
    let guards = runtime.block_on(hold(100, &clock));
    runtime.block_on(async {
        for _ in 0..WARM_UP {
            round(&clock).await;
        }
    });

    let before = earliest(&guards);
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            for _ in 0..ROUNDS {
                round(&clock).await;
            }
        });
    });
    assert_eq!(earliest(&guards).since(before), TTL / 3 * ROUNDS, "every guard is renewed in every round");
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{counted:?}");
}

#[test]
fn the_counter_sees_what_tasks_of_the_runtime_allocate() {
    let runtime = runtime();
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            tokio::spawn(async { drop(black_box(vec![1_u8; 1000])) }).await.expect("no panic");
        });
    });
    assert!(counted.count_total >= 2 && counted.bytes_total >= 1000, "{counted:?}");
}
