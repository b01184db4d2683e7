//! Lists of nodes: the whole network's, and a swarm's (spec 03 §2, §4.3).
//!
//! Decision: a node *is* its Ed25519 key, and whom a request is encrypted for follows from that key alone. Lists name an
//! X25519 key as well, but whoever writes a list could put a key of their own there, under the name of an honest node;
//! so that field is only compared, and an entry whose keys do not belong together is no node.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reply::ReplyError;
use crate::id::{Ed25519Public, SwarmId, X25519Public};

/// A storage node: where it is, and its keys. Its JSON form is an entry of the network's own node lists, written without
/// the X25519 key, which is computed when it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct Node {
    /// What it signs with; its name.
    pub ed25519: Ed25519Public,
    /// Private, because it must never be anything but the key that belongs to `ed25519`.
    x25519: X25519Public,
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
    /// The node with this key at this address, in no known swarm and not about to leave. `None` if the key is no
    /// proper point (see [`Ed25519Public::to_x25519`]) or the address none that can be reached: 0.0.0.0,
    /// 255.255.255.255 or port 0.
    pub fn new(ed25519: Ed25519Public, ip: Ipv4Addr, port: u16) -> Option<Self> {
        if ip.is_unspecified() || ip.is_broadcast() || port == 0 {
            return None;
        }
        let x25519 = ed25519.to_x25519()?;
        Some(Self { ed25519, x25519, ip, port, swarm: None, unlock_height: 0 })
    }

    /// What requests to it are encrypted for: the X25519 key that belongs to its Ed25519 key.
    pub const fn x25519(&self) -> X25519Public {
        self.x25519
    }

    /// Whether a list that says `claimed` about this node's X25519 key, or nothing, can be right.
    fn agrees_with(&self, claimed: Option<X25519Public>) -> bool {
        claimed.is_none_or(|claimed| claimed == self.x25519)
    }

    /// The /24 network of its address: what must differ between the nodes of a path.
    pub const fn subnet(&self) -> [u8; 3] {
        let [a, b, c, _] = self.ip.octets();
        [a, b, c]
    }

    /// Whether it can be a node of the real network at all, going by its address; see [`public_address`].
    pub const fn is_public(&self) -> bool {
        public_address(self.ip)
    }
}

/// Whether a host of the Internet at large can have this address. `false` for those of one machine, one home, one
/// provider, of documentation, tests, multicast and for future use: a list that names one as a node's would have us
/// send requests into our own surroundings.
pub const fn public_address(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// A node as the lists have it.
#[derive(Serialize, Deserialize)]
struct State {
    public_ip: Ipv4Addr,
    storage_port: u16,
    #[serde(default, skip_serializing)]
    pubkey_x25519: Option<X25519Public>,
    pubkey_ed25519: Ed25519Public,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swarm_id: Option<u64>,
    #[serde(default)]
    requested_unlock_height: Option<u64>,
}

impl TryFrom<State> for Node {
    type Error = &'static str;
    fn try_from(state: State) -> Result<Self, Self::Error> {
        let node = Self::new(state.pubkey_ed25519, state.public_ip, state.storage_port);
        let node = node.filter(|node| node.agrees_with(state.pubkey_x25519));
        let mut node = node.ok_or("the node has no address, or its keys are none")?;
        node.swarm = state.swarm_id.map(SwarmId);
        node.unlock_height = state.requested_unlock_height.unwrap_or(0);
        Ok(node)
    }
}

impl From<Node> for State {
    fn from(node: Node) -> Self {
        Self {
            public_ip: node.ip,
            storage_port: node.port,
            pubkey_x25519: None,
            pubkey_ed25519: node.ed25519,
            swarm_id: node.swarm.map(|swarm| swarm.0),
            requested_unlock_height: Some(node.unlock_height),
        }
    }
}

/// The nodes in a seed's reply to `get_n_service_nodes` or a node's reply to [`super::Rpc::service_nodes`].
/// Nodes without address or keys, or with keys that do not belong together, are left out; an error if none remains.
pub fn service_nodes(body: &Value) -> Result<Vec<Node>, ReplyError> {
    let states = body.get("result").and_then(|result| result.get("service_node_states"));
    let states = states.and_then(Value::as_array).ok_or(ReplyError("service_node_states"))?;
    let nodes: Vec<Node> = states.iter().filter_map(|state| Node::deserialize(state).ok()).collect();
    if nodes.is_empty() { Err(ReplyError("service_node_states")) } else { Ok(nodes) }
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
    let node = Node::new(text("pubkey_ed25519")?.parse().ok()?, text("ip")?.parse().ok()?, port)?;
    let claimed = match entry.get("pubkey_x25519") {
        None | Some(Value::Null) => None,
        Some(key) => Some(key.as_str()?.parse().ok()?),
    };
    node.agrees_with(claimed).then_some(Node { swarm, ..node })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::crypto::Ed25519Secret;

    /// A key that some node could have.
    fn key(seed: u8) -> Ed25519Public {
        Ed25519Secret::from_seed([seed; 32]).public()
    }

    fn state(ip: &str, port: u16) -> Value {
        json!({ "public_ip": ip, "storage_port": port, "pubkey_x25519": key(2).to_x25519().unwrap(),
                "pubkey_ed25519": key(2), "swarm_id": u64::MAX })
    }

    fn list(states: &[Value]) -> Result<Vec<Node>, ReplyError> {
        service_nodes(&json!({ "result": { "service_node_states": states } }))
    }

    fn member() -> Value {
        json!({ "ip": "1.2.3.4", "port": "21", "pubkey_x25519": key(2).to_x25519().unwrap(), "pubkey_ed25519": key(2) })
    }

    fn with(mut entry: Value, field: &str, value: Value) -> Value {
        entry[field] = value;
        entry
    }

    #[test]
    fn nodes_without_address_are_left_out() {
        let states = [
            state("1.2.3.4", 5),
            state("0.0.0.0", 5),
            state("255.255.255.255", 5),
            state("1.2.3.4", 0),
            json!({ "public_ip": "1.2.3.4" }),
        ];
        let nodes = list(&states).unwrap();
        assert_eq!(nodes.len(), 1);
        assert_eq!((nodes[0].subnet(), nodes[0].swarm), ([1, 2, 3], Some(SwarmId::NONE)));
        assert!(list(&[]).is_err());
        assert!(service_nodes(&json!({ "error": 1 })).is_err());
    }

    #[test]
    fn an_encryption_key_that_is_not_the_nodes_own_is_never_taken() {
        let foreign = json!(key(3).to_x25519().unwrap());
        assert!(list(&[with(state("1.2.3.4", 5), "pubkey_x25519", foreign.clone())]).is_err());
        let reply = |member: Value| SwarmReply::read(&json!({ "snodes": [member] }));
        assert!(reply(with(member(), "pubkey_x25519", foreign)).is_err());
        assert!(reply(with(member(), "pubkey_x25519", json!("?"))).is_err());

        let unnamed = with(state("1.2.3.4", 5), "pubkey_x25519", Value::Null);
        assert_eq!(list(&[unnamed]).unwrap()[0].x25519(), key(2).to_x25519().unwrap());
        let unnamed = with(member(), "pubkey_x25519", Value::Null);
        assert_eq!(reply(unnamed).unwrap().members[0].x25519(), key(2).to_x25519().unwrap());
    }

    #[test]
    fn keys_that_are_no_points_are_left_out() {
        for bad in [[0; 32], [2; 32], [255; 32]].map(Ed25519Public) {
            assert_eq!(bad.to_x25519(), None);
            let mut state = with(state("1.2.3.4", 5), "pubkey_ed25519", json!(bad));
            state["pubkey_x25519"] = Value::Null;
            assert!(list(&[state]).is_err());
            assert_eq!(Node::new(bad, Ipv4Addr::new(1, 2, 3, 4), 5), None);
        }
    }

    #[test]
    fn a_node_survives_being_written_and_read() {
        let node: Node = serde_json::from_value(state("1.2.3.4", 5)).unwrap();
        let text = serde_json::to_string(&node).unwrap();
        assert!(!text.contains("x25519"));
        assert_eq!(serde_json::from_str::<Node>(&text).unwrap(), node);
    }

    #[test]
    fn a_swarm_reply_takes_the_port_as_text_or_number() {
        let reply = SwarmReply::read(&json!({ "snodes": [member()], "swarm": "1a2b" })).unwrap();
        assert_eq!((reply.swarm, reply.members[0].port), (Some(SwarmId(0x1a2b)), 21));
        let member = with(member(), "port_https", json!(22));
        assert_eq!(SwarmReply::read(&json!({ "snodes": [member] })).unwrap().members[0].port, 22);
        assert!(SwarmReply::read(&json!({ "snodes": [], "swarm": "ffffffffffffffff" })).is_err());
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let inside = [
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.0.1",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
        ];
        for ip in inside {
            assert!(!public_address(ip.parse().unwrap()), "{ip}");
        }
        let outside = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "223.255.255.255",
        ];
        for ip in outside {
            assert!(public_address(ip.parse().unwrap()), "{ip}");
            assert!(Node::new(key(1), ip.parse().unwrap(), 1).unwrap().is_public());
        }
    }

    proptest! {
        #[test]
        fn whatever_a_list_claims_the_encryption_key_follows_from_the_name(
            seed: u8, honest: bool, claimed: [u8; 32],
        ) {
            let claimed = if honest { key(seed).to_x25519().unwrap() } else { X25519Public(claimed) };
            let mut entry = with(state("1.2.3.4", 5), "pubkey_x25519", json!(claimed));
            entry["pubkey_ed25519"] = json!(key(seed));
            match serde_json::from_value::<Node>(entry) {
                Ok(node) => prop_assert_eq!(Some(node.x25519()), node.ed25519.to_x25519()),
                Err(_) => prop_assert!(!honest),
            }
        }
    }
}
