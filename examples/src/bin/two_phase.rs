//! Asking and waiting in two steps, with a word to whoever holds it in between.
//!
//! A printer prints for one at a time, for as long as nobody else wants it. Who wants it stands in line first, so that its
//! place is safe, says so to whoever prints, and waits then. Two of it, with a daemon (`cargo run --release -- serve`)
//! beside them:
//!
//! ```console
//! $ alias two_phase='cargo run --quiet --package tenure-examples --bin two_phase --'
//! $ two_phase anna                                       $ two_phase bert
//! anna has the printer                                   bert waits, 0 before it, and told 1
//! anna printed 17 pages, and hands over to bert          bert has the printer
//!                                                        bert printed 100 pages
//! ```
//!
//! It prints 100 pages, or as many as a second argument says.
#![allow(clippy::print_stdout, reason = "this is what it has to show")]

use std::time::Duration;
use tenure::{Enqueued, Tenure};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: two_phase NAME [PAGES]")?;
    let wanted: u32 = arguments.next().map_or(Ok(100), |pages| pages.parse())?;
    let url = std::env::var("TENURE_URL").unwrap_or("tenure://127.0.0.1:6388".into());
    let tenure = Tenure::connect(&url).await?;
    let lock = tenure.lock("printer").label(&name);

    let guard = match lock.enqueue().await? {
        Enqueued::Acquired(guard) => guard,
        Enqueued::Queued(ticket) => {
            let told = tenure.signal("printer.wanted", &name).await?;
            let before = ticket.position().await?.unwrap_or(0);
            println!("{name} waits, {before} before it, and told {told}");
            ticket.wait(Duration::from_secs(60)).await?
        }
    };
    println!("{name} has the printer");

    // Signals are not kept for those who listen later. So it listens first, and looks who is in line already then.
    let mut signals = tenure.listen("printer.wanted", None).await?;
    let waiters = lock.inspect().await?.map_or_else(Vec::new, |seen| seen.waiters);
    let mut next =
        waiters.first().map(|waiter| waiter.note.as_ref().map_or("?".into(), |note| note.label.to_string()));

    let mut pages = 0;
    // A page each at least.
    while pages < wanted && (pages == 0 || next.is_none()) {
        tokio::select! {
            Some(signal) = signals.next(), if next.is_none() => {
                next = Some(String::from_utf8_lossy(&signal.payload).into_owned());
            }
            () = print_page(&tenure) => pages += 1,
        }
    }
    let hands_over = next.map_or(String::new(), |next| format!(", and hands over to {next}"));
    println!("{name} printed {pages} pages{hands_over}");
    guard.release().await?;
    Ok(())
}

async fn print_page(tenure: &Tenure) {
    tenure.clock().sleep(Duration::from_millis(100)).await;
}
