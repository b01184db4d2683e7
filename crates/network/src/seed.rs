//! Asking for the list of nodes: seeds at first, nodes themselves later (spec 03 §2, §3). When whom to ask is decided
//! elsewhere ([`crate::policy`]).

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use septet_protocol::swarm::request::service_nodes_params;
use septet_protocol::swarm::{Node, Rpc, nodes};
use serde_json::{Value, json};

use crate::http::PostOptions;
use crate::policy::agreement;
use crate::shared::Shared;

/// How long a seed may be silent.
const SILENCE: Duration = Duration::from_secs(5);
/// The largest list, in bytes: some thousand nodes; far more is no list.
const MAX_LIST: usize = 32_000_000;
/// How many nodes are asked for their list.
const WITNESSES: usize = 3;

impl Shared {
    /// The list of nodes from whichever seed is first to give a good one; all are asked at once.
    pub async fn fetch_from_seeds(&self) -> Option<Vec<Node>> {
        let body = json!({
            "jsonrpc": "2.0", "method": "get_n_service_nodes", "params": service_nodes_params(),
        });
        let body = body.to_string().into_bytes();
        let ask = |seed| self.ask_seed(seed, body.clone());
        let mut replies: FuturesUnordered<_> = self.config.seeds.iter().map(ask).collect();
        while let Some(reply) = replies.next().await {
            if let Some(nodes) = reply.filter(|nodes| nodes.len() >= self.config.min_pool) {
                return Some(nodes);
            }
        }
        None
    }

    async fn ask_seed(&self, seed: &crate::config::Seed, body: Vec<u8>) -> Option<Vec<Node>> {
        let options = PostOptions { max_reply: MAX_LIST, ..PostOptions::silent_for(SILENCE) };
        let reply = self.http.post_seed(seed, body, &options).await;
        let host = seed.host.as_str();
        match reply {
            Ok(reply) if reply.status == 200 => {
                let list = serde_json::from_slice::<Value>(&reply.body).ok();
                let list = list.and_then(|list| nodes::service_nodes(&list).ok());
                let list = list.map(|list| self.possible(list));
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

    /// The list of nodes as two of three nodes see it, asked through paths.
    pub async fn fetch_from_nodes(&self) -> Option<Vec<Node>> {
        let witnesses = self.off_path_nodes(WITNESSES, |_| false);
        let lists = join_all(witnesses.iter().map(|node| self.ask_for_nodes(node))).await;
        agreed(lists)
    }

    async fn ask_for_nodes(&self, node: &Node) -> Option<Vec<Node>> {
        let read = |body: Value| Ok(nodes::service_nodes(&body)?);
        let list = self.ask_node(node, &Rpc::service_nodes(), read).await.ok()?;
        Some(self.possible(list))
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
        Some(self.possible(nodes::service_nodes(&answer.body).ok()?))
    }

    /// Those nodes of a list that can be any of this network, going by their addresses.
    fn possible(&self, mut list: Vec<Node>) -> Vec<Node> {
        list.retain(|node| !self.config.public_only || node.is_public());
        list
    }
}

/// What at least two lists have in common; `None` if there are no two.
fn agreed(lists: Vec<Option<Vec<Node>>>) -> Option<Vec<Node>> {
    let lists: Vec<Vec<Node>> = lists.into_iter().flatten().collect();
    (lists.len() >= 2).then(|| agreement(&lists))
}
