//! Lists of nodes: the whole network's, and a swarm's (spec 03 §2, §4.3).

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reply::ReplyError;
use crate::id::{Ed25519Public, SwarmId, X25519Public};

/// A storage node: where it is, and its keys. Its JSON form is that of the network's own node lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct Node {
    /// What it signs with; its name.
    pub ed25519: Ed25519Public,
    /// What requests to it are encrypted for.
    pub x25519: X25519Public,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its HTTPS port.
    pub port: u16,
    /// Its swarm, if the list said so; [`SwarmId::NONE`] if it is in none.
    pub swarm: Option<SwarmId>,
    /// The block height at which it leaves the network; 0 if it has not asked to.
    pub unlock_height: u64,
}

impl Node {
    /// The /24 network of its address: what must differ between the nodes of a path.
    pub const fn subnet(&self) -> [u8; 3] {
        let [a, b, c, _] = self.ip.octets();
        [a, b, c]
    }
}

/// A node as the lists have it.
#[derive(Serialize, Deserialize)]
struct State {
    public_ip: Ipv4Addr,
    storage_port: u16,
    pubkey_x25519: X25519Public,
    pubkey_ed25519: Ed25519Public,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swarm_id: Option<u64>,
    #[serde(default)]
    requested_unlock_height: Option<u64>,
}

impl TryFrom<State> for Node {
    type Error = &'static str;
    fn try_from(state: State) -> Result<Self, Self::Error> {
        if state.public_ip.is_unspecified() || state.public_ip.is_broadcast() || state.storage_port == 0 {
            return Err("the node has no address");
        }
        Ok(Self {
            ed25519: state.pubkey_ed25519,
            x25519: state.pubkey_x25519,
            ip: state.public_ip,
            port: state.storage_port,
            swarm: state.swarm_id.map(SwarmId),
            unlock_height: state.requested_unlock_height.unwrap_or(0),
        })
    }
}

impl From<Node> for State {
    fn from(node: Node) -> Self {
        Self {
            public_ip: node.ip,
            storage_port: node.port,
            pubkey_x25519: node.x25519,
            pubkey_ed25519: node.ed25519,
            swarm_id: node.swarm.map(|swarm| swarm.0),
            requested_unlock_height: Some(node.unlock_height),
        }
    }
}

/// The nodes in a seed's reply to `get_n_service_nodes` or a node's reply to [`super::Rpc::service_nodes`].
/// Nodes without address or keys are left out; an error if none remains.
pub fn service_nodes(body: &Value) -> Result<Vec<Node>, ReplyError> {
    let states = body.get("result").and_then(|result| result.get("service_node_states"));
    let states = states.and_then(Value::as_array).ok_or(ReplyError("service_node_states"))?;
    let nodes: Vec<Node> = states.iter().filter_map(|state| Node::deserialize(state).ok()).collect();
    if nodes.is_empty() { Err(ReplyError("service_node_states")) } else { Ok(nodes) }
}

/// The nodes in the reply to [`super::Rpc::active_nodes_bin`], already decoded from base64: records of 51 bytes.
/// Their X25519 keys are computed. Nodes whose key is no proper point are left out.
pub fn active_nodes(records: &[u8]) -> Result<Vec<Node>, ReplyError> {
    let (records, rest) = records.as_chunks::<51>();
    if records.is_empty() || !rest.is_empty() {
        return Err(ReplyError("active_nodes_bin"));
    }
    Ok(records.iter().filter_map(active_node).collect())
}

fn active_node(record: &[u8; 51]) -> Option<Node> {
    let (key, rest) = record.split_first_chunk::<32>()?;
    let (swarm, rest) = rest.split_first_chunk::<8>()?;
    let (ip, rest) = rest.split_first_chunk::<4>()?;
    let (port, _omq_port_and_version) = rest.split_first_chunk::<2>()?;
    let ed25519 = Ed25519Public(*key);
    Some(Node {
        ed25519,
        x25519: ed25519.to_x25519()?,
        ip: Ipv4Addr::from(*ip),
        port: u16::from_be_bytes(*port),
        swarm: Some(SwarmId(u64::from_be_bytes(*swarm))),
        unlock_height: 0,
    })
}

/// The answer to [`super::Rpc::get_swarm`], which is also the body of a 421 (spec 03 §7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwarmReply {
    /// The swarm's number, if it was given and there is any swarm.
    pub swarm: Option<SwarmId>,
    /// Its reachable members.
    pub members: Vec<Node>,
}

impl SwarmReply {
    /// Reads the reply; an error if it names no member.
    pub fn read(body: &Value) -> Result<Self, ReplyError> {
        let swarm = body.get("swarm").and_then(Value::as_str);
        let swarm = swarm.and_then(|text| u64::from_str_radix(text, 16).ok()).map(SwarmId);
        let members = body.get("snodes").and_then(Value::as_array).ok_or(ReplyError("snodes"))?;
        let members: Vec<Node> = members.iter().filter_map(|entry| swarm_member(entry, swarm)).collect();
        if members.is_empty() { Err(ReplyError("snodes")) } else { Ok(Self { swarm, members }) }
    }
}

fn swarm_member(entry: &Value, swarm: Option<SwarmId>) -> Option<Node> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let port = entry.get("port_https").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let port = port.or_else(|| text("port")?.parse().ok())?;
    let ip: Ipv4Addr = text("ip")?.parse().ok()?;
    if ip.is_unspecified() || port == 0 {
        return None;
    }
    Some(Node {
        ed25519: text("pubkey_ed25519")?.parse().ok()?,
        x25519: text("pubkey_x25519")?.parse().ok()?,
        ip,
        port,
        swarm,
        unlock_height: 0,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(ip: &str, port: u16) -> Value {
        json!({ "public_ip": ip, "storage_port": port, "pubkey_x25519": X25519Public([1; 32]).to_string(),
                "pubkey_ed25519": Ed25519Public([2; 32]).to_string(), "swarm_id": u64::MAX })
    }

    #[test]
    fn nodes_without_address_are_left_out() {
        let list = [
            state("1.2.3.4", 5),
            state("0.0.0.0", 5),
            state("1.2.3.4", 0),
            json!({ "public_ip": "1.2.3.4" }),
        ];
        let nodes = service_nodes(&json!({ "result": { "service_node_states": list } })).unwrap();
        assert_eq!(nodes.len(), 1);
        assert_eq!((nodes[0].subnet(), nodes[0].swarm), ([1, 2, 3], Some(SwarmId::NONE)));
        assert!(service_nodes(&json!({ "result": { "service_node_states": [] } })).is_err());
        assert!(service_nodes(&json!({ "error": 1 })).is_err());
    }

    #[test]
    fn a_node_survives_being_written_and_read() {
        let node: Node = serde_json::from_value(state("1.2.3.4", 5)).unwrap();
        let text = serde_json::to_string(&node).unwrap();
        assert_eq!(serde_json::from_str::<Node>(&text).unwrap(), node);
    }

    #[test]
    fn a_swarm_reply_takes_the_port_as_text_or_number() {
        let mut member = json!({ "ip": "1.2.3.4", "port": "21", "pubkey_x25519": X25519Public([1; 32]).to_string(),
            "pubkey_ed25519": Ed25519Public([2; 32]).to_string() });
        let reply = SwarmReply::read(&json!({ "snodes": [member.clone()], "swarm": "1a2b" })).unwrap();
        assert_eq!((reply.swarm, reply.members[0].port), (Some(SwarmId(0x1a2b)), 21));
        member["port_https"] = json!(22);
        assert_eq!(SwarmReply::read(&json!({ "snodes": [member] })).unwrap().members[0].port, 22);
        assert!(SwarmReply::read(&json!({ "snodes": [], "swarm": "ffffffffffffffff" })).is_err());
    }
}
