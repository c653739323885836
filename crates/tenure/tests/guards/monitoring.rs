//! What monitoring sees.

use super::{Fault, KEY, Request, client, faulty, settle};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, KeyName, Metadata, Recorder, SharedString, Unit,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenure::coordinator::Released;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Subscriber};

/// Every value of every metric, by its name and labels.
#[derive(Clone, Debug, Default)]
struct Numbers(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

struct Number(Numbers, String);

impl Numbers {
    fn number(&self, key: &metrics::Key) -> Arc<Number> {
        let labels: String =
            key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        Arc::new(Number(self.clone(), format!("{}{labels}", key.name())))
    }

    fn get(&self, name: &str) -> Vec<f64> {
        self.0.lock().expect("no panic").get(name).cloned().unwrap_or_default()
    }
}

impl Number {
    fn add(&self, value: f64) {
        self.0.0.lock().expect("no panic").entry(self.1.clone()).or_default().push(value);
    }
}

impl CounterFn for Number {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for Number {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, _: &metrics::Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &metrics::Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.number(key))
    }
}

thread_local! {
    /// What is told of this library on this thread, a line for each event and span; nobody listens before it is there.
    static TOLD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Listens on every thread, to those that want it: what is told in one test is not heard in another.
struct Listener;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("there is room");
    }
}

fn tell(line: Line) {
    TOLD.with_borrow_mut(|told| told.get_or_insert_default().push(line.0));
}

impl Subscriber for Listener {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("tenure") && TOLD.with_borrow(Option::is_some)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        tell(line);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("event {}", event.metadata().level()));
        event.record(&mut line);
        tell(line);
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn metrics_count_seconds_and_losses_and_name_no_key() {
    let numbers = Numbers::default();
    let _recorder = metrics::set_default_local_recorder(&numbers);
    let (tenure, clock) = client().await;
    let lock = tenure.lock(KEY);
    let first = lock.acquire().await.expect("it is free");
    let mut waiting = Box::pin(lock.acquire());
    super::begin(&mut waiting).await;
    clock.advance(Duration::from_secs(2));
    first.release().await.expect("it is there");
    let second = waiting.await.expect("its turn");
    clock.advance(Duration::from_secs(3));
    lock.steal("a reason").await.expect("an answer");
    drop(second);
    let third = lock.acquire().await.expect("it is free");
    clock.advance(Duration::from_secs(30));
    third.lost().await;
    drop(third);

    assert_eq!(numbers.get("tenure_wait_seconds"), [0.0, 2.0, 0.0]);
    assert_eq!(numbers.get("tenure_hold_seconds"), [2.0, 3.0, 30.0]);
    assert_eq!(numbers.get("tenure_queue_position"), [0.0]);
    assert_eq!(numbers.get("tenure_lost_total cause=stolen"), [1.0]);
    assert_eq!(numbers.get("tenure_lost_total cause=expired"), [1.0]);
    let names = numbers.0.lock().expect("no panic").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[tokio::test]
async fn what_is_given_back_is_not_counted_as_lost() {
    let numbers = Numbers::default();
    let _recorder = metrics::set_default_local_recorder(&numbers);
    let (tenure, coordinator, clock) = faulty();
    let lock = tenure.lock(KEY);
    drop(lock.acquire().await.expect("it is free"));
    coordinator.fail(Request::Release, &[Fault::Late]);
    let guard = lock.acquire().await.expect("it is free again");
    let token = guard.token();
    let release = tokio::spawn(guard.release());
    settle().await;
    // Somebody else is faster.
    assert_eq!(lock.release_token(token).await.expect("an answer"), Released::Released);
    coordinator.answer();
    assert_eq!(release.await.expect("no panic").expect("an answer"), Released::Gone);
    clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(numbers.get("tenure_hold_seconds").len(), 2);
    let names = numbers.0.lock().expect("no panic").keys().cloned().collect::<Vec<_>>();
    assert!(names.iter().all(|name| !name.contains("lost")), "{names:?}");
}

#[tokio::test]
async fn everything_that_happens_to_a_claim_is_told_and_its_id_is_not() {
    tracing::subscriber::set_global_default(Listener).expect("no other test does so");
    TOLD.set(Some(Vec::new()));
    let (tenure, clock) = client().await;
    let id = tenure::ClaimId::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let lock = tenure.lock(KEY);
    let holder = lock.acquire().await.expect("it is free");
    let claimed = lock.clone().claim_id(id);
    let mut waiting = Box::pin(claimed.acquire());
    super::begin(&mut waiting).await;
    drop(holder);
    let guard = waiting.await.expect("its turn");
    clock.advance(Duration::from_secs(10));
    settle().await;
    lock.steal("a reason").await.expect("an answer");
    drop(guard);
    let lines = TOLD.take().expect("this thread listens");
    for parts in [
        &["span acquire", KEY, "01234567"][..],
        &["event", KEY, "01234567", "position=0", "waits in line"],
        &["span wait", KEY, "01234567"],
        &["event", KEY, "01234567", "fence=", "waited=", "acquired"],
        &["event", "claims=1", "renewed"],
        &["event WARN", KEY, "01234567", "fence=", "cause=\"stolen\"", "a reason"],
        &["event", KEY, "01234567", "fence=", "released"],
    ] {
        let told = lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(told, "{parts:?} is not in {lines:#?}");
    }
    assert!(lines.iter().all(|line| !line.contains("89abcdef") && !line.contains(&id.get().to_string())));
}
