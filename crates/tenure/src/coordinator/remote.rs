//! The coordinator of a daemon.

mod answer;
mod asking;
mod claims;
mod connection;
mod driver;
mod effects;
mod hello;
mod interests;
mod link;
mod owed;
mod pipe;
mod recovery;
mod refused;
mod renewing;
mod settling;
mod slots;
mod state;
mod trouble;
mod words;

use super::{
    Claim, Coordinator, Enqueued, Grant, Page, Patience, Released, Renewal, Reply, Seen, Signal, Standing,
};
use crate::net::Address;
use crate::options::Options;
use crate::{Error, ErrorKind, entropy};
use answer::Answer;
use driver::End;
use link::{Link, odd};
use renewing::Renewing;
use slots::{About, Answered};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tenure_core::{Ending, Fence, Inspection, Key, Token, check_pattern};
use tenure_wire::mux::Request;
use tokio::sync::mpsc;

/// The coordinator of a daemon, which it speaks the multiplexed protocol with: one connection carries all claims.
///
/// When the connection breaks there is soon another one. Claims that outlive a connection are found again, those in line at
/// their place; requests whose answer was lost are asked again. Nobody waits for a connection longer than the
/// [connect timeout](Options::connect_timeout).
///
/// One task moves the bytes, in the runtime that it was connected in, and ends with the last reference to it.
pub struct Remote {
    link: Arc<Link>,
}

impl Remote {
    /// Connects to the daemon at an address.
    ///
    /// # Errors
    ///
    /// `Unavailable` when there is no service, or none that answers in time or is trusted; `Denied` when it does not accept
    /// the secret; `Unsupported` when it is something else than a daemon that knows the protocol; `Draining` when it is
    /// about to stop; `Invalid` when the options cannot be used.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn connect(address: Address, options: &Options) -> Result<Arc<Self>, Error> {
        let link = Arc::new(Link::new(address, options.clone()));
        let session = entropy::wide();
        let connected = hello::open(&link, session).await?;
        link.restore(connected.greeted);
        tokio::spawn(driver::drive(End(Arc::clone(&link)), session, connected));
        Ok(Arc::new(Self { link }))
    }

    /// How a release went whose first answer was lost, when the service knows of no such grant now.
    async fn how_it_ended(&self, claim: &Claim) -> Result<Released, Error> {
        let Standing::Granted(grant) = claim.standing() else { return Ok(Released::Gone) };
        let past = self.look(claim.key()).await?.map_or(Vec::new(), |inspection| inspection.past);
        let ended = past.iter().find(|past| past.fence == grant.token.fence).map(|past| past.ending);
        Ok(if ended == Some(Ending::Released) { Released::Released } else { Released::Gone })
    }

    async fn look(&self, key: Key<'_>) -> Result<Option<Inspection>, Error> {
        self.link.ask_one(About::Question, Request::Inspect { key }, Answer::inspection).await
    }

    /// A member of a group has a connection of its own: what a service sends to one connection does not say which of its
    /// patterns and groups it is for.
    async fn join(&self, pattern: &[u8], group: &[u8]) -> Result<mpsc::Receiver<Signal>, Error> {
        let member = Self::connect(self.link.address.clone(), &self.link.options).await?;
        let receiver = member.link.listen(pattern, group).await?;
        let (sender, forwarded) = mpsc::channel(1);
        tokio::spawn(forward(member, receiver, sender));
        Ok(forwarded)
    }
}

/// Hands on what a member of a group hears, and ends its connection with its receiver.
async fn forward(member: Arc<Remote>, mut from: mpsc::Receiver<Signal>, to: mpsc::Sender<Signal>) {
    loop {
        let signal = tokio::select! {
            () = to.closed() => break,
            signal = from.recv() => signal,
        };
        let Some(signal) = signal else { break };
        if to.send(signal).await.is_err() {
            break;
        }
    }
    drop(member);
}

impl Coordinator for Remote {
    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued> {
        let asking = self.link.ask_for(About::Enqueue(claim.id()), words::enqueue(claim, patience), claim);
        Reply::coming(async move {
            let Answered { answer, sent, .. } = asking.await?;
            let enqueued = answer?.enqueued(sent).ok_or_else(odd)?;
            if let Enqueued::Acquired(grant) = enqueued {
                claim.grant(grant);
            }
            Ok(enqueued)
        })
    }

    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant> {
        Reply::coming(async move {
            // It failed, and its owner was told so and waits again.
            if self.link.is_out_of_line(claim)
                && let Enqueued::Acquired(grant) = self.enqueue(claim, Patience::Endless).await?
            {
                return Ok(grant);
            }
            let mut granted = pin!(claim.granted());
            poll_fn(|cx| match granted.as_mut().poll(cx) {
                Poll::Ready(answer) => Poll::Ready(answer.map_err(Error::lost)),
                Poll::Pending => self.link.poll_trouble(claim, cx).map(Err),
            })
            .await
        })
    }

    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>> {
        let request = Request::Resume { claim: claim.id(), key: claim.key() };
        let asking = self.link.ask_for(About::Resume(claim.id()), request, claim);
        Reply::coming(async move {
            let Answered { answer, sent, .. } = asking.await?;
            let granted = answer?.granted(sent).ok_or_else(odd)?;
            granted.into_iter().for_each(|grant| claim.grant(grant));
            Ok(granted)
        })
    }

    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()> {
        Reply::coming(Renewing::new(&self.link, renewals))
    }

    fn release<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Released> {
        let about = About::Release(claim.id(), claim.wanted().ttl);
        let asking = self.link.ask_for(about, Request::Release { claim: claim.id() }, claim);
        Reply::coming(async move {
            let Answered { answer, tried, .. } = asking.await?;
            let released = answer?.released().ok_or_else(odd)?;
            if tried && released == Released::Gone { self.how_it_ended(claim).await } else { Ok(released) }
        })
    }

    fn cancel(&self, claim: &Arc<Claim>) {
        self.link.cancel(claim);
    }

    fn release_token<'a>(&'a self, key: Key<'a>, token: Token) -> Reply<'a, Released> {
        Reply::coming(self.link.ask_one(
            About::Question,
            Request::ReleaseToken { key, token },
            Answer::released,
        ))
    }

    fn position<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<u32>> {
        let request = Request::Position { claim: claim.id() };
        Reply::coming(self.link.ask_one(About::Question, request, Answer::position))
    }

    fn follow<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, ()> {
        Reply::coming(self.link.follow(claim))
    }

    fn inspect<'a>(&'a self, key: Key<'a>) -> Reply<'a, Option<Inspection>> {
        Reply::coming(self.look(key))
    }

    fn list<'a>(&'a self, prefix: &'a [u8], cursor: u32) -> Reply<'a, Page> {
        Reply::coming(self.link.ask_one(About::Question, Request::List { prefix, cursor }, Answer::page))
    }

    fn watch<'a>(&'a self, key: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>> {
        Reply::coming(self.link.watch(key))
    }

    fn steal<'a>(&'a self, key: Key<'a>, fence: Option<Fence>, reason: &'a str) -> Reply<'a, u64> {
        Reply::coming(self.link.ask_one(About::Once, Request::Steal { key, fence, reason }, Answer::count))
    }

    fn signal<'a>(&'a self, channel: &'a [u8], payload: &'a [u8]) -> Reply<'a, u64> {
        Reply::coming(self.link.ask_one(About::Once, Request::Signal { channel, payload }, Answer::count))
    }

    fn listen<'a>(&'a self, pattern: &'a [u8], group: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>> {
        if let Err(error) = check_pattern(pattern) {
            let what = "this is no pattern of channels";
            return Reply::ready(Err(Error::with_source(ErrorKind::Invalid, what, error)));
        }
        if group.is_empty() {
            return Reply::coming(self.link.listen(pattern, group));
        }
        Reply::coming(self.join(pattern, group))
    }

    fn info(&self) -> Reply<'_, String> {
        Reply::coming(self.link.ask_one(About::Question, Request::Info, Answer::info))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.link.close("the client was closed");
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("address", &self.link.address).finish_non_exhaustive()
    }
}
