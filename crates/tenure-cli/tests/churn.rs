//! Clients that come, wait, hold and vanish at any moment: whoever is granted is alone, and nothing stays behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod harness;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use harness::{Client, Daemon, Grant, until};

const THREADS: u64 = 8;
const VISITS: u64 = 800;
const KEYS: usize = 3;

/// What the clients know about a key: how many believe that they hold it, and the highest fence that any of them saw.
#[derive(Default)]
struct Key {
    inside: AtomicUsize,
    fence: AtomicU64,
}

impl Key {
    fn enter(&self, grant: &Grant) {
        assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "two hold one lock");
        let before = self.fence.swap(grant.fence, Ordering::SeqCst);
        assert!(grant.fence > before, "fence {} behind {before}", grant.fence);
    }

    fn leave(&self) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A small generator, so that every run does the same as far as threads allow.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// One client comes, does one of the things that clients do, and goes.
fn visit(addr: SocketAddr, keys: &[Key; KEYS], dice: &mut Dice) {
    let mut client = Client::connect(addr);
    let n = usize::try_from(dice.roll(KEYS as u64)).unwrap();
    let (key, name) = (&keys[n], format!("key-{n}"));
    match dice.roll(6) {
        0 | 1 => hold(&mut client, key, &name, "l", "5", dice),
        2 => {
            if client.ask("e", &name, "") == "queued" {
                hold(&mut client, key, &name, "w", "5", dice);
            }
        }
        3 => client.request("l", &name, "60"),
        4 => client.request("e", &name, ""),
        _ => {
            client.request("sl", &name, "60 2");
            client.request("sl", &name, "60 2");
        }
    }
}

/// Waits for its turn; then releases, or vanishes with what it holds.
fn hold(client: &mut Client, key: &Key, name: &str, command: &str, patience: &str, dice: &mut Dice) {
    let answer = client.ask(command, name, patience);
    if answer == "timeout" {
        return;
    }
    let grant = Grant::read(&answer);
    key.enter(&grant);
    if dice.roll(2) == 0 {
        assert_eq!(client.ask("n", name, &grant.token), "ok 33");
    }
    key.leave();
    if dice.roll(2) == 0 {
        assert_eq!(client.ask("r", name, &grant.token), "ok");
    }
}

#[test]
fn nothing_is_shared_lost_or_left_behind() {
    let daemon = Daemon::start(&[]);
    let keys: [Key; KEYS] = Default::default();
    std::thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (addr, keys) = (daemon.addr(), &keys);
            scope.spawn(move || {
                let mut dice = Dice(thread << 32 | 0x7f4a_7c15);
                for _ in 0..VISITS {
                    visit(addr, keys, &mut dice);
                }
            });
        }
    });
    let mut watcher = daemon.connect();
    until("everybody is gone", || watcher.stats()["connections"] == 1);
    let stats = watcher.stats();
    assert_eq!(stats["locks"], serde_json::json!([]), "{stats}");
    assert_eq!(stats["semaphores"], serde_json::json!([]), "{stats}");
    for (n, key) in keys.iter().enumerate() {
        let grant = watcher.acquire("l", &format!("key-{n}"), "0");
        assert!(grant.fence > key.fence.load(Ordering::SeqCst));
    }
}
