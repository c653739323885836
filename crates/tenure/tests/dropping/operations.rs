//! What is dropped.

use crate::bed::{Bed, SEATS};
use crate::polled::polled;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tenure::coordinator::{Claim, Enqueued as Answer, Patience, Renewal, Wanted};
use tenure::{Bond, Clock, Enqueued, Guard, Limit, Lock, Space, Ticket, entropy};
use tokio::task::yield_now;

/// So short that it is over now and then.
const WAIT: Duration = Duration::from_millis(1);
const TTL: Duration = Duration::from_secs(60);
/// After how many rounds what should have waited for others does not.
const ROUNDS_MAX: usize = 10_000;

/// Does something, and drops its future after so many polls; whether it was ready before.
type Run = for<'a> fn(&'a Bed, usize) -> Pin<Box<dyn Future<Output = bool> + 'a>>;

/// Something that can be dropped half-way.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// It waits for others, even in process.
    pub(crate) waits: bool,
    run: Run,
}

impl Operation {
    const fn new(name: &'static str, run: Run) -> Self {
        Self { name, waits: false, run }
    }

    const fn waiting(name: &'static str, run: Run) -> Self {
        Self { name, waits: true, run }
    }

    /// Drops it after so many polls, unless it is ready by then; whether it was.
    pub(crate) async fn drop_at(&self, bed: &Bed, polls: usize) -> bool {
        (self.run)(bed, polls).await
    }

    /// Drops it at every point where it waits, so often at least, until it has waited `deep` polls; after how many it
    /// still waited.
    pub(crate) async fn drop_everywhere(&self, bed: &Bed, rounds: usize, deep: usize) -> usize {
        let (mut deepest, mut played) = (0, 0);
        while played < rounds || (deepest < deep && played < ROUNDS_MAX) {
            let mut polls = 0;
            while !self.drop_at(bed, polls).await {
                deepest = deepest.max(polls);
                polls += 1;
            }
            played += 1;
        }
        deepest
    }
}

/// All of them.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("acquire what is free", |bed, polls| Box::pin(acquire(bed, polls, "free"))),
    Operation::waiting("acquire what is shared", |bed, polls| Box::pin(acquire(bed, polls, "shared"))),
    Operation::waiting("acquire and renew at once", |bed, polls| Box::pin(acquire_late(bed, polls))),
    Operation::new("try to acquire", |bed, polls| Box::pin(try_acquire(bed, polls))),
    Operation::waiting("acquire with a time limit", |bed, polls| Box::pin(acquire_timeout(bed, polls))),
    Operation::waiting("acquire many", |bed, polls| Box::pin(acquire_many(bed, polls))),
    Operation::new("enqueue", |bed, polls| Box::pin(enqueue(bed, polls))),
    Operation::waiting("wait with a ticket", |bed, polls| Box::pin(wait(bed, polls, None))),
    Operation::waiting("wait a short time with a ticket", |bed, polls| {
        Box::pin(wait(bed, polls, Some(WAIT)))
    }),
    Operation::new("ask for the position", |bed, polls| Box::pin(position(bed, polls))),
    Operation::waiting("hear of positions", |bed, polls| Box::pin(positions(bed, polls))),
    Operation::new("resume", |bed, polls| Box::pin(resume(bed, polls))),
    Operation::waiting("work with the lock", |bed, polls| Box::pin(with_lock(bed, polls))),
    Operation::waiting("work if it is available", |bed, polls| Box::pin(with_lock_if_available(bed, polls))),
    Operation::new("release", |bed, polls| Box::pin(release(bed, polls))),
    Operation::new("renew", |bed, polls| Box::pin(renew(bed, polls))),
    Operation::waiting("hold while it is renewed", |bed, polls| Box::pin(hold(bed, polls))),
    Operation::waiting("read", |bed, polls| Box::pin(read(bed, polls))),
    Operation::waiting("write", |bed, polls| Box::pin(write(bed, polls))),
    Operation::waiting("campaign", |bed, polls| Box::pin(campaign(bed, polls))),
    Operation::new("resign", |bed, polls| Box::pin(resign(bed, polls))),
    Operation::waiting("observe leaders", |bed, polls| Box::pin(observe(bed, polls))),
    Operation::new("look", |bed, polls| Box::pin(look(bed, polls))),
];

fn shared(bed: &Bed) -> Lock {
    bed.subject.lock("shared").ttl(TTL)
}

async fn held(lock: &Lock) -> Guard {
    lock.acquire().await.expect("its turn comes")
}

/// A place in line, as soon as there is a line.
async fn ticket(lock: &Lock) -> Ticket {
    loop {
        match lock.enqueue().await.expect("an answer") {
            Enqueued::Queued(ticket) => return ticket,
            Enqueued::Acquired(guard) => drop(guard),
        }
        yield_now().await;
    }
}

async fn acquire(bed: &Bed, polls: usize, key: &str) -> bool {
    let acquired = polled(polls, bed.subject.lock(key).ttl(TTL).acquire()).await;
    acquired.map(|guard| guard.expect("its turn comes")).is_some()
}

/// By the time that the answer is there a good part of the lease is over now and then, and it is renewed before the guard
/// is handed out; or that takes too long as well, and it is refused.
async fn acquire_late(bed: &Bed, polls: usize) -> bool {
    let lock = bed.subject.lock("shared").ttl(Duration::from_millis(3));
    polled(polls, lock.acquire()).await.is_some()
}

async fn try_acquire(bed: &Bed, polls: usize) -> bool {
    polled(polls, shared(bed).try_acquire()).await.map(|tried| tried.expect("an answer")).is_some()
}

async fn acquire_timeout(bed: &Bed, polls: usize) -> bool {
    polled(polls, shared(bed).acquire_timeout(WAIT)).await.is_some()
}

async fn acquire_many(bed: &Bed, polls: usize) -> bool {
    let seats = bed.subject.semaphore("seats", SEATS).ttl(TTL);
    polled(polls, seats.acquire_many(SEATS - 1)).await.map(|seats| seats.expect("its turn comes")).is_some()
}

async fn enqueue(bed: &Bed, polls: usize) -> bool {
    polled(polls, shared(bed).enqueue()).await.map(|enqueued| enqueued.expect("an answer")).is_some()
}

async fn wait(bed: &Bed, polls: usize, timeout: Option<Duration>) -> bool {
    let ticket = ticket(&shared(bed)).await;
    polled(polls, ticket.wait(timeout)).await.is_some()
}

async fn position(bed: &Bed, polls: usize) -> bool {
    let ticket = ticket(&shared(bed)).await;
    polled(polls, ticket.position()).await.is_some()
}

async fn positions(bed: &Bed, polls: usize) -> bool {
    let ticket = ticket(&shared(bed)).await;
    polled(polls, async {
        let mut positions = ticket.positions().await.expect("an answer");
        while positions.next().await.is_some() {}
    })
    .await
    .is_some()
}

/// What was left behind by an earlier run, which still believes; whoever has the id gives it back in the end.
async fn resume(bed: &Bed, polls: usize) -> bool {
    let id = entropy::claim_id();
    let earlier = held(&bed.others[0].lock("shared").claim_id(id)).await;
    let lock = shared(bed).claim_id(id);
    let resumed = polled(polls, lock.resume()).await;
    let was_ready = resumed.is_some();
    drop(resumed);
    if let Some(guard) = lock.resume().await.expect("an answer") {
        guard.release().await.expect("an answer");
    }
    drop(earlier);
    was_ready
}

async fn work() {
    for _ in 0..3 {
        yield_now().await;
    }
}

async fn with_lock(bed: &Bed, polls: usize) -> bool {
    let lock = shared(bed);
    let worked = polled(polls, lock.with_lock(async |_| work().await)).await;
    worked.map(|worked| worked.expect("its turn comes")).is_some()
}

/// It is never available while others want it; nobody else wants this one.
async fn with_lock_if_available(bed: &Bed, polls: usize) -> bool {
    let lock = bed.subject.lock("free").ttl(TTL);
    let worked = polled(polls, lock.with_lock_if_available(async |_| work().await)).await;
    worked.map(|worked| worked.expect("an answer")).is_some()
}

async fn release(bed: &Bed, polls: usize) -> bool {
    let guard = held(&shared(bed)).await;
    polled(polls, guard.release()).await.map(|released| released.expect("an answer")).is_some()
}

/// Three renewals in one batch.
async fn renew(bed: &Bed, polls: usize) -> bool {
    let claims = [(Space::Lock, "shared", 1), (Space::Lock, "chair", 1), (Space::RwLock, "index", u32::MAX)];
    let mut renewals =
        claims.map(|(space, key, limit)| Renewal { claim: claim(space, key, limit), outcome: None });
    for Renewal { claim, .. } in &renewals {
        let answer = bed.coordinator.enqueue(claim, Patience::Endless).await.expect("an answer");
        if let Answer::Queued { .. } = answer {
            bed.coordinator.wait(claim).await.expect("its turn comes");
        }
    }
    let ready = polled(polls, bed.coordinator.renew(&mut renewals)).await.is_some();
    renewals.iter().for_each(|renewal| bed.coordinator.cancel(&renewal.claim));
    ready
}

fn claim(space: Space, key: &str, limit: u32) -> Arc<Claim> {
    let wanted = Wanted {
        space,
        name: key.as_bytes().into(),
        permits: 1,
        limit: Limit::new(limit).expect("not zero"),
        ttl: TTL,
        bond: Bond::Resumable,
        note: None,
    };
    Arc::new(Claim::new(entropy::claim_id(), wanted, Clock::system()))
}

/// A guard that is renewed all the time, dropped at one of many moments after the first time.
async fn hold(bed: &Bed, polls: usize) -> bool {
    let guard = held(&shared(bed).renew_every(Duration::from_micros(200))).await;
    let first = guard.deadline();
    while guard.deadline() == first {
        yield_now().await;
    }
    let holding = polled(polls, async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    holding.await.is_some()
}

async fn read(bed: &Bed, polls: usize) -> bool {
    polled(polls, bed.subject.rw_lock("index").read())
        .await
        .map(|guard| guard.expect("its turn comes"))
        .is_some()
}

async fn write(bed: &Bed, polls: usize) -> bool {
    polled(polls, bed.subject.rw_lock("index").write())
        .await
        .map(|guard| guard.expect("its turn comes"))
        .is_some()
}

async fn campaign(bed: &Bed, polls: usize) -> bool {
    let elected = polled(polls, bed.subject.election("chair").campaign("me")).await;
    elected.map(|elected| elected.expect("its turn comes")).is_some()
}

async fn resign(bed: &Bed, polls: usize) -> bool {
    let leadership = bed.subject.election("chair").campaign("me").await.expect("its turn comes");
    polled(polls, leadership.resign()).await.map(|resigned| resigned.expect("an answer")).is_some()
}

async fn observe(bed: &Bed, polls: usize) -> bool {
    polled(polls, async {
        let mut leaders = bed.subject.election("chair").observe().await.expect("an answer");
        for _ in 0..4 {
            leaders.next().await.expect("there is more");
        }
    })
    .await
    .is_some()
}

async fn look(bed: &Bed, polls: usize) -> bool {
    polled(polls, shared(bed).inspect()).await.map(|seen| seen.expect("an answer")).is_some()
}
