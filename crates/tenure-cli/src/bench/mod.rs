//! Measuring a service.

use std::process::ExitCode;

use crate::args::Service;
use crate::exit::Failure;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: Service,
}

/// Measures.
#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "the signature that stays")]
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    anstream::println!("measuring {}", args.service.url);
    Ok(ExitCode::SUCCESS)
}
