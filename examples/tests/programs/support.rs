//! A daemon in this process, and programs beside it.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tenure::Tenure;
use tenure_server::{Config, Server};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How long to wait for what comes, if it comes at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon that ends with its test.
pub(crate) struct Daemon {
    address: SocketAddr,
    running: JoinHandle<()>,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        Self::at(([127, 0, 0, 1], 0).into())
    }

    pub(crate) fn at(listen: SocketAddr) -> Self {
        let server = Server::bind(Config { listen, ..Config::default() }).expect("bound");
        Self { address: server.local_addr(), running: tokio::spawn(server.run(std::future::pending())) }
    }

    pub(crate) fn url(&self) -> String {
        format!("tenure://{}", self.address)
    }

    /// A client of it in this process.
    pub(crate) async fn client(&self) -> Tenure {
        Tenure::connect(&self.url()).await.expect("connected")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// A program that runs, and ends with its test at the latest.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

/// How a program ended, and what it had printed and nobody had read until then.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Program {
    /// Starts one of the examples. What is printed is read by [`line`](Self::line) and [`end`](Self::end).
    pub(crate) fn start(path: &str, url: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(path);
        command.args(arguments).env("TENURE_URL", url);
        Self::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("started");
        let stdout = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { stdin: child.stdin.take(), child, stdout }
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let line = within("a line", self.stdout.next_line()).await.expect("text");
        match line {
            Some(line) => line,
            None => panic!("it ended: {}", rest(self.child.stderr.take()).await),
        }
    }

    /// Reads lines until there is one that begins like this, and returns what follows in it.
    pub(crate) async fn line_with(&mut self, beginning: &str) -> String {
        loop {
            if let Some(rest) = self.line().await.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    /// Lets it read a line.
    pub(crate) async fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("open");
        stdin.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
    }

    /// `kill -9`, and waits for its death.
    pub(crate) async fn kill(mut self) {
        within("its death", self.child.kill()).await.expect("killed");
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        let pid = self.child.id().expect("it runs");
        nix::unistd::Pid::from_raw(pid.try_into().expect("a process id"))
    }

    /// Waits for it to end by itself.
    pub(crate) async fn end(mut self) -> Ended {
        within("its end", async {
            let mut stdout = Vec::new();
            while let Some(line) = self.stdout.next_line().await.expect("text") {
                stdout.push(line);
            }
            let stderr = rest(self.child.stderr.take()).await;
            Ended { status: self.child.wait().await.expect("it ended"), stdout, stderr }
        })
        .await
    }
}

async fn rest(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    let mut stream = stream.expect("piped, and read once");
    stream.read_to_string(&mut text).await.expect("text");
    text
}

/// The number that a line ends with.
pub(crate) fn number(line: &str) -> u64 {
    let word = line.rsplit(' ').next().expect("a word");
    word.parse().unwrap_or_else(|_| panic!("no number at the end of {line:?}"))
}

/// What comes soon, if it comes at all.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_span(PATIENCE, what, future).await
}

/// What has to come within that span.
pub(crate) async fn within_span<T>(span: Duration, what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(span, future).await.unwrap_or_else(|_| panic!("{what} did not come within {span:?}"))
}
