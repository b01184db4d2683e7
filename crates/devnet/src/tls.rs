//! The nodes' certificate: self-signed, RSA with 2048 bits and named `localhost`, as on the official server (spec 03
//! §5). Clients take any. One serves all nodes.
//!
//! Decision: key and certificate are data in the source, made once with `openssl req -x509 -newkey rsa:2048`, because
//! the cryptography used here makes no RSA keys. They are a test key that everybody knows: it protects nothing, and
//! serves on loopback only. What is private in the network is so by its onion layers.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::DevnetError;

const CERTIFICATE: &[u8] = include_bytes!("../data/localhost.crt.der");
const TEST_KEY: &[u8] = include_bytes!("../data/localhost.key.der");

/// What takes TLS connections for every node.
pub(crate) fn acceptor() -> Result<TlsAcceptor, DevnetError> {
    let key = PrivatePkcs8KeyDer::from(TEST_KEY.to_vec());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key.into())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
