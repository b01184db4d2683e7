//! Whom we believe to be whom.
//!
//! Three rules, one for each kind of peer (spec 03 §2.1, §5):
//! - a *seed* must show exactly the certificate we were shipped with, under its own name, and prove that it holds the
//!   key. The certificates are self-signed authorities, which ordinary verifiers refuse, hence the own one.
//! - a *node* may show anything: nodes make their certificates up at will. What protects requests to them is the onion
//!   encryption to the keys of the node list; TLS only hides from onlookers on the way which kind of traffic it is.
//! - a *website*, of which a link is previewed, must show what browsers ask for: a certificate for its name of an authority
//!   that they trust. The authorities come with the program, so that it is the same everywhere.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// TLS towards nodes: any certificate will do.
pub(crate) fn any_certificate() -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    client(provider.clone(), Arc::new(AnyCertificate(provider)))
}

/// TLS towards seeds: each host name with the certificates it may show.
pub(crate) fn pinned(pins: Vec<(String, CertificateDer<'static>)>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    client(provider.clone(), Arc::new(Pinned { pins, provider }))
}

/// TLS towards websites: the authorities that browsers trust, and these.
pub(crate) fn public(more: &[CertificateDer<'static>]) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in more {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn client(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // A signature with a key that may be anybody's proves nothing, and odd certificates would make us lose nodes.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[derive(Debug)]
struct Pinned {
    pins: Vec<(String, CertificateDer<'static>)>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The dates are not looked at: the pin itself says that we trust this certificate, and a machine whose clock
        // is off must still find the network that tells it the time.
        let name = server_name.to_str();
        if self.pins.iter().any(|(host, pin)| host.eq_ignore_ascii_case(&name) && pin == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    /// A self-signed authority for `seed.test`, like the real seeds', and its key.
    fn certificate() -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["seed.test".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        (params.self_signed(&key).unwrap().der().clone(), key)
    }

    /// A handshake in memory between our client and a server with this certificate and key.
    fn handshake(
        client: ClientConfig,
        name: &str,
        shown: &CertificateDer<'static>,
        key: &KeyPair,
    ) -> Result<(), Error> {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            // The pair is not checked to belong together: a thief of the certificate has no key for it.
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
                rustls::sign::CertifiedKey::new(vec![shown.clone()], ring::sign::any_supported_type(&key)?),
            )));
        let mut server = ServerConnection::new(Arc::new(server))?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(client), name)?;
        let mut bytes = Vec::new();
        while client.is_handshaking() || server.is_handshaking() {
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut std::mem::take(&mut bytes).as_slice()).unwrap();
            server.process_new_packets()?;
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut std::mem::take(&mut bytes).as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_seed_must_show_its_own_certificate_under_its_own_name_and_hold_the_key() {
        let (own, key) = certificate();
        let (other, other_key) = certificate();
        let pins = || pinned(vec![("seed.test".to_owned(), own.clone())]).unwrap();
        assert_eq!(handshake(pins(), "seed.test", &own, &key), Ok(()));
        assert!(handshake(pins(), "seed.test", &other, &other_key).is_err());
        assert!(handshake(pins(), "other.test", &own, &key).is_err());
        assert!(handshake(pins(), "seed.test", &own, &other_key).is_err());
    }

    #[test]
    fn a_node_may_show_anything() {
        let (own, key) = certificate();
        assert_eq!(handshake(any_certificate().unwrap(), "other.test", &own, &key), Ok(()));
    }

    #[test]
    fn the_built_in_certificates_can_be_read() {
        for seed in crate::NetworkConfig::mainnet().seeds {
            let certificate = seed.certificates.first().unwrap();
            assert!(rustls::server::ParsedCertificate::try_from(certificate).is_ok());
        }
    }

    #[test]
    fn the_built_in_certificates_are_the_published_ones() {
        // Spec 03 §2.1: SHA-256 of the whole certificate.
        let published = [
            ("seed1.getsession.org", "36ea0b253537988551ee856e4fd20d55011e9c8b27eaa2f34b8f32a0bdf04f2d"),
            ("seed2.getsession.org", "c5908dd4139acd96aedd1e45576597650809c8a5ea02af556d4853d45396e0e7"),
            ("seed3.getsession.org", "8a0af2c712342f22ce00e53c1601410ef8d84156aee0a9809c32f6f7efbe556e"),
        ];
        let seeds = crate::NetworkConfig::mainnet().seeds;
        let hash = ring::default_provider()
            .cipher_suites
            .iter()
            .find_map(|suite| match suite.suite() {
                rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => Some(suite.tls13()?.common.hash_provider),
                _ => None,
            })
            .unwrap();
        let pins: Vec<_> = seeds
            .iter()
            .flat_map(|seed| seed.certificates.iter().map(|certificate| (seed.host.as_str(), certificate)))
            .map(|(host, certificate)| {
                (host, data_encoding::HEXLOWER.encode(hash.hash(certificate).as_ref()))
            })
            .collect();
        assert_eq!(pins, published.map(|(host, pin)| (host, pin.to_owned())));
    }
}
