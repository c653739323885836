//! Who listens to one pattern, and whose turn it is in each of its groups.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::ops::Bound;

use crate::owner::OwnerId;

/// The listeners of one pattern: each for itself, or in groups that share the work.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) listeners: BTreeSet<OwnerId>,
    pub(super) groups: BTreeMap<Arc<[u8]>, Group>,
}

/// Listeners of which each signal reaches one, in turn.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: BTreeSet<OwnerId>,
    /// Who had the last signal: the turn goes to the next in order, whoever has come or gone since.
    served: Option<OwnerId>,
}

impl Channel {
    pub(super) fn contains(&self, owner: OwnerId, group: Option<&[u8]>) -> bool {
        match group {
            None => self.listeners.contains(&owner),
            Some(name) => self.groups.get(name).is_some_and(|group| group.members.contains(&owner)),
        }
    }

    /// Adds a listener. `false` when it is there.
    pub(super) fn insert(&mut self, owner: OwnerId, group: Option<&Arc<[u8]>>) -> bool {
        match group {
            None => self.listeners.insert(owner),
            Some(name) => self.groups.entry(Arc::clone(name)).or_default().members.insert(owner),
        }
    }

    /// Takes a listener away, and its group with the last member.
    pub(super) fn remove(&mut self, owner: OwnerId, group: Option<&[u8]>) {
        let Some(name) = group else {
            self.listeners.remove(&owner);
            return;
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.members.remove(&owner);
            if group.members.is_empty() {
                self.groups.remove(name);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listeners.is_empty() && self.groups.is_empty()
    }
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// All members, beginning with the one whose turn it is.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = OwnerId> {
        let (after, up_to) = match self.served {
            Some(owner) => (Bound::Excluded(owner), Bound::Included(owner)),
            // An open start takes everyone; then nobody is left for the second round.
            None => (Bound::Unbounded, Bound::Excluded(OwnerId::new(0))),
        };
        let later = self.members.range((after, Bound::Unbounded));
        later.chain(self.members.range((Bound::Unbounded, up_to))).copied()
    }

    /// Notes who had a signal, so that the turn goes on.
    pub(super) fn serve(&mut self, owner: OwnerId) {
        self.served = Some(owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_goes_round_whoever_comes_and_goes() {
        let mut channel = Channel::default();
        let name: Arc<[u8]> = Arc::from(&b"workers"[..]);
        for number in [2, 4, 6] {
            assert!(channel.insert(OwnerId::new(number), Some(&name)));
        }
        assert_eq!(turns(&channel), [2, 4, 6]);
        serve(&mut channel, 4);
        assert_eq!(turns(&channel), [6, 2, 4]);
        channel.remove(OwnerId::new(4), Some(&name));
        assert_eq!(turns(&channel), [6, 2]);
        channel.insert(OwnerId::new(5), Some(&name));
        assert_eq!(turns(&channel), [5, 6, 2]);
    }

    #[test]
    fn a_group_goes_with_its_last_member() {
        let mut channel = Channel::default();
        channel.insert(OwnerId::new(0), Some(&Arc::from(&b"workers"[..])));
        channel.remove(OwnerId::new(1), Some(b"workers"));
        assert!(!channel.is_empty());
        channel.remove(OwnerId::new(0), Some(b"workers"));
        assert!(channel.is_empty());
    }

    fn turns(channel: &Channel) -> Vec<u64> {
        channel.groups[&b"workers"[..]].in_turn().map(OwnerId::get).collect()
    }

    fn serve(channel: &mut Channel, number: u64) {
        channel.groups.get_mut(&b"workers"[..]).expect("the group").serve(OwnerId::new(number));
    }
}
