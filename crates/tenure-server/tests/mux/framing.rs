//! Bytes, frames, and who is let in.

use crate::client::{HELLO, Mux, TTL, code, enqueue, id, lock, refused, semaphore, token};
use crate::line::{Client, start};
use std::sync::Arc;
use tenure_core::{Fence, Key, Space, Token};
use tenure_server::{AuthToken, Config, TlsFiles};
use tenure_wire::mux::{
    FRAME_LEN_MAX, FRAME_LEN_MAX_BEFORE_HELLO, Hello, Message, PREFACE, RefusedCode, Request, Response,
    VERSION,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The request as a frame of `len` bytes, its length field not counted, padded with fields that nobody knows.
fn padded(client: &mut Mux, request: &Request<'_>, len: usize) -> Vec<u8> {
    let (_, mut bytes) = client.frame(request);
    bytes.resize(4 + len, 0xee);
    bytes[..4].copy_from_slice(&u32::try_from(len).expect("a short frame").to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preface_and_the_hello_may_arrive_in_pieces() {
    let address = start(Config::default());
    for split in 1..PREFACE.len() {
        let mut client = Mux::silent(address).await;
        client.stream.set_nodelay(true).expect("a socket");
        let (number, hello) = client.frame(&Request::Hello(HELLO));
        client.write(&PREFACE[..split]).await;
        tokio::task::yield_now().await;
        client.write(&PREFACE[split..]).await;
        for byte in hello {
            client.write(&[byte]).await;
        }
        assert!(matches!(client.answer(number).await, Response::Welcome(_)), "split at {split}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_byte_that_does_not_begin_the_preface_is_a_line() {
    let address = start(Config::default());
    for line in ["\0", "\0tenurf", "\0tenure ", "\0\0tenure"] {
        let mut client = Client::connect(address).await;
        assert_eq!(client.ask(&format!("{line}\n\n\n")).await, "error", "{line:?}");
        assert_eq!(client.ask("ping\n\n\n").await, "ok", "{line:?}");
    }
    let mut client = Client::connect(address).await;
    assert_eq!(client.ask("ping\n\n\n").await, "ok");
    assert_eq!(client.ask("\0tenure\n\n\n").await, "error", "it stands at the beginning or nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_hello_a_frame_has_at_most_a_kibibyte() {
    let address = start(Config::default());
    for (len, is_let_in) in [(FRAME_LEN_MAX_BEFORE_HELLO, true), (FRAME_LEN_MAX_BEFORE_HELLO + 1, false)] {
        let mut client = Mux::silent(address).await;
        client.write(&PREFACE).await;
        let hello = padded(&mut client, &Request::Hello(HELLO), len);
        client.write(&hello).await;
        if is_let_in {
            assert!(matches!(client.answer(1).await, Response::Welcome(_)));
        } else {
            assert_eq!(client.turned_away().await, RefusedCode::Invalid);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_announced_too_long_is_refused_before_it_comes() {
    let address = start(Config::default());
    let mut stranger = Mux::silent(address).await;
    stranger.write(&PREFACE).await;
    stranger.write(&u32::MAX.to_be_bytes()).await;
    assert_eq!(stranger.turned_away().await, RefusedCode::Invalid);
    let mut guest = Mux::connect(address).await;
    guest.write(&u32::try_from(FRAME_LEN_MAX + 1).expect("a length").to_be_bytes()).await;
    assert_eq!(guest.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_hello_a_frame_has_at_most_64_kibibytes() {
    let address = start(Config::default());
    let mut client = Mux::connect(address).await;
    let longest = padded(&mut client, &Request::Ping, FRAME_LEN_MAX);
    client.write(&longest).await;
    assert_eq!(client.answer(2).await, Response::Pong);
    let too_long = padded(&mut client, &Request::Ping, FRAME_LEN_MAX + 1);
    client.write(&too_long).await;
    assert_eq!(client.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_frame_ends_the_connection_and_what_is_no_request_does_not() {
    let mut client = Mux::connect(start(Config::default())).await;
    // A kind that nobody knows, and a cancel whose claim is cut short.
    client.write(&[0, 0, 0, 5, 0x7f, 0, 0, 0, 9]).await;
    assert_eq!(code(&client.answer(9).await), RefusedCode::Unsupported);
    client.write(&[0, 0, 0, 6, 0x05, 0, 0, 0, 10, 1]).await;
    assert_eq!(code(&client.answer(10).await), RefusedCode::Invalid);
    assert_eq!(client.ask(&Request::Ping).await, Response::Pong);
    client.write(&[0, 0, 0, 4, 0x02, 0, 0, 0]).await;
    assert_eq!(client.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_number_ends_the_connection() {
    let mut client = Mux::connect(start(Config::default())).await;
    client.write(&[0, 0, 0, 5, 0x02, 0, 0, 0, 0]).await;
    assert_eq!(client.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_makes_no_sense_is_told_what_is_wrong_with_it() {
    let (long, host) = ("l".repeat(257), "h".repeat(65));
    for auth_token in [None, AuthToken::new(b"hush")] {
        let address = start(Config { auth_token, ..Config::default() });
        let label = Hello { label: &long, auth: b"hush", ..HELLO };
        let host = Hello { host: &host, auth: b"hush", ..HELLO };
        let ill = Hello { label: "ill", ..HELLO };
        for (hello, why) in [(label, "a label"), (host, "a host"), (ill, "UTF-8")] {
            let mut client = Mux::silent(address).await;
            client.write(&PREFACE).await;
            let (number, mut frame) = client.frame(&Request::Hello(hello));
            if let Some(at) = frame.windows(3).position(|bytes| bytes == b"ill") {
                frame[at] = 0xff;
            }
            client.write(&frame).await;
            let answer = client.answer(number).await;
            let refused = refused(&answer);
            assert_eq!(refused.code, RefusedCode::Invalid);
            let says = refused.message.replace("the name of a host", "a host");
            assert!(says.contains(why), "{says}");
            assert_eq!(client.next().await, None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_tls_where_there_is_none_is_closed_without_a_word() {
    let address = start(Config::default());
    let hello = b"\x16\x03\x01\0\x05\x01\0\0\0\0";
    for split in [1, 2, 6] {
        let mut client = TcpStream::connect(address).await.expect("a connection");
        for part in [&hello[..split], &hello[split..]] {
            // It may be closed before all of it was sent.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client, part).await;
        }
        let mut said = Vec::new();
        let end = tokio::time::timeout(crate::line::SOON, client.read_to_end(&mut said)).await;
        end.expect("an end long before it would have to say more").ok();
        assert!(said.is_empty(), "{said:?}");
    }
    for line in ["\x16", "\x16\x02", " \x16\x03"] {
        let mut client = Client::connect(address).await;
        assert_eq!(client.ask(&format!("{line}\n\n\n")).await, "error", "{line:?}");
        assert_eq!(client.ask("ping\n\n\n").await, "ok", "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_begins_with_one_hello() {
    let address = start(Config::default());
    let mut client = Mux::connect(address).await;
    assert_eq!(code(&client.ask(&Request::Hello(HELLO)).await), RefusedCode::Invalid);
    assert_eq!(client.ask(&Request::Ping).await, Response::Pong);
    let mut stranger = Mux::silent(address).await;
    stranger.write(&PREFACE).await;
    stranger.send(&Request::Ping).await;
    assert_eq!(stranger.turned_away().await, RefusedCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_welcome_says_what_a_client_has_to_know() {
    let address = start(Config::default());
    let welcome = Mux::silent(address).await.welcome(&HELLO).await;
    assert_eq!((welcome.version, welcome.silence_max), (VERSION, Config::default().read_timeout));
    assert!(welcome.owner > 0 && welcome.server.starts_with("tenure "), "{welcome:?}");
    let next = Mux::silent(address).await.welcome(&Hello { version_max: u16::MAX, ..HELLO }).await;
    assert_eq!(next.version, VERSION);
    assert_ne!(next.owner, welcome.owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_common_version_nobody_is_let_in() {
    let address = start(Config::default());
    for (version_min, version_max) in [(0, VERSION - 1), (VERSION + 1, u16::MAX), (VERSION + 1, VERSION)] {
        let mut client = Mux::silent(address).await;
        let answer = client.introduce(&Hello { version_min, version_max, ..HELLO }).await;
        assert_eq!(code(&answer), RefusedCode::Unsupported);
        assert_eq!(client.next().await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_secret_lets_in() {
    let address = start(Config { auth_token: AuthToken::new(b"hush"), ..Config::default() });
    for auth in [&b""[..], b"hus", b"hush ", b"Hush"] {
        let mut client = Mux::silent(address).await;
        let answer = client.introduce(&Hello { auth, ..HELLO }).await;
        assert_eq!(code(&answer), RefusedCode::Denied);
        assert_eq!(client.next().await, None);
    }
    let mut stranger = Mux::silent(address).await;
    stranger.write(&PREFACE).await;
    stranger.send(&enqueue(1, lock("k"))).await;
    assert_eq!(stranger.turned_away().await, RefusedCode::Denied);
    Mux::connect_as(address, &Hello { auth: b"hush", ..HELLO }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_request_has_its_answer() {
    let mut client = Mux::connect(start(Config::default())).await;
    let key = lock("k");
    assert_eq!(client.ask(&Request::Ping).await, Response::Pong);
    let granted = client.ask(&enqueue(1, key)).await;
    assert!(matches!(granted, Response::Granted { ttl: TTL, .. }), "{granted:?}");
    assert_eq!(client.ask(&enqueue(2, key)).await, Response::Queued { position: 0 });
    assert_eq!(client.ask(&Request::Position { claim: id(2) }).await, Response::Queued { position: 0 });
    assert_eq!(client.ask(&Request::Position { claim: id(1) }).await, Response::Gone, "it does not wait");
    assert_eq!(client.ask(&Request::Follow { claim: id(2), on: true }).await, Response::Done);
    assert_eq!(client.ask(&Request::Follow { claim: id(2), on: false }).await, Response::Done);
    assert_eq!(client.ask(&Request::Follow { claim: id(2), on: false }).await, Response::Gone);
    assert_eq!(client.ask(&Request::Follow { claim: id(1), on: true }).await, Response::Gone);
    assert_eq!(client.ask(&Request::Cancel { claim: id(2) }).await, Response::Released);
    assert_eq!(client.ask(&Request::Cancel { claim: id(2) }).await, Response::Gone);
    assert_eq!(client.ask(&Request::Renew { claim: id(1), ttl: TTL }).await, Response::Renewed { ttl: TTL });
    assert_eq!(client.ask(&Request::Renew { claim: id(2), ttl: TTL }).await, Response::Gone);
    let resumed = client.ask(&Request::Resume { claim: id(1), key }).await;
    assert_eq!(token(&resumed).fence, token(&granted).fence);
    assert_eq!(client.ask(&Request::Resume { claim: id(1), key: lock("other") }).await, Response::Gone);
    assert!(matches!(client.ask(&Request::Inspect { key }).await, Response::Inspection(_)));
    assert_eq!(client.ask(&Request::Inspect { key: semaphore("k") }).await, Response::Gone);
    let page = client.ask(&Request::List { prefix: b"k", cursor: 0 }).await;
    assert!(matches!(&page, Response::Page { keys, next: None } if keys.len() == 1), "{page:?}");
    assert_eq!(client.ask(&Request::Watch { key: lock("w") }).await, Response::Done);
    assert_eq!(client.ask(&Request::Unwatch { key: lock("w") }).await, Response::Done);
    assert_eq!(client.ask(&Request::Listen { pattern: b"news.>", group: b"" }).await, Response::Done);
    assert_eq!(client.ask(&Request::Unlisten { pattern: b"news.>", group: b"" }).await, Response::Done);
    assert_eq!(client.ask(&Request::Signal { channel: b"news", payload: b"x" }).await, Response::Count(0));
    let steal = Request::Steal { key, fence: Some(Fence::new(0)), reason: "none has this fence" };
    assert_eq!(client.ask(&steal).await, Response::Count(0));
    let Token { fence, .. } = token(&granted);
    let wrong = Token { fence, secret: tenure_core::Secret::new(0) };
    assert_eq!(client.ask(&Request::ReleaseToken { key, token: wrong }).await, Response::Gone);
    assert_eq!(client.ask(&Request::ReleaseToken { key, token: token(&granted) }).await, Response::Released);
    assert_eq!(client.ask(&Request::Release { claim: id(1) }).await, Response::Gone);
    client.ask(&enqueue(3, key)).await;
    assert_eq!(client.ask(&Request::Release { claim: id(3) }).await, Response::Released);
    let Response::Info(info) = client.ask(&Request::Info).await else { panic!("no figures") };
    let info: serde_json::Value = serde_json::from_str(info).expect("JSON");
    assert_eq!(
        (&info["server"], &info["connections"], &info["claims"]),
        (&"tenure".into(), &1.into(), &0.into())
    );
    assert!(info["pid"].is_u64() && info["read_timeout_s"].is_f64() && info["keys"].is_u64(), "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_end_their_connection_at_worst() {
    let address = start(Config::default());
    let mut steady = Mux::connect(address).await;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..200 {
        let mut client = Mux::connect(address).await;
        let mut bytes = Vec::new();
        for _ in 0..20 {
            let request =
                [enqueue(random.next().into(), lock("k")), Request::Info, Request::Watch { key: lock("k") }];
            let (_, mut frame) = client.frame(&request[random.below(3)]);
            // Mostly whole frames with one wrong byte, so that what is behind their length is looked at, too.
            let first = if round % 4 == 0 { 0 } else { 4 };
            let at = first + random.below(frame.len() - first);
            frame[at] = random.next().to_be_bytes()[0];
            bytes.extend(frame);
        }
        let (mut receiver, mut sender) = client.stream.into_split();
        // It may be turned away before it has sent everything.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut sender, &bytes).await;
        drop(sender);
        let mut rest = Vec::new();
        let _ = receiver.read_to_end(&mut rest).await;
        assert_eq!(steady.ask(&Request::Ping).await, Response::Pong, "round {round}");
    }
}

/// Numbers that are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 32).expect("32 bits") % end
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spoken_over_tls_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.cert, certified.cert.pem()).expect("a disk");
    std::fs::write(&files.key, certified.signing_key.serialize_pem()).expect("a disk");
    let address = start(Config { tls: Some(files), ..Config::default() });

    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await.expect("a connection");
    let name = "localhost".try_into().expect("a name");
    let mut client = Mux::over(connector.connect(name, stream).await.expect("a handshake"));
    client.welcome(&HELLO).await;
    assert!(matches!(client.ask(&enqueue(1, lock("k"))).await, Response::Granted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lease_a_lock_and_permits_have_to_be_is_said() {
    let mut client = Mux::connect(start(Config::default())).await;
    let claim = |number| crate::client::claim(number, lock("k"));
    let mut wrong = [claim(1), claim(2), claim(3), claim(4), claim(5)];
    wrong[0].ttl = std::time::Duration::ZERO;
    wrong[1].ttl = tenure_core::TTL_MAX + tenure_core::TTL_MIN;
    wrong[2].limit = tenure_core::Limit::new(2).expect("a limit");
    wrong[3].permits = 2;
    wrong[4].key = Key::new(Space::RwLock, b"k").expect("a short name");
    for wrong in wrong {
        let answer = client.ask(&Request::Enqueue(wrong)).await;
        let refused = refused(&answer);
        assert_eq!(refused.code, RefusedCode::Invalid);
        assert!(!refused.message.is_empty());
    }
    let renew = Request::Renew { claim: id(1), ttl: std::time::Duration::ZERO };
    assert_eq!(code(&client.ask(&renew).await), RefusedCode::Invalid);
    for ttl in [tenure_core::TTL_MIN, tenure_core::TTL_MAX] {
        let answer =
            client.ask(&Request::Enqueue(tenure_wire::mux::Enqueue { ttl, ..claim(ttl.as_nanos()) })).await;
        assert!(matches!(answer, Response::Granted { .. } | Response::Queued { .. }), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_the_hello_are_served_with_it() {
    let mut client = Mux::silent(start(Config::default())).await;
    let mut bytes = PREFACE.to_vec();
    for request in [Request::Hello(HELLO), Request::Ping, enqueue(1, lock("k")), Request::Ping] {
        bytes.extend(client.frame(&request).1);
    }
    client.write(&bytes).await;
    assert!(matches!(client.next().await, Some(Message::Response(1, Response::Welcome(_)))));
    assert_eq!(client.next().await, Some(Message::Response(2, Response::Pong)));
    assert!(matches!(client.next().await, Some(Message::Response(3, Response::Granted { .. }))));
    assert_eq!(client.next().await, Some(Message::Response(4, Response::Pong)));
}
