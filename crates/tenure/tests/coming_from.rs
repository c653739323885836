//! What `docs/coming-from.md` says of those who come from elsewhere: one test for each of its rows that names one.
#![allow(clippy::panic, reason = "a test stops at what it did not expect")]

#[allow(dead_code, reason = "other tests make more of it go wrong")]
#[path = "guards/faulty.rs"]
mod faulty;

use faulty::{Fault, Faulty, Request};
use std::cell::Cell;
use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tenure::coordinator::{NoOp, Released};
use tenure::{
    Clock, Enqueued, Error, ErrorKind, Guard, Lock, Loss, Retry, Semaphore, Space, Tenure, entropy,
};
use tenure_server::{Config, Server};
use tokio::task::JoinSet;

const KEY: &str = "nightly-backup";
/// The default of the library.
const TTL: Duration = Duration::from_secs(30);
/// How long a guard believes without a renewal: the TTL less a second.
const BELIEVED: Duration = Duration::from_secs(29);

/// A client of the place of that name, where nobody else is.
async fn alone(name: &str) -> Tenure {
    Tenure::connect(&format!("memory:coming from elsewhere, {name}")).await.expect("memory is there")
}

/// A client of a place of its own, and its clock.
async fn by_hand() -> (Tenure, Clock) {
    let clock = Clock::manual();
    let client = Tenure::builder().clock(clock.clone()).connect("memory:").await.expect("memory is there");
    (client, clock)
}

/// The same with a coordinator that can go wrong, and counts what it is asked.
fn counted() -> (Tenure, Arc<Faulty>, Clock) {
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

/// Lets time pass in steps that no lease is too short for, and everything run in between.
async fn pass(clock: &Clock, span: Duration) {
    let end = clock.now().after(span);
    while clock.now() < end {
        clock.advance(end.since(clock.now()).min(Duration::from_millis(100)));
        settle().await;
    }
}

/// Lets time pass while nothing of the program runs, as when it is suspended.
fn suspend(clock: &Clock, span: Duration) {
    clock.advance(span);
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> ErrorKind {
    answer.expect_err("it should have failed").kind().clone()
}

async fn ticket(lock: &Lock) -> tenure::Ticket {
    match lock.enqueue().await.expect("an answer") {
        Enqueued::Queued(ticket) => ticket,
        Enqueued::Acquired(_) => panic!("somebody has it"),
    }
}

// The Locking Module.

#[tokio::test]
async fn trying_gives_a_guard_or_nothing() {
    let (tenure, coordinator, _) = counted();
    let lock = tenure.lock(KEY).ttl(Duration::from_secs(3));
    let guard: Option<Guard> = lock.try_acquire().await.expect("an answer");
    assert!(guard.is_some());
    assert!(lock.try_acquire().await.expect("contention is no error").is_none());
    coordinator.fail(Request::Enqueue, &[Fault::Denied]);
    assert_eq!(kind(lock.try_acquire().await), ErrorKind::Denied);
}

#[tokio::test]
async fn releasing_says_whether_it_was_still_ours() {
    let (tenure, clock) = by_hand().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    assert_eq!(guard.release().await.expect("an answer"), Released::Released);
    let guard = lock.acquire().await.expect("it is free again");
    suspend(&clock, TTL);
    assert_eq!(guard.release().await.expect("that is no error"), Released::Gone);
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_ends_at_its_deadline_and_not_before() {
    let (tenure, clock) = by_hand().await;
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    suspend(&clock, BELIEVED - Duration::from_nanos(1));
    assert!(!guard.is_lost());
    suspend(&clock, Duration::from_nanos(1));
    assert!(guard.is_lost(), "its holder stops first");
    suspend(&clock, TTL - BELIEVED - Duration::from_nanos(1));
    assert!(lock.try_acquire().await.expect("an answer").is_none());
    suspend(&clock, Duration::from_nanos(1));
    assert!(lock.try_acquire().await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_lease_of_no_length_is_refused() {
    let tenure = alone("no length").await;
    for ttl in [Duration::ZERO, Duration::from_micros(999)] {
        assert_eq!(kind(tenure.lock(KEY).ttl(ttl).try_acquire().await), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn time_is_moved_by_hand_in_tests() {
    let (tenure, clock) = by_hand().await;
    let (lock, wait) = (tenure.lock(KEY), Duration::from_secs(600));
    let _guard = lock.acquire().await.expect("it is free");
    let mut waiting = pin!(lock.acquire_timeout(wait));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("somebody has it"),
        () = pass(&clock, wait - Duration::from_nanos(1)) => {}
    }
    clock.advance(Duration::from_nanos(1));
    assert_eq!(kind(waiting.await), ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_lock_that_is_none_always_gives_a_guard_or_never_does() {
    let free = Tenure::with_coordinator(NoOp::unlocked()).lock(KEY);
    let both = (free.try_acquire().await.expect("an answer"), free.try_acquire().await.expect("an answer"));
    assert!(matches!(both, (Some(_), Some(_))));
    let taken = Tenure::with_coordinator(NoOp::locked()).lock(KEY);
    assert!(taken.try_acquire().await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_coordinator_of_ones_own_serves_locks() {
    let coordinator = Faulty::new(&Clock::system());
    let tenure = Tenure::with_coordinator(Arc::clone(&coordinator) as _);
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    assert_eq!(kind(tenure.lock(KEY).wait(Duration::ZERO).acquire().await), ErrorKind::Contended);
    guard.release().await.expect("an answer");
    assert_eq!((coordinator.count(Request::Enqueue), coordinator.count(Request::Release)), (2, 1));
}

#[tokio::test]
async fn a_guard_is_released_on_every_way_out() {
    async fn work(lock: Lock, how: &str) -> Result<(), Error> {
        let _guard = lock.acquire().await?;
        match how {
            "return" => Ok(()),
            "error" => Err(Error::new(ErrorKind::Full, "the disk is full")),
            "panic" => panic!("as planned"),
            _ => std::future::pending().await,
        }
    }
    let lock = alone("ways out").await.lock(KEY);
    for how in ["return", "error", "panic", "cancel"] {
        let working = tokio::spawn(work(lock.clone(), how));
        settle().await;
        working.abort();
        let succeeded = matches!(working.await, Ok(Ok(())));
        assert_eq!(succeeded, how == "return");
        assert!(!lock.is_locked().await.expect("an answer"), "{how}");
    }
}

#[tokio::test]
async fn trying_again_with_backoff_gives_up_in_the_end() {
    let (tenure, coordinator, clock) = counted();
    let lock = tenure.lock(KEY);
    let _holder = lock.acquire().await.expect("it is free");
    let began = clock.now();
    let trying = async {
        let mut attempts = Vec::new();
        for pause in [100, 200, 400].map(Duration::from_millis) {
            attempts.push(clock.now().since(began));
            assert!(lock.try_acquire().await.expect("an answer").is_none());
            clock.sleep(pause).await;
        }
        attempts
    };
    let (attempts, ()) = tokio::join!(trying, pass(&clock, Duration::from_secs(1)));
    assert_eq!(attempts, [0, 100, 300].map(Duration::from_millis));
    assert_eq!(coordinator.count(Request::Enqueue), 4, "the holder asked once, and nobody asks any more");
}

#[tokio::test]
async fn what_runs_under_the_lock_gives_its_result_or_is_skipped() {
    let lock = alone("skipped").await.lock(KEY);
    assert_eq!(lock.with_lock_if_available(async |_| 42).await.expect("an answer"), Some(42));
    let _holder = lock.acquire().await.expect("it was released");
    let never = async |_: &Guard| panic!("somebody has the lock");
    assert!(lock.with_lock_if_available(never).await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_late_release_leaves_the_successor_alone() {
    let (tenure, clock) = by_hand().await;
    let lock = tenure.lock(KEY);
    let (late, dropped_late) = (lock.acquire().await.expect("it is free"), tenure.lock("other"));
    let dropped = dropped_late.acquire().await.expect("it is free");
    suspend(&clock, TTL);
    let successor = lock.acquire().await.expect("the lease has ended");
    let other_successor = dropped_late.acquire().await.expect("the lease has ended");
    assert_eq!(late.release().await.expect("an answer"), Released::Gone);
    drop(dropped);
    settle().await;
    assert!(!successor.is_lost() && lock.is_locked().await.expect("an answer"));
    assert!(!other_successor.is_lost() && dropped_late.is_locked().await.expect("an answer"));
}

#[tokio::test]
async fn asking_twice_is_to_wait_behind_oneself() {
    let lock = alone("twice").await.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    assert!(lock.try_acquire().await.expect("an answer").is_none());
    let second = ticket(&lock).await;
    assert_eq!(second.position().await.expect("an answer"), Some(0));
    drop(guard);
    assert!(second.wait(None).await.is_ok());
}

// effect-distributed-lock.

/// The most guards that were there at a time when so many come at once.
async fn most_at_once(semaphore: &Semaphore, people: u32) -> u32 {
    let (inside, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut visits = JoinSet::new();
    for _ in 0..people {
        let (semaphore, inside, most) = (semaphore.clone(), Arc::clone(&inside), Arc::clone(&most));
        visits.spawn(async move {
            let _guard = semaphore.acquire().await.expect("its turn comes");
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            settle().await;
            inside.fetch_sub(1, Ordering::SeqCst);
        });
    }
    visits.join_all().await;
    most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_mutex_runs_one_at_a_time() {
    let lock = alone("mutex").await.lock(KEY);
    let written = Arc::new(AtomicU32::new(0));
    let mut writers = JoinSet::new();
    for _ in 0..10 {
        let (lock, written) = (lock.clone(), Arc::clone(&written));
        let write = async move |_: &Guard| {
            let read = written.load(Ordering::SeqCst);
            settle().await;
            written.store(read + 1, Ordering::SeqCst);
        };
        writers.spawn(async move { lock.with_lock(write).await.expect("its turn comes") });
    }
    writers.join_all().await;
    assert_eq!(written.load(Ordering::SeqCst), 10, "nobody wrote what another had read before");
}

#[tokio::test]
async fn a_semaphore_lets_as_many_in_as_its_limit() {
    let tenure = alone("limit").await;
    assert_eq!(most_at_once(&tenure.semaphore("three", 3), 10).await, 3);
    assert_eq!(most_at_once(&tenure.semaphore("one", 1), 10).await, 1);
    assert_eq!(kind(tenure.semaphore("three", 4).acquire().await), ErrorKind::LimitMismatch { limit: 3 });
}

#[tokio::test]
async fn the_interval_of_renewal_has_to_fit_the_lease() {
    let lock = alone("interval").await.lock(KEY);
    for every in [TTL, BELIEVED, Duration::ZERO] {
        assert_eq!(kind(lock.clone().renew_every(every).try_acquire().await), ErrorKind::Invalid);
    }
    let guard = lock.renew_every(BELIEVED - Duration::from_millis(1)).try_acquire().await.expect("it fits");
    assert!(guard.is_some());
}

#[tokio::test]
async fn the_lease_is_renewed_while_the_guard_lives() {
    let (tenure, coordinator, clock) = counted();
    let guard = tenure.lock(KEY).acquire().await.expect("it is free");
    settle().await;
    assert_eq!(coordinator.count(Request::Renew), 0, "it is fresh");
    clock.advance(TTL / 3);
    settle().await;
    assert_eq!(coordinator.count(Request::Renew), 1);
    pass(&clock, TTL * 3).await;
    assert!(!guard.is_lost());
    drop(guard);
    let renewals = coordinator.count(Request::Renew);
    pass(&clock, TTL * 3).await;
    assert_eq!(coordinator.count(Request::Renew), renewals, "renewal ends with the guard");
}

#[tokio::test]
async fn a_waiter_is_told_and_does_not_poll() {
    let (tenure, coordinator, clock) = counted();
    let lock = tenure.lock(KEY);
    let holder = lock.acquire().await.expect("it is free");
    let waiter = tokio::spawn({
        let lock = lock.clone();
        async move { lock.acquire().await }
    });
    pass(&clock, TTL * 3).await;
    assert_eq!((coordinator.count(Request::Enqueue), coordinator.count(Request::Wait)), (2, 1));
    drop(holder);
    settle().await; // And no time.
    assert!(waiter.is_finished());
    assert!(waiter.await.expect("no panic").is_ok());
}

#[tokio::test]
async fn a_failing_service_is_asked_again_as_the_policy_says() {
    let (tenure, coordinator, _) = counted();
    let lock = tenure.lock(KEY).retry(Retry::times(3).first(Duration::ZERO).longest(Duration::ZERO));
    coordinator.fail(Request::Enqueue, &[Fault::Unavailable, Fault::Indeterminate, Fault::Unavailable]);
    let guard = lock.acquire().await.expect("the fourth time");
    assert_eq!((coordinator.count(Request::Enqueue), lock.count().await.expect("an answer")), (4, 1));
    coordinator.fail(Request::Release, &[Fault::Indeterminate; 4]);
    assert_eq!(kind(guard.release().await), ErrorKind::Indeterminate, "four times were too few");
    coordinator.fail(Request::Enqueue, &[Fault::Unavailable; 4]);
    assert_eq!(kind(lock.acquire().await), ErrorKind::Unavailable);

    let error = Tenure::connect("tenure://127.0.0.1:1").await.expect_err("nobody is there");
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(error.source().expect("a cause").to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn what_runs_under_the_lock_gives_its_result() {
    let tenure = alone("result").await;
    let lock = tenure.lock(KEY);
    assert_eq!(lock.with_lock(async |guard| guard.key().len()).await.expect("an answer"), KEY.len());
    let failed: Result<u32, &str> = lock.with_lock(async |_| Err("no disk")).await.expect("it was its own");
    assert_eq!(failed, Err("no disk"));
    let permits = tenure.semaphore(KEY, 5).permits(3);
    let held = permits.with_lock(async |_| permits.count().await).await.expect("an answer");
    assert_eq!(held.expect("an answer"), 3);
    assert!(!lock.is_locked().await.expect("an answer"));
    assert_eq!(permits.count().await.expect("an answer"), 0);
}

#[tokio::test]
async fn losing_the_lock_is_something_to_wait_for() {
    let (tenure, coordinator, clock) = counted();
    let lock = tenure.lock(KEY);
    let guard = lock.acquire().await.expect("it is free");
    lock.steal("maintenance").await.expect("an answer");
    assert_eq!(guard.lost().await, Loss::Stolen { reason: "maintenance".into() });

    let guard = lock.acquire().await.expect("it is free again");
    coordinator.fail(Request::Renew, &[Fault::Unavailable; 1_000]);
    let (loss, ()) = tokio::join!(guard.lost(), pass(&clock, TTL));
    assert_eq!(loss, Loss::Expired);
}

#[tokio::test]
async fn permits_are_all_or_nothing() {
    let semaphore = alone("all or nothing").await.semaphore(KEY, 5);
    let two = semaphore.acquire_many(2).await.expect("they are free");
    assert!(semaphore.try_acquire_many(4).await.expect("an answer").is_none());
    assert_eq!(semaphore.count().await.expect("an answer"), 2, "not some of them");
    let three = semaphore.try_acquire_many(3).await.expect("an answer").expect("they are free");
    assert_eq!((two.permits(), three.permits(), semaphore.available().await.expect("an answer")), (2, 3, 0));
    assert_eq!(kind(semaphore.try_acquire_many(6).await), ErrorKind::Invalid, "there are never as many");
}

#[tokio::test]
async fn a_key_can_be_looked_at() {
    let (tenure, clock) = by_hand().await;
    let lock = tenure.lock(KEY).label("backup of db-1");
    assert_eq!(lock.key(), KEY.as_bytes());
    assert!(
        !lock.is_locked().await.expect("an answer") && lock.holders().await.expect("an answer").is_empty()
    );
    let guard = lock.acquire().await.expect("it is free");
    suspend(&clock, Duration::from_secs(5));
    assert!(lock.is_locked().await.expect("an answer"));
    let holders = lock.holders().await.expect("an answer");
    let [holder] = &holders[..] else { panic!("{holders:?}") };
    assert_eq!(&*holder.note.as_ref().expect("a note").label, "backup of db-1");
    assert_eq!((holder.fence, holder.since), (guard.fence(), Duration::from_secs(5)));
    assert_eq!(holder.remaining, TTL - Duration::from_secs(5));

    let workers = tenure.semaphore(KEY, 5);
    let _three = workers.acquire_many(3).await.expect("they are free");
    assert_eq!(workers.count().await.expect("an answer"), 3);
    assert_eq!(workers.inspect().await.expect("an answer").expect("it is used").limit.get(), 5);
}

#[tokio::test]
async fn one_id_is_one_claim_however_often_it_asks() {
    let (tenure, coordinator, _) = counted();
    let semaphore = tenure.semaphore(KEY, 2).claim_id(entropy::claim_id());
    let first = semaphore.acquire().await.expect("it is free");
    let again = semaphore.acquire().await.expect("it is its own");
    assert_eq!((first.fence(), semaphore.count().await.expect("an answer")), (again.fence(), 1));
    assert!(first.is_lost() && !again.is_lost(), "one claim has one guard");
    assert_eq!(again.release().await.expect("an answer"), Released::Released);
    assert_eq!(first.release().await.expect("an answer"), Released::Gone);

    // An answer that is lost takes nothing twice.
    coordinator.fail(Request::Enqueue, &[Fault::Indeterminate]);
    let _one = tenure.semaphore("other", 2).acquire().await.expect("the second time");
    assert_eq!(tenure.semaphore("other", 2).count().await.expect("an answer"), 1);
}

#[tokio::test]
async fn resuming_verifies_and_never_waits() {
    let name = "memory:coming from elsewhere, resuming";
    let (before, after) = (Tenure::connect(name).await, Tenure::connect(name).await);
    let (before, after) = (before.expect("memory is there"), after.expect("memory is there"));
    let id = entropy::claim_id();
    let held = before.lock(KEY).claim_id(id).acquire().await.expect("it is free");
    let unknown = after.lock(KEY).claim_id(entropy::claim_id()).resume().await.expect("an answer");
    assert!(unknown.is_none(), "somebody else has the lock, and nobody waits for it");
    let resumed = after.lock(KEY).claim_id(id).resume().await.expect("an answer").expect("it is there");
    assert_eq!(resumed.fence(), held.fence());
    assert_eq!(held.lost().await, Loss::taken_over());
    resumed.release().await.expect("an answer");
    assert!(after.lock(KEY).claim_id(id).resume().await.expect("an answer").is_none(), "it was released");
    assert_eq!(kind(after.lock(KEY).resume().await), ErrorKind::Invalid, "which one?");
}

#[tokio::test]
async fn work_is_cancelled_when_the_lock_is_lost() {
    struct Cancelled<'a>(&'a Cell<bool>);
    impl Drop for Cancelled<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let lock = alone("cancelled").await.lock(KEY);
    let cancelled = Cell::new(false);
    let work = lock.with_lock(async |_| {
        let _cancelled = Cancelled(&cancelled);
        std::future::pending::<()>().await;
    });
    let steal = async {
        settle().await;
        lock.steal("maintenance").await
    };
    let (worked, stolen) = tokio::join!(work, steal);
    assert_eq!(stolen.expect("an answer"), 1);
    let error = worked.expect_err("it was lost");
    assert_eq!(error.kind(), &ErrorKind::Lost(Loss::Stolen { reason: "maintenance".into() }));
    assert!(cancelled.get() && error.to_string().contains("maintenance"), "{error}");
}

#[tokio::test]
async fn a_wait_that_is_over_says_so() {
    let (tenure, clock) = by_hand().await;
    let lock = tenure.lock(KEY);
    let _holder = lock.acquire().await.expect("it is free");
    let wait = Duration::from_secs(1);
    let impatient = lock.clone().wait(wait);
    let (ticket, for_ever) = (ticket(&lock).await, NoOp::locked());
    let nowhere = Tenure::builder().clock(clock.clone()).with_coordinator(for_ever).lock(KEY);
    let (one, two, three, four, ()) = tokio::join!(
        lock.acquire_timeout(wait),
        impatient.acquire(),
        ticket.wait(wait),
        nowhere.acquire_timeout(wait),
        pass(&clock, wait),
    );
    for waited in [one, two, three, four] {
        assert_eq!(kind(waited), ErrorKind::TimedOut);
    }
    assert_eq!(lock.inspect().await.expect("an answer").expect("it is used").queue_len, 0, "all have left");
    assert_eq!(kind(lock.wait(Duration::ZERO).acquire().await), ErrorKind::Contended);
}

#[tokio::test]
async fn a_lock_and_a_semaphore_of_one_name_never_meet() {
    let tenure = alone("spaces").await;
    let _lock = tenure.lock(KEY).try_acquire().await.expect("an answer").expect("it is free");
    let _semaphore = tenure.semaphore(KEY, 1).try_acquire().await.expect("an answer").expect("it is free");
    let _reader = tenure.rw_lock(KEY).try_read().await.expect("an answer").expect("it is free");
    let spaces: Vec<Space> =
        tenure.inspect(KEY).await.expect("an answer").into_iter().map(|(space, _)| space).collect();
    assert_eq!(spaces, [Space::Lock, Space::Semaphore, Space::RwLock]);
}

#[tokio::test]
async fn no_clock_is_compared_with_another() {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    let server = Server::bind(config).expect("a free port");
    let url = format!("tenure://{}", server.local_addr());
    tokio::spawn(server.run(std::future::pending()));
    let (past, future) = (Clock::manual(), Clock::manual());
    future.advance(Duration::from_secs(365 * 86_400));
    let (past, future) = (
        Tenure::builder().clock(past).connect(&url).await,
        Tenure::builder().clock(future).connect(&url).await,
    );
    let (past, future) = (past.expect("connected").lock(KEY), future.expect("connected").lock(KEY));

    let guard = future.acquire().await.expect("it is free");
    assert_eq!(guard.remaining(), BELIEVED);
    assert!(past.try_acquire().await.expect("an answer").is_none());
    drop(guard);
    let guard = past.acquire().await.expect("it comes free");
    assert_eq!(guard.remaining(), BELIEVED);
    assert!(future.try_acquire().await.expect("an answer").is_none(), "it is no year old");
}

#[tokio::test]
async fn a_lease_never_comes_back() {
    let (tenure, clock) = by_hand().await;
    let others = tenure.semaphore(KEY, 5);
    let semaphore = others.clone().permits(3).claim_id(entropy::claim_id());
    let ended = semaphore.acquire().await.expect("they are free");
    suspend(&clock, TTL);
    let _four = others.acquire_many(4).await.expect("the lease has ended");
    settle().await;
    assert!(ended.is_lost() && semaphore.resume().await.expect("an answer").is_none());
    assert!(semaphore.try_acquire().await.expect("an answer").is_none(), "its id is that of a newcomer");
    assert_eq!(others.count().await.expect("an answer"), 4, "never more than the limit");
}

// The document itself.

const DOCUMENT: &str = include_str!("../../../docs/coming-from.md");

#[test]
fn every_row_names_a_test_and_every_test_is_named() {
    let sources = include_str!("coming_from.rs");
    let tests: Vec<&str> = sources
        .split("#[tokio::test]\nasync fn ")
        .skip(1)
        .map(|rest| rest.split('(').next().expect("a name"))
        .collect();
    let named: Vec<&str> = rows_with_tests().flat_map(backticked).collect();
    assert!(!tests.is_empty() && !named.is_empty());
    for name in &named {
        assert!(tests.contains(name), "there is no test {name}");
    }
    for test in &tests {
        assert!(named.contains(test), "no row names {test}");
    }
}

/// The last cells of the rows of those tables that have a column for tests. Each of them names one at least.
fn rows_with_tests() -> impl Iterator<Item = &'static str> {
    let sections = DOCUMENT.split("\n## ").filter(|section| section.contains("| there | here | test |"));
    let rows = sections.flat_map(|section| section.lines().filter(|line| line.starts_with("| ")).skip(2));
    rows.map(|row| {
        let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next().expect("a cell");
        assert!(backticked(cell).next().is_some(), "{row}");
        cell
    })
}

fn backticked(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
