//! TLS to a service, whose certificate is checked against what the user trusts.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connect::not_in_tls;
use crate::address::Address;
use crate::args::Service;
use crate::exit::{Exit, Failure};

/// What is needed to speak TLS to a service.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads what the user trusts: the authorities in `--tls-ca`, else those of the system.
    pub(super) fn new(service: &Service) -> Result<Self, Failure> {
        let roots = match &service.tls_ca {
            Some(file) => from_file(file)?,
            None => of_the_system()?,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::from(Exit::Refused, "cannot speak TLS", error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(service.url.host.clone()).map_err(|error| {
            Failure::from(Exit::Usage, format!("{}: no certificate can be for this host", service.url), error)
        })?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Speaks TLS from now on.
    pub(super) async fn wrap(
        &self,
        stream: TcpStream,
        at: &Address,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        self.connector.connect(self.name.clone(), stream).await.map_err(|error| {
            if speaks_no_tls(&error) {
                return not_in_tls(at);
            }
            Failure::new(Exit::Unavailable, format!("{at} is not trusted: {error}{}", advice(&error)))
        })
    }
}

fn from_file(file: &Path) -> Result<RootCertStore, Failure> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        Failure::from(Exit::Usage, format!("--tls-ca {} cannot be used", file.display()), error)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.into()))? {
        let certificate = certificate.map_err(|error| unusable(error.into()))?;
        roots.add(certificate).map_err(|error| unusable(error.into()))?;
    }
    if roots.is_empty() { Err(unusable("there is no certificate in it".into())) } else { Ok(roots) }
}

fn of_the_system() -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    // Some of what a system trusts can always be odd; what can be read is what counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Failure::new(Exit::Usage, "this system trusts no certificates: name some with --tls-ca"));
    }
    Ok(roots)
}

fn speaks_no_tls(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidMessage(_)))
}

/// What a user can do about it.
fn advice(error: &io::Error) -> &'static str {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(cause)) = cause else { return "" };
    if *cause == CertificateError::UnknownIssuer {
        return " (name the certificate of who signed it with --tls-ca)";
    }
    if format!("{cause:?}").contains("CaUsedAsEndEntity") {
        return " (the certificate is one of an authority: make one with basicConstraints=critical,CA:FALSE)";
    }
    ""
}
