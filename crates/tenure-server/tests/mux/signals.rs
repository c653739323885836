//! Signals between the two protocols.

use crate::client::{Mux, code};
use crate::line::{Client, start};
use tenure_server::Config;
use tenure_wire::mux::{Push, RefusedCode, Request, Response};

const fn signal<'a>(channel: &'a [u8], payload: &'a [u8]) -> Request<'a> {
    Request::Signal { channel, payload }
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_go_from_either_protocol_to_either() {
    let address = start(Config::default());
    let (mut mux, mut line) = (Mux::connect(address).await, Client::connect(address).await);
    assert_eq!(mux.ask(&Request::Listen { pattern: b"news.*", group: b"" }).await, Response::Done);
    assert_eq!(line.ask("listen\nnews.>\n\n").await, "ok");

    let mut sender = Mux::connect(address).await;
    assert_eq!(sender.ask(&signal(b"news.now", b" x y")).await, Response::Count(2));
    assert_eq!(mux.push().await, Push::Signal { channel: b"news.now", payload: b" x y" });
    assert_eq!(line.answer().await, "sig news.now  x y");

    let mut sender = Client::connect(address).await;
    assert_eq!(sender.ask("signal\nnews.now\nz\n").await, "ok 2");
    assert_eq!(mux.push().await, Push::Signal { channel: b"news.now", payload: b"z" });
    assert_eq!(line.answer().await, "sig news.now z");

    assert_eq!(mux.ask(&Request::Unlisten { pattern: b"news.*", group: b"" }).await, Response::Done);
    assert_eq!(sender.ask("signal\nnews.now\nz\n").await, "ok 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_group_take_turns_across_protocols() {
    let address = start(Config::default());
    let (mut mux, mut line) = (Mux::connect(address).await, Client::connect(address).await);
    mux.ask(&Request::Listen { pattern: b"jobs", group: b"workers" }).await;
    assert_eq!(line.ask("listen\njobs\nworkers\n").await, "ok");
    let mut sender = Mux::connect(address).await;
    for payload in [b"1", b"2"] {
        assert_eq!(sender.ask(&signal(b"jobs", payload)).await, Response::Count(1));
    }
    assert!(matches!(mux.push().await, Push::Signal { .. }));
    assert!(line.answer().await.starts_with("sig jobs "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_signal_and_no_pattern_is_refused() {
    let mut client = Mux::connect(start(Config::default())).await;
    for wrong in [
        signal(b"", b"x"),
        signal(b"a b", b"x"),
        signal(b"a.*", b"x"),
        signal(b"a", b""),
        signal(b"a", b"one\ntwo"),
        Request::Listen { pattern: b"", group: b"" },
        Request::Listen { pattern: b"a*", group: b"" },
        Request::Listen { pattern: b"a", group: &[b'g'; 513] },
    ] {
        assert_eq!(code(&client.ask(&wrong).await), RefusedCode::Invalid, "{wrong:?}");
    }
    assert_eq!(client.ask(&Request::Listen { pattern: b"a", group: &[b'g'; 512] }).await, Response::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_for_a_frame_is_heard_by_lines_only() {
    let address = start(Config::default());
    let (mut mux, mut line) = (Mux::connect(address).await, Client::connect(address).await);
    mux.ask(&Request::Listen { pattern: b"news", group: b"" }).await;
    assert_eq!(line.ask("listen\nnews\n\n").await, "ok");
    let mut sender = Client::connect(address).await;
    for (len, heard) in [(65_536, 1), (65_523, 2), (65_524, 1)] {
        let payload = "p".repeat(len);
        assert_eq!(
            sender.ask(&format!("signal\nnews\n{payload}\n")).await,
            format!("ok {heard}"),
            "{len} bytes"
        );
        assert_eq!(line.answer().await, format!("sig news {payload}"));
    }
    assert!(matches!(mux.push().await, Push::Signal { payload, .. } if payload.len() == 65_523));
    assert_eq!(mux.ask(&Request::Ping).await, Response::Pong);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_signals_to_oneself_is_heard_between_the_answers() {
    const BURST: usize = 300;
    let mut client = Mux::connect(start(Config::default())).await;
    client.ask(&Request::Listen { pattern: b"news", group: b"" }).await;
    let frames: Vec<_> = (0..BURST).map(|_| client.frame(&signal(b"news", b"x"))).collect();
    let bytes: Vec<u8> = frames.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    client.write(&bytes).await;
    for (number, _) in frames {
        assert_eq!(client.answer(number).await, Response::Count(1));
    }
    for _ in 0..BURST {
        assert_eq!(client.push().await, Push::Signal { channel: b"news", payload: b"x" });
    }
}
