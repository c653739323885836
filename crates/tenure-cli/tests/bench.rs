//! `tenure bench` against a real daemon. What it measures is no matter here, only that it measures and says so.

mod harness;

use std::io::{BufRead as _, BufReader};
use std::process::{Output, Stdio};

use harness::{Daemon, tenure};
use serde_json::Value;

const SHORT: [&str; 4] = ["--connections", "3", "--duration", "150ms"];

fn bench(daemon: &Daemon, flags: &[&str]) -> Output {
    bench_at(&format!("tenure://{}", daemon.addr()), flags)
}

fn bench_at(url: &str, flags: &[&str]) -> Output {
    tenure().args(["bench", "--url", url]).args(SHORT).args(flags).output().expect("the bench runs")
}

/// What the bench printed as JSON, one object on one line.
fn object(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn assert_positive(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object[field].as_f64().is_some_and(|value| value > 0.0), "{field} of {object}");
    }
}

const FIGURES: [&str; 8] = [
    "pairs",
    "pairs_per_s",
    "ops_per_s",
    "server_cpu_us_per_pair",
    "server_cpu_us_per_op",
    "p50_us",
    "p99_us",
    "p999_us",
];

#[test]
fn a_comparison_with_an_echo_server_gives_both_figures_and_their_ratios() {
    let daemon = Daemon::start(&[]);
    let report = object(&bench(&daemon, &["--echo", "--json"]));
    assert_positive(&report, &FIGURES);
    assert_positive(&report["echo"], &FIGURES);
    assert_positive(&report, &["cpu_ratio", "rate_ratio"]);
    assert_eq!(report["mode"], "own");
    assert_eq!((&report["connections"], &report["in_flight"]), (&3.into(), &1.into()));
    assert_eq!((&report["rounds"], &report["duration_s"]), (&3.into(), &0.15.into()));
}

#[test]
fn several_in_flight_are_pipelined() {
    let daemon = Daemon::start(&[]);
    let report = object(&bench(&daemon, &["--in-flight", "16", "--json"]));
    assert_positive(&report, &FIGURES);
    assert_eq!(report["in_flight"], 16);
    assert!(report.get("echo").is_none() && report.get("cpu_ratio").is_none(), "{report}");
}

#[test]
fn a_contended_key_goes_from_one_connection_to_the_next() {
    let daemon = Daemon::start(&[]);
    let report = object(&bench(&daemon, &["--mode", "contended", "--fifo", "--json"]));
    assert_positive(&report, &FIGURES);
    assert_positive(&report["fifo"], &FIGURES);
    assert_eq!(report["mode"], "contended");
}

#[test]
fn the_line_protocol_is_spoken_unless_another_is_asked_for() {
    let daemon = Daemon::start(&[]);
    assert_eq!(object(&bench(&daemon, &["--json"]))["protocol"], "line");
    for protocol in ["mux", "library"] {
        let report = object(&bench(&daemon, &["--protocol", protocol, "--json"]));
        assert_positive(&report, &FIGURES);
        assert_eq!(report["protocol"], protocol);
        assert_eq!((&report["connections"], &report["in_flight"]), (&3.into(), &100.into()));
    }
}

#[test]
fn one_connection_with_many_claims_is_compared_with_as_many_line_connections() {
    let daemon = Daemon::start(&[]);
    let url = format!("tenure://{}", daemon.addr());
    for (protocol, mode) in
        [("mux", "own"), ("mux", "contended"), ("library", "own"), ("library", "contended")]
    {
        let output = tenure()
            .args(["bench", "--url", &url, "--protocol", protocol, "--in-flight", "20", "--line", "--json"])
            .args(["--duration", "150ms", "--mode", mode])
            .output()
            .expect("the bench runs");
        let report = object(&output);
        assert_positive(&report, &FIGURES);
        assert_positive(&report["line"], &FIGURES);
        assert_positive(&report, &["cpu_ratio", "rate_ratio"]);
        assert_eq!((&report["connections"], &report["in_flight"]), (&1.into(), &20.into()));
        assert_eq!((&report["mode"], &report["rounds"]), (&mode.into(), &3.into()));
    }
}

#[test]
fn frames_are_compared_with_their_echo() {
    let daemon = Daemon::start(&[]);
    let report = object(&bench(&daemon, &["--protocol", "mux", "--echo", "--json"]));
    assert_positive(&report, &FIGURES);
    assert_positive(&report["echo"], &FIGURES);
}

#[test]
fn nothing_is_held_when_the_bench_is_over() {
    let daemon = Daemon::start(&[]);
    for flags in [
        &["--in-flight", "4"][..],
        &["--mode", "contended"],
        &["--protocol", "mux"],
        &["--protocol", "mux", "--mode", "contended"],
        &["--protocol", "library"],
        &["--protocol", "library", "--mode", "contended"],
    ] {
        assert!(bench(&daemon, flags).status.success());
        assert_eq!(daemon.connect().stats()["locks"], Value::Array(Vec::new()));
    }
}

#[test]
fn people_get_a_table() {
    let daemon = Daemon::start(&[]);
    let output = bench(&daemon, &["--echo"]);
    let text = String::from_utf8(output.stdout).expect("text");
    for word in ["operations/s", "p50", "p99", "p99.9", "CPU", "echo", "ratio"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_cpu_of_a_server_that_does_not_tell_is_read_from_its_process() {
    let daemon = Daemon::start(&[]);
    // Any process that works will do, and the one that is sure to is this one.
    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while busy.load(std::sync::atomic::Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let report = bench(&daemon, &["--server-pid", &std::process::id().to_string(), "--json"]);
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
        assert_positive(&object(&report), &["server_cpu_us_per_pair"]);
    });
}

#[test]
fn the_library_is_compared_with_a_semaphore_within_one_process() {
    let output = tenure().args(["bench-library", "local", "--pairs", "50"]).output().expect("the bench runs");
    assert_positive(&object(&output), &["rounds", "lock_ns_per_pair", "semaphore_ns_per_pair", "ratio"]);
}

#[test]
fn a_client_holds_locks_until_its_input_ends() {
    let daemon = Daemon::start(&[]);
    let url = format!("tenure://{}", daemon.addr());
    let mut holder = tenure()
        .args(["bench-library", "hold", "--locks", "20", "--url", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client runs");
    let mut said = String::new();
    BufReader::new(holder.stdout.take().expect("piped")).read_line(&mut said).expect("a line");
    assert_eq!(said, "held\n");
    let held = || daemon.connect().stats()["locks"].as_array().expect("a list").len();
    assert_eq!(held(), 20);
    drop(holder.stdin.take());
    assert!(holder.wait().expect("its end").success());
    assert_eq!(held(), 0);
}

fn refusal(output: &Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_answer_that_is_not_a_grant_stops_it_and_is_shown_with_what_to_do() {
    let daemon = Daemon::start(&["--max-locks", "2"]);
    let (code, message) = refusal(&bench(&daemon, &[]));
    assert_eq!(code, Some(1));
    assert!(message.contains("`error_max_locks`") && message.contains("raise its --max-locks"), "{message}");
    let (code, message) = refusal(&bench(&daemon, &["--protocol", "mux"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("refused acquire") && message.contains("--max-locks"), "{message}");
}

#[test]
fn too_few_connections_are_told_from_a_service_that_is_not_there() {
    let daemon = Daemon::start(&["--max-connections", "2"]);
    let (code, message) = refusal(&bench(&daemon, &[]));
    assert_eq!(code, Some(69));
    assert!(message.contains("--max-connections"), "{message}");
    let url = format!("tenure://{}", daemon.addr());
    daemon.kill();
    let (code, message) = refusal(&bench_at(&url, &[]));
    assert_eq!(code, Some(69));
    assert!(message.contains("no service at") && message.contains("tenure serve"), "{message}");
}

#[test]
fn a_token_is_shown_where_one_is_asked_for() {
    let daemon = Daemon::start(&["--auth-token", "sesame"]);
    let url = format!("tenure://{}", daemon.addr());
    for protocol in ["line", "mux", "library"] {
        let (code, message) = refusal(&bench(&daemon, &["--protocol", protocol]));
        assert_eq!(code, Some(77), "{message}");
        let output = tenure()
            .env("TENURE_AUTH_TOKEN", "sesame")
            .args(["bench", "--json", "--protocol", protocol, "--url", &url])
            .args(SHORT)
            .output()
            .expect("the bench runs");
        assert_positive(&object(&output), &FIGURES);
    }
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    for flags in [
        &["--mode", "contended", "--in-flight", "2"][..],
        &["--fifo"],
        &["--fifo", "--mode", "contended", "--protocol", "mux"],
        &["--echo", "--protocol", "library"],
        &["--protocol", "mux", "--line", "--connections", "60001"],
        &["--line", "--connections", "601", "--in-flight", "100"],
        &["--duration", "1ms"],
        &["--url", "tenures://127.0.0.1:1"],
    ] {
        let output = tenure().arg("bench").args(flags).output().expect("the bench runs");
        let (code, message) = refusal(&output);
        assert_eq!(code, Some(2), "{flags:?}: {message}");
    }
}
