//! Connections that are cut, say nothing, or take their time.

use crate::crew::{Crew, LONG};
use crate::history::Line;
use crate::proxy::{Fault, Proxy, STEPS, Step};
use crate::{TTL, trial};
use libtest_mimic::Trial;
use std::time::Duration;
use tenure::Bond;

/// How long the daemon hears nothing from a client before it takes it for gone.
const SILENCE: Duration = Duration::from_millis(1200);

/// The same where grants go with their connections: so short that a client sees that nobody is there before its lease ends.
const SHORT_SILENCE: Duration = Duration::from_millis(300);

/// How long it takes a client then to see that its connection is gone, where nothing tells it so. It looks six times in the
/// span of the silence, and gives up when it has seen no sign three times; one more is for what had just begun, and two are
/// for a slow machine.
const DETECTION: Duration = SHORT_SILENCE;

/// How long it takes where the system tells it: as long as a slow machine does.
const TOLD: Duration = Duration::from_millis(100);

/// How long those work who have to see it before they are ready.
const VERY_LONG: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(600));

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cutting::a_connection_that_is_cut_at_any_step_makes_nobody_wrong", || resumable(Fault::Cut)),
        trial("cutting::nor_does_one_that_is_cut_before_an_answer", || resumable(Fault::CutAnswer)),
        trial("cutting::nor_does_one_that_says_nothing_any_more", || resumable(Fault::Stall(TTL * 2))),
        trial("cutting::nor_does_one_that_is_gone_on_one_side", || resumable(Fault::HalfOpen(TTL * 2))),
        trial("cutting::nor_does_one_that_is_slow", || resumable(Fault::Delay(TTL / 4))),
        trial("cutting::nor_does_one_that_is_slower_than_the_lease", || resumable(Fault::Delay(TTL * 3 / 2))),
        trial("cutting::who_goes_with_a_connection_is_told_that_it_is_cut", || bound(Fault::Cut, TOLD)),
        trial("cutting::and_that_it_is_cut_before_an_answer", || bound(Fault::CutAnswer, TOLD)),
        trial("cutting::and_sees_that_it_is_gone_on_one_side", || bound(Fault::HalfOpen(TTL * 2), DETECTION)),
    ]
}

async fn resumable(fault: Fault) {
    let crew = Crew::start(Bond::Resumable, SILENCE);
    let disconnected = play(crew, LONG, fault, Duration::ZERO).await;
    assert_eq!(disconnected, 0, "a lease does not go with its connection");
}

/// The daemon gives to the next what went with a connection as soon as that is gone; so two may believe at once for as long
/// as the first does not know.
async fn bound(fault: Fault, overlap: Duration) {
    let crew = Crew::start(Bond::Connection, SHORT_SILENCE);
    let disconnected = play(crew, VERY_LONG, fault, overlap).await;
    assert!(disconnected > 0, "who held it was told");
}

/// Lets that happen to one of three workers at every step; how often one was told that its connection is gone.
async fn play(mut crew: Crew, work: (Duration, Duration), fault: Fault, overlap: Duration) -> usize {
    let proxy = Proxy::start(crew.daemon).await;
    let others = crew.hire_two().await;
    let victim = crew.hire(proxy.address, work);
    crew.everyone_works([&victim]).await;
    for step in STEPS {
        if (step, fault) != (Step::Granted, Fault::CutAnswer) {
            proxy.fail(step, fault).await;
            crew.everyone_works(others.iter().chain([&victim])).await;
        }
    }
    // And when it connects again.
    proxy.fail(Step::Release, Fault::Cut).await;
    proxy.fail(Step::Hello, fault).await;
    crew.everyone_works(others.iter().chain([&victim])).await;
    let told = crew.count(|line| matches!(line, Line::Lost { cause, .. } if cause == "disconnected"));
    crew.end(others.into_iter().chain([victim]), overlap).await;
    told
}
