//! What the daemon says on stderr.

use anstream::{AutoStream, ColorChoice};
use tracing::Level;

/// Sends everything that is traced from now on to stderr, coloured only on a terminal that wants colours.
pub(super) fn start(debug: bool) {
    let coloured = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_max_level(if debug { Level::DEBUG } else { Level::INFO })
        .with_writer(std::io::stderr)
        .with_ansi(coloured)
        .with_target(debug)
        // A daemon whose log cannot be written goes on without one.
        .log_internal_errors(false)
        .init();
}
