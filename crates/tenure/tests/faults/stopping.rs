//! `kill -STOP`, and `kill -CONT` when the lease has ended long ago.

use crate::crew::{Crew, LONG, Worker};
use crate::history::Line;
use crate::proxy::{Fault, Proxy, STEPS, Step};
use crate::{TTL, trial};
use libtest_mimic::Trial;
use std::time::Duration;
use tenure::{Bond, Clock};

/// So silent that nobody is taken for gone because of it.
const NEVER: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("stopping::a_worker_that_stands_still_at_any_step_does_not_believe_afterwards", || {
            at_every_step(NEVER)
        }),
        trial("stopping::nor_does_one_that_was_taken_for_gone_meanwhile", || at_every_step(TTL)),
        trial("stopping::one_that_does_not_look_at_its_guard_is_found", blind),
        trial("stopping::workers_that_stand_still_at_any_time_do_not_believe_afterwards", at_any_time),
    ]
}

async fn at_every_step(silence: Duration) {
    let mut crew = Crew::start(Bond::Resumable, silence);
    let proxy = Proxy::start(crew.daemon).await;
    let others = crew.hire_two().await;
    let victim = crew.hire(proxy.address, LONG);
    crew.everyone_works([&victim]).await;
    for step in STEPS {
        for fault in [Fault::Hold, Fault::HoldAnswer] {
            if (step, fault) == (Step::Granted, Fault::HoldAnswer) {
                continue;
            }
            proxy.fail(step, fault).await;
            victim.stop();
            // Half of them hear what they have waited for when they wake up, the others say something then.
            proxy.go();
            stand_still(&crew, &others).await;
            victim.go_on();
            crew.everyone_works([&victim]).await;
        }
    }
    assert!(crew.count(|line| matches!(line, Line::Lost { .. })) > 0, "what was held was lost");
    crew.end(others.into_iter().chain([victim]), Duration::ZERO).await;
}

async fn at_any_time() {
    let mut crew = Crew::start(Bond::Resumable, NEVER);
    let clock = Clock::system();
    let mut workers: Vec<Worker> = crew.hire_two().await.into();
    let victim = crew.hire(crew.daemon, LONG);
    crew.everyone_works([&victim]).await;
    for _ in 0..5 {
        clock.sleep(TTL.mul_f64(fastrand::f64())).await;
        victim.stop();
        stand_still(&crew, &workers).await;
        victim.go_on();
    }
    workers.push(victim);
    crew.end(workers, Duration::ZERO).await;
}

async fn blind() {
    let mut crew = Crew::start(Bond::Resumable, NEVER);
    let others = crew.hire_two().await;
    let (victim, mark) = (crew.hire_a_blind_one(), crew.mark());
    crew.until(&victim, mark, |line| matches!(line, Line::Holds { .. })).await;
    victim.stop();
    stand_still(&crew, &others).await;
    victim.go_on();
    crew.everyone_works([&victim]).await;
    let broken = crew.broken(Duration::ZERO);
    assert!(broken.iter().any(|what| what.starts_with("two believe at once")), "{broken:?}");
}

/// Longer than a lease, in which the others go on.
async fn stand_still(crew: &Crew, others: &[Worker]) {
    let clock = Clock::system();
    let until = clock.now().after(TTL * 2);
    crew.everyone_works(others).await;
    clock.sleep_until(until).await;
}
