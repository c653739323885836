//! A message of every kind, and of every form that a kind has. Most of them are one conversation.

use crate::said::Said;
use std::sync::Arc;
use std::time::Duration;
use tenure_core::{
    Bond, ClaimId, Ending, Fence, Happened, HolderInfo, Inspection, Key, Limit, Note, Observation, OwnerId,
    PastInfo, Secret, Space, Summary, Token, WaiterInfo,
};
use tenure_wire::mux::{
    Enqueue, Hello, Patience, Push, Refused, RefusedCode, Request, RequestId, Response, Welcome,
};

type Named = (&'static str, Said<'static>);

const BACKUP: ClaimId = ClaimId::new(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100);
const WORKER: ClaimId = ClaimId::new(0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff);
const TTL: Duration = Duration::from_secs(30);

/// Every message, with what it is.
pub(crate) fn messages() -> Vec<Named> {
    [beginning(), claims(), looking(), signals(), refusals(), endings()].concat()
}

fn beginning() -> Vec<Named> {
    vec![
        request(
            "a client introduces itself",
            1,
            Request::Hello(Hello {
                version_min: 1,
                version_max: 1,
                session: 0x1112_1314_1516_1718_191a_1b1c_1d1e_1f20,
                auth: b"secret",
                label: "backup",
                host: "db1",
                pid: 4321,
            }),
        ),
        response(
            "it is let in",
            1,
            Response::Welcome(Welcome {
                version: 1,
                owner: 7,
                silence_max: Duration::from_secs(23),
                server: "tenure 0.1.0",
            }),
        ),
        request("it says that it is there", 2, Request::Ping),
        response("so does the server", 2, Response::Pong),
    ]
}

fn claims() -> Vec<Named> {
    let enqueue = Enqueue {
        claim: BACKUP,
        key: backup(),
        permits: 1,
        limit: Limit::ONE,
        ttl: TTL,
        bond: Bond::Resumable,
        patience: Patience::Endless,
        label: "",
    };
    let pooled = Enqueue {
        claim: WORKER,
        key: pool(),
        permits: 2,
        limit: Limit::new(5).expect("a limit"),
        ttl: Duration::from_millis(1500),
        bond: Bond::Connection,
        patience: Patience::None,
        label: "résumé",
    };
    vec![
        request("a resumable claim on a lock, to wait in line", 3, Request::Enqueue(enqueue)),
        response("the lock is free", 3, Response::Granted { token: token(42), ttl: TTL }),
        request(
            "two of five permits, or nothing, for as long as the connection lasts",
            4,
            Request::Enqueue(pooled),
        ),
        response("they are not free", 4, Response::Busy),
        request(
            "the same, to wait in line",
            5,
            Request::Enqueue(Enqueue { patience: Patience::Endless, ..pooled }),
        ),
        response("three stand before it", 5, Response::Queued { position: 3 }),
        request("how many stand before it", 6, Request::Position { claim: WORKER }),
        request("to hear when that changes", 7, Request::Follow { claim: WORKER, on: true }),
        response("it will", 7, Response::Done),
        push("one less", Push::Position { claim: WORKER, position: 2 }),
        request("not to hear of it any more", 8, Request::Follow { claim: WORKER, on: false }),
        request("the lease anew", 9, Request::Renew { claim: BACKUP, ttl: TTL }),
        response("it has begun anew", 9, Response::Renewed { ttl: TTL }),
        push(
            "its turn has come",
            Push::Granted { claim: WORKER, token: token(43), ttl: Duration::from_millis(1500) },
        ),
        request("the lock back", 10, Request::Release { claim: BACKUP }),
        response("it is free", 10, Response::Released),
        request("a claim back, wherever it stands", 11, Request::Cancel { claim: WORKER }),
        request("a grant of an earlier connection", 12, Request::Resume { claim: BACKUP, key: backup() }),
        response("it has ended", 12, Response::Gone),
        request(
            "a grant of which only the token is known",
            13,
            Request::ReleaseToken { key: backup(), token: token(44) },
        ),
    ]
}

fn looking() -> Vec<Named> {
    let observed = |happened| Push::Changed {
        key: backup(),
        observation: Observation { happened, holders_len: 1, queue_len: 2 },
    };
    vec![
        request("a look at a key", 20, Request::Inspect { key: backup() }),
        response("what there is to see", 20, Response::Inspection(inspection())),
        request("the first keys with a prefix", 21, Request::List { prefix: b"po", cursor: 0 }),
        response(
            "two keys, and there are more",
            21,
            Response::Page { keys: vec![held(), idle()], next: Some(64) },
        ),
        request("the keys behind them", 22, Request::List { prefix: b"po", cursor: 64 }),
        response("no more", 22, Response::Page { keys: Vec::new(), next: None }),
        request("to hear of a key", 23, Request::Watch { key: backup() }),
        push("a claim has joined its line", observed(Happened::Queue)),
        push("it was granted", observed(Happened::Granted { fence: Fence::new(45), note: Some(note()) })),
        push(
            "a grant of it was stolen",
            observed(Happened::Ended {
                fence: Fence::new(45),
                ending: Ending::Stolen,
                reason: Arc::from("stuck"),
            }),
        ),
        push("more happened than could be told", Push::Missed),
        request("not to hear of it any more", 24, Request::Unwatch { key: backup() }),
        request(
            "one grant taken away",
            25,
            Request::Steal {
                key: Key::new(Space::RwLock, b"index").expect("a key"),
                fence: Some(Fence::new(46)),
                reason: "stuck",
            },
        ),
        response("it was one", 25, Response::Count(1)),
        request("all grants taken away", 26, Request::Steal { key: backup(), fence: None, reason: "" }),
        push(
            "a grant was taken away",
            Push::Lost {
                claim: WORKER,
                ending: Ending::Stolen,
                reason: "stuck",
                fence: Some(Fence::new(46)),
            },
        ),
    ]
}

fn signals() -> Vec<Named> {
    vec![
        request(
            "to hear signals, in turn with a group",
            30,
            Request::Listen { pattern: b"jobs.*", group: b"workers" },
        ),
        request("not to hear them any more", 31, Request::Unlisten { pattern: b"jobs.>", group: b"" }),
        request("a signal", 32, Request::Signal { channel: b"jobs.new", payload: b"\x00\xff" }),
        push("a signal", Push::Signal { channel: b"jobs.new", payload: b"\x00\xff" }),
        request("how the server is doing", 33, Request::Info),
        response("well", 33, Response::Info("{\"server\":\"tenure\"}")),
    ]
}

fn refusals() -> Vec<Named> {
    let refused = |name, id, code, detail, message| {
        response(name, id, Response::Refused(Refused { code, detail, message }))
    };
    vec![
        refused("the request makes no sense", 40, RefusedCode::Invalid, 0, "a limit is at least one permit"),
        refused("the key has another limit", 41, RefusedCode::LimitMismatch, 5, "ask with 5"),
        refused("too many keys", 42, RefusedCode::QueuesFull, 0, ""),
        refused("too many claims", 43, RefusedCode::ClaimsFull, 0, ""),
        refused("too many waiters", 44, RefusedCode::WaitersFull, 0, ""),
        refused("the id of another claim", 45, RefusedCode::Conflict, 0, ""),
        refused("no fence to grant with", 46, RefusedCode::NoFence, 0, ""),
        refused("not the right secret", 1, RefusedCode::Denied, 0, ""),
        refused("no such request", 47, RefusedCode::Unsupported, 0, ""),
        refused("nothing new begins", 48, RefusedCode::Draining, 0, ""),
        refused("too many subscriptions", 49, RefusedCode::SubscriptionsFull, 0, ""),
        refused("a later connection is there", 0, RefusedCode::Superseded, 0, ""),
        refused("a code that nobody knows yet", 50, RefusedCode::Unknown(999), 0, "tomorrow"),
    ]
}

fn endings() -> Vec<Named> {
    let lost = |ending, fence| Push::Lost { claim: BACKUP, ending, reason: "", fence };
    vec![
        push("a lease has ended", lost(Ending::Lapsed, Some(Fence::new(42)))),
        push("a claim in line has ended", lost(Ending::Lapsed, None)),
        push("a grant was released with its token", lost(Ending::Released, Some(Fence::new(42)))),
        push("a grant went with its connection", lost(Ending::Disconnected, Some(Fence::new(42)))),
        push("the server asks for a sign", Push::Ping),
        push("the server is about to stop", Push::Draining),
    ]
}

fn request(name: &'static str, id: RequestId, request: Request<'static>) -> Named {
    (name, Said::Request(id, request))
}

fn response(name: &'static str, id: RequestId, response: Response<'static>) -> Named {
    (name, Said::Response(id, response))
}

fn push(name: &'static str, push: Push<'static>) -> Named {
    (name, Said::Push(push))
}

fn backup() -> Key<'static> {
    Key::new(Space::Lock, b"nightly-backup").expect("a key")
}

fn pool() -> Key<'static> {
    Key::new(Space::Semaphore, b"pool").expect("a key")
}

fn token(fence: u64) -> Token {
    Token { fence: Fence::new(fence), secret: Secret::new(0xc0ff_ee00_c0ff_ee00) }
}

fn note() -> Arc<Note> {
    Arc::new(Note { label: "backup".into(), host: "db1".into(), pid: 4321 })
}

fn holder(note: Option<Arc<Note>>) -> HolderInfo {
    HolderInfo {
        fence: Fence::new(42),
        permits: 1,
        since: Duration::from_millis(2500),
        remaining: Duration::from_millis(27_500),
        owner: OwnerId::new(7),
        note,
    }
}

fn inspection() -> Inspection {
    let waiter =
        |note| WaiterInfo { permits: 1, since: Duration::from_secs(1), owner: OwnerId::new(8), note };
    let past = PastInfo {
        fence: Fence::new(41),
        held_for: Duration::from_secs(60),
        ago: Duration::from_secs(3),
        ending: Ending::Disconnected,
        owner: OwnerId::new(6),
        note: None,
    };
    Inspection {
        limit: Limit::ONE,
        held: 1,
        holders_len: 1,
        queue_len: 2,
        holders: vec![holder(Some(note()))],
        waiters: vec![waiter(None), waiter(Some(note()))],
        past: vec![past],
    }
}

fn held() -> Summary {
    Summary {
        space: Space::Semaphore,
        name: b"pool".to_vec(),
        limit: Limit::new(5).expect("a limit"),
        held: 1,
        holders_len: 1,
        queue_len: 0,
        holder: Some(holder(None)),
    }
}

fn idle() -> Summary {
    Summary {
        space: Space::RwLock,
        name: b"post\xff".to_vec(),
        limit: Limit::new(u32::MAX).expect("a limit"),
        held: 0,
        holders_len: 0,
        queue_len: 0,
        holder: None,
    }
}
