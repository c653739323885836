//! `tenure stats`: how a service is doing.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tenure::ErrorKind;
use tenure::line::Client;

use crate::args::Service;
use crate::exit::{Exit, Failure};
use crate::{query, say};

/// Arguments of `tenure stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tenure stats --json | jq .connections")]
pub(crate) struct Args {
    /// Print JSON, a line for each service, as it tells it; also without this flag when stdout is no terminal
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    service: Service,
}

/// What a service tells of itself.
#[derive(Debug, Deserialize)]
struct Info {
    server: String,
    version: String,
    pid: u64,
    cpu_us: u64,
    uptime_s: f64,
}

#[derive(Debug, Deserialize)]
struct Stats {
    connections: u64,
    locks: Vec<Value>,
    semaphores: Vec<Value>,
    idle_locks: Vec<Value>,
    idle_semaphores: Vec<Value>,
    #[serde(default)]
    signal_channels: Vec<Value>,
}

/// Prints the figures.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let as_json = args.json || !std::io::stdout().is_terminal();
    query::block_on(async {
        for (at, address) in args.service.url.addresses().iter().enumerate() {
            let mut client = query::reporter(&args.service, address).await?;
            let info = if as_json { None } else { info(&mut client).await? };
            let json = client.stats().await.map_err(|error| Failure::of(&error))?;
            if as_json {
                say::print(format!("{json}\n").as_bytes())?;
            } else {
                let gap = if at == 0 { "" } else { "\n" };
                say::print(format!("{gap}{}", summary(info.as_ref(), &read(&json)?)).as_bytes())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What the service tells of itself; nothing if it is not Tenure.
async fn info(client: &mut Client) -> Result<Option<Info>, Failure> {
    match client.info().await {
        Ok(json) => read(&json).map(Some),
        Err(error) if *error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(Failure::of(&error)),
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::from(Exit::Refused, "the answer cannot be read", error))
}

fn summary(info: Option<&Info>, stats: &Stats) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Nothing fails that goes into memory.
        let _ = writeln!(text, "{name:<16} {value}");
    };
    if let Some(info) = info {
        let cpu = Duration::from_micros(info.cpu_us).as_secs_f64();
        line("server", format!("{} {} (process {})", info.server, info.version, info.pid));
        line("up for", format!("{:.0} s, of which {cpu:.1} s on a processor", info.uptime_s));
    }
    let waiting = |rows: &[Value]| rows.iter().filter_map(|row| row["waiters"].as_u64()).sum::<u64>();
    line("connections", stats.connections.to_string());
    line("locks", format!("{} in use, {} waiting", stats.locks.len(), waiting(&stats.locks)));
    line("semaphores", format!("{} in use, {} waiting", stats.semaphores.len(), waiting(&stats.semaphores)));
    line("idle keys", (stats.idle_locks.len() + stats.idle_semaphores.len()).to_string());
    line("signal channels", stats.signal_channels.len().to_string());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_an_older_service_are_read_as_well() {
        let stats = read(
            r#"{"connections":2,"locks":[{"key":"a","waiters":3},{"key":"b","waiters":1}],"semaphores":[],
                "idle_locks":[{"key":"c","idle_s":1.5}],"idle_semaphores":[]}"#,
        )
        .expect("figures");
        let expected = "\
connections      2
locks            2 in use, 4 waiting
semaphores       0 in use, 0 waiting
idle keys        1
signal channels  0
";
        assert_eq!(summary(None, &stats), expected);
    }
}
