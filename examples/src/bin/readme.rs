//! The program of the README: it adds one to a total, and two of it never lose a one.
//!
//! ```console
//! $ cargo run --quiet --package tenure-examples --bin readme
//! the total is 1
//! ```
#![allow(clippy::print_stdout, reason = "a program with a result")]

use tenure::Tenure;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("TENURE_URL").unwrap_or("memory:".into()); // or tenure://127.0.0.1:6388
    let tenure = Tenure::connect(&url).await?;
    let db = rusqlite::Connection::open("ledger.db")?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS ledger (id INTEGER PRIMARY KEY, total INTEGER, fence INTEGER);
         INSERT OR IGNORE INTO ledger VALUES (1, 0, 0)",
    )?;

    let guard = tenure.lock("ledger").acquire().await?;
    let total: i64 = db.query_row("SELECT total FROM ledger", [], |row| row.get(0))?;
    // The lock makes this rare to fail; the fence makes it safe: whoever came later has a higher one.
    let update = "UPDATE ledger SET total = ?1, fence = ?2 WHERE fence <= ?2";
    if db.execute(update, (total + 1, guard.fence().get() as i64))? == 0 {
        return Err("somebody else has taken over: nothing was written".into());
    }
    guard.release().await?;
    println!("the total is {}", total + 1);
    Ok(())
}
