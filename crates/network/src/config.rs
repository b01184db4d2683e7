//! Which network to talk to: the real one, the test one, or one described in a network file.
//!
//! Decision: everything in which networks differ is in one value, made before anything is started. The built-in
//! networks and a network file fill the same fields; nothing else in this crate asks which network it is on.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use septet_protocol::attachment::FileServer;
use septet_protocol::swarm::Node;
use septet_protocol::time::Timestamp;
use serde::Deserialize;
use url::Url;

use crate::machine::MachineClock;
use crate::policy::Settings;
use crate::snapshot::{self, NodeSnapshot};

/// Why a network cannot be used; each is a sentence for the person who chose it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither a known name nor a file that can be read.
    #[error("the network file {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no TOML, has a key too many, or one of a wrong kind.
    #[error("the network file is not right: {0}")]
    Form(String),
    /// A bootstrap node is none.
    #[error("a bootstrap node needs `ed25519` (64 hexadecimal digits), `ip` and `port`")]
    Bootstrap,
    /// A network needs at least one seed.
    #[error("the network file names no seed (`seeds = [\"http://127.0.0.1:…/json_rpc\"]`)")]
    NoSeed,
    /// A seed's address is none.
    #[error("the seed {0:?} is no address of the form https://host:port/json_rpc")]
    SeedUrl(String),
    /// Plain HTTP to a seed elsewhere: anybody on the way could hand us a network of his own.
    #[error("the seed {0:?} is not on this machine and so needs https")]
    PlainSeed(String),
    /// An HTTPS seed is trusted by its own certificate only.
    #[error("the seed {0:?} needs its certificate in `seed_certificates`")]
    NoCertificate(String),
    /// A snapshot file holds no list of nodes.
    #[error("{} holds no list of nodes as `septet node-snapshot` writes it", .0.display())]
    Snapshot(PathBuf),
    /// A certificate file holds none.
    #[error("{} holds no PEM certificate", .0.display())]
    Certificate(PathBuf),
    /// The file server's address is none.
    #[error("the file server {0:?} is no address of the form http://host:port")]
    FileServerUrl(String),
    /// The file server's key is none.
    #[error("the file server's {0} must be 64 hexadecimal digits")]
    FileServerKey(&'static str),
    /// A path needs three nodes, and a request a fourth.
    #[error("min_pool must be at least 4: a path has three nodes, and a request needs a fourth")]
    PoolTooSmall,
}

/// A network, and how to find into it.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// What it is called.
    pub name: String,
    /// Where the list of nodes comes from at first.
    pub(crate) seeds: Vec<Seed>,
    /// The smallest list of nodes to accept.
    pub(crate) min_pool: usize,
    /// Whether to refresh the list from three nodes, keeping what two agree on; else always from the seeds.
    pub(crate) pool_consensus: bool,
    /// Whether the nodes of a path must be in different /24 networks.
    pub(crate) distinct_subnets: bool,
    /// Whether nodes must have addresses of the Internet at large; only networks to try things on may have others.
    pub(crate) public_only: bool,
    /// Nodes that are asked for the list when no seed answers (spec 03 §2.2).
    pub(crate) bootstrap: Vec<Node>,
    /// A list of nodes for when nobody answers; may be empty.
    pub(crate) snapshot: NodeSnapshot,
    /// Where files go (spec 04 §1).
    pub(crate) file_server: FileServer,
    /// The path of a file server's onion entrance.
    pub(crate) onion_target: String,
    /// Authorities that websites may have their certificates from, besides those that browsers trust.
    pub(crate) web_certificates: Vec<CertificateDer<'static>>,
    /// The clock of the machine that the network is used from.
    pub(crate) machine: MachineClock,
}

/// A server that hands out the list of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// `…/json_rpc`.
    pub url: String,
    /// The host in it: the name that its certificate must have.
    pub host: String,
    /// The only certificates it may show; empty for plain HTTP.
    pub certificates: Vec<CertificateDer<'static>>,
}

impl NetworkConfig {
    /// From a command line's `--network`: `mainnet`, `testnet`, or the path of a network file.
    pub fn from_arg(text: &str) -> Result<Self, ConfigError> {
        match text {
            "mainnet" => Ok(Self::mainnet()),
            "testnet" => Ok(Self::testnet()),
            path => Self::load(Path::new(path)),
        }
    }

    /// The real network.
    pub fn mainnet() -> Self {
        let seed = |host: &str, der: &'static [u8]| Seed {
            url: format!("https://{host}:4443/json_rpc"),
            host: host.to_owned(),
            certificates: vec![CertificateDer::from(der)],
        };
        Self {
            name: "mainnet".to_owned(),
            seeds: vec![
                seed("seed1.getsession.org", include_bytes!("../data/seed1.getsession.org.der")),
                seed("seed2.getsession.org", include_bytes!("../data/seed2.getsession.org.der")),
                seed("seed3.getsession.org", include_bytes!("../data/seed3.getsession.org.der")),
            ],
            min_pool: 12,
            pool_consensus: true,
            distinct_subnets: true,
            public_only: true,
            bootstrap: bootstrap(&MAINNET),
            snapshot: NodeSnapshot::mainnet(),
            file_server: FileServer::mainnet(),
            onion_target: onion_target(),
            web_certificates: Vec::new(),
            machine: MachineClock::default(),
        }
    }

    /// The network that the Session project tests on; its seed speaks plain HTTP.
    pub fn testnet() -> Self {
        Self {
            name: "testnet".to_owned(),
            seeds: vec![Seed {
                url: "http://seed2.getsession.org:38157/json_rpc".to_owned(),
                host: "seed2.getsession.org".to_owned(),
                certificates: Vec::new(),
            }],
            min_pool: 8,
            pool_consensus: true,
            distinct_subnets: true,
            public_only: true,
            bootstrap: bootstrap(&TESTNET),
            snapshot: NodeSnapshot::default(),
            file_server: FileServer::testnet(),
            onion_target: onion_target(),
            web_certificates: Vec::new(),
            machine: MachineClock::default(),
        }
    }

    /// Reads a network file. Certificates and a list of nodes that it names are looked for beside it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        Self::read(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a network file. Files it names are looked for in the working directory.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::read(text, Path::new(""))
    }

    fn read(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: NetworkFile = toml::from_str(text).map_err(|error| ConfigError::Form(one_line(&error)))?;
        let read = |names: &[PathBuf]| {
            names.iter().map(|name| certificate(&folder.join(name))).collect::<Result<Vec<_>, _>>()
        };
        let (certificates, web_certificates) =
            (read(&file.seed_certificates)?, read(&file.web_certificates)?);
        let seeds = file.seeds.iter().map(|url| seed(url, &certificates)).collect::<Result<Vec<_>, _>>()?;
        if seeds.is_empty() {
            return Err(ConfigError::NoSeed);
        }
        if file.min_pool < 4 {
            return Err(ConfigError::PoolTooSmall);
        }
        let snapshot = file.snapshot.map(|name| {
            let path = folder.join(name);
            snapshot::load(&path).ok_or(ConfigError::Snapshot(path))
        });
        let snapshot = snapshot.transpose()?.unwrap_or_default();
        Ok(Self {
            name: file.name,
            seeds,
            min_pool: file.min_pool,
            pool_consensus: file.pool_consensus,
            distinct_subnets: file.distinct_subnets,
            public_only: false,
            bootstrap: file.bootstrap.iter().map(BootstrapNode::read).collect::<Result<_, _>>()?,
            snapshot,
            file_server: file.file_server.read()?,
            onion_target: file.file_server.onion_target,
            web_certificates,
            machine: MachineClock::default(),
        })
    }

    /// For tests: the same network, used from a machine with another clock.
    #[must_use]
    pub fn on_machine(self, machine: MachineClock) -> Self {
        Self { machine, ..self }
    }

    /// The clock of the machine that the network is used from.
    pub fn machine(&self) -> &MachineClock {
        &self.machine
    }

    /// What the rules about nodes and paths need to know of the network, now that it is about this time there.
    pub(crate) fn settings(&self, now: Timestamp) -> Settings {
        Settings {
            min_pool: self.min_pool,
            consensus: self.pool_consensus,
            distinct_subnets: self.distinct_subnets,
            bootstrap: !self.bootstrap.is_empty(),
            snapshot: self.snapshot.at(now),
        }
    }

    /// What distinguishes this network from others of the same name: the addresses of its seeds. The node list on disk
    /// is only used for the network it came from.
    pub(crate) fn identity(&self) -> String {
        self.seeds.iter().map(|seed| seed.url.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// A network file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    #[serde(default = "local")]
    name: String,
    #[serde(default)]
    seeds: Vec<String>,
    #[serde(default)]
    seed_certificates: Vec<PathBuf>,
    /// Of authorities whose websites are previewed like those that browsers trust.
    #[serde(default)]
    web_certificates: Vec<PathBuf>,
    #[serde(default = "smallest_pool")]
    min_pool: usize,
    #[serde(default)]
    pool_consensus: bool,
    #[serde(default)]
    distinct_subnets: bool,
    #[serde(default)]
    bootstrap: Vec<BootstrapNode>,
    #[serde(default)]
    snapshot: Option<PathBuf>,
    file_server: FileServerTable,
}

/// A node that is asked for the list when no seed answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BootstrapNode {
    ed25519: String,
    ip: Ipv4Addr,
    port: u16,
}

impl BootstrapNode {
    fn read(&self) -> Result<Node, ConfigError> {
        let key = self.ed25519.parse().map_err(|_| ConfigError::Bootstrap)?;
        Node::new(key, self.ip, self.port).ok_or(ConfigError::Bootstrap)
    }
}

/// Built-in nodes, `(Ed25519 key, address, HTTPS port)` (spec 03 §2.2).
type BuiltIn = (&'static str, [u8; 4], u16);

const MAINNET: [BuiltIn; 5] = [
    ("1f000f09a7b07828dcb72af7cd16857050c10c02bd58afb0e38111fb6cda1fef", [95, 216, 33, 113], 22100),
    ("1f101f0acee4db6f31aaa8b4df134e85ca8a4878efaef7f971e88ab144c1a7ce", [37, 27, 236, 229], 22101),
    ("1f202f00f4d2d4acc01e20773999a291cf3e3136c325474d159814e06199919f", [172, 96, 140, 124], 22102),
    ("1f303f1d7523c46fa5398826740d13282d26b5de90fbae5749442f66afb6d78b", [208, 73, 207, 54], 22103),
    ("1f604f1c858a121a681d8f9b470ef72e6946ee1b9c5ad15a35e16b50c28db7b0", [104, 194, 8, 115], 22104),
];
const TESTNET: [BuiltIn; 1] =
    [("decaf20025ca6389d8225bda6a32d7fc4ee5176d21e3b2e9e08c3505a48a811a", [23, 88, 6, 250], 35520)];

fn bootstrap(nodes: &[BuiltIn]) -> Vec<Node> {
    let node = |(key, ip, port): &BuiltIn| Node::new(key.parse().ok()?, Ipv4Addr::from(*ip), *port);
    nodes.iter().filter_map(node).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileServerTable {
    url: String,
    x25519: String,
    #[serde(default)]
    ed25519: String,
    #[serde(default = "onion_target")]
    onion_target: String,
}

fn local() -> String {
    "local".to_owned()
}

fn smallest_pool() -> usize {
    8
}

fn onion_target() -> String {
    "/oxen/v4/lsrpc".to_owned()
}

impl FileServerTable {
    fn read(&self) -> Result<FileServer, ConfigError> {
        let x25519 = self.x25519.parse().map_err(|_| ConfigError::FileServerKey("x25519"))?;
        let ed25519 = match self.ed25519.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| ConfigError::FileServerKey("ed25519"))?),
        };
        FileServer::at(&self.url, x25519, ed25519).map_err(|_| ConfigError::FileServerUrl(self.url.clone()))
    }
}

fn seed(text: &str, certificates: &[CertificateDer<'static>]) -> Result<Seed, ConfigError> {
    let url = Url::parse(text).map_err(|_| ConfigError::SeedUrl(text.to_owned()))?;
    let host = url.host_str().ok_or_else(|| ConfigError::SeedUrl(text.to_owned()))?;
    let loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let certificates = match url.scheme() {
        "http" if loopback => Vec::new(),
        "http" => return Err(ConfigError::PlainSeed(text.to_owned())),
        "https" if certificates.is_empty() => return Err(ConfigError::NoCertificate(text.to_owned())),
        "https" => certificates.to_vec(),
        _ => return Err(ConfigError::SeedUrl(text.to_owned())),
    };
    Ok(Seed { host: host.to_owned(), url: url.into(), certificates })
}

fn certificate(path: &Path) -> Result<CertificateDer<'static>, ConfigError> {
    let text = std::fs::read(path)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    CertificateDer::from_pem_slice(&text).map_err(|_| ConfigError::Certificate(path.to_owned()))
}

/// What TOML says is wrong, with its line, without the picture of it.
fn one_line(error: &toml::de::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned() + ": " + error.message()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = r#"
        name = "local"
        seeds = ["http://127.0.0.1:22222/json_rpc"]
        min_pool = 7
        [file_server]
        url = "http://127.0.0.1:18090"
        x25519 = "09324794aa9c11948189762d198c618148e9136ac9582068180661208927ef34"
    "#;

    fn sentence(text: &str) -> String {
        NetworkConfig::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_networks_are_whole() {
        for config in [NetworkConfig::mainnet(), NetworkConfig::testnet()] {
            let server = &config.file_server;
            assert_eq!(server.ed25519.unwrap().to_x25519(), Some(server.x25519));
            for seed in &config.seeds {
                assert_eq!(Url::parse(&seed.url).unwrap().host_str(), Some(seed.host.as_str()));
            }
        }
        assert_eq!(NetworkConfig::mainnet().seeds.len(), 3);
        assert_eq!(NetworkConfig::mainnet().bootstrap.len(), 5);
        assert_eq!(NetworkConfig::testnet().bootstrap.len(), 1);
    }

    #[test]
    fn a_network_file_is_read() {
        let config = NetworkConfig::from_toml(LOCAL).unwrap();
        assert_eq!((config.name.as_str(), config.min_pool), ("local", 7));
        assert!(!config.pool_consensus && !config.distinct_subnets);
        assert_eq!(config.onion_target, "/oxen/v4/lsrpc");
        assert_eq!(config.file_server.ed25519, None);
    }

    #[test]
    fn what_is_wrong_with_a_network_file_is_said_in_a_sentence() {
        assert!(sentence("name = ").starts_with("the network file is not right: "));
        assert!(sentence(&LOCAL.replace("min_pool", "min_pol")).contains("min_pol"));
        assert!(sentence(&LOCAL.replace("127.0.0.1:22222", "1.2.3.4:5")).contains("needs https"));
        assert!(
            sentence(&LOCAL.replace("http://127.0.0.1:22222", "https://a:5")).contains("seed_certificates")
        );
        assert!(sentence(&LOCAL.replace("http://127.0.0.1:22222/json_rpc", "seed")).contains("no address"));
        assert!(sentence(&format!("snapshot = \"none.json\"\n{LOCAL}")).contains("none.json holds no list"));
        assert!(sentence(&LOCAL.replace("0932", "zz32")).contains("64 hexadecimal digits"));
        assert!(sentence(&LOCAL.replace("min_pool = 7", "min_pool = 3")).contains("at least 4"));
        assert!(
            sentence(&LOCAL.replace("\"http://127.0.0.1:22222/json_rpc\"", "")).contains("names no seed")
        );
        let missing = NetworkConfig::from_arg("no/such/file.toml").unwrap_err().to_string();
        assert!(missing.starts_with("the network file no/such/file.toml cannot be read"), "{missing}");
    }
}
