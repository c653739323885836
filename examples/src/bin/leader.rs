//! Leader election with fail-over: one leads, the others stand by, and all of them see who it is.
//!
//! Three of it, with a daemon (`cargo run --release -- serve`) beside them:
//!
//! ```console
//! $ alias leader='cargo run --quiet --package tenure-examples --bin leader --'
//! $ leader anna                  $ leader bert                  $ leader carl
//! nobody leads                   the leader is anna             the leader is anna
//! the leader is anna
//! anna leads, with fence 17…62
//! ^C
//! anna resigns                   nobody leads                   nobody leads
//!                                the leader is bert             the leader is bert
//!                                bert leads, with fence 17…63
//! ```
//!
//! Kill the leader with `kill -9`, and the next one leads when its lease ends: after 10 s, or as long as a second argument
//! says, in milliseconds.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what it has to show")]

use std::pin::pin;
use std::time::Duration;
use tenure::{Leaders, Tenure};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: leader NAME [TTL-IN-MS]")?;
    let ttl = Duration::from_millis(arguments.next().map_or(Ok(10_000), |ttl| ttl.parse())?);
    let url = std::env::var("TENURE_URL").unwrap_or("tenure://127.0.0.1:6388".into());
    let tenure = Tenure::connect(&url).await?;
    let election = tenure.election("scheduler").ttl(ttl);

    // Everybody sees who leads, those who stand themselves as well as those who do not.
    tokio::spawn(announce(election.observe().await?));

    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // Stands again whenever it has lost.
    loop {
        let leadership = tokio::select! {
            elected = election.campaign(&name) => elected?,
            interrupted = &mut interrupted => return Ok(interrupted?),
        };
        // Whatever the leader tells others to do has to carry the fence: a leader that was stopped for a while goes on for
        // a moment after another one leads.
        println!("{name} leads, with fence {}", leadership.fence());
        tokio::select! {
            () = do_what_leaders_do() => {}
            loss = leadership.lost() => eprintln!("{name} leads no more: {loss}"),
            interrupted = &mut interrupted => {
                // Dropping it would do that too, in the background; but the program ends here.
                leadership.resign().await?;
                println!("{name} resigns");
                return Ok(interrupted?);
            }
        }
    }
}

async fn announce(mut leaders: Leaders) {
    while let Some(leader) = leaders.next().await {
        match leader {
            Some(leader) => println!("the leader is {}", leader.value),
            None => println!("nobody leads"),
        }
    }
}

async fn do_what_leaders_do() {
    std::future::pending::<()>().await;
}
