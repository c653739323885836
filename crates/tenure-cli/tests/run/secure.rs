//! A service that speaks TLS.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::{Daemon, Peer, tenure};
use super::outcome;

/// Makes a certificate for `localhost` that signs itself: one of a server, or of an authority.
fn certificate(folder: &Path, name: &str, authority: bool) -> (PathBuf, PathBuf) {
    let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let constraints = format!("basicConstraints=critical,CA:{}", if authority { "TRUE" } else { "FALSE" });
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "2", "-subj", &format!("/CN={name}"), "-addext", &constraints]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost"]).arg("-out").arg(&cert).arg("-keyout").arg(&key);
    let output = openssl.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (cert, key)
}

fn serve((cert, key): &(PathBuf, PathBuf)) -> Daemon {
    Daemon::start(&["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()])
}

/// `tenure run` over TLS, trusting the certificates in a file.
fn secured(daemon: &Daemon, host: &str, trusted: &Path) -> (Option<i32>, String) {
    let url = format!("tenures://{host}:{}", daemon.addr().port());
    let mut command = tenure();
    command.args(["run", "--url", &url, "--tls-ca"]).arg(trusted).args(["k", "--", "true"]);
    let mut peer = Peer::start(&mut command);
    (peer.end().code(), peer.stderr())
}

#[test]
fn a_trusted_service_is_used_and_any_other_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let own = certificate(folder.path(), "own", false);
    let other = certificate(folder.path(), "other", false);
    let daemon = serve(&own);
    assert_eq!(secured(&daemon, "localhost", &own.0), (Some(0), String::new()));
    let (code, text) = secured(&daemon, "localhost", &other.0);
    assert_eq!(code, Some(69));
    assert!(text.contains("is not trusted") && text.contains("--tls-ca"), "{text}");
    let (code, text) = secured(&daemon, "127.0.0.1", &own.0);
    assert_eq!(code, Some(69), "the certificate is for another name");
    assert!(text.contains("is not trusted"), "{text}");
    let (code, text) = secured(&daemon, "localhost", &own.1);
    assert_eq!(code, Some(2));
    assert!(text.contains("there is no certificate in it"), "{text}");
}

#[test]
fn a_certificate_of_an_authority_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certificate(folder.path(), "authority", true);
    let daemon = serve(&authority);
    let (code, text) = secured(&daemon, "localhost", &authority.0);
    assert_eq!(code, Some(69));
    assert!(text.contains("basicConstraints=critical,CA:FALSE"), "{text}");
}

#[test]
fn a_service_that_speaks_otherwise_is_told_from_one_that_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let own = certificate(folder.path(), "own", false);
    let (code, text) = secured(&Daemon::start(&[]), "localhost", &own.0);
    assert_eq!(code, Some(69));
    assert!(text.contains("does not answer in TLS; without TLS it is tenure://localhost"), "{text}");
    let daemon = serve(&own);
    let (code, text) = outcome(&daemon, &["k", "--", "true"]);
    assert_eq!(code, Some(69));
    assert!(text.contains("speaks TLS: name it tenures://"), "{text}");
}
