//! [`Network`]: the handle that the rest of the program holds.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use septet_protocol::attachment::FileUrl;
use septet_protocol::id::{Account, Ed25519Public, SessionId};
use septet_protocol::name::Name;
use septet_protocol::swarm::reply::StoreReply;
use septet_protocol::swarm::request::Store;
use septet_protocol::swarm::{Auth, MemberKeys, ReplyError, Rpc, Witnesses};
use septet_protocol::time::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::NetworkConfig;
use crate::disk::{Disk, SavedNodes};
use crate::driver;
use crate::error::NetworkError;
use crate::file_server::UploadedFile;
use crate::policy::{Policy, Saved};
use crate::shared::Shared;
use crate::status::{NetworkStatus, PathHop};
use crate::web::{PreviewUrl, Take, WebError, WebPage};

/// A connection to the network. Cheap to clone; when the last clone is gone its tasks end.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
    _tasks: Arc<Tasks>,
}

struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// A node's reply to a request.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// Who answered. What was fetched from it is remembered per node.
    pub node: Ed25519Public,
    /// The members of its swarm, by the lists we believe: whose signatures prove something.
    pub swarm: MemberKeys,
    /// What it said: a JSON object. Of a batch, [`septet_protocol::swarm::reply::results`] makes the parts.
    pub body: Value,
}

impl Network {
    /// Starts keeping paths, with the node list, guards and clock in `data_dir/network`, encrypted with keys derived from
    /// `key`. Returns at once; requests wait for the first path. To be called within a tokio runtime.
    pub fn start(config: NetworkConfig, data_dir: &Path, key: &[u8; 32]) -> Result<Self, NetworkError> {
        let disk = Disk::new(data_dir, config.identity(), key);
        let clock = Clock::new(config.machine.clone(), disk.clock());
        let age = |saved: &SavedNodes| {
            let age = u64::try_from(clock.now().as_ms().cast_signed() - saved.fetched);
            // A list from the future tells nothing of its age.
            age.map_or(Duration::MAX, Duration::from_millis)
        };
        let nodes = disk.nodes().map(|saved| (age(&saved), saved.nodes)).map(|(age, nodes)| (nodes, age));
        let saved = Saved { nodes, guards: disk.guards() };
        let policy = Policy::new(config.settings(clock.now()), saved, Instant::now());
        let (orders, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(config, policy, clock, orders)?);
        let tasks = vec![
            tokio::spawn(driver::run(shared.clone(), disk, received)),
            tokio::spawn(driver::watch_way(shared.clone())),
            tokio::spawn(driver::seek_time(shared.clone())),
            tokio::spawn(shared.http.clone().keep_awake()),
        ];
        Ok(Self { shared, _tasks: Arc::new(Tasks(tasks)) })
    }

    /// The network's time as well as we can tell; for everything that is signed.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The network's time once it is *known*: nodes have told it in this run, or it was known before and has been
    /// confirmed. Nothing is to be deleted for its age, and nothing dated that is sent, before that.
    pub fn time(&self) -> Option<Timestamp> {
        self.shared.clock.known()
    }

    /// Waits until the network's time is known.
    pub async fn time_known(&self) -> Timestamp {
        self.shared.clock.until_known().await
    }

    /// The paths in use, each from the guard on.
    pub fn paths(&self) -> Vec<Vec<PathHop>> {
        self.shared.status.borrow().paths.clone()
    }

    /// Whether requests go through; changes are told.
    pub fn status(&self) -> watch::Receiver<NetworkStatus> {
        self.shared.status.subscribe()
    }

    /// How often the machine has slept, or the process was stopped, for more than about five seconds; changes are told
    /// once requests go out over fresh connections. Waits by timers that do not run during a sleep are then too long.
    pub fn wakes(&self) -> watch::Receiver<u64> {
        self.shared.wakes.subscribe()
    }

    /// Has a member of an account's swarm carry out a request, with retries at other members.
    ///
    /// `build` makes the request for a member and a network time; it is called for each try. A batch is delivered with
    /// all its parts as soon as none of them asks for another member; single parts may still have failed.
    pub async fn swarm_request(
        &self,
        account: &Account,
        build: impl Fn(&Ed25519Public, Timestamp) -> Rpc,
    ) -> Result<Reply, NetworkError> {
        self.swarm_request_at(account, None, build).await
    }

    /// As [`Network::swarm_request`], beginning with a certain member if it is one: to go on where the last reply ended.
    pub async fn swarm_request_at(
        &self,
        account: &Account,
        prefer: Option<Ed25519Public>,
        build: impl Fn(&Ed25519Public, Timestamp) -> Rpc,
    ) -> Result<Reply, NetworkError> {
        let read = |swarm: &MemberKeys, body: Value| match body.is_object() {
            true => Ok((swarm.clone(), body)),
            false => Err(ReplyError("body")),
        };
        let (node, (swarm, body)) = self.shared.ask_swarm(account, prefer, build, read).await?;
        Ok(Reply { node, swarm, body })
    }

    /// As [`Network::swarm_request`], for replies that must prove something: `read` is given the swarm's members, and a
    /// body that it does not accept counts as a failure of the member, and the next one is asked.
    pub async fn swarm_query<T>(
        &self,
        account: &Account,
        build: impl Fn(&Ed25519Public, Timestamp) -> Rpc,
        read: impl Fn(&MemberKeys, Value) -> Result<T, ReplyError>,
    ) -> Result<(Ed25519Public, T), NetworkError> {
        self.shared.ask_swarm(account, None, build, read).await
    }

    /// Waits until a request to an account's swarm could go out: there is a path, and it is known who the members are.
    /// Only questions that say nothing of the request are asked for that.
    pub async fn reach(&self, account: &Account) -> Result<(), NetworkError> {
        self.shared.reach(account).await
    }

    /// Leaves bytes with a swarm; done when two members have signed that they have them ([`Witnesses`]). To be repeated
    /// with the same bytes only: they are recognised, and there is still one message.
    ///
    /// # Errors
    /// After [`NetworkError::Offline`] nothing of it is out. After any other it may be.
    pub async fn store(
        &self,
        store: &Store<'_>,
        auth: Option<&Auth<'_>>,
    ) -> Result<StoreReply, NetworkError> {
        let build = |_: &Ed25519Public, now: Timestamp| store.rpc(auth, now);
        let (hash, witnesses) = (store.hash(), Witnesses::default());
        let read = |swarm: &MemberKeys, body: Value| witnesses.read(&body, swarm, hash);
        let (_, reply) = self.swarm_query(&store.account, build, read).await?;
        Ok(reply)
    }

    /// Leaves an encrypted file with the file server. `progress` is told `(done, total)` bytes; a second try, over
    /// another path, begins again at 0. At most 10,000,000 bytes are taken everywhere (spec 04 §2).
    pub async fn upload(
        &self,
        bytes: Vec<u8>,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
        cancel: CancellationToken,
    ) -> Result<UploadedFile, NetworkError> {
        cancellable(&cancel, self.shared.upload(bytes, Arc::new(progress))).await
    }

    /// Fetches a file. `progress` is told `(done, total)` bytes; `total` is 0 while it is not known.
    pub async fn download(
        &self,
        url: &FileUrl,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
        cancel: CancellationToken,
    ) -> Result<Vec<u8>, NetworkError> {
        cancellable(&cancel, self.shared.download(url, Arc::new(progress))).await
    }

    /// Fetches something from a website, directly and not through the network, until `deadline`; `accept` is the kind to
    /// ask for. Its server learns our address: only for links whose preview the person who sends them wants.
    pub async fn fetch_web(
        &self,
        url: &PreviewUrl,
        accept: &'static str,
        take: Take,
        deadline: tokio::time::Instant,
    ) -> Result<WebPage, WebError> {
        self.shared.web.fetch(url, accept, take, deadline).await
    }

    /// Asks the file server to keep a file longer; until when it does then. Only for files with a name of 44
    /// characters (spec 04 §2).
    pub async fn extend_file(&self, url: &FileUrl) -> Result<Timestamp, NetworkError> {
        self.shared.extend(url).await
    }

    /// The account that a registered name stands for, as three nodes agree (spec 03 §11).
    pub async fn resolve_name(&self, name: &str) -> Result<SessionId, NetworkError> {
        self.shared.resolve_name(&Name::parse(name)?).await
    }
}

/// Ends the work when it is cancelled; requests under way are cut off.
async fn cancellable<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, NetworkError>>,
) -> Result<T, NetworkError> {
    cancel.run_until_cancelled(work).await.unwrap_or(Err(NetworkError::Cancelled))
}
