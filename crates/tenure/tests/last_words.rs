//! What a program gives back at its very end.

use std::time::Duration;
use tenure::Tenure;
use tokio::runtime::{Builder, Runtime};

fn runtime(threads: usize) -> Runtime {
    if threads == 0 {
        return Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

#[test]
fn a_guard_that_is_dropped_at_the_end_of_main_is_given_back() {
    let serving = runtime(1);
    let at = serving.block_on(async {
        let config =
            tenure_server::Config { listen: ([127, 0, 0, 1], 0).into(), ..tenure_server::Config::default() };
        let server = tenure_server::Server::bind(config).expect("a port is free");
        let at = server.local_addr();
        tokio::spawn(server.run(std::future::pending()));
        format!("tenure://{at}")
    });
    for threads in [0, 1, 2] {
        for turn in 0..20 {
            let program = runtime(threads);
            program.block_on(async {
                let tenure = Tenure::connect(&at).await.expect("a service");
                let guard = tenure.lock("k").acquire_timeout(Duration::from_secs(10)).await;
                drop(guard.unwrap_or_else(|error| panic!("{threads} threads, turn {turn}: {error}")));
            });
            drop(program);
        }
    }
}
