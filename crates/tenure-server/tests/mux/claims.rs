//! Claims: asked for, waited for, lost, and found again.

use crate::client::{
    Mux, TTL, bound, claim, code, connections, enqueue, id, lock, refused, semaphore, token,
};
use crate::line::{Client, start, token as line_token};
use std::time::Duration;
use tenure_core::{Bond, Ending, Limit, Token};
use tenure_server::Config;
use tenure_wire::mux::{Enqueue, Message, Patience, Push, RefusedCode, Request, Response};

/// A lease that ends while a test waits for that.
const SHORT: Duration = Duration::from_millis(300);

/// Word of the end of that grant.
fn lost(claim: u128, ending: Ending, reason: &str, grant: Token) -> Push<'_> {
    Push::Lost { claim: id(claim), ending, reason, fence: Some(grant.fence) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_in_flight_are_answered_in_order() {
    const CLAIMS: u32 = 1_000;
    let mut client = Mux::connect(start(Config::default())).await;
    let names: Vec<String> = (0..CLAIMS).map(|number| format!("k{number}")).collect();
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for (number, name) in names.iter().enumerate() {
        let (id, frame) = client.frame(&enqueue(number as u128, lock(name)));
        bytes.extend(frame);
        expected.push(id);
    }
    client.write(&bytes).await;
    let mut fence = None;
    for id in expected {
        let granted = client.answer(id).await;
        assert!(fence < Some(token(&granted).fence), "fences rise");
        fence = Some(token(&granted).fence);
    }
    let page = client.ask(&Request::List { prefix: b"k", cursor: 0 }).await;
    assert!(matches!(&page, Response::Page { keys, next: Some(_) } if keys.len() == 64), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_come_in_the_order_of_arrival_whatever_the_protocol() {
    let address = start(Config::default());
    let (mut mux, mut line) = (Mux::connect(address).await, Client::connect(address).await);
    let mut held = token(&mux.ask(&enqueue(0, lock("k"))).await);
    let waiting = |count: usize| format!("\"waiters\":{count}");
    let mut watcher = Client::connect(address).await;
    assert_eq!(mux.ask(&enqueue(1, lock("k"))).await, Response::Queued { position: 0 });
    line.send("l\nk\n600\n").await;
    watcher.ask_until("stats\n\n\n", |stats| stats.contains(&waiting(2))).await;
    assert_eq!(mux.ask(&enqueue(2, lock("k"))).await, Response::Queued { position: 2 });

    // The first turn is a push, the second a line, the third a push again.
    assert_eq!(mux.ask(&Request::ReleaseToken { key: lock("k"), token: held }).await, Response::Released);
    assert_eq!(mux.push().await, lost(0, Ending::Released, "", held), "it named a token, and not the claim");
    let Push::Granted { claim, token, ttl: TTL } = mux.push().await else { panic!("no grant") };
    assert_eq!(claim, id(1));
    assert!(token.fence > held.fence);
    held = token;
    assert_eq!(mux.ask(&Request::Release { claim: id(1) }).await, Response::Released);
    let granted = line.answer().await;
    assert!(granted.starts_with("ok "), "{granted}");
    assert_eq!(line.ask(&format!("r\nk\n{}\n", line_token(&granted))).await, "ok");
    let Push::Granted { claim, token, .. } = mux.push().await else { panic!("no grant") };
    assert_eq!(claim, id(2));
    assert!(token.fence > held.fence);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_wait_is_told_that_it_is_taken() {
    let mut client = Mux::connect(start(Config::default())).await;
    client.ask(&enqueue(1, lock("k"))).await;
    let hasty = Enqueue { patience: Patience::None, ..claim(2, lock("k")) };
    assert_eq!(client.ask(&Request::Enqueue(hasty)).await, Response::Busy);
    assert_eq!(
        client.ask(&Request::Position { claim: id(2) }).await,
        Response::Gone,
        "there is no trace of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_asked_for_twice_is_one_claim() {
    let mut client = Mux::connect(start(Config::default())).await;
    let first = token(&client.ask(&enqueue(1, lock("k"))).await);
    let again = token(&client.ask(&enqueue(1, lock("k"))).await);
    assert_eq!(first.to_text(), again.to_text());
    client.ask(&enqueue(2, lock("k"))).await;
    client.ask(&enqueue(3, lock("k"))).await;
    assert_eq!(client.ask(&enqueue(2, lock("k"))).await, Response::Queued { position: 0 });
    assert_eq!(client.ask(&enqueue(3, lock("k"))).await, Response::Queued { position: 1 });
    assert_eq!(code(&client.ask(&enqueue(1, lock("other"))).await), RefusedCode::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_that_a_key_has_is_told_to_those_who_believe_in_another() {
    let mut client = Mux::connect(start(Config::default())).await;
    let limit = |limit| Limit::new(limit).expect("a limit");
    let of = |number, permits, of| Enqueue { permits, limit: limit(of), ..claim(number, semaphore("s")) };
    assert!(matches!(client.ask(&Request::Enqueue(of(1, 3, 5))).await, Response::Granted { .. }));
    let answer = client.ask(&Request::Enqueue(of(2, 1, 4))).await;
    assert_eq!((refused(&answer).code, refused(&answer).detail), (RefusedCode::LimitMismatch, 5));
    assert!(matches!(client.ask(&Request::Enqueue(of(2, 2, 5))).await, Response::Granted { .. }));
    assert_eq!(client.ask(&Request::Enqueue(of(3, 1, 5))).await, Response::Queued { position: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bound_to_a_connection_goes_with_it() {
    let address = start(Config::default());
    let (mut going, mut next) = (Mux::connect(address).await, Mux::connect(address).await);
    going.ask(&bound(1, lock("held"))).await;
    next.ask(&enqueue(2, lock("awaited"))).await;
    assert_eq!(going.ask(&bound(3, lock("awaited"))).await, Response::Queued { position: 0 });
    assert_eq!(next.ask(&enqueue(4, lock("awaited"))).await, Response::Queued { position: 1 });
    assert_eq!(next.ask(&enqueue(5, lock("held"))).await, Response::Queued { position: 0 });
    drop(going);
    assert!(matches!(next.push().await, Push::Granted { claim, .. } if claim == id(5)));
    let first = |response: &Response<'_>| *response == Response::Queued { position: 0 };
    next.ask_until(&Request::Position { claim: id(4) }, first).await;
    assert_eq!(next.ask(&Request::Resume { claim: id(1), key: lock("held") }).await, Response::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_resumed_is_found_again_with_its_grant_or_its_place() {
    let address = start(Config::default());
    let (mut holder, mut going) = (Mux::connect(address).await, Mux::connect(address).await);
    holder.ask(&enqueue(1, lock("awaited"))).await;
    let held = token(&going.ask(&enqueue(2, lock("held"))).await);
    assert_eq!(going.ask(&enqueue(3, lock("awaited"))).await, Response::Queued { position: 0 });
    assert_eq!(holder.ask(&enqueue(4, lock("awaited"))).await, Response::Queued { position: 1 });
    drop(going);
    holder.ask_until(&Request::Info, |info| connections(info) == 1).await;
    let mut back = Mux::connect(address).await;
    assert_eq!(back.ask(&enqueue(3, lock("awaited"))).await, Response::Queued { position: 0 });
    let resumed = back.ask(&Request::Resume { claim: id(2), key: lock("held") }).await;
    assert_eq!(token(&resumed).to_text(), held.to_text());
    holder.ask(&Request::Release { claim: id(1) }).await;
    assert!(matches!(back.push().await, Push::Granted { claim, .. } if claim == id(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_nobody_comes_back_for_is_free_after_a_lease() {
    let address = start(Config::default());
    let (mut staying, mut going) = (Mux::connect(address).await, Mux::connect(address).await);
    staying.ask(&enqueue(1, lock("k"))).await;
    going.ask(&Request::Enqueue(Enqueue { ttl: SHORT, ..claim(2, lock("k")) })).await;
    going.ask(&Request::Enqueue(Enqueue { ttl: SHORT, ..claim(3, lock("held")) })).await;
    assert_eq!(staying.ask(&enqueue(4, lock("k"))).await, Response::Queued { position: 1 });
    assert_eq!(staying.ask(&enqueue(5, lock("held"))).await, Response::Queued { position: 0 });
    drop(going);
    assert!(matches!(staying.push().await, Push::Granted { claim, .. } if claim == id(5)));
    let first = |response: &Response<'_>| *response == Response::Queued { position: 0 };
    staying.ask_until(&Request::Position { claim: id(4) }, first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ends_is_told_and_renewals_put_it_off() {
    let mut client = Mux::connect(start(Config::default())).await;
    client.ask(&Request::Enqueue(Enqueue { ttl: SHORT, ..claim(1, lock("a")) })).await;
    let short = token(&client.ask(&Request::Enqueue(Enqueue { ttl: SHORT, ..claim(2, lock("b")) })).await);
    client.ask(&Request::Renew { claim: id(1), ttl: TTL }).await;
    assert_eq!(client.push().await, lost(2, Ending::Lapsed, "", short));
    assert_eq!(client.ask(&Request::Renew { claim: id(2), ttl: TTL }).await, Response::Gone);
    assert_eq!(client.ask(&Request::Release { claim: id(1) }).await, Response::Released);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_claim_again_has_it_and_the_one_before_is_told() {
    let address = start(Config::default());
    let (mut before, mut after) = (Mux::connect(address).await, Mux::connect(address).await);
    let held = token(&before.ask(&enqueue(1, lock("k"))).await);
    before.ask(&enqueue(2, lock("k"))).await;
    assert_eq!(token(&after.ask(&enqueue(1, lock("k"))).await).to_text(), held.to_text());
    let Push::Lost { claim, ending: Ending::Stolen, reason, fence } = before.push().await else {
        panic!("not told")
    };
    assert_eq!(fence, Some(held.fence));
    assert!(claim == id(1) && reason.contains("taken over"), "{reason}");
    for late in [
        Request::Renew { claim: id(1), ttl: TTL },
        Request::Release { claim: id(1) },
        Request::Cancel { claim: id(1) },
    ] {
        assert_eq!(before.ask(&late).await, Response::Gone, "it is not its own any more");
    }
    assert_eq!(after.ask(&enqueue(2, lock("k"))).await, Response::Queued { position: 0 });
    assert!(
        matches!(before.push().await, Push::Lost { claim, ending: Ending::Stolen, fence: None, .. } if claim == id(2))
    );
    drop(before);
    assert_eq!(after.ask(&Request::Release { claim: id(1) }).await, Response::Released);
    assert!(matches!(after.push().await, Push::Granted { claim, .. } if claim == id(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_released_with_its_token_or_stolen_is_lost_to_its_owner() {
    let address = start(Config::default());
    let (mut owner, mut line) = (Mux::connect(address).await, Client::connect(address).await);
    let held = token(&owner.ask(&enqueue(1, lock("k"))).await);
    let text = held.to_text();
    let text = str::from_utf8(&text).expect("digits");
    assert_eq!(line.ask(&format!("r\nk\n{text}\n")).await, "ok");
    assert_eq!(owner.push().await, lost(1, Ending::Released, "", held));

    let held = token(&owner.ask(&enqueue(2, lock("k"))).await);
    owner.ask(&enqueue(3, lock("k"))).await;
    let mut thief = Mux::connect(address).await;
    let steal = Request::Steal { key: lock("k"), fence: Some(held.fence), reason: "maintenance" };
    assert_eq!(thief.ask(&steal).await, Response::Count(1));
    assert_eq!(owner.push().await, lost(2, Ending::Stolen, "maintenance", held));
    let Push::Granted { claim, token: held, .. } = owner.push().await else { panic!("no grant") };
    assert_eq!(claim, id(3));
    let steal = Request::Steal { key: lock("k"), fence: None, reason: "" };
    assert_eq!(thief.ask(&steal).await, Response::Count(1));
    assert_eq!(owner.push().await, lost(3, Ending::Stolen, "", held));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_full_is_said() {
    let config = Config { max_locks: 2, max_claims: 4, max_waiters: Some(1), ..Config::default() };
    let mut client = Mux::connect(start(config)).await;
    client.ask(&enqueue(1, lock("a"))).await;
    client.ask(&enqueue(2, lock("b"))).await;
    assert_eq!(code(&client.ask(&enqueue(3, lock("c"))).await), RefusedCode::QueuesFull);
    client.ask(&enqueue(3, lock("a"))).await;
    assert_eq!(code(&client.ask(&enqueue(4, lock("a"))).await), RefusedCode::WaitersFull);
    client.ask(&enqueue(4, lock("b"))).await;
    let mut other = Config { max_claims: 1, ..Config::default() };
    other.max_locks = 9;
    let mut client = Mux::connect(start(other)).await;
    client.ask(&enqueue(1, lock("a"))).await;
    assert_eq!(code(&client.ask(&enqueue(2, lock("b"))).await), RefusedCode::ClaimsFull);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_protocol_shows_its_claims_with_the_number_of_the_connection() {
    let address = start(Config::default());
    let mut client = Mux::silent(address).await;
    let owner = client.welcome(&crate::client::HELLO).await.owner;
    client.ask(&enqueue(1, lock("k"))).await;
    client.ask(&enqueue(2, lock("k"))).await;
    let mut line = Client::connect(address).await;
    let stats = line.ask("stats\n\n\n").await;
    assert!(stats.contains(&format!("\"key\":\"k\",\"owner_conn_id\":{owner},")), "{stats}");
    assert!(stats.contains("\"waiters\":1"), "{stats}");
    assert!(line.ask("inspect\nk\n\n").await.contains(&format!("\"owner_conn_id\":{owner},")));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_pushes_keep_the_order_of_what_they_are_about() {
    // A connection that releases a hundred locks and has a claim waiting behind each hears of the grants after the releases.
    const LOCKS: u128 = 100;
    let mut client = Mux::connect(start(Config::default())).await;
    let names: Vec<String> = (0..LOCKS).map(|number| format!("k{number}")).collect();
    for (number, name) in (0..).zip(&names) {
        client.ask(&enqueue(number, lock(name))).await;
        client
            .ask(&Request::Enqueue(Enqueue { bond: Bond::Connection, ..claim(LOCKS + number, lock(name)) }))
            .await;
    }
    let releases: Vec<_> =
        (0..LOCKS).map(|number| client.frame(&Request::Release { claim: id(number) })).collect();
    let bytes: Vec<u8> = releases.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    client.write(&bytes).await;
    let (mut released, mut granted) = (0, 0);
    for _ in 0..2 * LOCKS {
        match client.next().await {
            Some(Message::Response(_, Response::Released)) => released += 1,
            Some(Message::Push(Push::Granted { claim, .. })) => {
                assert_eq!(claim, id(LOCKS + granted));
                granted += 1;
                assert!(
                    granted <= released,
                    "a grant before the answer to the release that made it possible"
                );
            }
            other => panic!("neither an answer nor a grant: {other:?}"),
        }
    }
}
