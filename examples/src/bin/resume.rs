//! Going on after a crash: a claim is found again by its id, which this program keeps in a file.
//!
//! With a daemon (`cargo run --release -- serve`) beside it, and killed in the second line:
//!
//! ```console
//! $ alias resume='cargo run --quiet --package tenure-examples --bin resume --'
//! $ resume import.claim                         # then: kill -9
//! begins, with fence 1795213744023503220
//! $ resume import.claim                         # within the 30 s of the lease
//! goes on, with fence 1795213744023503220
//! done
//! ```
//!
//! Nobody else has had the lock in between, so what the first run left half-way is as it left it. When the lease has ended
//! before the second run, that one says so and begins from the start, with a higher fence. The work takes 10 s, or as long
//! as a second argument says, in milliseconds.
#![allow(clippy::print_stdout, reason = "this is what it has to show")]

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;
use tenure::{ClaimId, Guard, Lock, Tenure, entropy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: resume FILE [WORK-IN-MS]")?;
    let work = Duration::from_millis(arguments.next().map_or(Ok(10_000), |work| work.parse())?);
    let url = std::env::var("TENURE_URL").unwrap_or("tenure://127.0.0.1:6388".into());
    let tenure = Tenure::connect(&url).await?;

    let guard = hold(&tenure.lock("import"), Path::new(&file)).await?;
    tokio::select! {
        () = tenure.clock().sleep(work) => println!("done"),
        loss = guard.lost() => return Err(loss.to_string().into()),
    }
    guard.release().await?;
    fs::remove_file(file)?;
    Ok(())
}

async fn hold(lock: &Lock, file: &Path) -> Result<Guard, Box<dyn Error>> {
    if let Some(id) = read(file)? {
        if let Some(guard) = lock.clone().claim_id(id).resume().await? {
            println!("goes on, with fence {}", guard.fence());
            return Ok(guard);
        }
        println!("what the last run held is gone");
    }
    // The id is kept before it is used: a crash in between leaves an id that nothing was granted to.
    let id = entropy::claim_id();
    write(file, id)?;
    let guard = lock.clone().claim_id(id).acquire().await?;
    println!("begins, with fence {}", guard.fence());
    Ok(guard)
}

fn read(file: &Path) -> Result<Option<ClaimId>, Box<dyn Error>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(ClaimId::from_text(text.trim().as_bytes())?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whoever knows the id has the claim, so nobody else may read the file.
fn write(file: &Path, id: ClaimId) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(&id.to_text())?;
    file.sync_all()
}
