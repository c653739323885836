//! Futures that are dropped at every point where they wait, while others use the same keys: nothing stays behind.
#![allow(clippy::panic, reason = "a test stops at what it did not expect")]

mod bed;
mod flaky;
mod leaky;
mod load;
mod operations;
mod polled;

use bed::{Bed, Place};
use leaky::Leaky;
use load::Load;
use operations::{OPERATIONS, Operation};
use std::time::Duration;
use tenure::{Clock, Enqueued};
use tokio::runtime::{Builder, Runtime};

/// How often each operation is dropped at each of its points: what others do at that time is different every time.
const ROUNDS: usize = 25;
/// A wait for what comes, if it comes at all. It is far less than a lease, so nothing that leaks ends by itself.
const SOON: Duration = Duration::from_secs(20);
/// A wait for what does not come.
const BRIEF: Duration = Duration::from_millis(200);

#[test]
fn dropping_any_future_leaks_nothing_in_process_on_one_thread() {
    play(one_thread(), Place::Local);
}

#[test]
fn dropping_any_future_leaks_nothing_in_process_on_several_threads() {
    play(several_threads(), Place::Local);
}

#[test]
fn dropping_any_future_leaks_nothing_with_a_daemon_on_one_thread() {
    play(one_thread(), Place::Daemon);
}

#[test]
fn dropping_any_future_leaks_nothing_with_a_daemon_on_several_threads() {
    play(several_threads(), Place::Daemon);
}

#[test]
fn dropping_any_future_leaks_nothing_where_connections_break() {
    play(several_threads(), Place::Flaky);
}

#[test]
fn what_a_coordinator_does_not_take_back_is_found() {
    one_thread().block_on(async {
        let bed = Bed::with(Leaky::wrap, Place::Local).await;
        assert_eq!(bed.left_after(SOON).await, [""; 0], "nobody has done anything");
        let guard = bed.subject.lock("free").acquire().await.expect("it is free");
        let Ok(Enqueued::Queued(ticket)) = bed.subject.lock("free").enqueue().await else {
            panic!("it is held")
        };
        drop(ticket);
        assert_eq!(bed.left_after(BRIEF).await, ["free: 1 held, 1 in line", "2 claims"]);
        drop(guard);
        assert_eq!(bed.left_after(BRIEF).await, ["free: 1 held, 1 in line", "2 claims"]);
    });
}

#[test]
fn an_acquire_that_is_dropped_is_found_where_a_coordinator_does_not_take_it_back() {
    several_threads().block_on(async {
        let bed = Bed::with(Leaky::wrap, Place::Daemon).await;
        for operation in OPERATIONS.iter().filter(|operation| operation.name == "acquire what is free") {
            assert!(!operation.drop_at(&bed, 1).await, "nothing is answered at once");
        }
        let left = bed.left_after(BRIEF).await;
        assert!(left.iter().any(|left| left.starts_with("free: 1 held")), "{left:?}");
    });
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn several_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn play(runtime: Runtime, place: Place) {
    runtime.block_on(async {
        for operation in OPERATIONS {
            let bed = Bed::with(|coordinator| coordinator, place).await;
            soon(operation.name, play_one(operation, &bed, place)).await;
        }
    });
    runtime.shutdown_background();
}

/// Drops one operation everywhere, under load, and looks for what it has left behind.
async fn play_one(operation: &Operation, bed: &Bed, place: Place) {
    let load = Load::start(bed).await;
    // Where there is a daemon everything waits for it.
    let deep = usize::from(operation.waits || !matches!(place, Place::Local));
    let deepest = operation.drop_everywhere(bed, ROUNDS, deep).await;
    load.stop().await;
    assert!(deepest >= deep, "{}: it was never dropped while it waited", operation.name);
    assert_eq!(bed.left_after(SOON).await, [""; 0], "{} has left something behind", operation.name);
    bed.everyone_can_acquire().await;
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let clock = Clock::system();
    let limit = clock.now().after(SOON + SOON);
    clock.before(limit, future).await.unwrap_or_else(|| panic!("{what}: it never came to an end"))
}
