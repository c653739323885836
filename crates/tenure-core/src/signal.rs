//! Who hears a signal: subscriptions by pattern, each for itself or in groups that share the work.

mod channel;
mod subject;
mod trie;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use self::subject::{BadSubject, Subject, check_pattern, is_payload};

use self::channel::{Channel, Group};
use self::subject::has_wildcard;
use self::trie::Trie;
use crate::owner::OwnerId;

/// Who listens to what.
///
/// A signal reaches every owner that listens for itself once, however many of its patterns match, and one member of
/// every group of every pattern that matches, in turn. Signals are not kept: who does not listen does not hear.
///
/// ```
/// use tenure_core::{Delivery, OwnerId, Subject, Subscriptions};
///
/// let mut subscriptions = Subscriptions::new();
/// subscriptions.subscribe(OwnerId::new(1), b"orders.*", None);
///
/// let subject = Subject::new(b"orders.created")?;
/// let published = subscriptions.publish(subject, |_owner| Delivery::Taken);
/// assert_eq!(published.count, 1);
/// # Ok::<(), tenure_core::BadSubject>(())
/// ```
pub struct Subscriptions {
    /// Every pattern that somebody listens to.
    channels: BTreeMap<Arc<[u8]>, Channel>,
    /// Those of them that have wildcards.
    wild: Trie,
    held: BTreeMap<OwnerId, BTreeSet<Subscription>>,
}

/// What became of one signal at one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The listener will get it.
    Taken,
    /// The listener has fallen behind as far as it may: it does not get this signal.
    Full,
}

/// What became of a signal.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Published {
    /// How many deliveries were taken.
    pub count: u64,
    /// Whose connection must be cut because it missed a signal that was its own; each owner once, in order.
    pub cut: Vec<OwnerId>,
}

/// What has become of a signal so far.
#[derive(Default)]
struct Tally {
    count: u64,
    cut: BTreeSet<OwnerId>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subscription {
    pattern: Arc<[u8]>,
    group: Option<Arc<[u8]>>,
}

impl Subscriptions {
    /// Nobody listens yet.
    #[must_use]
    pub fn new() -> Self {
        Self { channels: BTreeMap::new(), wild: Trie::new(), held: BTreeMap::new() }
    }

    /// Lets an owner listen, for itself or as the member of a group. `false` when it already does.
    ///
    /// The pattern should have passed [`check_pattern`]: one with a misplaced wildcard matches no subject.
    pub fn subscribe(&mut self, owner: OwnerId, pattern: &[u8], group: Option<&[u8]>) -> bool {
        if self.is_subscribed(owner, pattern, group) {
            return false;
        }
        let subscription = self.name(pattern, group);
        if has_wildcard(pattern) && !self.channels.contains_key(pattern) {
            self.wild.insert(Arc::clone(&subscription.pattern));
        }
        let channel = self.channels.entry(Arc::clone(&subscription.pattern)).or_default();
        channel.insert(owner, subscription.group.as_ref());
        self.held.entry(owner).or_default().insert(subscription)
    }

    /// Whether an owner listens to exactly that pattern, in exactly that group.
    #[must_use]
    pub fn is_subscribed(&self, owner: OwnerId, pattern: &[u8], group: Option<&[u8]>) -> bool {
        self.channels.get(pattern).is_some_and(|channel| channel.contains(owner, group))
    }

    /// Ends one subscription. `false` when there is none.
    pub fn unsubscribe(&mut self, owner: OwnerId, pattern: &[u8], group: Option<&[u8]>) -> bool {
        if !self.is_subscribed(owner, pattern, group) {
            return false;
        }
        let subscription = self.name(pattern, group);
        if let Some(held) = self.held.get_mut(&owner) {
            held.remove(&subscription);
            if held.is_empty() {
                self.held.remove(&owner);
            }
        }
        self.leave(owner, &subscription);
        true
    }

    /// Ends all subscriptions of an owner, at a cost in proportion to how many it has.
    pub fn disconnect(&mut self, owner: OwnerId) {
        for subscription in self.held.remove(&owner).unwrap_or_default() {
            self.leave(owner, &subscription);
        }
    }

    /// How many subscriptions an owner has.
    #[must_use]
    pub fn count_of(&self, owner: OwnerId) -> usize {
        self.held.get(&owner).map_or(0, BTreeSet::len)
    }

    /// Hands a signal to everyone who must hear it, through `deliver`, and counts who took it.
    ///
    /// A listener that is full misses the signal and is to be cut. In a group the other members are asked first; only
    /// when all are full, the one whose turn it was is to be cut. Who is to be cut is not asked again.
    pub fn publish(
        &mut self,
        subject: Subject<'_>,
        mut deliver: impl FnMut(OwnerId) -> Delivery,
    ) -> Published {
        let patterns = self.matches(subject);
        let mut tally = Tally::default();
        for owner in self.listeners(&patterns) {
            tally.note(owner, deliver(owner));
        }
        for pattern in &patterns {
            let groups = self.channels.get_mut(pattern).into_iter().flat_map(|channel| &mut channel.groups);
            for (_, group) in groups {
                tally.share(group, &mut deliver);
            }
        }
        Published { count: tally.count, cut: tally.cut.into_iter().collect() }
    }

    /// Every pattern and group that somebody listens to, with the number of listeners, sorted.
    pub fn channels(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>, usize)> {
        self.channels.iter().flat_map(|(pattern, channel)| {
            let each = (!channel.listeners.is_empty()).then_some((&**pattern, None, channel.listeners.len()));
            let groups = channel.groups.iter().map(|(name, group)| (&**pattern, Some(&**name), group.len()));
            each.into_iter().chain(groups)
        })
    }

    /// The patterns that match: the subject's own first.
    fn matches(&self, subject: Subject<'_>) -> Vec<Arc<[u8]>> {
        let exact = self.channels.get_key_value(subject.as_bytes()).map(|(pattern, _)| Arc::clone(pattern));
        exact.into_iter().chain(self.wild.matches(subject)).collect()
    }

    /// Who listens for itself to any of the patterns, each once, in the order of the patterns.
    fn listeners(&self, patterns: &[Arc<[u8]>]) -> Vec<OwnerId> {
        let channels = patterns.iter().filter_map(|pattern| self.channels.get(pattern));
        let all = channels.flat_map(|channel| channel.listeners.iter().copied());
        if patterns.len() < 2 {
            return all.collect();
        }
        let mut seen = BTreeSet::new();
        all.filter(|owner| seen.insert(*owner)).collect()
    }

    /// The subscription of that name, on the bytes that are already here where there are any.
    fn name(&self, pattern: &[u8], group: Option<&[u8]>) -> Subscription {
        let known = self.channels.get_key_value(pattern);
        let known_group = |name| known?.1.groups.get_key_value(name).map(|(name, _)| Arc::clone(name));
        Subscription {
            pattern: known.map_or_else(|| Arc::from(pattern), |(pattern, _)| Arc::clone(pattern)),
            group: group.map(|name| known_group(name).unwrap_or_else(|| Arc::from(name))),
        }
    }

    fn leave(&mut self, owner: OwnerId, subscription: &Subscription) {
        let Some(channel) = self.channels.get_mut(&subscription.pattern) else { return };
        channel.remove(owner, subscription.group.as_deref());
        if channel.is_empty() {
            self.channels.remove(&subscription.pattern);
            if has_wildcard(&subscription.pattern) {
                self.wild.remove(&subscription.pattern);
            }
        }
    }
}

impl Tally {
    fn note(&mut self, owner: OwnerId, delivery: Delivery) {
        match delivery {
            Delivery::Taken => self.count += 1,
            Delivery::Full => {
                self.cut.insert(owner);
            }
        }
    }

    /// Gives the signal to the first member of a group that can take it, beginning with the one whose turn it is.
    fn share(&mut self, group: &mut Group, deliver: &mut impl FnMut(OwnerId) -> Delivery) {
        let primary = group.in_turn().next();
        let taker =
            group.in_turn().find(|member| !self.cut.contains(member) && deliver(*member) == Delivery::Taken);
        match taker {
            Some(_) => self.count += 1,
            None => self.cut.extend(primary),
        }
        if let Some(served) = taker.or(primary) {
            group.serve(served);
        }
    }
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.channels()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_nine_signals_over_three_members_are_thirty_three_each() {
        let mut subscriptions = Subscriptions::new();
        for number in [1, 2, 3] {
            subscriptions.subscribe(owner(number), b"jobs.*", Some(b"workers"));
        }
        let mut heard = BTreeMap::new();
        for _ in 0..99 {
            let (taken, published) = publish(&mut subscriptions, "jobs.new", &[]);
            assert_eq!(published, Published { count: 1, cut: vec![] });
            *heard.entry(taken[0]).or_insert(0) += 1;
        }
        assert_eq!(heard.into_iter().collect::<Vec<_>>(), [(1, 33), (2, 33), (3, 33)]);
    }

    #[test]
    fn who_listens_in_several_ways_hears_a_signal_once_and_those_of_the_exact_subject_first() {
        let mut subscriptions = Subscriptions::new();
        subscriptions.subscribe(owner(1), b"a.*", None);
        subscriptions.subscribe(owner(1), b">", None);
        subscriptions.subscribe(owner(2), b"a.b", None);
        subscriptions.subscribe(owner(2), b"a.*", None);
        let (taken, published) = publish(&mut subscriptions, "a.b", &[]);
        assert_eq!(taken, [2, 1]);
        assert_eq!(published.count, 2);
    }

    #[test]
    fn groups_count_apart_from_each_other_and_from_who_listens_for_itself() {
        let mut subscriptions = Subscriptions::new();
        subscriptions.subscribe(owner(1), b"a", None);
        subscriptions.subscribe(owner(1), b"a", Some(b"g"));
        subscriptions.subscribe(owner(1), b"a", Some(b"h"));
        subscriptions.subscribe(owner(1), b"*", Some(b"g"));
        let (taken, published) = publish(&mut subscriptions, "a", &[]);
        assert_eq!(taken, [1, 1, 1, 1]);
        assert_eq!(published.count, 4);
    }

    #[test]
    fn a_full_listener_is_cut_and_not_counted() {
        let mut subscriptions = Subscriptions::new();
        for number in [1, 2, 3] {
            subscriptions.subscribe(owner(number), b"a", None);
        }
        subscriptions.subscribe(owner(2), b"*", None);
        let (taken, published) = publish(&mut subscriptions, "a", &[2]);
        assert_eq!(taken, [1, 3]);
        assert_eq!(published, Published { count: 2, cut: vec![owner(2)] });
    }

    #[test]
    fn a_full_member_is_passed_over_and_only_when_all_are_full_the_one_in_turn_is_cut() {
        let mut subscriptions = Subscriptions::new();
        for number in [1, 2, 3] {
            subscriptions.subscribe(owner(number), b"a", Some(b"g"));
        }
        let (taken, published) = publish(&mut subscriptions, "a", &[1, 2]);
        assert_eq!((taken, published), (vec![3], Published { count: 1, cut: vec![] }));
        let (taken, published) = publish(&mut subscriptions, "a", &[1, 2, 3]);
        assert_eq!((taken, published), (vec![], Published { count: 0, cut: vec![owner(1)] }));
        let (taken, _) = publish(&mut subscriptions, "a", &[]);
        assert_eq!(taken, [2], "the turn goes on after the one that was cut");
    }

    #[test]
    fn who_is_to_be_cut_is_not_asked_again_by_its_groups() {
        let mut subscriptions = Subscriptions::new();
        subscriptions.subscribe(owner(1), b"a", None);
        subscriptions.subscribe(owner(1), b"a", Some(b"g"));
        subscriptions.subscribe(owner(2), b"a", Some(b"g"));
        let mut asked = Vec::new();
        subscriptions.publish(subject("a"), |owner| {
            asked.push(owner.get());
            if owner.get() == 1 { Delivery::Full } else { Delivery::Taken }
        });
        assert_eq!(asked, [1, 2]);
    }

    #[test]
    fn subscribing_twice_is_one_subscription() {
        let mut subscriptions = Subscriptions::new();
        assert!(subscriptions.subscribe(owner(1), b"a.*", Some(b"g")));
        assert!(!subscriptions.subscribe(owner(1), b"a.*", Some(b"g")));
        assert!(subscriptions.subscribe(owner(1), b"a.*", None));
        assert_eq!(subscriptions.count_of(owner(1)), 2);
        assert!(subscriptions.unsubscribe(owner(1), b"a.*", Some(b"g")));
        assert!(!subscriptions.unsubscribe(owner(1), b"a.*", Some(b"g")));
        assert_eq!(subscriptions.count_of(owner(1)), 1);
        assert!(!subscriptions.is_subscribed(owner(1), b"a.*", Some(b"g")));
        assert!(subscriptions.is_subscribed(owner(1), b"a.*", None));
    }

    #[test]
    fn a_disconnected_owner_leaves_nothing_behind() {
        let mut subscriptions = Subscriptions::new();
        for pattern in [&b"a"[..], b"a.*", b"a.>", b"*.b"] {
            subscriptions.subscribe(owner(1), pattern, None);
            subscriptions.subscribe(owner(1), pattern, Some(b"g"));
        }
        subscriptions.disconnect(owner(1));
        assert_eq!(subscriptions.count_of(owner(1)), 0);
        assert_eq!(subscriptions.channels().count(), 0);
        assert!(subscriptions.held.is_empty());
        assert!(subscriptions.wild.matches(subject("a.b")).is_empty());
    }

    #[test]
    fn channels_are_told_in_order() {
        let mut subscriptions = Subscriptions::new();
        subscriptions.subscribe(owner(1), b"b", Some(b"g"));
        subscriptions.subscribe(owner(2), b"b", Some(b"g"));
        subscriptions.subscribe(owner(1), b"b", Some(b"f"));
        subscriptions.subscribe(owner(2), b"b", None);
        subscriptions.subscribe(owner(2), b"a.*", None);
        let channels: Vec<_> = subscriptions.channels().collect();
        let (f, g) = (Some(&b"f"[..]), Some(&b"g"[..]));
        assert_eq!(channels, [(&b"a.*"[..], None, 1), (b"b", None, 1), (b"b", f, 1), (b"b", g, 2)]);
    }

    /// Who took the signal, in order, when those owners are full.
    fn publish(subscriptions: &mut Subscriptions, about: &str, full: &[u64]) -> (Vec<u64>, Published) {
        let mut taken = Vec::new();
        let published = subscriptions.publish(subject(about), |owner| {
            if full.contains(&owner.get()) {
                return Delivery::Full;
            }
            taken.push(owner.get());
            Delivery::Taken
        });
        (taken, published)
    }

    fn owner(number: u64) -> OwnerId {
        OwnerId::new(number)
    }

    fn subject(about: &str) -> Subject<'_> {
        Subject::new(about.as_bytes()).expect("a subject")
    }
}
