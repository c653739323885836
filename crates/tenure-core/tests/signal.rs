//! Signals against a model that looks at every subscription for every signal.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tenure_core::{Delivery, OwnerId, Subject, Subscriptions, check_pattern};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn signals_reach_whom_the_model_says(steps in prop::collection::vec(step(), 1..80)) {
        let mut subscriptions = Subscriptions::new();
        let mut model = Model::default();
        for step in &steps {
            match step {
                Step::Subscribe(who, what) => {
                    let new = subscriptions.subscribe(owner(*who), what.pattern.as_bytes(), what.group());
                    prop_assert_eq!(new, model.held.insert((*who, what.clone())));
                }
                Step::Unsubscribe(who, what) => {
                    let was = subscriptions.unsubscribe(owner(*who), what.pattern.as_bytes(), what.group());
                    prop_assert_eq!(was, model.held.remove(&(*who, what.clone())));
                    model.forget_empty_groups();
                }
                Step::Disconnect(who) => {
                    subscriptions.disconnect(owner(*who));
                    model.held.retain(|(holder, _)| holder != who);
                    model.forget_empty_groups();
                }
                Step::Publish(about, full) => {
                    let subject = Subject::new(about.as_bytes()).expect("a subject");
                    let mut taken = Vec::new();
                    let published = subscriptions.publish(subject, |owner| {
                        if full.contains(&owner.get()) {
                            return Delivery::Full;
                        }
                        taken.push(owner.get());
                        Delivery::Taken
                    });
                    taken.sort_unstable();
                    let (expected, cut) = model.publish(about, full);
                    prop_assert_eq!(published.count, taken.len() as u64);
                    prop_assert_eq!(taken, expected);
                    let was_cut: Vec<_> = published.cut.iter().map(|owner| owner.get()).collect();
                    prop_assert_eq!(was_cut, cut.into_iter().collect::<Vec<_>>());
                }
            }
            model.compare(&subscriptions)?;
        }
        for who in OWNERS {
            subscriptions.disconnect(owner(who));
        }
        prop_assert_eq!(subscriptions.channels().count(), 0);
    }

    #[test]
    fn a_signal_finds_a_pattern_exactly_when_token_by_token_they_match(
        pattern in prop::collection::vec(token(), 1..6),
        subject in prop::collection::vec(literal(), 1..6),
    ) {
        let (pattern, subject) = (pattern.join("."), subject.join("."));
        prop_assume!(!pattern.is_empty() && !subject.is_empty());
        prop_assume!(check_pattern(pattern.as_bytes()).is_ok());
        let mut subscriptions = Subscriptions::new();
        subscriptions.subscribe(owner(0), pattern.as_bytes(), None);
        let named = Subject::new(subject.as_bytes()).expect("a subject");
        let published = subscriptions.publish(named, |_| Delivery::Taken);
        prop_assert_eq!(published.count == 1, matches(&pattern, &subject), "{} {}", pattern, subject);
    }
}

const OWNERS: std::ops::Range<u64> = 0..5;

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u64, What),
    Unsubscribe(u64, What),
    Disconnect(u64),
    Publish(String, BTreeSet<u64>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    pattern: String,
    group: Option<String>,
}

impl What {
    fn group(&self) -> Option<&[u8]> {
        self.group.as_ref().map(String::as_bytes)
    }
}

#[derive(Default)]
struct Model {
    held: BTreeSet<(u64, What)>,
    served: BTreeMap<What, u64>,
}

impl Model {
    fn publish(&mut self, about: &str, full: &BTreeSet<u64>) -> (Vec<u64>, BTreeSet<u64>) {
        let hears = |what: &What| matches(&what.pattern, about);
        let single = self.held.iter().filter(|(_, what)| what.group.is_none() && hears(what));
        let (mut cut, alone): (BTreeSet<_>, BTreeSet<_>) =
            single.map(|(who, _)| *who).partition(|who| full.contains(who));
        let mut taken: Vec<_> = alone.into_iter().collect();
        // In the order that Tenure visits groups: literal patterns first. The model finds the same by having no order:
        // a cut owner is full, so whether a group knows of the cut makes no difference.
        for what in self.groups().into_iter().filter(hears) {
            let turn = self.in_turn(&what);
            let taker = turn.iter().find(|who| !full.contains(who));
            taken.extend(taker);
            if taker.is_none() {
                cut.insert(turn[0]);
            }
            self.served.insert(what, *taker.unwrap_or(&turn[0]));
        }
        taken.sort_unstable();
        (taken, cut)
    }

    fn groups(&self) -> BTreeSet<What> {
        self.held.iter().map(|(_, what)| what).filter(|what| what.group.is_some()).cloned().collect()
    }

    fn in_turn(&self, group: &What) -> Vec<u64> {
        let members = self.held.iter().filter(|(_, what)| what == group).map(|(who, _)| *who);
        let (mut later, earlier): (Vec<_>, Vec<_>) = match self.served.get(group) {
            Some(served) => members.partition(|who| who > served),
            None => (members.collect(), Vec::new()),
        };
        later.extend(earlier);
        later
    }

    fn forget_empty_groups(&mut self) {
        let groups = self.groups();
        self.served.retain(|what, _| groups.contains(what));
    }

    fn compare(&self, subscriptions: &Subscriptions) -> Result<(), TestCaseError> {
        let mut channels = BTreeMap::new();
        for (_, what) in &self.held {
            *channels.entry((what.pattern.as_bytes(), what.group())).or_insert(0) += 1;
        }
        let expected = channels.into_iter().map(|((pattern, group), listeners)| (pattern, group, listeners));
        prop_assert!(subscriptions.channels().eq(expected));
        for who in OWNERS {
            let count = self.held.iter().filter(|(holder, _)| *holder == who).count();
            prop_assert_eq!(subscriptions.count_of(owner(who)), count);
        }
        Ok(())
    }
}

/// Whether a subject matches a pattern, from the definition.
fn matches(pattern: &str, subject: &str) -> bool {
    fn tokens_match(pattern: &[&str], subject: &[&str]) -> bool {
        match (pattern, subject) {
            ([], []) => true,
            ([">"], [_, ..]) => true,
            ([first, pattern @ ..], [token, subject @ ..]) => {
                (*first == "*" || first == token) && tokens_match(pattern, subject)
            }
            ([], [_, ..]) | ([_, ..], []) => false,
        }
    }
    tokens_match(&pattern.split('.').collect::<Vec<_>>(), &subject.split('.').collect::<Vec<_>>())
}

fn step() -> impl Strategy<Value = Step> {
    let about = prop::collection::vec(literal(), 1..4).prop_map(|tokens| tokens.join("."));
    let about = about.prop_filter("a subject is not empty", |about| !about.is_empty());
    prop_oneof![
        4 => (OWNERS, what()).prop_map(|(who, what)| Step::Subscribe(who, what)),
        2 => (OWNERS, what()).prop_map(|(who, what)| Step::Unsubscribe(who, what)),
        1 => OWNERS.prop_map(Step::Disconnect),
        6 => (about, prop::collection::btree_set(OWNERS, 0..5)).prop_map(|(about, full)| Step::Publish(about, full)),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let pattern = prop::collection::vec(token(), 1..4).prop_map(|tokens| tokens.join("."));
    let pattern = pattern.prop_filter("a pattern", |pattern| check_pattern(pattern.as_bytes()).is_ok());
    let group = prop::option::of(prop::sample::select(vec!["g", "h"]).prop_map(String::from));
    (pattern, group).prop_map(|(pattern, group)| What { pattern, group })
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "", "*", ">"])
}

fn literal() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", ""])
}

fn owner(number: u64) -> OwnerId {
    OwnerId::new(number)
}
