//! Who is called what: registered names (spec 03 §11).

use futures_util::stream::{FuturesUnordered, StreamExt};
use septet_protocol::id::SessionId;
use septet_protocol::name::{Name, NameError};
use septet_protocol::swarm::reply::OnsRecord;
use septet_protocol::swarm::{Node, Rpc, reply};
use serde_json::Value;

use crate::error::NetworkError;
use crate::shared::Shared;

/// Nodes that must agree.
const WITNESSES: usize = 3;

impl Shared {
    /// The account behind a name. Three nodes in no path of ours are asked, and the record of each is opened: records
    /// of one account are encrypted with nonces of their own, so only what is in them can be compared.
    pub async fn resolve_name(&self, name: &Name) -> Result<SessionId, NetworkError> {
        let mut accounts = self.name_accounts(name).await?;
        let first = accounts.pop().ok_or(NetworkError::Failed)?;
        if accounts.iter().any(|other| *other != first) {
            return Err(NetworkError::NameDisputed);
        }
        first.ok_or(NetworkError::NameUnknown)
    }

    /// Whom three nodes have for a name, if anybody; a node that does not answer is replaced by another, up to three
    /// times.
    async fn name_accounts(&self, name: &Name) -> Result<Vec<Option<SessionId>>, NetworkError> {
        self.find_path(None, &[]).await?;
        let rpc = Rpc::ons_resolve(&name.hash());
        let ask = |node: Node| {
            let rpc = &rpc;
            async move { self.ask_node(&node, rpc, |body: Value| Ok(reply::ons_record(&body)?)).await }
        };
        let mut nodes = self.off_path_nodes(2 * WITNESSES, |_| false).into_iter();
        let mut asked: FuturesUnordered<_> = nodes.by_ref().take(WITNESSES).map(ask).collect();
        let mut accounts = Vec::new();
        let mut last_error = NetworkError::Failed;
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(record) => accounts.push(open(name, record).await?),
                Err(error) => {
                    last_error = error;
                    asked.extend(nodes.next().map(ask));
                }
            }
        }
        if accounts.len() < WITNESSES { Err(last_error) } else { Ok(accounts) }
    }
}

/// The account in a record; `None` if there is no record, or none of an account in it.
async fn open(name: &Name, record: Option<OnsRecord>) -> Result<Option<SessionId>, NetworkError> {
    let Some(record) = record else { return Ok(None) };
    let name = name.clone();
    // Records of the oldest kind take a second and much memory to open.
    let open = move || name.decrypt(&record.encrypted_value, record.nonce.as_ref());
    match tokio::task::spawn_blocking(open).await {
        Ok(Ok(account)) => Ok(Some(account)),
        Ok(Err(NameError::Undecryptable)) => Err(NetworkError::NameDisputed),
        Ok(Err(NameError::NotAnAccount)) => Ok(None),
        Ok(Err(NameError::OutOfMemory)) | Err(_) => Err(NetworkError::Failed),
    }
}
