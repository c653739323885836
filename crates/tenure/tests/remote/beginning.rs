//! How a connection begins, or does not.

use crate::hasty;
use crate::peer::{Peer, within};
use tenure::coordinator::{Coordinator as _, Remote};
use tenure::{AuthToken, Error, ErrorKind, Options};
use tenure_wire::mux::{Hello, Refused, RefusedCode, Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn refusal(peer: &Peer, says: &[u8]) -> Error {
    let options = hasty();
    let (answer, ()) = tokio::join!(peer.connect(&options), async {
        let mut stream = peer.take().await;
        stream.write_all(says).await.expect("written");
        let _ = within("the end", stream.read_to_end(&mut Vec::new())).await;
    });
    answer.expect_err("no service of ours")
}

#[tokio::test]
async fn where_nobody_is_it_says_how_to_start_one() {
    let peer = Peer::start().await;
    let address = peer.address();
    drop(peer);
    let error = Remote::connect(address, &Options::default()).await.expect_err("nobody is there");
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(error.to_string().contains("start one with `tenure serve`"), "{error}");
}

#[tokio::test]
async fn a_service_of_another_kind_is_told_from_ours_by_what_it_says() {
    let peer = Peer::start().await;
    let error = refusal(&peer, b"error\n").await;
    assert_eq!(error.kind(), &ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.contains("answered \"error\\n\"") && text.contains("no Tenure daemon that knows"), "{text}");

    let error = refusal(&peer, &[0x15, 0x03, 0x03, 0, 2, 2, 50]).await;
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(error.to_string().contains("speaks TLS: name it tenures://127.0.0.1"), "{error}");

    let error = refusal(&peer, b"").await;
    assert_eq!(error.kind(), &ErrorKind::Unavailable, "it may be one that is busy");
    assert!(error.to_string().contains("does not answer"), "{error}");
}

#[tokio::test]
async fn a_service_that_closes_without_a_word_is_none_of_ours_or_takes_nobody_in_now() {
    let peer = Peer::start().await;
    let options = Options::default();
    let (answer, ()) = tokio::join!(peer.connect(&options), async {
        let (talk, _) = peer.accept_unanswered().await;
        drop(talk);
    });
    let error = answer.expect_err("closed");
    assert_eq!(error.kind(), &ErrorKind::Unavailable);
    assert!(error.to_string().contains("closed the connection: it is no Tenure daemon"), "{error}");
}

#[tokio::test]
async fn a_client_shows_its_secret_and_hears_when_it_is_not_the_right_one() {
    let peer = Peer::start().await;
    let options = Options { auth: Some(AuthToken::from("open sesame")), ..Options::default() };
    let (answer, ()) = tokio::join!(peer.connect(&options), async {
        let (mut talk, id) = peer.accept_unanswered().await;
        let refused = Refused { code: RefusedCode::Denied, detail: 0, message: "" };
        talk.answer(id, &Response::Refused(refused)).await;
        talk.end().await;
    });
    let error = answer.expect_err("denied");
    assert_eq!(error.kind(), &ErrorKind::Denied);
    assert!(!error.to_string().contains("sesame"), "{error}");
}

#[tokio::test]
async fn a_client_tells_who_it_is() {
    let peer = Peer::start().await;
    let options = Options { auth: Some(AuthToken::from("s")), ..Options::default() };
    let (_, ()) = tokio::join!(peer.connect(&options), async {
        let mut stream = peer.take().await;
        let mut bytes = [0; 8 + 4];
        stream.read_exact(&mut bytes).await.expect("read");
        let mut frame = bytes[8..].to_vec();
        let len = u32::from_be_bytes(bytes[8..].try_into().expect("four bytes")) as usize;
        frame.resize(4 + len, 0);
        stream.read_exact(&mut frame[4..]).await.expect("read");
        let tenure_wire::mux::Framed::Whole(frame) = tenure_wire::mux::next_frame(&frame, 1024) else {
            panic!("no frame");
        };
        let hello = tenure_wire::mux::decode_request(&frame).expect("a hello");
        let Request::Hello(Hello { session, auth, host, pid, .. }) = hello else { panic!("{hello:?}") };
        assert_ne!(session, 0);
        assert_eq!((auth, pid), (&b"s"[..], std::process::id()));
        assert!(!host.is_empty());
    });
}

#[tokio::test]
async fn a_secret_that_is_changed_meanwhile_is_told_at_once_to_whoever_asks() {
    let peer = Peer::start().await;
    let (remote, talk) = peer.meet(&Options::default()).await;
    drop(talk);
    let (answer, ()) = tokio::join!(within("an answer", remote.info()), async {
        let (mut talk, id) = peer.accept_unanswered().await;
        let refused = Refused { code: RefusedCode::Denied, detail: 0, message: "" };
        talk.answer(id, &Response::Refused(refused)).await;
    });
    assert_eq!(answer.expect_err("denied").kind(), &ErrorKind::Denied);
}
