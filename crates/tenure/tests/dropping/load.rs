//! Others who use the same keys.

use crate::bed::{Bed, SEATS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tenure::{Guard, Tenure};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

const TASKS: usize = 8;

/// Tasks that acquire, hold a while, and give back, until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Load {
    /// They have all begun when it returns.
    pub(crate) async fn start(bed: &Bed) -> Self {
        let (stop, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
        let mut tasks = JoinSet::new();
        for number in 0..TASKS {
            let client = bed.others[number % bed.others.len()].clone();
            tasks.spawn(work(client, Arc::clone(&begun), Arc::clone(&stop)));
        }
        begun.acquire_many(TASKS as u32).await.expect("it is open").forget();
        Self { stop, tasks }
    }

    /// Lets them finish.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
    }
}

async fn work(client: Tenure, begun: Arc<Semaphore>, stop: Arc<AtomicBool>) {
    let mut news = Some(begun);
    while !stop.load(Ordering::Relaxed) {
        let guard = acquire(&client).await;
        news.take().iter().for_each(|begun| begun.add_permits(1));
        for _ in 0..fastrand::usize(..8) {
            yield_now().await;
        }
        if fastrand::bool() {
            guard.release().await.expect("an answer");
        }
    }
}

async fn acquire(client: &Tenure) -> Guard {
    let acquired = match fastrand::usize(..6) {
        0 => client.semaphore("seats", SEATS).acquire_many(fastrand::u32(1..=SEATS)).await,
        1 => client.rw_lock("index").read().await,
        2 => client.rw_lock("index").write().await,
        3 => client.lock("chair").acquire().await,
        _ => client.lock("shared").acquire().await,
    };
    acquired.expect("its turn comes")
}
