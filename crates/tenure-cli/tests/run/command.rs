//! The command: what it gets, and what becomes of its end.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::harness::{Daemon, Peer, tenure};
use super::{is_free, is_gone, outcome, script, stop, tenure_run};

#[test]
fn the_exit_code_of_the_command_is_returned() {
    let daemon = Daemon::start(&[]);
    assert_eq!(outcome(&daemon, &["k", "--", "true"]), (Some(0), String::new()));
    assert_eq!(outcome(&daemon, &["k", "--", "sh", "-c", "exit 7"]), (Some(7), String::new()));
    assert_eq!(outcome(&daemon, &["k", "--", "sh", "-c", "kill -9 $$"]), (Some(137), String::new()));
    assert!(is_free(&daemon, "k"));
}

#[test]
fn the_command_is_told_what_it_holds() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "echo $TENURE_KEY $TENURE_FENCE $TENURE_TOKEN; read -r line");
    let told = peer.line();
    let [key, fence, token] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("three words: {told}") };
    let holder = &daemon.connect().json("inspect", "k")["keys"][0]["holders"][0];
    assert_eq!((key, Some(fence)), ("k", holder["fence"].as_str()));
    assert_eq!(u64::from_str_radix(&token[..16], 16).unwrap().to_string(), fence);
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0));
}

#[test]
fn others_see_a_label_a_host_and_a_process() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["--label", "nightly", "k"], "echo ready; read -r line");
    assert_eq!(peer.line(), "ready");
    let url = format!("tenure://{}", daemon.addr());
    let shown = tenure().args(["show", "--json", "--url", &url, "k"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let holder = &shown["keys"][0]["holders"][0];
    assert_eq!((&holder["label"], &holder["pid"]), (&"nightly".into(), &peer.pid().into()));
    assert_eq!(holder["host"], nix::unistd::gethostname().unwrap().to_str().unwrap());
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0));
}

#[test]
fn stdin_and_stdout_are_the_commands() {
    let daemon = Daemon::start(&[]);
    let mut peer = Peer::start(&mut tenure_run(&daemon, &["k", "--", "head", "-n", "2"]));
    peer.send("one\n");
    peer.send("two\n");
    assert_eq!((peer.line(), peer.line()), ("one".to_owned(), "two".to_owned()));
    assert_eq!(peer.end().code(), Some(0));
}

#[test]
fn arguments_are_passed_on_as_they_are() {
    let daemon = Daemon::start(&[]);
    let arguments = ["k", "--", "printf", "%s|", "a b", "*", "--ttl", "--", ""];
    let mut peer = Peer::start(&mut tenure_run(&daemon, &arguments));
    assert_eq!(peer.line(), "a b|*|--ttl|--||");
}

#[test]
fn signals_reach_the_command() {
    let daemon = Daemon::start(&[]);
    let trap = "for name in TERM INT HUP QUIT USR1 USR2; do trap \"echo $name\" $name; done; echo ready; \
                while :; do read -r line && exit 0; done";
    let mut peer = script(&daemon, &["k"], trap);
    assert_eq!(peer.line(), "ready");
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGQUIT, "QUIT"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGUSR2, "USR2"),
    ] {
        peer.signal(signal);
        assert_eq!(peer.line(), name);
    }
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0));
}

#[test]
fn a_signal_that_ends_the_command_shows_in_the_exit_code() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "echo ready; exec sleep 1000");
    assert_eq!(peer.line(), "ready");
    peer.signal(Signal::SIGTERM);
    assert_eq!(peer.end().code(), Some(128 + 15));
    assert!(is_free(&daemon, "k"));
}

#[test]
fn a_signal_without_a_name_shows_in_the_exit_code_too() {
    let daemon = Daemon::start(&[]);
    assert_eq!(outcome(&daemon, &["k", "--", "bash", "-c", "kill -35 $$"]), (Some(128 + 35), String::new()));
}

#[test]
fn a_stopped_command_hears_the_signal_that_ends_it() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "echo $$; exec sleep 1000");
    let pid: u32 = peer.line().parse().unwrap();
    stop(pid);
    peer.signal(Signal::SIGINT);
    assert_eq!(peer.end().code(), Some(128 + 2));
}

#[test]
fn what_a_command_that_ends_by_itself_leaves_behind_stays() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["k"], "sleep 1000 >/dev/null 2>&1 & echo $!");
    let left_behind = peer.line();
    assert_eq!(peer.end().code(), Some(0));
    assert!(!is_gone(&left_behind));
    kill(Pid::from_raw(left_behind.parse().unwrap()), Signal::SIGKILL).unwrap();
}

#[test]
fn a_signal_that_its_starter_ignores_is_ignored_by_the_command_too() {
    let daemon = Daemon::start(&[]);
    let run = tenure_run(&daemon, &["k", "--", "sh", "-c", "echo ready; read -r line; echo $line"]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(run.get_program()).args(run.get_args());
    let mut peer = Peer::start(&mut shell);
    assert_eq!(peer.line(), "ready");
    peer.signal(Signal::SIGHUP);
    peer.send("still here\n");
    assert_eq!(peer.line(), "still here");
    assert_eq!(peer.end().code(), Some(0));
}

#[test]
fn a_command_that_cannot_be_run_gives_the_lock_back() {
    let daemon = Daemon::start(&[]);
    let (code, text) = outcome(&daemon, &["k", "--", "no-such-command"]);
    assert_eq!(code, Some(127));
    assert!(text.starts_with("tenure: no-such-command: there is no such command"), "{text}");
    let (code, text) = outcome(&daemon, &["k", "--", "/etc/passwd"]);
    assert_eq!(code, Some(126));
    assert!(text.starts_with("tenure: /etc/passwd: cannot be executed"), "{text}");
    assert!(is_free(&daemon, "k"));
}

#[test]
fn a_missing_service_says_how_to_start_it() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut peer = Peer::start(
        tenure()
            .env("TENURE_URL", format!("tenure://{unused}"))
            .args(["run", "k", "--", "true"])
            .stdin(Stdio::null()),
    );
    assert_eq!(peer.end().code(), Some(69));
    assert!(peer.stderr().contains("tenure serve"), "{}", peer.stderr());
}

#[test]
fn something_else_that_listens_is_told_apart() {
    for (answer, said) in
        [("HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400 Bad Request"), ("error\n", "protocol")]
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("tenure://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the other end has had enough.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let mut peer = Peer::start(tenure().args(["run", "--url", &url, "k", "--", "true"]));
        assert_eq!(peer.end().code(), Some(1), "{}", peer.stderr());
        assert!(peer.stderr().contains(said), "{}", peer.stderr());
        serving.join().unwrap();
    }
}

#[test]
fn a_lease_may_have_milliseconds_and_is_neither_nothing_nor_for_ever() {
    let daemon = Daemon::start(&[]);
    let mut peer = script(&daemon, &["--ttl", "2500ms", "k"], "echo ready; read -r line");
    assert_eq!(peer.line(), "ready");
    let url = format!("tenure://{}", daemon.addr());
    let shown = tenure().args(["show", "--json", "--url", &url, "k"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let left = shown["keys"][0]["holders"][0]["expires_in_s"].as_f64().unwrap();
    assert!(left > 0.0 && left <= 2.5, "{left}");
    peer.send("done\n");
    assert_eq!(peer.end().code(), Some(0), "{}", peer.stderr());
    for ttl in ["0", "25h", "soon"] {
        assert_eq!(outcome(&daemon, &["--ttl", ttl, "k", "--", "true"]).0, Some(2), "{ttl}");
    }
}

#[test]
fn a_token_opens_a_guarded_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "open sesame\n").unwrap();
    let file = file.to_str().unwrap();
    let daemon = Daemon::start(&["--auth-token-file", file]);
    assert_eq!(outcome(&daemon, &["--auth-token-file", file, "k", "--", "true"]), (Some(0), String::new()));
    let mut by_environment = tenure_run(&daemon, &["k", "--", "true"]);
    assert_eq!(Peer::start(by_environment.env("TENURE_AUTH_TOKEN", "open sesame")).end().code(), Some(0));
    let (code, text) = outcome(&daemon, &["k", "--", "true"]);
    assert_eq!(code, Some(77));
    assert!(text.contains("--auth-token-file"), "{text}");
}
