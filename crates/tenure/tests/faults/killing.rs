//! `kill -9`.

use crate::crew::{BRIEFLY, Crew, LONG};
use crate::proxy::{Fault, Proxy, STEPS, Step};
use crate::{TTL, trial};
use libtest_mimic::Trial;
use std::time::Duration;
use tenure::{Bond, Clock};

/// So silent that nobody is taken for gone because of it.
const NEVER: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("killing::a_worker_that_dies_at_any_step_is_succeeded", || at_every_step(Bond::Resumable)),
        trial("killing::so_is_one_whose_grants_go_with_its_connection", || at_every_step(Bond::Connection)),
        trial("killing::workers_that_die_at_any_time_are_succeeded", || at_any_time(Bond::Resumable)),
        trial("killing::so_are_those_whose_grants_go_with_their_connections", || {
            at_any_time(Bond::Connection)
        }),
    ]
}

/// Before its message gets through, and before the answer does.
async fn at_every_step(bond: Bond) {
    let mut crew = Crew::start(bond, NEVER);
    let proxy = Proxy::start(crew.daemon).await;
    let others = crew.hire_two().await;
    for step in STEPS {
        for fault in [Fault::Hold, Fault::HoldAnswer] {
            if (step, fault) == (Step::Granted, Fault::HoldAnswer) {
                continue;
            }
            proxy.arm(step, fault);
            let victim = crew.hire(proxy.address, LONG);
            proxy.hit().await;
            victim.kill().await;
            // What it said last gets through when it is dead.
            proxy.go();
            crew.everyone_works(&others).await;
        }
    }
    crew.end(others, Duration::ZERO).await;
}

async fn at_any_time(bond: Bond) {
    let mut crew = Crew::start(bond, NEVER);
    let clock = Clock::system();
    let mut workers: Vec<_> = (0..4).map(|_| crew.hire(crew.daemon, BRIEFLY)).collect();
    crew.everyone_works(&workers).await;
    for _ in 0..10 {
        clock.sleep(TTL.mul_f64(fastrand::f64())).await;
        let victim = workers.swap_remove(fastrand::usize(..workers.len()));
        victim.kill().await;
        workers.push(crew.hire(crew.daemon, BRIEFLY));
    }
    crew.end(workers, Duration::ZERO).await;
}
