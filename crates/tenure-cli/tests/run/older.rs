//! A service that is no Tenure: it cannot bind grants to leases, and its tokens hold no fence.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::harness::{Peer, tenure};

/// Serves one connection as an older dflockd would, for as long as `serves` says.
fn older_service(serves: impl Fn(&str) -> Option<&'static str> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tenure://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || serve(listener.accept().unwrap().0, serves));
    url
}

fn serve(stream: TcpStream, serves: impl Fn(&str) -> Option<&'static str>) {
    let mut answers = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let (Some(command), Some(_), Some(_)) = (lines.next(), lines.next(), lines.next()) {
        match serves(&command) {
            Some(answer) => answers.write_all(answer.as_bytes()).unwrap(),
            None => break,
        }
    }
}

#[test]
fn an_older_service_does_without_fences() {
    let url = older_service(|command| {
        Some(match command {
            "l" => "ok 0123456789abcdef0123456789abcdef 30\n",
            "r" => "ok\n",
            _ => "error\n",
        })
    });
    let mut command = tenure();
    command.env("TENURE_FENCE", "that of a command around this one");
    command.args([
        "run",
        "--url",
        &url,
        "k",
        "--",
        "sh",
        "-c",
        "echo $TENURE_TOKEN; echo ${TENURE_FENCE-none}",
    ]);
    let mut peer = Peer::start(&mut command);
    assert_eq!(peer.line(), "0123456789abcdef0123456789abcdef");
    assert_eq!(peer.line(), "none");
    assert_eq!((peer.end().code(), peer.stderr().as_str()), (Some(0), ""));
}

#[test]
fn an_older_service_that_closes_the_connection_has_handed_the_lock_on() {
    let url = older_service(|command| match command {
        "l" => Some("ok token 2\n"),
        "n" => None,
        _ => Some("error\n"),
    });
    let mut command = tenure();
    command.args(["run", "--ttl=2s", "--url", &url, "k", "--", "sleep", "1000"]);
    let mut peer = Peer::start(&mut command);
    assert_eq!(peer.end().code(), Some(76));
    assert!(peer.stderr().contains("the service closed the connection"), "{}", peer.stderr());
}

#[test]
fn something_else_that_listens_is_told_apart() {
    let url = older_service(|_| Some("HTTP/1.1 400 Bad Request\n"));
    let mut peer = Peer::start(tenure().args(["run", "--url", &url, "k", "--", "true"]));
    assert_eq!(peer.end().code(), Some(1));
    assert!(peer.stderr().contains("HTTP/1.1 400 Bad Request"), "{}", peer.stderr());
}
