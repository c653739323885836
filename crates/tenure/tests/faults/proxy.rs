//! What is between a worker and the daemon, and goes wrong at a certain message.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenure::Clock;
use tenure_wire::mux::{
    FRAME_LEN_MAX, Frame, Framed, Message, PREFACE, Push, Request, decode_message, decode_request, next_frame,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How far a worker has come: what it says, or hears, when something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It connects.
    Hello,
    /// It asks for the lock.
    Enqueue,
    /// It hears that its turn has come.
    Granted,
    Renew,
    Release,
}

/// All steps of acquiring, holding and releasing.
pub(crate) const STEPS: [Step; 4] = [Step::Enqueue, Step::Granted, Step::Renew, Step::Release];

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is cut, and the message is lost.
    Cut,
    /// The message arrives, and the connection is cut when it is answered: the answer is lost.
    CutAnswer,
    /// Nothing gets through any more for so long, neither here nor there, and then the connection is cut.
    Stall(Duration),
    /// The daemon's side is cut, and nothing gets through to the worker for so long.
    HalfOpen(Duration),
    /// The message and all that comes later arrive so much later.
    Delay(Duration),
    /// The message, and all that comes later, waits until the test lets it [go](Proxy::go).
    Hold,
    /// The same for its answer.
    HoldAnswer,
}

/// A way to the daemon.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    plan: Arc<Plan>,
}

struct Plan {
    next: Mutex<Option<(Step, Fault)>>,
    hits: Semaphore,
    goes: Semaphore,
}

impl Proxy {
    pub(crate) async fn start(daemon: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let plan =
            Arc::new(Plan { next: Mutex::default(), hits: Semaphore::new(0), goes: Semaphore::new(0) });
        let known = Arc::clone(&plan);
        tokio::spawn(async move {
            loop {
                let (worker, _) = listener.accept().await.expect("accepted");
                let plan = Arc::clone(&known);
                tokio::spawn(async move {
                    let daemon = TcpStream::connect(daemon).await.expect("the daemon is there");
                    for stream in [&worker, &daemon] {
                        stream.set_nodelay(true).expect("a TCP connection");
                    }
                    Pipes { worker, daemon, plan, awaits_answer: None }.run().await;
                });
            }
        });
        Self { address, plan }
    }

    /// Lets something go wrong when the next worker gets there, and waits until it does.
    pub(crate) async fn fail(&self, step: Step, fault: Fault) {
        self.arm(step, fault);
        self.hit().await;
    }

    /// Lets something go wrong when the next worker gets there.
    pub(crate) fn arm(&self, step: Step, fault: Fault) {
        *self.plan.next.lock().expect("no panic") = Some((step, fault));
    }

    /// Waits until it does.
    pub(crate) async fn hit(&self) {
        crate::soon("the fault", self.plan.hits.acquire()).await.expect("it is open").forget();
    }

    /// Lets go of what is held.
    pub(crate) fn go(&self) {
        self.plan.goes.add_permits(1);
    }
}

impl Plan {
    /// What goes wrong now, if anything.
    fn take(&self, now: Step) -> Option<Fault> {
        self.next.lock().expect("no panic").take_if(|(step, _)| *step == now).map(|(_, fault)| fault)
    }

    fn hit(&self) {
        self.hits.add_permits(1);
    }
}

/// The two connections of one worker.
struct Pipes {
    worker: TcpStream,
    daemon: TcpStream,
    plan: Arc<Plan>,
    /// What goes wrong when the daemon answers.
    awaits_answer: Option<Fault>,
}

/// The connection is over.
struct Over;

impl Pipes {
    /// Moves bytes until either side, or a fault, has had enough.
    async fn run(mut self) {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        loop {
            let moved = tokio::select! {
                read = self.worker.read_buf(&mut up) => match read {
                    Ok(1..) => self.pass_up(&mut up).await,
                    Ok(0) | Err(_) => return,
                },
                read = self.daemon.read_buf(&mut down) => match read {
                    Ok(1..) => self.pass_down(&mut down).await,
                    Ok(0) | Err(_) => return,
                },
            };
            if moved.is_err() {
                return;
            }
        }
    }

    async fn pass_up(&mut self, bytes: &mut Vec<u8>) -> Result<(), Over> {
        while let Some((len, step)) = first(bytes, |frame| match decode_request(frame) {
            Ok(Request::Hello(_)) => Some(Step::Hello),
            Ok(Request::Enqueue(_)) => Some(Step::Enqueue),
            Ok(Request::Renew { .. }) => Some(Step::Renew),
            Ok(Request::Release { .. }) => Some(Step::Release),
            Ok(_) | Err(_) => None,
        }) {
            match step.and_then(|step| self.plan.take(step)) {
                fault @ Some(Fault::CutAnswer | Fault::HoldAnswer) => self.awaits_answer = fault,
                Some(fault) => self.suffer(fault).await?,
                None => {}
            }
            let message: Vec<u8> = bytes.drain(..len).collect();
            self.daemon.write_all(&message).await.map_err(|_| Over)?;
        }
        Ok(())
    }

    async fn pass_down(&mut self, bytes: &mut Vec<u8>) -> Result<(), Over> {
        match self.awaits_answer.take() {
            Some(Fault::HoldAnswer) => self.suffer(Fault::Hold).await?,
            Some(_) => self.suffer(Fault::Cut).await?,
            None => {}
        }
        while let Some((len, step)) = first(bytes, |frame| match decode_message(frame) {
            Ok(Message::Push(Push::Granted { .. })) => Some(Step::Granted),
            Ok(_) | Err(_) => None,
        }) {
            if let Some(fault) = step.and_then(|step| self.plan.take(step)) {
                self.suffer(fault).await?;
            }
            let message: Vec<u8> = bytes.drain(..len).collect();
            self.worker.write_all(&message).await.map_err(|_| Over)?;
        }
        Ok(())
    }

    async fn suffer(&mut self, fault: Fault) -> Result<(), Over> {
        self.plan.hit();
        match fault {
            Fault::Cut | Fault::CutAnswer => Err(Over),
            Fault::Stall(span) => {
                Clock::system().sleep(span).await;
                Err(Over)
            }
            Fault::HalfOpen(span) => {
                let _ = self.daemon.shutdown().await;
                Clock::system().sleep(span).await;
                Err(Over)
            }
            Fault::Delay(span) => {
                Clock::system().sleep(span).await;
                Ok(())
            }
            Fault::Hold | Fault::HoldAnswer => {
                self.plan.goes.acquire().await.expect("it is open").forget();
                Ok(())
            }
        }
    }
}

/// How long the first whole message is, and which step it is.
fn first(bytes: &[u8], step: impl FnOnce(&Frame<'_>) -> Option<Step>) -> Option<(usize, Option<Step>)> {
    let preface = if bytes.starts_with(&PREFACE) { PREFACE.len() } else { 0 };
    match next_frame(&bytes[preface..], FRAME_LEN_MAX) {
        Framed::Whole(frame) => Some((preface + frame.len, step(&frame))),
        Framed::Incomplete => None,
        Framed::TooLong { .. } | Framed::Malformed => panic!("this is not the protocol: {bytes:?}"),
    }
}
