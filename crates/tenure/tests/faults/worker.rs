//! The program whose faults are looked at: it acquires, works, and releases, for ever, and says what it believes.

use crate::TTL;
use crate::history::Line;
use std::io::Write as _;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use tenure::{Bond, Clock, Error, Guard, Instant, Lock, Retry, Tenure};

/// The variable that makes a process a worker. It holds its [`Orders`].
pub(crate) const VARIABLE: &str = "TENURE_FAULTS_WORKER";

/// The lock that everyone wants.
pub(crate) const KEY: &str = "one at a time";

/// How often it looks at its guard.
const LOOK: Duration = Duration::from_millis(5);

/// What a worker is told.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    pub(crate) url: String,
    pub(crate) bond: Bond,
    /// How long it works with the lock: a span between these.
    pub(crate) work: (Duration, Duration),
    /// It does what no program should: it believes until it is ready, whatever its guard says.
    pub(crate) blind: bool,
}

impl Orders {
    pub(crate) fn text(&self) -> String {
        let bond = if self.bond == Bond::Connection { "connection" } else { "resumable" };
        let (least, most) = (self.work.0.as_millis(), self.work.1.as_millis());
        format!("{} {bond} {least} {most} {}", self.url, self.blind)
    }
}

impl FromStr for Orders {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        let &[url, bond, least, most, blind] = words.as_slice() else { return Err(()) };
        let bond = if bond == "connection" { Bond::Connection } else { Bond::Resumable };
        let millis = |text: &str| text.parse().map(Duration::from_millis).map_err(|_| ());
        Ok(Self { url: url.to_owned(), bond, work: (millis(least)?, millis(most)?), blind: blind == "true" })
    }
}

/// Works until it is killed.
pub(crate) fn run(orders: &str) -> ExitCode {
    let Ok(orders) = orders.parse::<Orders>() else { return ExitCode::FAILURE };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(work_for_ever(orders)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&Line::Failed { at: Clock::system().now(), why: format!("{error:?}") });
            ExitCode::FAILURE
        }
    }
}

async fn work_for_ever(orders: Orders) -> Result<(), Error> {
    let clock = Clock::system();
    let tenure = Tenure::builder().retry(Retry::forever()).bond(orders.bond).connect(&orders.url).await?;
    let lock = tenure.lock(KEY).ttl(TTL);
    loop {
        if let Err(error) = turn(&lock, &clock, &orders).await {
            say(&Line::Failed { at: clock.now(), why: error.to_string() });
            clock.sleep(LOOK).await;
        }
    }
}

/// One acquire, one release.
async fn turn(lock: &Lock, clock: &Clock, orders: &Orders) -> Result<(), Error> {
    say(&Line::Asks { at: clock.now() });
    let guard = lock.acquire().await?;
    let believes_until = |guard: &Guard| if orders.blind { Instant::MAX } else { guard.deadline() };
    say(&Line::Holds { at: clock.now(), fence: guard.fence().get(), deadline: believes_until(&guard) });
    let (least, most) = orders.work;
    let ready = clock.now().after(least + (most - least).mul_f64(fastrand::f64()));
    if orders.blind {
        clock.sleep_until(ready).await;
    } else if !work(&guard, clock, ready).await {
        return Ok(());
    }
    say(&Line::Releases { at: clock.now(), deadline: believes_until(&guard) });
    let released = guard.release().await?;
    say(&Line::Released { at: clock.now(), how: format!("{released:?}") });
    Ok(())
}

/// Works until then, as long as it believes; whether it does to the end.
async fn work(guard: &Guard, clock: &Clock, ready: Instant) -> bool {
    let mut deadline = guard.deadline();
    while !guard.is_lost() && clock.now() < ready {
        if guard.deadline() != deadline {
            deadline = guard.deadline();
            say(&Line::Renewed { at: clock.now(), deadline });
        }
        let _ = clock.before(clock.now().after(LOOK), guard.lost()).await;
    }
    if !guard.is_lost() {
        return true;
    }
    let (at, deadline) = (clock.now(), guard.deadline());
    let cause = guard.lost().await.as_str().to_owned();
    say(&Line::Lost { at, deadline, cause });
    false
}

/// Whoever does not hear it any more needs no worker.
fn say(line: &Line) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(1);
    }
}
