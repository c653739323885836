//! The line protocol under any bytes, cut anywhere.

use std::time::Duration;

use proptest::prelude::*;
use tenure_core::{Bond, Key, Limit, Space, Subject, check_pattern};
use tenure_wire::line::{
    Command, Decoded, LONG_LINE_LEN_MAX, REQUEST_LEN_MAX, SECONDS_MAX, decode, parse_answer,
};

proptest! {
    #[test]
    fn any_bytes_are_decided_without_panic_and_more_bytes_never_change_it(
        stream in prop_oneof![any_bytes(), almost_requests()],
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(stream.len() + 1);
        match (decode(&stream[..cut]), decode(&stream)) {
            (Decoded::Incomplete, Decoded::Request { len, .. }) => prop_assert!(cut < len),
            (Decoded::Incomplete, Decoded::Incomplete | Decoded::TooLong) => {}
            (early, late) => prop_assert_eq!(early, late),
        }
        if let Decoded::Request { len, .. } = decode(&stream) {
            prop_assert!(len >= 3 && len <= stream.len());
            prop_assert_eq!(stream[..len].iter().filter(|byte| **byte == b'\n').count(), 3);
            prop_assert_eq!(stream[len - 1], b'\n');
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_the_same_requests(
        stream in almost_requests(),
        pieces in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let mut pieces = pieces.iter().cycle();
        let (mut start, mut read) = (0, 0);
        let mut whole = 0;
        while read < stream.len() {
            read = (read + pieces.next().expect("a cycle")).min(stream.len());
            while let Decoded::Request { command, len } = decode(&stream[start..read]) {
                prop_assert_eq!(start, whole);
                prop_assert_eq!(Decoded::Request { command, len }, decode(&stream[whole..]));
                start += len;
                whole += len;
            }
        }
        let more = matches!(decode(&stream[whole..]), Decoded::Request { .. });
        prop_assert!(!more);
    }

    #[test]
    fn as_many_bytes_as_the_longest_request_are_always_enough(
        verb in prop::sample::select(vec!["auth\nk\n", "signal\nk\n", "l\nk\n", "l\n", ""]),
        byte in prop_oneof![Just(b'x'), Just(b'\r'), any::<u8>()],
    ) {
        let mut input = verb.as_bytes().to_vec();
        input.resize(REQUEST_LEN_MAX, byte);
        prop_assert_ne!(decode(&input), Decoded::Incomplete);
    }

    #[test]
    fn what_is_sent_is_what_is_read(parts in parts(), which in 0_usize..17) {
        let command = parts.command(which);
        let mut out = Vec::new();
        prop_assert_eq!(command.encode(&mut out), Ok(()));
        prop_assert_eq!(decode(&out), Decoded::Request { command: Ok(command), len: out.len() });
        for cut in 0..out.len() {
            prop_assert_eq!(decode(&out[..cut]), Decoded::Incomplete);
        }
    }

    #[test]
    fn what_cannot_be_sent_leaves_no_byte(name in foul_bytes(), token in foul_bytes(), which in 0_usize..17) {
        let mut parts = Parts { name, token, ..Parts::plain() };
        parts.name.truncate(tenure_core::NAME_LEN_MAX);
        let command = parts.command(which);
        let mut out = Vec::new();
        match command.encode(&mut out) {
            Ok(()) => prop_assert_eq!(decode(&out), Decoded::Request { command: Ok(command), len: out.len() }),
            Err(_) => prop_assert!(out.is_empty()),
        }
    }

    #[test]
    fn any_answer_is_read_without_panic(line in any_bytes()) {
        let _ = parse_answer(&line);
    }
}

#[test]
fn the_longest_payload_is_sent_and_read() {
    let payload = vec![0xff; LONG_LINE_LEN_MAX];
    let subject = Subject::new(b"a").expect("a subject");
    let mut out = Vec::new();
    assert_eq!(Command::Signal { subject, payload: &payload }.encode(&mut out), Ok(()));
    assert_eq!(out.len(), "signal\na\n\n".len() + LONG_LINE_LEN_MAX);
}

/// What the commands are made of.
#[derive(Clone, Debug)]
struct Parts {
    name: Vec<u8>,
    token: Vec<u8>,
    payload: Vec<u8>,
    pattern: String,
    group: Option<Vec<u8>>,
    limit: Limit,
    wait: Duration,
    lease: Option<Duration>,
}

impl Parts {
    fn plain() -> Self {
        Self {
            name: b"k".to_vec(),
            token: b"t".to_vec(),
            payload: b"p".to_vec(),
            pattern: "a.*".to_owned(),
            group: None,
            limit: Limit::ONE,
            wait: Duration::ZERO,
            lease: None,
        }
    }

    fn command(&self, which: usize) -> Command<'_> {
        let Self { limit, wait, lease, .. } = *self;
        let token = &self.token[..];
        let lock = Key::new(Space::Lock, &self.name).expect("a name");
        let semaphore = Key::new(Space::Semaphore, &self.name).expect("a name");
        match which {
            0 => Command::Acquire { key: lock, limit: Limit::ONE, wait, lease },
            1 => Command::Acquire { key: semaphore, limit, wait, lease },
            2 => Command::Enqueue { key: lock, limit: Limit::ONE, lease },
            3 => Command::Enqueue { key: semaphore, limit, lease },
            4 => Command::Wait { key: lock, wait },
            5 => Command::Wait { key: semaphore, wait },
            6 => Command::Release { key: lock, token },
            7 => Command::Release { key: semaphore, token },
            8 => Command::Renew { key: lock, token, lease },
            9 => Command::Renew { key: semaphore, token, lease },
            10 => Command::Auth { token },
            11 => {
                Command::Signal { subject: Subject::new(b"a.b").expect("a subject"), payload: &self.payload }
            }
            12 => Command::Listen { pattern: self.pattern.as_bytes(), group: self.group.as_deref() },
            13 => Command::Unlisten { pattern: self.pattern.as_bytes(), group: self.group.as_deref() },
            14 => Command::Inspect { glob: &self.name },
            15 => Command::Bind { bond: if self.lease.is_some() { Bond::Lease } else { Bond::Connection } },
            _ => [Command::Ping, Command::Stats, Command::Info][self.name.len() % 3],
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let pattern = prop::collection::vec(prop::sample::select(vec!["a", "", "*", ">"]), 1..5)
        .prop_map(|tokens| tokens.join("."))
        .prop_filter("a pattern", |pattern| check_pattern(pattern.as_bytes()).is_ok());
    let payload = prop::collection::vec(any::<u8>(), 1..600).prop_filter("a payload", |payload| {
        !payload.contains(&b'\n')
            && payload.last() != Some(&b'\r')
            && payload.iter().any(|byte| !matches!(byte, b' ' | b'\t'))
    });
    let seconds = prop_oneof![0_u64..100, Just(SECONDS_MAX)].prop_map(Duration::from_secs);
    let lease = prop_oneof![1_u64..100, Just(SECONDS_MAX)].prop_map(Duration::from_secs);
    let limit = prop_oneof![1_u32..9, Just(u32::MAX)].prop_map(|limit| Limit::new(limit).expect("not zero"));
    (
        word(256),
        word(200),
        payload,
        pattern,
        prop::option::of(word(256)),
        limit,
        seconds,
        prop::option::of(lease),
    )
        .prop_map(|(name, token, payload, pattern, group, limit, wait, lease)| Parts {
            name,
            token,
            payload,
            pattern,
            group,
            limit,
            wait,
            lease,
        })
}

/// Any bytes but blanks and line ends.
fn word(len_max: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no blank", |byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    prop::collection::vec(byte, 1..=len_max)
}

fn foul_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(b"ab \t\r\n".to_vec());
    prop_oneof![
        prop::collection::vec(byte, 1..8),
        any_bytes().prop_filter("a byte", |bytes| !bytes.is_empty())
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\n')], 0..700)
}

/// Streams of lines that look like requests, and some that are.
fn almost_requests() -> impl Strategy<Value = Vec<u8>> {
    let verbs = [
        "l", "sl", "e", "se", "w", "sw", "r", "sr", "n", "sn", "auth", "ping", "stats", "signal", "listen",
        "unlisten", "inspect", "bind", "info", "", "x",
    ];
    let verb = prop::sample::select(verbs.map(str::to_owned).to_vec());
    let key = prop::sample::select(["k", "a.*", "a b", "", "\u{e9}"].map(str::to_owned).to_vec());
    let argument = prop_oneof![
        prop::sample::select(["1", "1 2", "1 2 3", "", " ", "-1", "x", "lease"].map(str::to_owned).to_vec()),
        (200_usize..300).prop_map(|len| "y".repeat(len)),
    ];
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\r\r\n", "\n\n"]);
    let request = (verb, key, argument, end)
        .prop_map(|(verb, key, argument, end)| [verb, key, argument].map(|line| line + end).concat());
    prop::collection::vec(request, 0..6).prop_map(|requests| requests.concat().into_bytes())
}
