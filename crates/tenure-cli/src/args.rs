//! The command line: sub-commands, and what they share.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use tenure::Error;
use tenure::net::{Address, TlsRoots};

use crate::exit::{Exit, Failure};
use crate::{bench, completions, exit, listen, ls, release, run, serve, show, signal, stats, steal, watch};

/// Coordination that programs can hold on to: locks, semaphores and fair queues, with leases and fences.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, max_term_width = 110, after_help = exit::TABLE)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service, as dflockd would with the same flags
    Serve(Box<serve::Flags>),
    /// Run a command while holding a lock, or several
    Run(run::Args),
    /// List keys: who holds them, for how long, and how many wait
    Ls(ls::Args),
    /// Show a key: who holds it, who waits for it, and who held it last
    Show(show::Args),
    /// Print what happens to a key, as it happens
    Watch(watch::Args),
    /// Release a lock from outside, with its token
    Release(release::Args),
    /// Take a key away from whoever holds it
    Steal(steal::Args),
    /// Print signals as they come
    Listen(listen::Args),
    /// Send a signal to everyone who listens
    Signal(signal::Args),
    /// Show how the service is doing
    Stats(stats::Args),
    /// Measure a service: closed-loop load, operations a second, latencies and the server's CPU per operation
    Bench(bench::Args),
    /// Print what a shell needs to complete the command line
    Completions(completions::Args),
    /// What `run` starts, and what becomes the command
    #[command(hide = true)]
    Exec(run::exec::Args),
    /// What ends a command whose `run` was killed
    #[command(hide = true)]
    Guard(run::guard::Args),
    /// The server that `bench --echo` compares with
    #[command(hide = true)]
    BenchEcho(bench::EchoArgs),
    /// What `cargo xtask measure` needs beside loads
    #[command(hide = true, subcommand)]
    BenchLibrary(bench::LibraryArgs),
}

/// What is understood; an empty variable in the environment is one that is not set.
pub(crate) fn command() -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    Cli::command().mut_subcommands(|sub_command| {
        sub_command.mut_args(|arg| {
            let unset = arg.get_env().is_some_and(is_empty);
            if unset { arg.env(None::<&'static str>) } else { arg }
        })
    })
}

/// Which service to talk to, and how to be let in.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct Service {
    /// The service, as tenure://HOST:PORT, or tenures:// for TLS; several, as tenure://HOST:PORT,HOST:PORT, share the keys
    #[arg(
        long,
        env = "TENURE_URL",
        hide_env_values = true,
        default_value = "tenure://127.0.0.1:6388",
        value_name = "URL"
    )]
    pub(crate) url: Url,

    /// A file with the token that the service asks for [or the token itself in TENURE_AUTH_TOKEN]
    #[arg(long, env = "TENURE_AUTH_TOKEN_FILE", hide_env_values = true, value_name = "FILE")]
    pub(crate) auth_token_file: Option<PathBuf>,

    /// The certificates to trust with tenures://, a PEM file [default: those of the system]
    #[arg(long, env = "TENURE_TLS_CA", hide_env_values = true, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
}

/// Where the service is: one address, or several that the keys are spread over.
#[derive(Clone, Debug)]
pub(crate) struct Url(Vec<Address>);

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Address::list(text).map(Self)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, address) in self.0.iter().enumerate() {
            let text = address.to_string();
            let bare = text.split_once("://").map_or(&*text, |(_, bare)| bare);
            f.write_str(if at == 0 { &text } else { bare })?;
            f.write_str(if at + 1 < self.0.len() { "," } else { "" })?;
        }
        Ok(())
    }
}

impl Url {
    /// All of them, at least one.
    pub(crate) fn addresses(&self) -> &[Address] {
        &self.0
    }

    /// The one address, for what is about one service.
    pub(crate) fn only(&self) -> Result<&Address, Failure> {
        match &*self.0 {
            [address] => Ok(address),
            _ => Err(Failure::new(Exit::Usage, "one service at a time: --url names several")),
        }
    }
}

impl Service {
    /// Whose signature makes the service trusted.
    pub(crate) fn roots(&self) -> TlsRoots {
        self.tls_ca.as_ref().map_or_else(TlsRoots::system, TlsRoots::file)
    }

    /// The token to show, from the file or else from the environment.
    pub(crate) fn token(&self) -> Result<Option<Vec<u8>>, Failure> {
        let token = match &self.auth_token_file {
            None => std::env::var_os("TENURE_AUTH_TOKEN").map(OsStringExt::into_vec),
            Some(file) => Some(std::fs::read(file).map_err(|error| {
                Failure::from(
                    Exit::Usage,
                    format!("--auth-token-file {} cannot be read", file.display()),
                    error,
                )
            })?),
        };
        let token = token.map(|token| token.trim_ascii().to_vec());
        match &self.auth_token_file {
            Some(file) if token.as_ref().is_some_and(Vec::is_empty) => Err(Failure::new(
                Exit::Usage,
                format!("--auth-token-file {}: there is no token in it", file.display()),
            )),
            // An empty variable is one that is not set.
            Some(_) | None => Ok(token.filter(|token| !token.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_addresses_are_printed_as_they_are_written() {
        for text in ["tenure://a:1", "tenures://a:1,b:2,[::1]:3"] {
            assert_eq!(text.parse::<Url>().expect("addresses").to_string(), text);
        }
        assert!("tenure://a,,b".parse::<Url>().is_err());
    }
}
