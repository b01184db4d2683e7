//! Asking for the list of nodes: seeds at first, nodes themselves later (spec 03 §2, §3). When whom to ask is decided
//! elsewhere ([`crate::policy`]).

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use septet_protocol::swarm::request::service_nodes_params;
use septet_protocol::swarm::{Node, Rpc, nodes};
use serde_json::{Value, json};

use crate::config::{NetworkConfig, Seed};
use crate::error::NetworkError;
use crate::http::{Http, PostOptions};
use crate::policy::agreement;
use crate::shared::Shared;
use crate::snapshot::NodeSnapshot;

/// How long a seed may be silent.
const SILENCE: Duration = Duration::from_secs(5);
/// The largest list, in bytes: some thousand nodes; far more is no list.
const MAX_LIST: usize = 32_000_000;
/// How many nodes are asked for their list.
const WITNESSES: usize = 3;

/// A list as a seed gives it.
pub(crate) struct SeedList {
    /// The nodes that can be any of this network.
    pub nodes: Vec<Node>,
    /// The chain's height; 0 if the seed does not say.
    pub height: u64,
}

impl SeedList {
    fn read(config: &NetworkConfig, reply: &[u8]) -> Option<Self> {
        let reply: Value = serde_json::from_slice(reply).ok()?;
        let nodes = possible(config, nodes::service_nodes(&reply).ok()?);
        let height = reply.pointer("/result/height").and_then(Value::as_u64).unwrap_or(0);
        Some(Self { nodes, height })
    }
}

impl NodeSnapshot {
    /// The list that the first seed to answer gives now. Fails if no client can be set up, or no seed answers.
    pub async fn take(config: &NetworkConfig) -> Result<Self, NetworkError> {
        let http = Http::new(config).map_err(NetworkError::Setup)?;
        let list = first_list(&http, config).await.ok_or(NetworkError::Offline)?;
        Ok(Self::new(config.machine.now(), list.height, list.nodes))
    }
}

/// The list of whichever seed is first to give a good one; all are asked at once.
pub(crate) async fn first_list(http: &Http, config: &NetworkConfig) -> Option<SeedList> {
    let body = json!({
        "jsonrpc": "2.0", "method": "get_n_service_nodes", "params": service_nodes_params(),
    });
    let body = body.to_string().into_bytes();
    let ask = |seed| ask_seed(http, config, seed, body.clone());
    let mut replies: FuturesUnordered<_> = config.seeds.iter().map(ask).collect();
    while let Some(reply) = replies.next().await {
        if let Some(list) = reply.filter(|list| list.nodes.len() >= config.min_pool) {
            return Some(list);
        }
    }
    None
}

async fn ask_seed(http: &Http, config: &NetworkConfig, seed: &Seed, body: Vec<u8>) -> Option<SeedList> {
    let options = PostOptions { max_reply: MAX_LIST, ..PostOptions::silent_for(SILENCE) };
    let reply = http.post_seed(seed, body, &options).await;
    let host = seed.host.as_str();
    match reply {
        Ok(reply) if reply.status == 200 => {
            let list = SeedList::read(config, &reply.body);
            if list.is_none() {
                tracing::warn!(host, "a seed's reply is no node list");
            }
            list
        }
        Ok(reply) => {
            tracing::warn!(host, status = reply.status, "a seed refuses");
            None
        }
        Err(error) => {
            tracing::debug!(host, ?error, "a seed is not reached");
            None
        }
    }
}

/// Those nodes of a list that can be any of this network, going by their addresses.
fn possible(config: &NetworkConfig, mut list: Vec<Node>) -> Vec<Node> {
    list.retain(|node| !config.public_only || node.is_public());
    list
}

impl Shared {
    /// The list of nodes as a seed gives it.
    pub async fn fetch_from_seeds(&self) -> Option<Vec<Node>> {
        first_list(&self.http, &self.config).await.map(|list| list.nodes)
    }

    /// The list of nodes as two of three nodes see it, asked through paths.
    pub async fn fetch_from_nodes(&self) -> Option<Vec<Node>> {
        let witnesses = self.off_path_nodes(WITNESSES, |_| false);
        let lists = join_all(witnesses.iter().map(|node| self.ask_for_nodes(node))).await;
        agreed(lists)
    }

    async fn ask_for_nodes(&self, node: &Node) -> Option<Vec<Node>> {
        let read = |body: Value| Ok(nodes::service_nodes(&body)?);
        let list = self.ask_node(node, &Rpc::service_nodes(), read).await.ok()?;
        Some(possible(&self.config, list))
    }

    /// The list as two of the built-in nodes see it. They are asked directly, in a request that only they can read and
    /// that says nothing about us; it is for where no seed is reached, and there are no paths yet.
    pub async fn fetch_from_bootstrap(&self) -> Option<Vec<Node>> {
        let lists = join_all(self.config.bootstrap.iter().map(|node| self.ask_bootstrap(node))).await;
        agreed(lists)
    }

    async fn ask_bootstrap(&self, node: &Node) -> Option<Vec<Node>> {
        let options = PostOptions { max_reply: MAX_LIST, ..PostOptions::silent_for(SILENCE) };
        let answer = self.ask_over(node, &[], node, &Rpc::service_nodes(), &options).await.ok()?;
        Some(possible(&self.config, nodes::service_nodes(&answer.body).ok()?))
    }
}

/// What at least two lists have in common; `None` if there are no two.
fn agreed(lists: Vec<Option<Vec<Node>>>) -> Option<Vec<Node>> {
    let lists: Vec<Vec<Node>> = lists.into_iter().flatten().collect();
    (lists.len() >= 2).then(|| agreement(&lists))
}
