//! The checker finds what must not be in a history, in histories that are made up.

use crate::history::{Entry, Line, Rules};
use libtest_mimic::Trial;
use std::time::Duration;
use tenure::{Bond, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    let cases: [(&str, fn()); 7] = [
        ("checking::what_leases_allow_is_well", what_leases_allow_is_well),
        ("checking::two_that_believe_at_once_are_found", two_that_believe_at_once_are_found),
        ("checking::a_renewal_makes_belief_longer", a_renewal_makes_belief_longer),
        ("checking::fences_that_do_not_rise_are_found", fences_that_do_not_rise_are_found),
        ("checking::a_grant_before_the_lease_of_a_dead_one_ended_is_found", early_heirs_are_found),
        ("checking::a_dead_one_that_nobody_succeeds_in_time_is_found", late_heirs_are_found),
        ("checking::what_a_worker_says_is_read_as_it_was_said", lines_are_read_as_they_were_written),
    ];
    let trial = |(name, case): (&str, fn())| {
        Trial::test(name, move || {
            case();
            Ok(())
        })
    };
    cases.map(trial).into()
}

const fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

const fn holds(at: u64, fence: u64, deadline: u64) -> Line {
    Line::Holds { at: ms(at), fence, deadline: ms(deadline) }
}

const fn releases(at: u64, deadline: u64) -> Line {
    Line::Releases { at: ms(at), deadline: ms(deadline) }
}

fn lost(at: u64, deadline: u64) -> Line {
    Line::Lost { at: ms(at), deadline: ms(deadline), cause: "expired".to_owned() }
}

const fn died(at: u64) -> Line {
    Line::Died { at: ms(at) }
}

/// What is wrong with a history, with and without the name of what was found.
fn broken<const N: usize>(history: [(usize, Line); N]) -> Vec<String> {
    let entries: Vec<Entry> = history.into_iter().map(|(process, line)| Entry { process, line }).collect();
    Rules::of(Bond::Resumable, Duration::ZERO).broken(&entries)
}

#[track_caller]
fn finds<const N: usize>(what: &str, history: [(usize, Line); N]) {
    let broken = broken(history);
    assert!(broken.len() == 1 && broken[0].starts_with(what), "{what}: {broken:?}");
}

#[track_caller]
fn is_well<const N: usize>(history: [(usize, Line); N]) {
    assert_eq!(broken(history), [""; 0]);
}

fn what_leases_allow_is_well() {
    is_well([]);
    is_well([(0, holds(100, 1, 640)), (0, releases(200, 640)), (1, holds(201, 2, 741))]);
    // One looks at its guard long after its deadline; another dies, and a third begins when its lease has ended.
    is_well([
        (0, holds(100, 1, 640)),
        (1, holds(701, 2, 1241)),
        (0, lost(2000, 640)),
        (1, died(800)),
        (2, holds(1301, 3, 1900)),
    ]);
    // What was handed out too late was not believed in.
    is_well([(0, holds(2000, 1, 640)), (0, lost(2000, 640)), (1, holds(700, 2, 1240))]);
}

fn two_that_believe_at_once_are_found() {
    finds("two believe at once", [(0, holds(100, 1, 640)), (1, holds(639, 2, 1200))]);
    finds("two believe at once", [(0, holds(100, 1, 640)), (0, lost(700, 640)), (1, holds(639, 2, 1200))]);
    finds("two believe at once", [(0, holds(100, 1, 640)), (0, releases(300, 640)), (1, holds(299, 2, 800))]);
    // Not only neighbours.
    finds(
        "two believe at once",
        [(0, holds(100, 1, 900)), (1, holds(910, 2, 1450)), (2, holds(1449, 3, 1989))],
    );
}

fn a_renewal_makes_belief_longer() {
    let renewed = Line::Renewed { at: ms(300), deadline: ms(840) };
    finds("two believe at once", [(0, holds(100, 1, 640)), (0, renewed.clone()), (1, holds(700, 2, 1240))]);
    is_well([(0, holds(100, 1, 640)), (0, renewed), (1, holds(900, 2, 1440))]);
}

fn fences_that_do_not_rise_are_found() {
    for fence in [1, 2] {
        finds(
            "the fence does not rise",
            [(0, holds(100, 2, 640)), (0, releases(200, 640)), (1, holds(300, fence, 840))],
        );
    }
}

fn early_heirs_are_found() {
    let early = |at| [(0, holds(100, 1, 640)), (0, died(200)), (1, holds(at, 2, at + 540))];
    finds("the lease of the dead had not ended", early(300));
    finds("the lease of the dead had not ended", early(660));
    is_well(early(700));
}

fn late_heirs_are_found() {
    let ends = |end: Line, next| [(0, holds(100, 1, 640)), (0, end), (1, holds(next, 2, next + 540))];
    is_well(ends(died(200), 1799));
    finds("nobody held it", ends(died(200), 1801));
    is_well(ends(releases(200, 640), 1799));
    finds("nobody held it", ends(releases(200, 640), 1801));
    // Another one stood in line, and died later.
    let later =
        |next| [(0, holds(100, 1, 640)), (0, died(200)), (2, died(700)), (1, holds(next, 2, next + 540))];
    is_well(later(2299));
    finds("nobody held it", later(2301));
    is_well(ends(Line::Stopped { at: ms(200) }, 1799));
    finds("1.601s passed before", ends(Line::Stopped { at: ms(200) }, 1801));
}

fn lines_are_read_as_they_were_written() {
    let lines = [
        Line::Asks { at: ms(1) },
        holds(2, 77, 3),
        Line::Renewed { at: ms(3), deadline: ms(4) },
        lost(5, 6),
        releases(7, 8),
        Line::Released { at: ms(9), how: "Released".to_owned() },
        Line::Failed { at: ms(10), why: "nobody is there".to_owned() },
    ];
    for line in lines {
        assert_eq!(line.to_string().parse::<Line>(), Ok(line));
    }
    for text in ["", "holds", "holds 1", "holds 1 2", "sings 1", "asks now"] {
        assert_eq!(text.parse::<Line>(), Err(()), "{text}");
    }
}
