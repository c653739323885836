//! A coordinator between a client and a real one, where a test makes things go wrong.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenure::coordinator::{
    Claim, Coordinator, Enqueued, Grant, Local, Page, Patience, Released, Renewal, Reply, Seen, Signal,
};
use tenure::{Clock, Error, ErrorKind, Fence, Inspection, Tenure, Token};
use tenure_core::Key;
use tokio::sync::{Semaphore, mpsc};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not asked.
    Unavailable,
    /// It is done, and the answer is lost.
    Indeterminate,
    /// It is refused.
    Denied,
    /// It is done, and the answer takes so long.
    Slow(Duration),
    /// It is done once the test says so, and answered then.
    Late,
    /// It is done, and the answer comes once the test says so.
    AnsweredLate,
}

/// Requests that something can go wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Enqueue,
    Wait,
    Resume,
    Renew,
    Release,
    Position,
    Inspect,
    Info,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    real: Arc<dyn Coordinator>,
    clock: Clock,
    faults: Mutex<VecDeque<(Request, Fault)>>,
    asked: Mutex<Vec<Request>>,
    renewed: Mutex<Vec<usize>>,
    cancelled: AtomicUsize,
    answers: Semaphore,
}

impl Faulty {
    /// One in front of an engine of its own, whose time is that of the clock.
    pub(crate) fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            real: Local::open("", clock, None).expect("a runtime"),
            clock: clock.clone(),
            faults: Mutex::default(),
            asked: Mutex::default(),
            renewed: Mutex::default(),
            cancelled: AtomicUsize::new(0),
            answers: Semaphore::new(0),
        })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Tenure {
        let retry = tenure::Retry::times(2).first(Duration::ZERO);
        Tenure::builder().clock(self.clock.clone()).retry(retry).with_coordinator(Arc::clone(self) as _)
    }

    /// The next requests of a kind go wrong so, one after the other.
    pub(crate) fn fail(&self, request: Request, faults: &[Fault]) {
        self.faults.lock().expect("no panic").extend(faults.iter().map(|fault| (request, *fault)));
    }

    /// Lets one late answer come.
    pub(crate) fn answer(&self) {
        self.answers.add_permits(1);
    }

    /// How many requests of a kind there were.
    pub(crate) fn count(&self, request: Request) -> usize {
        self.asked.lock().expect("no panic").iter().filter(|asked| **asked == request).count()
    }

    /// How many claims each batch of renewals had.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.renewed.lock().expect("no panic").clone()
    }

    pub(crate) fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::SeqCst)
    }

    async fn around<T>(
        &self,
        request: Request,
        act: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match self.next(request) {
            None => act.await,
            Some(Fault::Unavailable) => Err(Error::new(ErrorKind::Unavailable, "nobody is there")),
            Some(Fault::Denied) => Err(Error::new(ErrorKind::Denied, "not you")),
            Some(Fault::Indeterminate) => {
                act.await.and(Err(Error::new(ErrorKind::Indeterminate, "the answer is lost")))
            }
            Some(Fault::Slow(span)) => {
                let answer = act.await;
                self.clock.advance(span);
                answer
            }
            Some(Fault::Late) => {
                self.permission().await;
                act.await
            }
            Some(Fault::AnsweredLate) => {
                let answer = act.await;
                self.permission().await;
                answer
            }
        }
    }

    async fn permission(&self) {
        self.answers.acquire().await.expect("it is open").forget();
    }

    fn next(&self, request: Request) -> Option<Fault> {
        self.asked.lock().expect("no panic").push(request);
        let mut faults = self.faults.lock().expect("no panic");
        let at = faults.iter().position(|(of, _)| *of == request)?;
        faults.remove(at).map(|(_, fault)| fault)
    }
}

impl Coordinator for Faulty {
    fn enqueue<'a>(&'a self, claim: &'a Arc<Claim>, patience: Patience) -> Reply<'a, Enqueued> {
        Reply::coming(self.around(Request::Enqueue, async move { self.real.enqueue(claim, patience).await }))
    }

    fn wait<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Grant> {
        Reply::coming(self.around(Request::Wait, self.real.wait(claim)))
    }

    fn resume<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<Grant>> {
        Reply::coming(self.around(Request::Resume, async move { self.real.resume(claim).await }))
    }

    fn renew<'a>(&'a self, renewals: &'a mut [Renewal]) -> Reply<'a, ()> {
        self.renewed.lock().expect("no panic").push(renewals.len());
        Reply::coming(self.around(Request::Renew, async move { self.real.renew(renewals).await }))
    }

    fn release<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Released> {
        Reply::coming(self.around(Request::Release, async move { self.real.release(claim).await }))
    }

    fn cancel(&self, claim: &Arc<Claim>) {
        self.cancelled.fetch_add(1, Ordering::SeqCst);
        self.real.cancel(claim);
    }

    fn release_token<'a>(&'a self, key: Key<'a>, token: Token) -> Reply<'a, Released> {
        self.real.release_token(key, token)
    }

    fn position<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, Option<u32>> {
        Reply::coming(self.around(Request::Position, self.real.position(claim)))
    }

    fn follow<'a>(&'a self, claim: &'a Arc<Claim>) -> Reply<'a, ()> {
        self.real.follow(claim)
    }

    fn inspect<'a>(&'a self, key: Key<'a>) -> Reply<'a, Option<Inspection>> {
        Reply::coming(self.around(Request::Inspect, self.real.inspect(key)))
    }

    fn list<'a>(&'a self, prefix: &'a [u8], cursor: u32) -> Reply<'a, Page> {
        self.real.list(prefix, cursor)
    }

    fn watch<'a>(&'a self, key: Key<'a>) -> Reply<'a, mpsc::Receiver<Seen>> {
        self.real.watch(key)
    }

    fn steal<'a>(&'a self, key: Key<'a>, fence: Option<Fence>, reason: &'a str) -> Reply<'a, u64> {
        self.real.steal(key, fence, reason)
    }

    fn signal<'a>(&'a self, channel: &'a [u8], payload: &'a [u8]) -> Reply<'a, u64> {
        self.real.signal(channel, payload)
    }

    fn listen<'a>(&'a self, pattern: &'a [u8], group: &'a [u8]) -> Reply<'a, mpsc::Receiver<Signal>> {
        self.real.listen(pattern, group)
    }

    fn info(&self) -> Reply<'_, String> {
        Reply::coming(self.around(Request::Info, self.real.info()))
    }
}
