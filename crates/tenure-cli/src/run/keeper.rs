//! Keeping a key: renewing it while the command runs, and giving it back.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::belief::Belief;
use super::hold::{Held, Hold, Loss};
use crate::args::Service;
use crate::clock;
use crate::exit::{Exit, Failure};

/// How long giving back may take.
const GIVE_BACK_MAX: Duration = Duration::from_secs(2);

/// The task that keeps a key.
pub(super) struct Keeper {
    held: Held,
    belief: watch::Receiver<Belief>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Kept>,
}

/// What the keepers have lost.
pub(super) struct Losses {
    sender: mpsc::Sender<Loss>,
    receiver: mpsc::Receiver<Loss>,
}

/// How it ended for one key.
pub(super) enum Ending {
    /// It was held to the end.
    Released,
    /// It was lost.
    Lost(Loss),
    /// It was not ours any more when it was given back.
    Lapsed(String),
    /// Nobody said whether it was still ours.
    Unanswered {
        /// The key.
        key: String,
        /// Why.
        failure: Failure,
    },
}

enum Kept {
    Released,
    Lapsed,
    Lost(Loss),
    Unanswered(Failure),
}

impl Losses {
    /// Room for the loss of so many keys.
    pub(super) fn new(keys: usize) -> Self {
        let (sender, receiver) = mpsc::channel(keys.max(1));
        Self { sender, receiver }
    }

    /// The next loss.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Loss {
        match self.receiver.recv().await {
            Some(loss) => loss,
            // This very value keeps a sender.
            None => std::future::pending().await,
        }
    }
}

impl Keeper {
    /// Starts to keep a key.
    pub(super) fn start(hold: Hold, losses: &Losses) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (publish, belief) = watch::channel(hold.belief());
        let held = hold.held().clone();
        let task = tokio::spawn(keep(hold, publish, stopped, losses.sender.clone()));
        Self { held, belief, stop, task }
    }

    /// What is held.
    pub(super) const fn held(&self) -> &Held {
        &self.held
    }

    /// What its holder may believe.
    pub(super) fn belief(&self) -> Belief {
        *self.belief.borrow()
    }
}

/// Ends the keeping of all of them, and gives back what is still held. Takes at most [`GIVE_BACK_MAX`].
pub(super) async fn give_back(service: &Service, keepers: Vec<Keeper>) -> Vec<Ending> {
    let deadline = clock::now().after(GIVE_BACK_MAX);
    let mut stopped = Vec::with_capacity(keepers.len());
    for keeper in keepers {
        // A keeper that has lost its key has stopped by itself.
        let _ = keeper.stop.send(());
        stopped.push((keeper.held, keeper.task));
    }
    let mut endings = Vec::with_capacity(stopped.len());
    for (held, task) in stopped {
        let ending = match clock::before(deadline, task).await {
            Some(Ok(kept)) => kept,
            Some(Err(_)) | None => {
                Kept::Unanswered(Failure::new(Exit::Unavailable, "the service does not answer"))
            }
        };
        if matches!(&ending, Kept::Lost(loss) if loss.lingers()) {
            let _ = clock::before(deadline, held.release_anew(service)).await;
        }
        endings.push(ending.of(held.shown()));
    }
    endings
}

impl Kept {
    fn of(self, key: String) -> Ending {
        match self {
            Self::Released => Ending::Released,
            Self::Lapsed => Ending::Lapsed(key),
            Self::Lost(loss) => Ending::Lost(loss),
            Self::Unanswered(failure) => Ending::Unanswered { key, failure },
        }
    }
}

async fn keep(
    mut hold: Hold,
    publish: watch::Sender<Belief>,
    mut stopped: oneshot::Receiver<()>,
    losses: mpsc::Sender<Loss>,
) -> Kept {
    let loss = loop {
        let renew_at = hold.belief().renew_at();
        tokio::select! {
            biased;
            _ = &mut stopped => return released(hold.release().await),
            loss = hold.disconnected() => break loss,
            () = clock::sleep_until(renew_at) => {}
        }
        match hold.renew().await {
            Ok(()) => publish.send_replace(hold.belief()),
            Err(loss) => break loss,
        };
    };
    // Nobody receives it once the command has ended; then the ending tells.
    let _ = losses.send(loss.clone()).await;
    Kept::Lost(loss)
}

fn released(answer: Result<bool, Failure>) -> Kept {
    match answer {
        Ok(true) => Kept::Released,
        Ok(false) => Kept::Lapsed,
        Err(failure) => Kept::Unanswered(failure),
    }
}
