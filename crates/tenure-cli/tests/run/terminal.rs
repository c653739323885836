//! The command at a terminal: it reads what is typed, and hears Ctrl-C and Ctrl-Z.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::harness::{Daemon, PATIENCE, until};
use super::tenure_run;

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
        loop {
            if let Some(at) = self.shown.find(text) {
                self.shown.drain(..at + text.len());
                return;
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

#[test]
fn a_stop_from_the_keyboard_stops_both_and_the_shell_can_continue_them() {
    let daemon = Daemon::start(&[]);
    let run = tenure_run(&daemon, &["k", "--", "sh", "-c", "echo ready; read -r line; echo \"<$line>\""]);
    let quoted: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''")))
        .collect();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"]);
    let mut session = Session::start(&bash);
    session.types(&format!("PS1='at-the-prompt '; {}\n", quoted.join(" ")));
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
