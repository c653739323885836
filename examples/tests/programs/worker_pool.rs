use crate::support::{Daemon, Program, number, within};
use tenure::coordinator::Seen;
use tenure::{Happened, Watch};

const PROGRAM: &str = env!("CARGO_BIN_EXE_worker_pool");

#[tokio::test]
async fn one_program_alone_has_five_at_work_and_never_more() {
    let ended = Program::start(PROGRAM, "memory:", &[]).end().await;
    assert!(ended.status.success(), "{}", ended.stderr);
    let at_work = |line: &String| line.strip_suffix(" at work here").map(number);
    let at_work: Vec<u64> = ended.stdout.iter().filter_map(at_work).collect();
    assert_eq!((at_work.len(), at_work.iter().max()), (20, Some(&5)));
    assert_eq!(ended.stdout.last().expect("a line"), "20 jobs are done, never more than 5 at once");
}

#[tokio::test]
async fn several_programs_share_the_five() {
    let daemon = Daemon::start();
    let mut watch = daemon.client().await.semaphore("workers", 5).watch().await.expect("watched");
    let programs: Vec<_> = (0..3).map(|_| Program::start(PROGRAM, &daemon.url(), &[])).collect();
    assert_eq!(within("all grants", most_at_once(&mut watch, 60)).await, 5);
    for program in programs {
        let ended = program.end().await;
        assert!(ended.status.success(), "{}", ended.stderr);
        assert!(ended.stdout.last().expect("a line").starts_with("20 jobs are done"));
    }
}

/// The most holders that there were after one of so many grants.
async fn most_at_once(watch: &mut Watch, grants: u32) -> u32 {
    let (mut most, mut granted) = (0, 0);
    while granted < grants {
        let Some(Seen::Observed(seen)) = watch.next().await else { panic!("everything is to be seen") };
        if matches!(seen.happened, Happened::Granted { .. }) {
            granted += 1;
            most = most.max(seen.holders_len);
        }
    }
    most
}
