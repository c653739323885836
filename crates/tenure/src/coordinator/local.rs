//! The coordinator of this process.

mod claims;
mod inbox;
mod signals;
mod world;

use super::{
    Claim, Coordinator, Enqueued, Grant, Page, Patience, Released, Renewal, Renewed, Reply, Seen, Signal,
};
use crate::{Clock, Error, ErrorKind, Loss, entropy, refusal, runtime};
use inbox::LocalInbox;
use std::fmt;
use std::sync::Arc;
use tenure_core::{
    Fence, Inspection, Instant, Key, Note, OwnerId, Request, Secret, Subject, Token, check_pattern,
    is_payload,
};
use tenure_wire::mux::SIGNAL_LEN_MAX;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use world::World;

/// The coordinator of this process: the engine itself, one call away.
///
/// All that are opened under one name in a process meet the same locks.
pub struct Local {
    world: Arc<World>,
    inbox: Arc<LocalInbox>,
    owner: OwnerId,
    clock: Clock,
    note: Option<Arc<Note>>,
    timer: AbortHandle,
}

impl Local {
    /// The coordinator of that name, or one that nobody else has where the clock is a manual one. It has to be called in a
    /// tokio runtime, whose timer it uses.
    ///
    /// # Errors
    ///
    /// `Invalid` outside a runtime.
    pub fn open(name: &str, clock: &Clock, note: Option<Arc<Note>>) -> Result<Arc<Self>, Error> {
        let runtime = runtime::handle()?;
        let world = if clock.is_manual() { World::new(clock) } else { World::named(name) };
        let owner = world.next_owner();
        let inbox = LocalInbox::new(&world, owner, clock);
        world.hub.connect(owner, Arc::clone(&inbox));
        let timer = runtime.spawn(world::keep_time(Arc::downgrade(&world), clock.clone())).abort_handle();
        Ok(Arc::new(Self { world, inbox, owner, clock: clock.clone(), note, timer }))
    }

    fn request<'a>(&'a self, claim: &'a Claim, patience: Patience) -> Request<'a> {
        let wanted = claim.wanted();
        Request {
            claim: claim.id(),
            owner: self.owner,
            key: claim.key(),
            permits: wanted.permits,
            limit: wanted.limit,
            ttl: wanted.ttl,
            secret: Secret::new(entropy::number()),
            bond: wanted.bond,
            patience: match patience {
                Patience::None => tenure_core::Patience::None,
                Patience::Endless => tenure_core::Patience::Endless,
            },
            note: wanted.note.as_ref().or(self.note.as_ref()),
        }
    }

    fn ask(&self, claim: &Arc<Claim>, patience: Patience) -> Result<Enqueued, Error> {
        let now = self.clock.now();
        let request = self.request(claim, patience);
        let (answer, position) = self.world.hub.call_beside(|engine, claims| {
            let answer = engine.enqueue(now, &request);
            let (fence, position) = match answer {
                tenure_core::Enqueued::Acquired(grant) => (Some(grant.token.fence), None),
                tenure_core::Enqueued::Queued => (None, engine.position(claim.id())),
                tenure_core::Enqueued::Busy => {
                    claims.remove(self.owner, claim.id());
                    return (answer, None);
                }
                tenure_core::Enqueued::Refused(_) => return (answer, None),
            };
            claims.add(self.owner, claim, fence);
            (answer, position)
        });
        match answer {
            tenure_core::Enqueued::Acquired(grant) => {
                let grant = given(grant, now);
                claim.grant(grant);
                Ok(Enqueued::Acquired(grant))
            }
            tenure_core::Enqueued::Queued => Ok(Enqueued::Queued { position: position.unwrap_or(0) }),
            tenure_core::Enqueued::Busy => Ok(Enqueued::Busy),
            tenure_core::Enqueued::Refused(refusal) => Err(refusal::explain(refusal)),
        }
    }

    fn take_over(&self, claim: &Arc<Claim>) -> Option<Grant> {
        let now = self.clock.now();
        let resumed = self.world.hub.call_beside(|engine, claims| {
            let resumed = engine.resume(now, self.owner, claim.key(), claim.id())?;
            claims.add(self.owner, claim, Some(resumed.token.fence));
            Some(resumed)
        });
        let grant = given(resumed?, now);
        claim.grant(grant);
        Some(grant)
    }

    fn renew_one(&self, claim: &Claim) -> Renewed {
        let (now, ttl) = (self.clock.now(), claim.wanted().ttl);
        match self.world.hub.call(|engine| engine.renew_claim(now, self.owner, claim.id(), ttl)) {
            tenure_core::Renewed::Until(_) => Renewed::From { base: now, ttl },
            tenure_core::Renewed::NotHeld => Renewed::Gone,
        }
    }
}

/// A grant of the engine as its owner sees it, when it was asked for at `base`.
fn given(grant: tenure_core::Grant, base: Instant) -> Grant {
    Grant { token: grant.token, ttl: grant.ttl, base }
}

fn released(released: tenure_core::Released) -> Released {
    match released {
        tenure_core::Released::Released => Released::Released,
        tenure_core::Released::NotHeld => Released::Gone,
    }
}

fn bad_subject(error: tenure_core::BadSubject) -> Error {
    Error::with_source(ErrorKind::Invalid, "this is no channel that a signal can go to", error)
}

impl Coordinator for Local {
    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued> {
        Reply::ready(self.ask(claim, patience))
    }

    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant> {
        Reply::coming(async { claim.granted().await.map_err(Error::lost) })
    }

    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>> {
        Reply::ready(Ok(self.take_over(claim)))
    }

    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()> {
        for renewal in renewals {
            renewal.outcome = Some(Ok(self.renew_one(&renewal.claim)));
        }
        Reply::ready(Ok(()))
    }

    fn release<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Released> {
        let now = self.clock.now();
        let (answer, known) = self.world.hub.call_beside(|engine, claims| {
            if claims.is_succeeded(self.owner, claim) {
                return (Released::Gone, None);
            }
            let known = claims.remove(self.owner, claim.id());
            (released(engine.release_own(now, self.owner, claim.id())), known)
        });
        drop(known);
        Reply::ready(Ok(answer))
    }

    fn cancel(&self, claim: &Arc<Claim>) {
        let now = self.clock.now();
        let known = self.world.hub.call_beside(|engine, claims| {
            if claims.is_succeeded(self.owner, claim) {
                return None;
            }
            engine.cancel_own(now, self.owner, claim.id());
            claims.remove(self.owner, claim.id())
        });
        drop(known);
    }

    fn release_token<'a>(&'a self, key: Key<'a>, token: Token) -> Reply<'a, Released> {
        let now = self.clock.now();
        // Nobody has the number zero, so the owner hears of it.
        let by = OwnerId::new(0);
        Reply::ready(Ok(released(self.world.hub.call(|engine| engine.release(now, key, token, by)))))
    }

    fn position<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<u32>> {
        let now = self.clock.now();
        Reply::ready(Ok(self.world.hub.call(|engine| {
            engine.handle_timeout(now);
            engine.position(claim.id())
        })))
    }

    fn follow<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, ()> {
        self.inbox.follow(claim);
        Reply::ready(Ok(()))
    }

    fn inspect<'a>(&'a self, key: Key<'a>) -> Reply<'a, Option<Inspection>> {
        let now = self.clock.now();
        Reply::ready(Ok(self.world.hub.call(|engine| engine.inspect(now, key))))
    }

    fn list<'a>(&'a self, prefix: &'a [u8], cursor: u32) -> Reply<'a, Page> {
        let now = self.clock.now();
        let (keys, next) = self.world.hub.call(|engine| engine.list(now, prefix, cursor));
        Reply::ready(Ok(Page { keys, next }))
    }

    fn watch<'a>(&'a self, key: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>> {
        Reply::ready(Ok(self.inbox.watch(key)))
    }

    fn steal<'a>(&'a self, key: Key<'a>, fence: Option<Fence>, reason: &'a str) -> Reply<'a, u64> {
        let (now, reason) = (self.clock.now(), Arc::from(reason));
        Reply::ready(Ok(self.world.hub.call(|engine| engine.steal(now, key, fence, &reason))))
    }

    fn signal<'a>(&'a self, channel: &'a [u8], payload: &'a [u8]) -> Reply<'a, u64> {
        // What a daemon would refuse is refused here, so that nothing works in tests alone.
        if !is_payload(payload) || channel.len() + payload.len() > SIGNAL_LEN_MAX {
            let text = "a payload is not blank, has no line feed and, with its channel, at most 65527 bytes: encode it";
            return Reply::ready(Err(Error::new(ErrorKind::Invalid, text)));
        }
        let subject = Subject::new(channel).map_err(bad_subject);
        Reply::ready(subject.map(|subject| self.world.signals.publish(subject, payload)))
    }

    fn listen<'a>(&'a self, pattern: &'a [u8], group: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>> {
        let checked = check_pattern(pattern).map_err(bad_subject);
        Reply::ready(checked.map(|_| self.world.signals.listen(pattern, group)))
    }

    fn info(&self) -> Reply<'_, String> {
        let (keys, claims, owners) = self.world.hub.look(tenure_core::Engine::sizes);
        Reply::ready(Ok(format!(
            "{{\"server\":\"memory\",\"version\":\"{}\",\"pid\":{},\"keys\":{keys},\"claims\":{claims},\"owners\":{owners}}}",
            env!("CARGO_PKG_VERSION"),
            std::process::id(),
        )))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.timer.abort();
        self.inbox.close(&self.world);
        for claim in self.world.hub.beside(|claims| claims.take_all(self.owner)) {
            self.cancel(&claim);
            claim.end(Loss::Closed);
        }
        while !self.world.hub.disconnect_some(self.owner, self.clock.now()) {}
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("owner", &self.owner).finish_non_exhaustive()
    }
}
