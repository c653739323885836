//! TLS to a service, whose certificate is checked against what the user trusts.

use super::Address;
use super::connect::not_in_tls;
use crate::{Error, ErrorKind};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whose signature makes a service trusted. They are read with the first connection; clones share them.
#[derive(Clone, Debug, Default)]
pub struct TlsRoots(Arc<Roots>);

#[derive(Debug, Default)]
struct Roots {
    /// A PEM file; those of the system when there is none.
    file: Option<PathBuf>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsRoots {
    /// The authorities that the system trusts.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The certificates in a PEM file, and no others.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Roots { file: Some(path.into()), config: OnceLock::new() }))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.0.config.get() {
            return Ok(Arc::clone(config));
        }
        let roots = self.0.file.as_deref().map_or_else(of_the_system, from_file)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::with_source(ErrorKind::Unsupported, "cannot speak TLS", error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::clone(self.0.config.get_or_init(|| Arc::new(config))))
    }
}

/// What is needed to speak TLS to a service.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the roots, unless that has been done.
    pub(super) fn new(address: &Address, roots: &TlsRoots) -> Result<Self, Error> {
        let connector = TlsConnector::from(roots.config()?);
        let name = ServerName::try_from(address.host.clone()).map_err(|error| {
            let message = format!("{address}: no certificate can be for this host");
            Error::with_source(ErrorKind::Invalid, message, error)
        })?;
        Ok(Self { connector, name })
    }

    /// Speaks TLS from now on.
    pub(super) async fn wrap(&self, stream: TcpStream, at: &Address) -> Result<TlsStream<TcpStream>, Error> {
        self.connector.connect(self.name.clone(), stream).await.map_err(|error| {
            if speaks_no_tls(&error) {
                return not_in_tls(at);
            }
            Error::with_source(ErrorKind::Unavailable, what_is_wrong(at, &error), error)
        })
    }
}

fn from_file(file: &Path) -> Result<RootCertStore, Error> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("the certificates to trust in {} cannot be used", file.display());
        Error::with_source(ErrorKind::Invalid, message, error)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.into()))? {
        let certificate = certificate.map_err(|error| unusable(error.into()))?;
        roots.add(certificate).map_err(|error| unusable(error.into()))?;
    }
    if roots.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(roots) }
}

fn of_the_system() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // Some of what a system trusts can always be odd; what can be read is what counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Error::new(
            ErrorKind::Invalid,
            "this system trusts no certificates: name a file of those to trust",
        ));
    }
    Ok(roots)
}

/// Whether a service answers the beginning of TLS with something else, or by going away.
fn speaks_no_tls(error: &io::Error) -> bool {
    let gone = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    matches!(cause(error), Some(rustls::Error::InvalidMessage(_)))
        || cause(error).is_none() && gone.contains(&error.kind())
}

/// What is wrong, and what a user can do about it.
fn what_is_wrong(at: &Address, error: &io::Error) -> String {
    let Some(rustls::Error::InvalidCertificate(cause)) = cause(error) else {
        return format!("{at} cannot be spoken to in TLS");
    };
    if *cause == CertificateError::UnknownIssuer {
        return format!("{at} is not trusted: trust the certificate of who signed its own");
    }
    if format!("{cause:?}").contains("CaUsedAsEndEntity") {
        return format!(
            "{at} is not trusted: its certificate is one of an authority, make one with \
             basicConstraints=critical,CA:FALSE"
        );
    }
    format!("{at} is not trusted")
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|cause| cause.downcast_ref())
}
