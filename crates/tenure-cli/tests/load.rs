//! Crowds: what one daemon carries, and what it does when there are too many.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use harness::{Client, Daemon, Grant, Stopwatch, pause, until};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// One crowd at a time: each needs most of the files that this process may open.
static TURN: Mutex<()> = Mutex::new(());

/// The files that the largest crowd needs, with some to spare.
const FILES: u64 = 13_000;

fn turn() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if soft < FILES {
        assert!(
            hard >= FILES,
            "this test opens {FILES} files; raise the hard limit (`ulimit -Hn`) from {hard}"
        );
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    }
    turn
}

fn crowd(daemon: &Daemon, count: usize) -> Vec<Client> {
    (0..count).map(|_| daemon.connect()).collect()
}

/// Each client takes and releases a key of its own, all of them with one request under way at any time.
fn round(clients: &mut [Client], first: usize) {
    for (n, client) in clients.iter_mut().enumerate() {
        client.request("l", &format!("key-{}", first + n), "10");
    }
    let grants: Vec<Grant> = clients.iter_mut().map(Client::grant).collect();
    for (n, (client, grant)) in clients.iter_mut().zip(&grants).enumerate() {
        client.request("r", &format!("key-{}", first + n), &grant.token);
    }
    for client in clients {
        assert_eq!(client.line(), "ok");
    }
}

#[test]
fn ten_thousand_idle_connections_leave_room_for_two_thousand_active_ones() {
    let _turn = turn();
    let daemon = Daemon::start(&["--max-connections", "0", "--read-timeout", "300"]);
    let mut idle = crowd(&daemon, 10_000);
    let mut active = crowd(&daemon, 2_000);
    let started = Stopwatch::start();
    let mut rounds = 0;
    while rounds < 3 || started.elapsed() < Duration::from_secs(3) {
        std::thread::scope(|scope| {
            for (n, clients) in active.chunks_mut(500).enumerate() {
                scope.spawn(move || round(clients, n * 500));
            }
        });
        rounds += 1;
    }
    assert_eq!(active[0].stats()["connections"], 12_000);
    for client in &mut idle {
        client.request("ping", "", "");
    }
    assert!(idle.iter_mut().all(|client| client.line() == "ok"));
    println!("{} pairs in {:?}", rounds * 2_000, started.elapsed());
}

#[test]
fn five_thousand_slow_senders_are_ended_and_others_served_meanwhile() {
    let _turn = turn();
    let daemon = Daemon::start(&["--read-timeout", "4"]);
    let mut slow = crowd(&daemon, 5_000);
    let mut lively = daemon.connect();
    let started = Stopwatch::start();
    let mut slowest = Duration::ZERO;
    let mut last_byte: Option<Stopwatch> = None;
    until("all of them are ended", || {
        if last_byte.is_none_or(|sent| sent.elapsed() >= Duration::from_secs(1)) {
            last_byte = Some(Stopwatch::start());
            for client in &mut slow {
                client.try_send("k");
            }
        }
        let request = Stopwatch::start();
        let grant = lively.acquire("l", "k", "0");
        assert_eq!(lively.ask("r", "k", &grant.token), "ok");
        slowest = slowest.max(request.elapsed());
        slow.retain_mut(|client| !client.has_ended());
        slow.is_empty()
    });
    assert!(started.elapsed() >= Duration::from_secs(3), "they were ended after {:?}", started.elapsed());
    assert!(slowest < Duration::from_secs(1), "somebody else waited {slowest:?}");
    until("their connections are gone", || lively.stats()["connections"] == 1);
}

#[test]
fn ten_thousand_waiters_are_released_one_by_one_in_their_order() {
    let _turn = turn();
    let daemon = Daemon::start(&["--max-connections", "0", "--read-timeout", "300"]);
    let mut holder = daemon.connect();
    let mut grant = holder.acquire("l", "k", "0 3600");
    let mut waiters = crowd(&daemon, 10_000);
    for waiter in &mut waiters {
        assert_eq!(waiter.ask("e", "k", "3600"), "queued");
    }
    assert_eq!(holder.ask("e", "k", ""), "error_max_waiters", "ten thousand is the limit, too");
    for waiter in &mut waiters {
        waiter.request("w", "k", "3600");
    }
    let started = Stopwatch::start();
    for n in 0..waiters.len() {
        let releaser = if n == 0 { &mut holder } else { &mut waiters[n - 1] };
        assert_eq!(releaser.ask("r", "k", &grant.token), "ok");
        let next = waiters[n].grant();
        assert!(next.fence > grant.fence, "waiter {n} came out of order");
        grant = next;
        if let Some(behind) = waiters.get_mut(n + 1) {
            assert!(behind.is_silent(), "the release for waiter {n} woke the one behind it");
        }
    }
    println!("10000 hand-overs in {:?}", started.elapsed());
    assert!(waiters.iter_mut().all(Client::is_silent));
}

#[test]
fn a_daemon_out_of_files_rests_and_recovers() {
    let _turn = turn();
    let daemon = Daemon::with_few_files(64, &["--max-connections", "0", "--read-timeout", "300"]);
    let mut inside = daemon.connect();
    let grant = inside.acquire("l", "k", "0 3600");
    let outside = crowd(&daemon, 200);
    until("no more are let in", || {
        let before = inside.stats()["connections"].as_u64().unwrap();
        pause(Duration::from_millis(300));
        before > 10 && inside.stats()["connections"] == before
    });
    assert!(inside.stats()["connections"].as_u64().unwrap() < 64, "it never ran out of files");
    let before = daemon.cpu();
    pause(Duration::from_secs(2));
    let used = daemon.cpu() - before;
    assert!(used < Duration::from_millis(200), "it used {used:?} of two seconds");
    assert_eq!(inside.ask("n", "k", &grant.token), "ok 33");
    drop(outside);
    assert_eq!(daemon.connect().ask("ping", "", ""), "ok");
    until("the crowd is gone", || inside.stats()["connections"] == 1);
}
