//! Messages of every kind with any fields.

use crate::said::Said;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{
    Bond, ClaimId, Ending, Fence, HOST_LEN_MAX, Happened, HolderInfo, Inspection, Key, LABEL_LEN_MAX, Limit,
    NAME_LEN_MAX, Note, Observation, OwnerId, PastInfo, Secret, Space, Summary, Token, WaiterInfo,
};
use tenure_wire::mux::{
    Enqueue, Hello, Patience, Push, REASON_LEN_MAX, Refused, RefusedCode, Request, Response, Welcome,
};

/// Whatever either side can say.
pub(crate) fn said() -> impl Strategy<Value = Said<'static>> {
    prop_oneof![
        (1_u32.., request()).prop_map(|(id, request)| Said::Request(id, request)),
        (any::<u32>(), response()).prop_map(|(id, response)| Said::Response(id, response)),
        push().prop_map(Said::Push),
    ]
}

fn request() -> impl Strategy<Value = Request<'static>> {
    prop_oneof![
        hello().prop_map(Request::Hello),
        Just(Request::Ping),
        enqueue().prop_map(Request::Enqueue),
        (claim(), key()).prop_map(|(claim, key)| Request::Resume { claim, key }),
        claim().prop_map(|claim| Request::Cancel { claim }),
        claim().prop_map(|claim| Request::Release { claim }),
        (key(), token()).prop_map(|(key, token)| Request::ReleaseToken { key, token }),
        (claim(), time()).prop_map(|(claim, ttl)| Request::Renew { claim, ttl }),
        claim().prop_map(|claim| Request::Position { claim }),
        (claim(), any::<bool>()).prop_map(|(claim, on)| Request::Follow { claim, on }),
        about_a_key(),
        (bytes(0..600), any::<u32>()).prop_map(|(prefix, cursor)| Request::List { prefix, cursor }),
        (key(), option::of(fence()), text(REASON_LEN_MAX)).prop_map(|(key, fence, reason)| Request::Steal {
            key,
            fence,
            reason
        }),
        about_signals(),
        Just(Request::Info),
    ]
}

fn about_a_key() -> impl Strategy<Value = Request<'static>> {
    (key(), 0..3).prop_map(|(key, which)| match which {
        0 => Request::Inspect { key },
        1 => Request::Watch { key },
        _ => Request::Unwatch { key },
    })
}

fn about_signals() -> impl Strategy<Value = Request<'static>> {
    (bytes(0..80), bytes(0..80), 0..3).prop_map(|(first, second, which)| match which {
        0 => Request::Signal { channel: first, payload: second },
        1 => Request::Listen { pattern: first, group: second },
        _ => Request::Unlisten { pattern: first, group: second },
    })
}

fn hello() -> impl Strategy<Value = Hello<'static>> {
    let versions = (any::<u16>(), any::<u16>());
    (versions, any::<u128>(), bytes(0..600), text(LABEL_LEN_MAX), text(HOST_LEN_MAX), any::<u32>()).prop_map(
        |((version_min, version_max), session, auth, label, host, pid)| Hello {
            version_min,
            version_max,
            session,
            auth,
            label,
            host,
            pid,
        },
    )
}

fn enqueue() -> impl Strategy<Value = Enqueue<'static>> {
    let bond = prop_oneof![Just(Bond::Connection), Just(Bond::Resumable)];
    let patience = prop_oneof![Just(Patience::None), Just(Patience::Endless)];
    (claim(), key(), 1_u32.., limit(), time(), bond, patience, text(LABEL_LEN_MAX)).prop_map(
        |(claim, key, permits, limit, ttl, bond, patience, label)| Enqueue {
            claim,
            key,
            permits,
            limit,
            ttl,
            bond,
            patience,
            label,
        },
    )
}

fn response() -> impl Strategy<Value = Response<'static>> {
    prop_oneof![
        (any::<u16>(), any::<u64>(), time(), text(100)).prop_map(|(version, owner, silence_max, server)| {
            Response::Welcome(Welcome { version, owner, silence_max, server })
        }),
        Just(Response::Pong),
        Just(Response::Done),
        (token(), time()).prop_map(|(token, ttl)| Response::Granted { token, ttl }),
        any::<u32>().prop_map(|position| Response::Queued { position }),
        Just(Response::Busy),
        Just(Response::Gone),
        time().prop_map(|ttl| Response::Renewed { ttl }),
        Just(Response::Released),
        any::<u64>().prop_map(Response::Count),
        inspection().prop_map(Response::Inspection),
        (vec(summary(), 0..5), option::of(any::<u32>()))
            .prop_map(|(keys, next)| Response::Page { keys, next }),
        text(1000).prop_map(Response::Info),
        (code(), any::<u32>(), text(100)).prop_map(|(code, detail, message)| Response::Refused(Refused {
            code,
            detail,
            message
        })),
    ]
}

fn code() -> impl Strategy<Value = RefusedCode> {
    prop_oneof![
        Just(RefusedCode::Invalid),
        Just(RefusedCode::LimitMismatch),
        Just(RefusedCode::Conflict),
        Just(RefusedCode::Superseded),
        (1000_u16..).prop_map(RefusedCode::Unknown),
    ]
}

fn push() -> impl Strategy<Value = Push<'static>> {
    prop_oneof![
        (claim(), token(), time()).prop_map(|(claim, token, ttl)| Push::Granted { claim, token, ttl }),
        (claim(), ending(), text(100), any::<u64>()).prop_map(|(claim, ending, reason, fence)| Push::Lost {
            claim,
            ending,
            reason,
            fence: Some(Fence::new(fence)).filter(|_| fence % 4 != 0),
        }),
        (claim(), any::<u32>()).prop_map(|(claim, position)| Push::Position { claim, position }),
        (bytes(0..80), bytes(0..80)).prop_map(|(channel, payload)| Push::Signal { channel, payload }),
        (key(), observation()).prop_map(|(key, observation)| Push::Changed { key, observation }),
        Just(Push::Missed),
        Just(Push::Draining),
        Just(Push::Ping),
    ]
}

fn observation() -> impl Strategy<Value = Observation> {
    let happened = prop_oneof![
        Just(Happened::Queue),
        (fence(), note()).prop_map(|(fence, note)| Happened::Granted { fence, note }),
        (fence(), ending(), text(REASON_LEN_MAX)).prop_map(|(fence, ending, reason)| Happened::Ended {
            fence,
            ending,
            reason: Arc::from(reason)
        }),
    ];
    (happened, any::<u32>(), any::<u32>()).prop_map(|(happened, holders_len, queue_len)| Observation {
        happened,
        holders_len,
        queue_len,
    })
}

fn inspection() -> impl Strategy<Value = Inspection> {
    let waiter = (any::<u32>(), time(), owner(), note())
        .prop_map(|(permits, since, owner, note)| WaiterInfo { permits, since, owner, note });
    let past = (fence(), time(), time(), ending(), owner(), note()).prop_map(
        |(fence, held_for, ago, ending, owner, note)| PastInfo { fence, held_for, ago, ending, owner, note },
    );
    (limit(), any::<[u32; 3]>(), vec(holder(), 0..4), vec(waiter, 0..4), vec(past, 0..4)).prop_map(
        |(limit, [held, holders_len, queue_len], holders, waiters, past)| Inspection {
            limit,
            held,
            holders_len,
            queue_len,
            holders,
            waiters,
            past,
        },
    )
}

fn summary() -> impl Strategy<Value = Summary> {
    (key(), limit(), any::<[u32; 3]>(), option::of(holder())).prop_map(
        |(key, limit, [held, holders_len, queue_len], holder)| Summary {
            space: key.space(),
            name: key.name().to_vec(),
            limit,
            held,
            holders_len,
            queue_len,
            holder,
        },
    )
}

fn holder() -> impl Strategy<Value = HolderInfo> {
    (fence(), any::<u32>(), time(), time(), owner(), note()).prop_map(
        |(fence, permits, since, remaining, owner, note)| HolderInfo {
            fence,
            permits,
            since,
            remaining,
            owner,
            note,
        },
    )
}

fn note() -> impl Strategy<Value = Option<Arc<Note>>> {
    option::of(
        (text(LABEL_LEN_MAX), text(HOST_LEN_MAX), any::<u32>())
            .prop_map(|(label, host, pid)| Arc::new(Note { label: label.into(), host: host.into(), pid })),
    )
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Released),
        Just(Ending::Lapsed),
        Just(Ending::Disconnected),
        Just(Ending::Stolen)
    ]
}

fn key() -> impl Strategy<Value = Key<'static>> {
    let space = prop_oneof![Just(Space::Lock), Just(Space::Semaphore), Just(Space::RwLock)];
    (space, bytes(1..NAME_LEN_MAX + 1)).prop_map(|(space, name)| Key::new(space, name).expect("a name"))
}

fn claim() -> impl Strategy<Value = ClaimId> {
    any::<u128>().prop_map(ClaimId::new)
}

fn owner() -> impl Strategy<Value = OwnerId> {
    any::<u64>().prop_map(OwnerId::new)
}

fn fence() -> impl Strategy<Value = Fence> {
    any::<u64>().prop_map(Fence::new)
}

fn token() -> impl Strategy<Value = Token> {
    (fence(), any::<u64>()).prop_map(|(fence, secret)| Token { fence, secret: Secret::new(secret) })
}

fn limit() -> impl Strategy<Value = Limit> {
    (1_u32..).prop_map(|permits| Limit::new(permits).expect("more than none"))
}

fn time() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

/// Messages borrow what they say. What a test says is never freed.
fn bytes(len: std::ops::Range<usize>) -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), len).prop_map(|bytes| &*bytes.leak())
}

fn text(len_max: usize) -> impl Strategy<Value = &'static str> {
    // A character has at most four bytes.
    vec(any::<char>(), 0..len_max / 4 + 1).prop_map(|chars| &*String::from_iter(chars).leak())
}
