//! What the peer is told without having asked.

use super::follow::as_key;
use super::{BATCH_MAX, Mux, push, refusals};
use crate::door::Flow;
use crate::mailbox::Mail;
use tenure_core::{Change, ClaimId, Ending, Fence, Instant};
use tenure_wire::mux::Push;

/// Why a claim is lost that was found again from elsewhere.
const TAKEN_OVER: &str = "another connection has taken over the claim with its id";

/// Room for so many claims whose turns have come is kept by a connection that has none.
const TURNS_KEPT: usize = 4;

impl Mux {
    /// Takes note of a piece of mail, and tells the peer.
    pub(crate) fn receive(&mut self, now: Instant, mail: Mail, out: &mut Vec<u8>) -> Flow {
        match mail {
            Mail::Claim { claim, change: Change::Ready, .. } => return self.take_turns(now, claim, out),
            Mail::Claim { claim, fence, change } => tell_of_loss(claim, fence, &change, out),
            Mail::Signal(letter) => {
                push(out, &Push::Signal { channel: letter.subject(), payload: letter.payload() });
            }
            Mail::Changed(changed) => {
                let (key, observation) = (&changed.0, changed.1.clone());
                let watches = self.peer.mailbox.watching(|watching| watching.watches(key));
                if let Some(key) = as_key(key).filter(|_| watches) {
                    push(out, &Push::Changed { key, observation });
                }
            }
            Mail::Missed => push(out, &Push::Missed),
            Mail::Moved(keys) => {
                self.follows.note(keys);
                if self.follows.due().is_some_and(|due| due <= now) {
                    return self.tell_positions(now, out);
                }
            }
            Mail::Drain => self.tell_of_draining(now, out),
            Mail::Superseded => return self.turn_away(0, &refusals::superseded(), out),
        }
        Flow::Next
    }

    /// Takes the grants of claims whose turns have come. Their leases start when the peer is told, after everything that it
    /// was told before. A daemon about to stop has told it that nothing will come any more, and lets the next have them.
    fn take_turns(&mut self, now: Instant, first: ClaimId, out: &mut Vec<u8>) -> Flow {
        let mut turns = std::mem::take(&mut self.turns);
        turns.push(first);
        self.peer.mailbox.take_turns(&mut turns, BATCH_MAX);
        let (owner, draining) = (self.peer.owner, self.shared().is_draining());
        let taken = self.ask(|engine| {
            for claim in turns.drain(..) {
                // A grant that has ended, or gone elsewhere, by now is told of by the mail behind this.
                let Some(grant) = engine.take_offered(now, owner, claim) else { continue };
                if draining {
                    engine.release_claim(now, claim);
                    continue;
                }
                push(out, &Push::Granted { claim, token: grant.token, ttl: grant.ttl });
            }
        });
        if turns.capacity() <= TURNS_KEPT {
            self.turns = turns;
        }
        match taken {
            Ok(()) => Flow::Next,
            Err(super::Superseded) => self.turn_away(0, &refusals::superseded(), out),
        }
    }
}

fn tell_of_loss(claim: ClaimId, fence: Option<Fence>, change: &Change, out: &mut Vec<u8>) {
    let (ending, reason) = match change {
        Change::TimedOut | Change::Lapsed => (Ending::Lapsed, ""),
        Change::Released => (Ending::Released, ""),
        Change::Stolen(reason) => (Ending::Stolen, &**reason),
        Change::TakenOver => (Ending::Stolen, TAKEN_OVER),
        // Its grant is taken instead.
        Change::Ready => return,
    };
    push(out, &Push::Lost { claim, ending, reason, fence });
}
