//! One question to a service.

use std::future::Future;
use std::time::Duration;

use tenure_wire::line::{Command, Reply};

use crate::args::Service;
use crate::client::Connection;
use crate::exit::{Exit, Failure};

/// How long an answer may take: a service that holds a million keys needs seconds to tell them.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::from(Exit::Refused, "cannot start", error))?;
    let outcome = runtime.block_on(future);
    // Whatever still looks up a host name or talks to a stopped terminal is not waited for.
    runtime.shutdown_background();
    outcome
}

/// Connects, asks, and makes something of the answer.
pub(crate) fn ask<T>(
    service: &Service,
    command: &Command<'_>,
    read: impl FnOnce(Reply<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    block_on(within(ANSWER_MAX, async {
        let mut connection = Connection::open(service).await?;
        read(connection.ask(command).await?)
    }))
}

/// The outcome of a future that is ready in time.
pub(crate) async fn within<T>(
    time: Duration,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(time, future)
        .await
        .unwrap_or_else(|_| Err(Failure::new(Exit::Unavailable, "the service does not answer")))
}
