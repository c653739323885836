//! One question to a service.

use std::fmt::Display;
use std::time::Duration;

use tenure::line::Client;
use tenure::net::Address;
use tenure::{Builder, Error, Retry, Tenure};

use crate::args::Service;
use crate::exit::{Exit, Failure};

/// How long a service may be silent. An answer as a whole may take longer: a million keys need seconds to be told.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long to try to connect, where the user has set no other limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a service may take to hear what was given up.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::from(Exit::Refused, "cannot start", error))?;
    let outcome = runtime.block_on(future);
    // Whatever still looks up a host name or talks to a stopped terminal is not waited for.
    runtime.shutdown_background();
    outcome
}

/// How to connect to a service. What fails is told, and not tried again behind the user's back.
pub(crate) fn builder(service: &Service) -> Result<Builder, Failure> {
    let mut builder = Tenure::builder().connect_timeout(CONNECT_TIMEOUT).retry(Retry::none());
    if let Some(token) = service.token()? {
        builder = builder.auth(&token);
    }
    Ok(match &service.tls_ca {
        Some(file) => builder.tls_roots(file),
        None => builder,
    })
}

/// Connects to a service, which is not waited for if it is silent.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn connect(service: &Service) -> Result<Tenure, Failure> {
    let connecting = builder(service)?.connect_timeout(SILENCE_MAX);
    connecting.connect(&service.url.to_string()).await.map_err(|error| Failure::of(&error))
}

/// The answer to a question, if it comes in time.
///
/// # Cancel safety
///
/// That of the question.
pub(crate) async fn answer<T>(
    service: &Service,
    question: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(SILENCE_MAX, question).await {
        Ok(answer) => answer.map_err(|error| Failure::of(&error)),
        Err(_) => Err(silent(&service.url)),
    }
}

/// Sees to it that the service has heard of everything that was given up, as far as it answers.
///
/// # Cancel safety
///
/// Dropping the future leaves that open.
pub(crate) async fn flush(tenure: Tenure) {
    let _ = tokio::time::timeout(FLUSH_MAX, tenure.close()).await;
}

/// Opens a connection for reports of one address, which does not wait for a service that is silent.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn reporter(service: &Service, address: &Address) -> Result<Client, Failure> {
    let token = service.token()?;
    let connecting = async {
        let mut client = Client::connect(address, &service.roots(), SILENCE_MAX).await?;
        client.limit_silence(Some(SILENCE_MAX));
        if let Some(token) = token {
            client.auth(&token).await?;
        }
        Ok(client)
    };
    connecting.await.map_err(|error| Failure::of(&error))
}

/// The failure that a service stands for which says nothing.
pub(crate) fn silent(at: impl Display) -> Failure {
    Failure::new(Exit::Unavailable, format!("the service at {at} does not answer"))
}
