//! Taking grants away.

use super::{Change, Ending, Engine};
use crate::{Fence, Instant, Key};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Engine {
    /// Takes the grants of a key away from their owners, who hear of it and why: all of them, or that of one fence. Those in
    /// line come next, in their order. How many grants it were.
    pub fn steal(&mut self, now: Instant, key: Key<'_>, fence: Option<Fence>, reason: &Arc<str>) -> u64 {
        self.handle_timeout(now);
        let Some(queue) = self.queues.find(key) else { return 0 };
        let holders = self.queues.at(queue).queue.holders();
        let meant = holders.filter(|(held, _)| fence.is_none_or(|fence| fence == *held));
        let slots: Vec<u32> = meant.map(|(_, share)| share.claim).collect();
        for slot in &slots {
            self.tell(*slot, Change::Stolen(Arc::clone(reason)));
            self.end_because(*slot, Ending::Stolen, Some(reason));
        }
        slots.len() as u64
    }
}
