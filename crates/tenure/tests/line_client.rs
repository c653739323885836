//! The line protocol's client against the real daemon, and against answers that only others give.

use std::net::SocketAddr;
use std::time::Duration;
use tenure::ErrorKind;
use tenure::coordinator::Released;
use tenure::line::{Acquired, Bond, Client, Enqueued, Grant, Key, Renewed, Token, Waited};
use tenure::net::{Address, TlsRoots};
use tenure_server::{AuthToken, Config, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

fn start(config: Config) -> SocketAddr {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..config };
    let server = Server::bind(config).expect("a free port");
    let address = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    address
}

async fn connect(at: SocketAddr) -> Client {
    let address: Address = format!("tenure://{at}").parse().expect("an address");
    let mut client = Client::connect(&address, &TlsRoots::system(), SOON).await.expect("a connection");
    client.limit_silence(Some(SOON));
    client
}

async fn hold(client: &mut Client, key: Key<'_>) -> Grant {
    let acquired = client.acquire(key, Duration::ZERO, None).await.expect("an answer");
    let Acquired::Granted(grant) = acquired else { unreachable!("nobody holds it") };
    grant
}

/// Asks for figures until they have that in them.
async fn figures(client: &mut Client, part: &str) {
    let asking = async {
        while !client.stats().await.expect("figures").contains(part) {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, asking).await.expect("the figures in time");
}

/// A client, and the other end of its connection.
fn pair() -> (Client, DuplexStream) {
    let (here, there) = tokio::io::duplex(4096);
    (Client::over(here), there)
}

/// Answers one request.
async fn answer(there: &mut DuplexStream, expected: &str, answer: &str) {
    let mut request = vec![0; expected.len()];
    there.read_exact(&mut request).await.expect("a request");
    assert_eq!(String::from_utf8_lossy(&request), expected);
    there.write_all(answer.as_bytes()).await.expect("sent");
}

#[tokio::test]
async fn a_lock_is_acquired_awaited_renewed_and_released() {
    let at = start(Config::default());
    let (mut one, mut other) = (connect(at).await, connect(at).await);
    let key = Key::lock("k");
    let lease = Some(Duration::from_millis(6500));
    let Acquired::Granted(grant) = one.acquire(key, Duration::ZERO, lease).await.expect("an answer") else {
        panic!("nobody holds it")
    };
    assert_eq!(grant.lease, Duration::from_secs(7), "rounded up");
    assert_eq!(grant.fence, None, "nobody has said yet that this is Tenure");
    assert_eq!(other.acquire(key, Duration::ZERO, None).await.expect("an answer"), Acquired::TimedOut);
    let lease = Duration::from_secs(9);
    let renewed = other.renew(key, &grant.token, Some(lease)).await.expect("an answer");
    assert_eq!(renewed, Renewed::For { lease }, "from any connection");
    let waiting = tokio::spawn(async move {
        let granted = other.acquire(Key::lock("k"), SOON, None).await;
        (other, granted)
    });
    figures(&mut one, r#""waiters":1"#).await;
    assert_eq!(one.release(key, &grant.token).await.expect("an answer"), Released::Released);
    let (mut other, granted) = waiting.await.expect("no panic");
    assert!(matches!(granted, Ok(Acquired::Granted(_))));
    assert_eq!(one.release(key, &grant.token).await.expect("an answer"), Released::Gone);
    assert_eq!(one.renew(key, &grant.token, None).await.expect("an answer"), Renewed::Gone);
    other.ping().await.expect("it lives");
}

#[tokio::test]
async fn the_permits_of_a_semaphore_are_counted_and_its_limit_is_checked() {
    let mut client = connect(start(Config::default())).await;
    let pool = Key::semaphore("pool", 2);
    let (one, two) = (hold(&mut client, pool).await, hold(&mut client, pool).await);
    assert_ne!(one.token, two.token);
    assert_eq!(client.acquire(pool, Duration::ZERO, None).await.expect("an answer"), Acquired::TimedOut);
    let other =
        client.acquire(Key::semaphore("pool", 3), Duration::ZERO, None).await.expect_err("a limit of 2");
    assert_eq!(*other.kind(), ErrorKind::LimitMismatch { limit: 0 });
    let none = client.acquire(Key::semaphore("pool", 0), Duration::ZERO, None).await.expect_err("no limit");
    assert_eq!(*none.kind(), ErrorKind::Invalid);
    assert_eq!(client.release(pool, &one.token).await.expect("an answer"), Released::Released);
}

#[tokio::test]
async fn a_place_in_line_is_taken_and_awaited() {
    let at = start(Config::default());
    let (mut one, mut other) = (connect(at).await, connect(at).await);
    let key = Key::semaphore("k", 1);
    let Enqueued::Granted(grant) = one.enqueue(key, None).await.expect("an answer") else {
        panic!("nobody holds it")
    };
    assert_eq!(one.enqueue(key, None).await.expect("an answer"), Enqueued::Already);
    let Waited::Granted(same) = one.wait(key, Duration::ZERO).await.expect("an answer") else {
        panic!("it is granted")
    };
    assert_eq!(same.token, grant.token);
    assert_eq!(other.wait(key, Duration::ZERO).await.expect("an answer"), Waited::NotEnqueued);
    assert_eq!(other.enqueue(key, None).await.expect("an answer"), Enqueued::Queued);
    assert_eq!(other.wait(key, Duration::ZERO).await.expect("an answer"), Waited::TimedOut);
    assert_eq!(other.enqueue(key, None).await.expect("an answer"), Enqueued::Queued);
    one.release(key, &grant.token).await.expect("an answer");
    assert!(matches!(other.wait(key, SOON).await, Ok(Waited::Granted(_))));
}

#[tokio::test]
async fn grants_that_are_bound_to_their_lease_outlive_their_connection() {
    let at = start(Config::default());
    let (mut one, mut other) = (connect(at).await, connect(at).await);
    one.bind(Bond::Lease).await.expect("this is Tenure");
    let key = Key::lock("k");
    let grant = hold(&mut one, key).await;
    assert!(grant.fence.is_some(), "now that is known");
    drop(one);
    figures(&mut other, r#""connections":1"#).await;
    assert!(other.inspect(b"*").await.expect("keys").contains(r#""key":"k""#));
    assert_eq!(other.release(key, &grant.token).await.expect("an answer"), Released::Released);
    let bond = other.bind(Bond::Resumable).await.expect_err("this protocol has no claims to resume");
    assert_eq!(*bond.kind(), ErrorKind::Invalid);
    other.bind(Bond::Connection).await.expect("as at first");
    assert!(other.info().await.expect("this is Tenure").contains(r#""server":"tenure""#));
}

#[tokio::test]
async fn signals_are_heard_between_answers_until_they_are_not_listened_to() {
    let at = start(Config::default());
    let (mut one, mut other) = (connect(at).await, connect(at).await);
    one.listen(b"alerts.>", None).await.expect("listening");
    one.listen(b"jobs.*", Some(b"workers")).await.expect("listening");
    assert_eq!(other.signal(b"alerts.disk", b"host-7 is full").await.expect("a number"), 1);
    assert_eq!(other.signal(b"jobs.new", b"42").await.expect("a number"), 1);
    // What comes before the answer is kept.
    one.ping().await.expect("it lives");
    for (channel, payload) in [(&b"alerts.disk"[..], &b"host-7 is full"[..]), (b"jobs.new", b"42")] {
        let signal = timeout(SOON, one.next_signal()).await.expect("in time").expect("a signal");
        assert_eq!((&signal.channel[..], &signal.payload[..]), (channel, payload));
    }
    one.unlisten(b"alerts.>", None).await.expect("not listening");
    one.unlisten(b"jobs.*", Some(b"workers")).await.expect("not listening");
    assert_eq!(other.signal(b"alerts.disk", b"again").await.expect("a number"), 0);
    for (channel, payload) in [(&b"alerts.*"[..], &b"x"[..]), (b"alerts", b" "), (b"alerts", b"a\nb")] {
        let refused = other.signal(channel, payload).await.expect_err("it cannot be sent");
        assert_eq!(*refused.kind(), ErrorKind::Invalid);
    }
    assert_eq!(one.signals_missed(), 0);
}

#[tokio::test]
async fn a_secret_is_shown_first_and_a_wrong_one_is_denied() {
    let auth_token = AuthToken::new(b"sesame");
    let at = start(Config { auth_token, ..Config::default() });
    let mut client = connect(at).await;
    client.auth(b"sesame").await.expect("the right one");
    client.ping().await.expect("let in");
    let wrong = connect(at).await.auth(b"open").await.expect_err("the wrong one");
    assert_eq!(*wrong.kind(), ErrorKind::Denied);
    let none = connect(at).await.ping().await.expect_err("none");
    assert_eq!(*none.kind(), ErrorKind::Denied);
    let needless = connect(start(Config::default())).await.auth(b"sesame").await.expect_err("nobody asked");
    assert_eq!(*needless.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_dropped_request_spoils_the_connection_instead_of_the_next_answer() {
    let at = start(Config::default());
    let (mut one, mut other) = (connect(at).await, connect(at).await);
    let key = Key::lock("k");
    let _held = hold(&mut one, key).await;
    let dropped = timeout(Duration::from_millis(20), other.acquire(key, SOON, None)).await;
    assert!(dropped.is_err(), "it waits");
    for _ in 0..2 {
        let error = other.release(key, &Token::new(*b"t")).await.expect_err("whose answer comes next?");
        assert_eq!(*error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("open another connection"), "{error}");
    }
    let refused = one.acquire(Key::lock("a b"), SOON, None).await.expect_err("a key has no blanks");
    assert_eq!(*refused.kind(), ErrorKind::Invalid);
    one.ping().await.expect("nothing was sent, nothing is spoilt");
}

#[tokio::test]
async fn waiting_for_a_signal_may_be_dropped_at_any_byte() {
    let (mut client, mut there) = pair();
    for part in ["sig a.", "b x", "y\n"] {
        assert!(
            timeout(Duration::from_millis(5), client.next_signal()).await.is_err(),
            "there is no whole one"
        );
        there.write_all(part.as_bytes()).await.expect("sent");
    }
    let signal = client.next_signal().await.expect("a signal");
    assert_eq!((&signal.channel[..], &signal.payload[..]), (&b"a.b"[..], &b"xy"[..]));
}

#[tokio::test]
async fn what_a_server_leaves_out_is_taken_as_the_clients_of_dflockd_take_it() {
    let (mut client, mut there) = pair();
    let (key, lease) = (Key::lock("k"), Some(Duration::from_secs(5)));
    let server = tokio::spawn(async move {
        answer(&mut there, "l\nk\n2\n", "ok 00c0ffee\n").await;
        answer(&mut there, "n\nk\n00c0ffee 5\n", "ok\r\n").await;
        answer(&mut there, "n\nk\n00c0ffee\n", "ok soon\n").await;
        answer(&mut there, "e\nk\n\n", "acquired 00c0ffee 0\n").await;
        answer(&mut there, "w\nk\n0\n", "error_lease_expired\n").await;
        answer(&mut there, "r\nk\n00c0ffee\n", "sig a b\nok\n").await;
        answer(&mut there, "info\n_\n\n", "error\n").await;
        answer(&mut there, "l\nk\n0\n", "error_max_locks\n").await;
        answer(&mut there, "l\nk\n0\n", "error\n").await;
        answer(&mut there, "l\nk\n0\n", "error_draining\n").await;
        answer(&mut there, "ping\n_\n\n", "HTTP/1.1 400 Bad Request\r\n").await;
    });
    let wait = Duration::from_millis(1001);
    let Acquired::Granted(grant) = client.acquire(key, wait, None).await.expect("an answer") else {
        panic!("it was granted")
    };
    assert_eq!((grant.token.as_bytes(), grant.lease.as_secs()), (&b"00c0ffee"[..], 30));
    assert_eq!(format!("{grant:?}"), "Grant { token: Token(..), fence: None, lease: 30s }");
    for (lease, seconds) in [(lease, 5), (None, 30)] {
        let renewed = client.renew(key, &grant.token, lease).await.expect("an answer");
        assert_eq!(renewed, Renewed::For { lease: Duration::from_secs(seconds) });
    }
    let enqueued = client.enqueue(key, None).await.expect("an answer");
    assert_eq!(enqueued, Enqueued::Granted(Grant { lease: Duration::ZERO, ..grant.clone() }));
    assert_eq!(client.wait(key, Duration::ZERO).await.expect("an answer"), Waited::LeaseExpired);
    assert_eq!(client.release(key, &grant.token).await.expect("an answer"), Released::Released);
    assert_eq!(client.info().await.expect_err("another server").kind(), &ErrorKind::Unsupported);
    for kind in [ErrorKind::Full, ErrorKind::Unavailable, ErrorKind::Draining] {
        assert_eq!(*client.acquire(key, Duration::ZERO, None).await.expect_err("refused").kind(), kind);
    }
    let stranger = client.ping().await.expect_err("this is no lock service");
    assert!(stranger.to_string().contains("HTTP/1.1 400"), "{stranger}");
    server.await.expect("no panic");
}

#[tokio::test]
async fn a_connection_that_ends_or_falls_silent_leaves_the_answer_open() {
    let (mut client, there) = pair();
    drop(there);
    assert_eq!(*client.ping().await.expect_err("nobody is there").kind(), ErrorKind::Indeterminate);
    assert_eq!(*client.ping().await.expect_err("it is known now").kind(), ErrorKind::Unavailable);
    let (mut client, _there) = pair();
    client.limit_silence(Some(Duration::from_millis(20)));
    let error = client.ping().await.expect_err("nobody answers");
    assert_eq!(*error.kind(), ErrorKind::Indeterminate);
    assert_eq!(error.to_string(), "the service does not answer");
    let (mut client, mut there) = pair();
    there.write_all(b"\x15\x03\x03\x00\x02\x02\x46").await.expect("sent");
    drop(there);
    let error = client.next_signal().await.expect_err("it is no signal");
    assert!(error.to_string().contains("tenures://"), "{error}");
}
