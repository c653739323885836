//! One question to a service.

use std::future::Future;
use std::time::Duration;

use tenure::line::Client;
use tenure_wire::line::{Command, Reply};

use crate::args::Service;
use crate::client::{Connection, silent};
use crate::exit::{Exit, Failure};

/// How long a service may be silent. An answer as a whole may take longer: a million keys need seconds to be told.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(5);

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
    block_on(async {
        let mut connection = open(service).await?;
        read(connection.ask(command).await?)
    })
}

/// Opens a connection that does not wait for a service that is silent.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn open(service: &Service) -> Result<Connection, Failure> {
    let mut connection = within(SILENCE_MAX, service, Connection::open(service)).await?;
    connection.limit_silence(SILENCE_MAX);
    Ok(connection)
}

/// Opens a connection for reports, which does not wait for a service that is silent.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn reporter(service: &Service) -> Result<Client, Failure> {
    let token = service.token()?;
    let connecting = async {
        let mut client = Client::connect(&service.url, &service.roots(), SILENCE_MAX).await?;
        client.limit_silence(Some(SILENCE_MAX));
        if let Some(token) = token {
            client.auth(&token).await?;
        }
        Ok(client)
    };
    connecting.await.map_err(|error| Failure::of(&error))
}

/// The outcome of a future that is ready in time.
pub(crate) async fn within<T>(
    time: Duration,
    service: &Service,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(time, future).await.unwrap_or_else(|_| Err(silent(&service.url)))
}
