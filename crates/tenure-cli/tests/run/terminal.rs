//! The command at a terminal: it reads what is typed, and hears Ctrl-C and Ctrl-Z.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::harness::{Daemon, PATIENCE, until};
use super::{is_free, state, tenure_run, until_gone};

/// What a terminal shows.
pub(super) struct Screen {
    chunks: Receiver<Vec<u8>>,
    shown: String,
}

impl Screen {
    pub(super) fn new(mut terminal: File) -> Self {
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 256];
            while let Ok(read @ 1..) = terminal.read(&mut chunk) {
                let _ = sender.send(chunk[..read].to_vec());
            }
        });
        Self { chunks, shown: String::new() }
    }

    /// Waits until something is shown behind what was awaited before.
    pub(super) fn shows(&mut self, text: &str) {
        self.reads_until(text);
    }

    /// The same, and returns what is shown before it.
    fn reads_until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.shown.find(text) {
                let before = self.shown[..at].to_owned();
                self.shown.drain(..at + text.len());
                return before;
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.shown.push_str(&String::from_utf8_lossy(&chunk)),
                Err(_) => panic!("{text:?} was not shown, only {:?}", self.shown),
            }
        }
    }
}

/// A program in a session of its own, with a terminal.
struct Session {
    child: Child,
    keyboard: File,
    screen: Screen,
}

impl Session {
    fn start(program: &Command) -> Self {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let stdio = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut setsid = Command::new("setsid");
        setsid.args(["--ctty", "--wait"]).arg(program.get_program()).args(program.get_args());
        let child = setsid.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let keyboard = File::from(terminal.master);
        let screen = Screen::new(keyboard.try_clone().unwrap());
        Self { child, keyboard, screen }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn shows(&mut self, text: &str) {
        self.screen.shows(text);
    }

    /// What is shown from here to an end.
    fn reads_until(&mut self, end: &str) -> String {
        self.screen.reads_until(end)
    }

    fn ends_with(&mut self, code: i32) {
        let mut status = None;
        until("the program ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(code), "{}", self.screen.shown);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn at_terminal(daemon: &Daemon, script: &str) -> Session {
    Session::start(&tenure_run(daemon, &["k", "--", "sh", "-c", script]))
}

#[test]
fn the_command_reads_what_is_typed() {
    let daemon = Daemon::start(&[]);
    let mut session = at_terminal(&daemon, "echo ready; read -r line; echo \"<$line>\"");
    session.shows("ready");
    session.types("hello\n");
    session.shows("<hello>");
    session.ends_with(0);
}

#[test]
fn an_interrupt_from_the_keyboard_reaches_the_command() {
    let daemon = Daemon::start(&[]);
    let trap = "trap 'echo \"<interrupted>\"' INT; echo ready; \
                while ! read -r line; do :; done; echo \"<$line>\"";
    let mut session = at_terminal(&daemon, trap);
    session.shows("ready");
    session.types("\x03");
    session.shows("<interrupted>");
    session.types("still here\n");
    session.shows("<still here>");
    session.ends_with(0);
}

/// An interactive shell, and the words for `tenure run` of a script in it.
fn in_a_shell(daemon: &Daemon, flags: &[&str], script: &str) -> (Session, String) {
    let run = tenure_run(daemon, &[flags, &["k", "--", "sh", "-c", script]].concat());
    let quoted: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''")))
        .collect();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"]);
    let mut session = Session::start(&bash);
    session.types("PS1='at-the-'prompt' '\n");
    session.shows("at-the-prompt ");
    (session, quoted.join(" "))
}

#[test]
fn a_stop_from_the_keyboard_stops_both_and_the_shell_can_continue_them() {
    let daemon = Daemon::start(&[]);
    let (mut session, run) = in_a_shell(&daemon, &[], "echo ready; read -r line; echo \"<$line>\"");
    session.types(&format!("{run}\n"));
    session.shows("ready\r\n");
    session.types("\x1a");
    session.shows("Stopped");
    session.shows("at-the-prompt ");
    session.types("echo $((40 + 2))\n");
    session.shows("42\r\n");
    session.types("fg\n");
    session.types("hello\n");
    session.shows("<hello>");
    session.shows("at-the-prompt ");
    session.types("exit 7\n");
    session.ends_with(7);
}

#[test]
fn a_stop_from_the_keyboard_stops_the_command_whose_stdin_is_no_terminal() {
    let daemon = Daemon::start(&[]);
    let (mut session, run) = in_a_shell(&daemon, &["--ttl=3s"], "p=pid; echo \"$p=$$.\"; exec sleep 1000");
    session.types(&format!("{run} </dev/null\n"));
    session.shows("pid=");
    let pid = session.reads_until(".");
    session.types("\x1a");
    session.shows("Stopped");
    until("the command has stopped", || state(&Path::new("/proc").join(&pid)) == Some('T'));
    let mut next = daemon.connect();
    next.acquire("l", "k", "30 60");
    session.types("fg\n");
    session.shows("lost \"k\"");
    session.shows("at-the-prompt ");
    until_gone(&pid);
}

#[test]
fn a_pager_keeps_the_keyboard_and_the_command_goes_on() {
    let daemon = Daemon::start(&[]);
    let (mut session, run) = in_a_shell(&daemon, &[], "echo ready; sleep 0.5; echo done");
    session.types(&format!("{run} | (read -r a; read -r key </dev/tty; read -r b; echo \"<$a $key $b>\")\n"));
    until("the command runs", || !is_free(&daemon, "k"));
    session.types("typed\n");
    session.shows("<ready typed done>");
}

#[test]
fn a_command_in_a_pipe_gets_the_keyboard_when_it_asks() {
    let daemon = Daemon::start(&[]);
    let (mut session, run) =
        in_a_shell(&daemon, &[], "cat; echo ready; read -r line </dev/tty; echo \"<$line>\"");
    session.types(&format!("echo piped | {run} | cat\n"));
    session.shows("piped\r\nready\r\n");
    session.types("hello\n");
    session.shows("<hello>");
    session.shows("at-the-prompt ");
}
