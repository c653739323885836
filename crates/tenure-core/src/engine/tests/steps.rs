//! The steps that owners take.

use super::model::Name;
use crate::{Bond, Key, Note, Space};
use proptest::prelude::*;
use std::sync::Arc;

/// Every lease is over after that many nanoseconds.
pub(super) const TTL_MAX: u64 = 25;
pub(super) const OWNERS: u8 = 4;
const NAMES: u8 = 7;

/// A step. Claims, grants and owners are picked among those that there are by a number.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Enqueue {
        owner: u8,
        name: u8,
        permits: u32,
        limit: u32,
        terms: Terms,
    },
    /// A claim is asked for again, perhaps by another owner, perhaps for something else.
    Repeat {
        claim: usize,
        owner: u8,
        name: Option<u8>,
        permits: Option<u32>,
        terms: Terms,
    },
    Wait {
        claim: usize,
        patience: Wish,
    },
    TakeOffered {
        claim: usize,
        owner: u8,
    },
    Resume {
        claim: usize,
        owner: u8,
        name: Option<u8>,
    },
    Renew {
        grant: usize,
        name: Option<u8>,
        forged: bool,
        ttl: u64,
    },
    RenewClaim {
        claim: usize,
        owner: u8,
        ttl: u64,
    },
    Release {
        grant: usize,
        name: Option<u8>,
        forged: bool,
        by: u8,
    },
    ReleaseOwn {
        claim: usize,
        owner: u8,
    },
    CancelOwn {
        claim: usize,
        owner: u8,
    },
    /// On behalf of whoever owns it.
    Cancel {
        claim: usize,
    },
    /// All grants of a key, or the one of a token.
    Steal {
        name: u8,
        grant: Option<usize>,
    },
    Disconnect {
        owner: u8,
        most: usize,
    },
    Watch {
        name: u8,
        stop: bool,
    },
    Extend {
        more: u64,
    },
    /// Time passes; nobody tells the engine when the timer is late.
    Advance {
        nanos: u64,
        late: bool,
    },
}

/// What a request may say anew each time.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) ttl: u64,
    pub(super) bond: Bond,
    pub(super) patience: Wish,
    pub(super) note: Option<Arc<Note>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    None,
    Nanos(u64),
    Endless,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..500)
}

// A choice among strategies draws a generator for itself, which takes longer than to play the step. So there is one choice a
// step, and numbers are mapped for the rest.
fn step() -> impl Strategy<Value = Step> {
    let (claim, grant, owner) = (any::<usize>, any::<usize>, || 0..OWNERS);
    let enqueue = (owner(), 0..NAMES, 0..4_u32, 0..30_u32, terms());
    let enqueue = enqueue.prop_map(|(owner, name, permits, limit, terms)| {
        let limit = limit.saturating_sub(26);
        Step::Enqueue { owner, name, permits, limit, terms }
    });
    let repeat = (claim(), owner(), seldom(NAMES), seldom(4), terms());
    let repeat = repeat.prop_map(|(claim, owner, name, permits, terms)| {
        let permits = permits.map(u32::from);
        Step::Repeat { claim, owner, name, permits, terms }
    });
    let renew = (grant(), seldom(NAMES), seldom(1), 1..TTL_MAX).prop_map(|(grant, name, forged, ttl)| {
        let forged = forged.is_some();
        Step::Renew { grant, name, forged, ttl }
    });
    let release = (grant(), seldom(NAMES), seldom(1), owner()).prop_map(|(grant, name, forged, by)| {
        let forged = forged.is_some();
        Step::Release { grant, name, forged, by }
    });
    let steal = (0..NAMES, any::<bool>(), grant())
        .prop_map(|(name, all, grant)| Step::Steal { name, grant: (!all).then_some(grant) });
    prop_oneof![
        12 => enqueue,
        3 => repeat,
        4 => (claim(), wish()).prop_map(|(claim, patience)| Step::Wait { claim, patience }),
        2 => (claim(), owner()).prop_map(|(claim, owner)| Step::TakeOffered { claim, owner }),
        2 => (claim(), owner(), seldom(NAMES)).prop_map(|(claim, owner, name)| Step::Resume { claim, owner, name }),
        3 => renew,
        3 => (claim(), owner(), 1..TTL_MAX).prop_map(|(claim, owner, ttl)| Step::RenewClaim { claim, owner, ttl }),
        4 => release,
        2 => (claim(), owner()).prop_map(|(claim, owner)| Step::ReleaseOwn { claim, owner }),
        2 => (claim(), owner()).prop_map(|(claim, owner)| Step::CancelOwn { claim, owner }),
        2 => claim().prop_map(|claim| Step::Cancel { claim }),
        1 => steal,
        1 => (owner(), 1..4_usize).prop_map(|(owner, most)| Step::Disconnect { owner, most }),
        1 => (0..NAMES, 0..10_u8).prop_map(|(name, chance)| Step::Watch { name, stop: chance > 6 }),
        1 => (0..30_u64).prop_map(|more| Step::Extend { more }),
        6 => (0..9_u64, any::<bool>()).prop_map(|(nanos, late)| Step::Advance { nanos, late }),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let terms = (1..TTL_MAX, 0..7_u8, wish(), 0..18_u32);
    terms.prop_map(|(ttl, bond, patience, note)| {
        let bond = match bond {
            0..3 => Bond::Connection,
            3 => Bond::Lease,
            _ => Bond::Resumable,
        };
        let note = (note >= 9).then(|| Arc::new(Note { pid: note, ..Note::default() }));
        Terms { ttl, bond, patience, note }
    })
}

fn wish() -> impl Strategy<Value = Wish> {
    (0..TTL_MAX * 7).prop_map(|number| match number % 7 {
        0 => Wish::None,
        1..4 => Wish::Nanos(number / 7),
        _ => Wish::Endless,
    })
}

/// One time in ten a number below `end`.
fn seldom(end: u8) -> impl Strategy<Value = Option<u8>> {
    (0..end * 10).prop_map(move |number| number.checked_sub(end * 9))
}

impl Step {
    /// A fixed history, for showing that playing is deterministic.
    pub(super) fn sample(len: usize) -> Vec<Self> {
        use proptest::strategy::ValueTree;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        (0..len).map(|_| step().new_tree(&mut runner).expect("a step").current()).collect()
    }
}

/// The limit of a key, unless somebody asks for another one.
pub(super) const fn usual_limit(name: u8) -> u32 {
    match name {
        0..3 => 1,
        3..6 => 3,
        _ => u32::MAX,
    }
}

/// So many permits; of a read-write lock one, or all.
pub(super) const fn permits_of(name: u8, permits: u32) -> u32 {
    if name == 6 && permits == 3 { u32::MAX } else { permits }
}

pub(super) const fn named(name: u8) -> Name {
    let space = match name {
        0..3 => Space::Lock,
        3..6 => Space::Semaphore,
        _ => Space::RwLock,
    };
    (space, name % 3 + b'a')
}

pub(super) fn key(name: &Name) -> Key<'_> {
    Key::new(name.0, std::slice::from_ref(&name.1)).expect("one byte")
}
