//! What is at a limit, and what is beyond one.

use crate::said::Said;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{
    Bond, ClaimId, Ending, Fence, HOST_LEN_MAX, HolderInfo, Inspection, Key, LABEL_LEN_MAX, Limit,
    NAME_LEN_MAX, Note, OwnerId, PAST_MAX, PastInfo, SHOWN_MAX, Space, Summary, WaiterInfo,
};
use tenure_wire::mux::{
    BadFrame, Enqueue, FRAME_LEN_MAX, FRAME_LEN_MAX_BEFORE_HELLO, Frame, Framed, Hello, Message, Patience,
    Push, Request, Response, TooLong, decode_message, decode_request, encode_push, encode_request,
    encode_response, next_frame,
};

#[test]
fn a_frame_that_is_too_long_is_known_by_its_length_alone() {
    assert_eq!(next_frame(&[0, 0, 4, 0], 1024), Framed::Incomplete);
    assert_eq!(next_frame(&[0, 0, 4, 1], 1024), Framed::TooLong { len: 1025 });
    assert_eq!(next_frame(&[0xff; 4], FRAME_LEN_MAX), Framed::TooLong { len: u32::MAX as usize });
}

#[test]
fn a_frame_without_room_for_a_kind_and_a_number_is_none() {
    assert_eq!(next_frame(&[0, 0, 0, 4, 2, 0, 0, 0], 1024), Framed::Malformed);
    let frame = Frame { kind: 2, id: 7, body: &[], len: 9 };
    assert_eq!(next_frame(&[0, 0, 0, 5, 2, 0, 0, 0, 7, 9, 9], 1024), Framed::Whole(frame));
    assert_eq!(next_frame(&[0, 0, 0, 5, 2, 0, 0, 0], 1024), Framed::Incomplete);
}

#[test]
fn the_longest_signal_fits_and_one_byte_more_leaves_nothing_behind() {
    let payload = vec![b'p'; FRAME_LEN_MAX];
    let longest = FRAME_LEN_MAX - 5 - 2 - 3 - 2;
    let mut out = b"before".to_vec();
    let signal = |len| Request::Signal { channel: b"abc", payload: &payload[..len] };
    assert_eq!(encode_request(&mut out, 1, &signal(longest + 1)), Err(TooLong));
    assert_eq!(
        encode_request(&mut out, 1, &signal(FRAME_LEN_MAX)),
        Err(TooLong),
        "more than its length can say"
    );
    assert_eq!(out, b"before");
    assert_eq!(encode_request(&mut out, 1, &signal(longest)), Ok(()));
    let Framed::Whole(frame) = next_frame(&out[6..], FRAME_LEN_MAX) else { unreachable!("no frame") };
    assert_eq!(frame.len, 4 + FRAME_LEN_MAX);
    assert_eq!(decode_request(&frame), Ok(signal(longest)));
    let push = Push::Signal { channel: b"abc", payload: &payload[..longest] };
    assert_eq!(encode_push(&mut out, &push), Ok(()), "what could be sent can be passed on");
}

#[test]
fn a_hello_fits_what_a_stranger_may_send_or_is_not_written() {
    let auth = [b'a'; FRAME_LEN_MAX_BEFORE_HELLO];
    let hello = |len| {
        let auth = &auth[..len];
        Request::Hello(Hello {
            version_min: 1,
            version_max: 1,
            session: 0,
            auth,
            label: "",
            host: "",
            pid: 0,
        })
    };
    let longest = FRAME_LEN_MAX_BEFORE_HELLO - 5 - 24 - 3 * 2;
    let mut out = Vec::new();
    assert_eq!(encode_request(&mut out, 1, &hello(longest + 1)), Err(TooLong));
    assert_eq!(encode_request(&mut out, 1, &hello(longest)), Ok(()));
    assert!(matches!(next_frame(&out, FRAME_LEN_MAX_BEFORE_HELLO), Framed::Whole(_)));
}

#[test]
fn the_longest_answers_of_the_engine_fit() {
    let holder = HolderInfo {
        fence: Fence::new(u64::MAX),
        permits: u32::MAX,
        since: Duration::MAX,
        remaining: Duration::MAX,
        owner: OwnerId::new(u64::MAX),
        note: note(),
    };
    let waiter = WaiterInfo { permits: 1, since: Duration::MAX, owner: OwnerId::new(1), note: note() };
    let past = PastInfo {
        fence: Fence::new(1),
        held_for: Duration::MAX,
        ago: Duration::MAX,
        ending: Ending::Stolen,
        owner: OwnerId::new(1),
        note: note(),
    };
    let summary = Summary {
        space: Space::RwLock,
        name: vec![b'k'; NAME_LEN_MAX],
        limit: Limit::ONE,
        held: 1,
        holders_len: 1,
        queue_len: 1,
        holder: Some(holder.clone()),
    };
    let inspection = Inspection {
        limit: Limit::ONE,
        held: 1,
        holders_len: 64,
        queue_len: 64,
        holders: vec![holder; SHOWN_MAX],
        waiters: vec![waiter; SHOWN_MAX],
        past: vec![past; PAST_MAX],
    };
    // An engine looks at 64 keys for one page.
    for response in
        [Response::Inspection(inspection), Response::Page { keys: vec![summary; 64], next: Some(64) }]
    {
        assert_eq!(encode_response(&mut Vec::new(), 1, &response), Ok(()));
    }
}

#[test]
fn a_kind_that_nobody_knows_is_told_from_fields_that_make_no_sense() {
    let frame = |kind, id| Frame { kind, id, body: b"whatever", len: 17 };
    assert_eq!(decode_request(&frame(0x7f, 1)), Err(BadFrame::UnknownKind(0x7f)));
    assert_eq!(decode_request(&frame(0x84, 1)), Err(BadFrame::UnknownKind(0x84)), "a response is no request");
    assert_eq!(decode_message(&frame(0xbf, 1)), Err(BadFrame::UnknownKind(0xbf)));
    assert_eq!(decode_message(&frame(0x03, 1)), Err(BadFrame::UnknownKind(0x03)), "a request is no response");
    assert_eq!(
        decode_message(&frame(0xff, 0)),
        Ok(Message::Unknown),
        "later servers may push what they like"
    );
}

#[test]
fn the_number_of_a_request_is_not_the_one_of_pushes() {
    let ping = Frame { kind: 2, id: 0, body: &[], len: 9 };
    assert_eq!(decode_request(&ping), Err(BadFrame::Malformed("the number of a request is not zero")));
}

#[test]
fn fields_that_make_no_sense_are_refused_and_the_reason_is_told() {
    let sound = Said::Request(1, Request::Enqueue(enqueue(Bond::Connection))).to_bytes();
    // The fields begin behind length, kind and number; an id has sixteen bytes, permits and limit four each, a TTL eight.
    let fields = 9 + 16;
    for (at, bytes, reason) in [
        (fields, &[0, 0, 0, 0][..], "a claim asks for at least one permit"),
        (fields + 4, &[0, 0, 0, 0], "a limit is at least one permit"),
        (fields + 16, &[2], "a claim is bound to its connection or resumable"),
        (fields + 17, &[2], "a claim has no patience or endless patience"),
        (fields + 18, &[3], "there is no such name space"),
        (fields + 19, &[0, 0], "a key needs at least one byte"),
        (fields + 19, &[0, 9], "the frame ends before its last field"),
        (fields + 19 + 2 + 1 + 2, &[0xff], "a text is not UTF-8"),
    ] {
        let mut changed = sound.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(refused(&changed), BadFrame::Malformed(reason));
    }
}

#[test]
fn names_and_texts_at_their_limits_are_taken_and_one_byte_more_is_not() {
    let long = "x".repeat(NAME_LEN_MAX + 1);
    let label =
        |len| Said::Request(1, Request::Enqueue(Enqueue { label: &long[..len], ..enqueue(Bond::Resumable) }));
    let steal = |len| Said::Request(1, Request::Steal { key: key(), fence: None, reason: &long[..len] });
    let host = |len| {
        let host = &long[..len];
        let hello = Hello { version_min: 1, version_max: 1, session: 0, auth: b"", label: "", host, pid: 0 };
        Said::Request(1, Request::Hello(hello))
    };
    for (said, beyond, reason) in [
        (label(LABEL_LEN_MAX), label(LABEL_LEN_MAX + 1), "a label has at most 256 bytes"),
        (steal(256), steal(257), "a reason has at most 256 bytes"),
        (host(HOST_LEN_MAX), host(HOST_LEN_MAX + 1), "the name of a host has at most 64 bytes"),
    ] {
        assert_eq!(Said::decode(&frame(&said.to_bytes())), Ok(said));
        assert_eq!(refused(&beyond.to_bytes()), BadFrame::Malformed(reason));
    }
    // A key beyond its limit cannot be made, so it is written by hand.
    let mut bytes = [0, 0, 0, 0, 0x0b, 0, 0, 0, 1, 0, 2, 1].to_vec();
    bytes.extend_from_slice(long.as_bytes());
    let len = u32::try_from(bytes.len() - 4).expect("a short frame");
    bytes[..4].copy_from_slice(&len.to_be_bytes());
    assert_eq!(refused(&bytes), BadFrame::Malformed("a key has at most 512 bytes"));
}

#[test]
fn a_lease_does_not_become_shorter_on_its_way_to_the_server_nor_longer_on_its_way_back() {
    let (odd, claim) = (Duration::from_micros(1_001), ClaimId::new(1));
    let sent = Said::Request(1, Request::Renew { claim, ttl: odd }).to_bytes();
    let asked = Request::Renew { claim, ttl: Duration::from_millis(2) };
    assert_eq!(Said::decode(&frame(&sent)), Ok(Said::Request(1, asked)));
    let answered = Said::Response(1, Response::Renewed { ttl: odd }).to_bytes();
    let promised = Response::Renewed { ttl: Duration::from_millis(1) };
    assert_eq!(Said::decode(&frame(&answered)), Ok(Said::Response(1, promised)));
}

#[test]
fn a_time_beyond_all_numbers_is_the_longest_one() {
    let sent = Said::Request(1, Request::Renew { claim: ClaimId::new(1), ttl: Duration::MAX }).to_bytes();
    let longest = Request::Renew { claim: ClaimId::new(1), ttl: Duration::from_millis(u64::MAX) };
    assert_eq!(Said::decode(&frame(&sent)), Ok(Said::Request(1, longest)));
}

#[test]
fn the_bond_of_the_line_protocol_is_taken_for_no_other() {
    let bytes = Said::Request(1, Request::Enqueue(enqueue(Bond::Lease))).to_bytes();
    assert_eq!(refused(&bytes), BadFrame::Malformed("a claim is bound to its connection or resumable"));
}

#[test]
fn a_record_may_have_fields_that_nobody_knows_yet() {
    let key = |queue_len| Summary {
        space: Space::Lock,
        name: b"k".to_vec(),
        limit: Limit::ONE,
        held: 0,
        holders_len: 0,
        queue_len,
        holder: None,
    };
    let page = Said::Response(1, Response::Page { keys: vec![key(1), key(2)], next: None });
    let mut bytes = page.to_bytes();
    // Behind the head, the flag of no next page and the number of keys: the length of the first of them.
    let length = 9 + 1 + 2;
    let len = bytes[length + 1];
    bytes[length + 1] += 3;
    let end = length + 2 + usize::from(len);
    bytes.splice(end..end, *b"new");
    bytes[3] += 3;
    assert_eq!(Said::decode(&frame(&bytes)), Ok(page));
}

fn enqueue(bond: Bond) -> Enqueue<'static> {
    Enqueue {
        claim: ClaimId::new(1),
        key: key(),
        permits: 1,
        limit: Limit::ONE,
        ttl: Duration::from_secs(30),
        bond,
        patience: Patience::None,
        label: "x",
    }
}

fn key() -> Key<'static> {
    Key::new(Space::Lock, b"k").expect("a key")
}

fn note() -> Option<Arc<Note>> {
    let (label, host) = ("l".repeat(LABEL_LEN_MAX), "h".repeat(HOST_LEN_MAX));
    Some(Arc::new(Note { label: label.into(), host: host.into(), pid: u32::MAX }))
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let Framed::Whole(frame) = next_frame(bytes, FRAME_LEN_MAX) else {
        unreachable!("no whole frame: {bytes:02x?}")
    };
    frame
}

fn refused(bytes: &[u8]) -> BadFrame {
    Said::decode(&frame(bytes)).expect_err("a message that makes no sense")
}
