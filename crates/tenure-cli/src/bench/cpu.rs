//! Who says how much CPU the server has used.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::client;
use super::problem::Problem;
use crate::exit::{Exit, Failure};

/// The longest `info` that is read.
const INFO_MAX: usize = 4096;

/// Linux numbers no process higher than below this.
#[cfg(target_os = "linux")]
const PID_END: i32 = 1 << 22;

/// Where the server's CPU time is read.
#[derive(Clone, Debug)]
pub(super) enum CpuSource {
    /// The server's own accounting, through the `info` command.
    Info {
        /// Where to ask.
        address: SocketAddr,
        /// What lets the question in.
        token: Option<Vec<u8>>,
    },
    /// The system's accounting of a process on this machine, all its threads together.
    Process(u32),
}

/// What is read of the answer to `info`.
#[derive(Deserialize)]
struct Info {
    cpu_us: u64,
}

impl CpuSource {
    /// The CPU time used so far, in user and system mode. `None` when the server does not know the question.
    pub(super) async fn read(&self) -> Result<Option<Duration>, Failure> {
        match self {
            Self::Info { address, token } => {
                info(*address, token.as_deref()).await.map_err(Problem::into_failure)
            }
            Self::Process(pid) => process(*pid).map(Some),
        }
    }
}

/// Asks on a connection of its own: the server may end one that was silent for long.
async fn info(address: SocketAddr, token: Option<&[u8]>) -> Result<Option<Duration>, Problem> {
    let mut stream = client::connect(address, token).await?;
    let answer = client::ask(&mut stream, b"info\n_\n_\n", INFO_MAX).await?;
    if answer == b"error" {
        return Ok(None);
    }
    cpu_of_info(&answer).map(Some).ok_or_else(|| Problem::answer("info", &answer))
}

fn cpu_of_info(answer: &[u8]) -> Option<Duration> {
    let info: Info = serde_json::from_slice(answer.strip_prefix(b"ok ")?).ok()?;
    Some(Duration::from_micros(info.cpu_us))
}

#[cfg(target_os = "linux")]
fn process(pid: u32) -> Result<Duration, Failure> {
    use nix::errno::Errno;
    use nix::time::ClockId;
    use nix::unistd::Pid;

    // The clock's number carries the process's in its upper bits, where a larger one would name another process.
    let number = i32::try_from(pid).ok().filter(|number| (1..PID_END).contains(number)).ok_or(Errno::ESRCH);
    number
        .and_then(|number| ClockId::pid_cpu_clock_id(Pid::from_raw(number)))
        .and_then(ClockId::now)
        .map(Duration::from)
        .map_err(|error| Failure::from(Exit::Refused, format!("no CPU time of process {pid}"), error))
}

#[cfg(not(target_os = "linux"))]
fn process(_pid: u32) -> Result<Duration, Failure> {
    Err(Failure::new(
        Exit::Refused,
        "the CPU time of another process can be read on Linux only: leave --server-pid and --echo out",
    ))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn the_cpu_time_is_found_in_an_info() {
        let answer = br#"ok {"server":"tenure","version":"0.1.0","pid":123,"cpu_us":456,"uptime_s":1.5}"#;
        assert_eq!(cpu_of_info(answer), Some(Duration::from_micros(456)));
        for answer in [&b"ok"[..], b"ok {}", b"error", b"ok {\"cpu_us\":-1}"] {
            assert_eq!(cpu_of_info(answer), None);
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_the_question_leaves_it_open() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            let (mut server, _) = listener.accept().await.expect("the bench");
            server.write_all(b"error\n").await.expect("written");
            server.read_to_end(&mut Vec::new()).await.expect("the end");
        });
        let source = CpuSource::Info { address, token: None };
        assert_eq!(source.read().await.expect("an answer"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cpu_time_of_a_process_rises_as_it_works() {
        let before = process(std::process::id()).expect("of this process");
        while process(std::process::id()).expect("of this process") < before + Duration::from_millis(2) {
            std::hint::spin_loop();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_does_not_exist_is_named() {
        for pid in [0, PID_END.unsigned_abs(), u32::MAX] {
            let failure = process(pid).expect_err("no such process");
            assert!(failure.to_string().ends_with(&format!("process {pid}")), "{failure}");
        }
    }
}
