//! Why a lock is not enough, and what is: two writers, one of them stopped at the worst moment, on a table in SQLite.
//!
//! ```console
//! $ cargo run --quiet --package tenure-examples --bin fenced_write
//! without the fence: 100 and 1 were paid in, and the ledger says 1
//! with the fence: a late write was refused; 100 and 1 were paid in, and the ledger says 101
//! ```
//!
//! The slow writer reads the total under the lock, and is stopped then: its thread stands still, so nothing renews its lease.
//! The lease ends, the quick writer has the lock, pays in 100 and is done. The slow one runs again and writes what it had
//! worked out before. It could look at [`Guard::is_lost`](tenure::Guard::is_lost) first, and would be stopped right after
//! that look instead. So the table itself refuses writes that are older than what it has seen.
#![allow(clippy::print_stdout, reason = "this is what it has to show")]

use rusqlite::{Connection, params};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tenure::{Lock, Tenure};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const UNFENCED: &str = "UPDATE ledger SET total = ?1, fence = ?2";
const FENCED: &str = "UPDATE ledger SET total = ?1, fence = ?2 WHERE fence <= ?2";

fn main() -> Result<()> {
    run("without the fence", UNFENCED)?;
    run("with the fence", FENCED)
}

/// Both writers, each in a thread of its own, as if they were two programs.
fn run(how: &str, update: &'static str) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("fenced-write-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("ledger.db");
    let db = Connection::open(&file)?;
    db.execute_batch("CREATE TABLE ledger (total INTEGER, fence INTEGER); INSERT INTO ledger VALUES (0, 0)")?;

    let ((has_read, when_read), (has_written, when_written)) = (channel(), channel());
    let other = Connection::open(&file)?;
    let slow = std::thread::spawn(move || slow_writer(&other, update, &has_read, &when_written));
    when_read.recv()?;
    quick_writer(&db, update)?;
    has_written.send(())?;
    let refused = slow.join().expect("it does not panic")?;

    let refused = if refused { " a late write was refused;" } else { "" };
    println!("{how}:{refused} 100 and 1 were paid in, and the ledger says {}", total(&db)?);
    Ok(std::fs::remove_dir_all(folder)?)
}

/// Pays in 1, and is stopped between reading and writing; whether it was refused and had to do it again.
#[tokio::main(flavor = "current_thread")]
async fn slow_writer(db: &Connection, update: &str, read: &Sender<()>, go_on: &Receiver<()>) -> Result<bool> {
    let lock = connect().await?;
    let guard = lock.acquire().await?;
    let (before, fence) = (total(db)?, guard.fence().get() as i64);
    read.send(())?;
    go_on.recv()?; // Nothing runs in this thread meanwhile, whatever the reason: a collection, a debugger, a swapped page.
    if db.execute(update, params![before + 1, fence])? > 0 {
        return Ok(false);
    }
    pay_in(db, update, &lock, 1).await?;
    Ok(true)
}

#[tokio::main(flavor = "current_thread")]
async fn quick_writer(db: &Connection, update: &str) -> Result<()> {
    let lock = connect().await?;
    pay_in(db, update, &lock, 100).await
}

async fn pay_in(db: &Connection, update: &str, lock: &Lock, amount: i64) -> Result<()> {
    let guard = lock.acquire().await?;
    let written = db.execute(update, params![total(db)? + amount, guard.fence().get() as i64])?;
    guard.release().await?;
    if written > 0 { Ok(()) } else { Err("somebody else has taken over".into()) }
}

/// A lease that is short enough to wait for its end here.
async fn connect() -> Result<Lock> {
    let url = std::env::var("TENURE_URL").unwrap_or("memory:".into());
    Ok(Tenure::connect(&url).await?.lock("ledger").ttl(Duration::from_secs(1)))
}

fn total(db: &Connection) -> Result<i64> {
    Ok(db.query_row("SELECT total FROM ledger", [], |row| row.get(0))?)
}
