//! Who can reach the daemon: its address, and what protects it there.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use tenure_server::{Config, TlsFiles};

use super::flags::Flags;
use super::sources::{Environment, Setting};
use super::values::{Given, Misconfigured, show};

const HOST: Setting = Setting::new("--host", &["TENURE_HOST"]);
const PORT: Setting = Setting::new("--port", &["TENURE_PORT"]);
const TLS_CERT: Setting = Setting::new("--tls-cert", &["TENURE_TLS_CERT"]);
const TLS_KEY: Setting = Setting::new("--tls-key", &["TENURE_TLS_KEY"]);
const INSECURE: Setting = Setting::new("--insecure", &["TENURE_INSECURE"]);

/// The address to listen on, which must be one that only this machine can reach, or protected, or asked for in as many
/// words.
pub(super) fn listen(
    config: &Config,
    flags: &Flags,
    environment: &Environment<'_>,
) -> Result<SocketAddr, Misconfigured> {
    let mut listen = config.listen;
    if let Some(given) = environment.given(PORT, flags.port.as_ref()) {
        listen.set_port(u16::try_from(given.number(0..=65535)?).unwrap_or_default());
    }
    let insecure = environment.given(INSECURE, flags.insecure.as_ref());
    let insecure = insecure.map_or(Ok(false), |given| given.switch())?;
    if let Some(given) = environment.given(HOST, flags.host.as_ref()) {
        listen.set_ip(resolve(&given)?);
        if !listen.ip().to_canonical().is_loopback()
            && !insecure
            && let Some(missing) = unprotected(config)
        {
            return Err(given.wrong(format!(
                "other machines can reach {}: give {missing}, or --insecure to go without",
                show(&given.text)
            )));
        }
    }
    Ok(listen)
}

/// The files to serve TLS with, which must be two that can be read.
pub(super) fn tls(flags: &Flags, environment: &Environment<'_>) -> Result<Option<TlsFiles>, Misconfigured> {
    // An empty path is dflockd's way to say: none.
    let file = |setting, value| environment.given(setting, value).filter(|given| !given.text.is_empty());
    match (file(TLS_CERT, flags.tls_cert.as_ref()), file(TLS_KEY, flags.tls_key.as_ref())) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert: readable(&cert)?, key: readable(&key)? })),
        (Some(cert), None) => Err(cert.wrong("there is no --tls-key for it")),
        (None, Some(key)) => Err(key.wrong("there is no --tls-cert for it")),
    }
}

fn readable(given: &Given) -> Result<PathBuf, Misconfigured> {
    match std::fs::File::open(&given.text) {
        Ok(_) => Ok(PathBuf::from(&given.text)),
        Err(error) => Err(given.wrong(format!("{} cannot be read: {error}", show(&given.text)))),
    }
}

fn unprotected(config: &Config) -> Option<&'static str> {
    match (&config.tls, &config.auth_token) {
        (None, None) => Some("--tls-cert/--tls-key and --auth-token-file"),
        (None, Some(_)) => Some("--tls-cert/--tls-key"),
        (Some(_), None) => Some("--auth-token-file"),
        (Some(_), Some(_)) => None,
    }
}

/// The address of a host, IPv4 before IPv6 because that is what clients try first.
fn resolve(given: &Given) -> Result<IpAddr, Misconfigured> {
    let host = given.text.to_str().unwrap_or_default();
    if host.is_empty() {
        return Err(given.wrong("names no host; every address of this machine is 0.0.0.0 or ::"));
    }
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let addresses: Vec<_> = (host, 0)
        .to_socket_addrs()
        .map_err(|error| given.wrong(format!("{} is no address or known host: {error}", show(&given.text))))?
        .map(|address| address.ip())
        .collect();
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    first.copied().ok_or_else(|| given.wrong(format!("{} has no address", show(&given.text))))
}
