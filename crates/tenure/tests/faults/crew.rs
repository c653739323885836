//! A daemon, the workers that use it, and what they say.

use crate::history::{Entry, Line, Rules};
use crate::worker::{Orders, VARIABLE};
use crate::{soon, trial_file};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tenure::{Bond, Clock};
use tenure_server::{Config, Server};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long those work who are to be in nobody's way.
pub(crate) const BRIEFLY: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));
/// How long those work whose lease is renewed meanwhile.
pub(crate) const LONG: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(350));

/// A daemon, and what all of its workers have said.
pub(crate) struct Crew {
    pub(crate) daemon: SocketAddr,
    bond: Bond,
    said: Arc<Said>,
    processes: usize,
}

/// A process.
pub(crate) struct Worker {
    number: usize,
    child: Child,
    /// Reads what it says, to the end.
    heard: JoinHandle<()>,
    said: Arc<Said>,
}

#[derive(Default)]
struct Said {
    entries: Mutex<Vec<Entry>>,
    len: watch::Sender<usize>,
}

impl Said {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().expect("no panic")
    }

    fn add(&self, process: usize, line: Line) {
        let mut entries = self.entries();
        entries.push(Entry { process, line });
        self.len.send_replace(entries.len());
    }
}

impl Crew {
    /// A daemon that takes a client for gone that has been silent for so long.
    pub(crate) fn start(bond: Bond, silence: Duration) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(Config { listen, read_timeout: silence, ..Config::default() });
        let server = server.expect("a port is free");
        let daemon = server.local_addr();
        tokio::spawn(server.run(std::future::pending()));
        Self { daemon, bond, said: Arc::default(), processes: 0 }
    }

    /// Starts a worker that goes to the daemon by that address.
    pub(crate) fn hire(&mut self, address: SocketAddr, work: (Duration, Duration)) -> Worker {
        self.employ(&Orders { url: format!("tenure://{address}"), bond: self.bond, work, blind: false })
    }

    /// Starts a worker that believes whatever its guard says.
    pub(crate) fn hire_a_blind_one(&mut self) -> Worker {
        let url = format!("tenure://{}", self.daemon);
        self.employ(&Orders { url, bond: self.bond, work: LONG, blind: true })
    }

    fn employ(&mut self, orders: &Orders) -> Worker {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(VARIABLE, orders.text()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("started");
        let number = self.processes;
        self.processes += 1;
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let said = Arc::clone(&self.said);
        let heard = tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.expect("text") {
                let line = line.parse().unwrap_or_else(|()| panic!("it says {line:?}"));
                said.add(number, line);
            }
        });
        Worker { number, child, heard, said: Arc::clone(&self.said) }
    }

    /// Two that are in nobody's way, and have begun.
    pub(crate) async fn hire_two(&mut self) -> [Worker; 2] {
        let two = [(); 2].map(|()| self.hire(self.daemon, BRIEFLY));
        self.everyone_works(&two).await;
        two
    }

    /// How much was said until now.
    pub(crate) fn mark(&self) -> usize {
        self.said.entries().len()
    }

    /// Waits until a worker says that, after a mark; the mark behind it.
    pub(crate) async fn until(&self, worker: &Worker, mark: usize, says: fn(&Line) -> bool) -> usize {
        let mut len = self.said.len.subscribe();
        let mut mark = mark;
        let hearing = async {
            loop {
                for entry in &self.said.entries()[mark..] {
                    mark += 1;
                    if entry.process == worker.number && says(&entry.line) {
                        return mark;
                    }
                }
                len.changed().await.expect("it is there");
            }
        };
        soon("a worker", hearing).await
    }

    /// Everyone has it again, and once more after that.
    pub(crate) async fn everyone_works<'a>(&self, workers: impl IntoIterator<Item = &'a Worker>) {
        let begin = self.mark();
        for worker in workers {
            let held = self.until(worker, begin, |line| matches!(line, Line::Holds { .. })).await;
            self.until(worker, held, |line| matches!(line, Line::Holds { .. })).await;
        }
    }

    /// How often something was said.
    pub(crate) fn count(&self, says: impl Fn(&Line) -> bool) -> usize {
        self.said.entries().iter().filter(|entry| says(&entry.line)).count()
    }

    /// Ends everyone, and looks at what they have believed, when two may do so at once for a certain time.
    pub(crate) async fn end(self, workers: impl IntoIterator<Item = Worker>, overlap: Duration) {
        // They die with this, and not before it has been looked at.
        let workers: Vec<Worker> = workers.into_iter().collect();
        self.everyone_works(&workers).await;
        let broken = self.broken(overlap);
        if !broken.is_empty() {
            let entries = self.said.entries();
            let history: Vec<String> =
                entries.iter().map(|entry| format!("{} {}\n", entry.process, entry.line)).collect();
            let file = trial_file();
            std::fs::write(&file, history.concat()).expect("written");
            let (first, count) = (&broken[..broken.len().min(3)], broken.len());
            panic!("{count} times: {first:#?}\nall that was said is in {}", file.display());
        }
        drop(workers);
    }

    /// What must not be in what was said so far.
    pub(crate) fn broken(&self, overlap: Duration) -> Vec<String> {
        Rules::of(self.bond, overlap).broken(&self.said.entries())
    }
}

impl Worker {
    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        // It believes at the most until it is dead, and that is not before this.
        let at = Clock::system().now();
        soon("its death", self.child.kill()).await.expect("killed");
        soon("its last words", self.heard).await.expect("no panic");
        self.said.add(self.number, Line::Died { at });
    }

    /// Lets it stand still.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        self.said.add(self.number, Line::Stopped { at: Clock::system().now() });
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("it lives").try_into().expect("a process");
        kill(Pid::from_raw(pid), signal).expect("sent");
    }
}
