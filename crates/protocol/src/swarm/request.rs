//! The storage requests (spec 03 §9): each a type that becomes a signed [`Rpc`] for one moment of network time.
//!
//! Decision: the moment of signing is an argument. When a node says that our clock is off, the same request is built
//! again for the corrected time, and nothing else of it changes — above all not the bytes to be stored, so that a
//! second try collapses into the first by its hash.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::auth::{Auth, SubaccountToken};
use super::batch::Batch;
use super::message_hash;
use super::signing::{self, ExpireMode, Scope};
use crate::id::{Account, MessageHash, Namespace};
use crate::time::Timestamp;

/// A request as a node takes it: method and parameters, signed where that is needed.
#[derive(Clone, PartialEq)]
pub struct Rpc {
    method: &'static str,
    params: Value,
    rounds: u32,
}

/// The method only: parameters hold message bytes and signatures.
impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method)
    }
}

impl Rpc {
    fn new(method: &'static str, params: Map<String, Value>) -> Self {
        Self { method, params: Value::Object(params), rounds: 0 }
    }

    /// For the methods that a node carries out at every member of the swarm (spec 03 §9.2).
    fn recursive(method: &'static str, params: Map<String, Value>) -> Self {
        Self { rounds: 1, ..Self::new(method, params) }
    }

    /// The method's name.
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The parameters, a JSON object.
    pub const fn params(&self) -> &Value {
        &self.params
    }

    /// The JSON text that goes to the node.
    pub fn to_json(&self) -> Vec<u8> {
        json!({ "jsonrpc": "2.0", "method": self.method, "params": self.params }).to_string().into_bytes()
    }

    /// How long the node may take, in ms: 10 s, and 5 s for every further round that it makes among the members of
    /// its swarm, because one dead member delays each round by that (spec 03 §9.2).
    pub fn time_limit(&self) -> u64 {
        10_000 + 5_000 * u64::from(self.rounds.saturating_sub(1))
    }

    /// Several requests at once, results in their order (spec 03 §9.15); `build` makes each, and none a batch.
    pub fn batch<T>(items: Batch<'_, T>, build: impl FnMut(&T) -> Rpc) -> Rpc {
        let requests: Vec<Rpc> = items.iter().map(build).collect();
        let rounds = requests.iter().map(|request| request.rounds).max().unwrap_or(0);
        Self::several("batch", rounds, requests)
    }

    /// Several requests one after another, up to the first that fails; `build` makes each, and none a batch.
    pub fn sequence<T>(items: Batch<'_, T>, build: impl FnMut(&T) -> Rpc) -> Rpc {
        let requests: Vec<Rpc> = items.iter().map(build).collect();
        let rounds = requests.iter().map(|request| request.rounds).sum();
        Self::several("sequence", rounds, requests)
    }

    fn several(method: &'static str, rounds: u32, requests: Vec<Rpc>) -> Rpc {
        let requests: Vec<Value> = requests.into_iter().map(Rpc::into_part).collect();
        Self { method, params: json!({ "requests": requests }), rounds }
    }

    fn into_part(self) -> Value {
        let mut part = Map::new();
        part.insert("method".into(), self.method.into());
        part.insert("params".into(), self.params);
        Value::Object(part)
    }

    /// The node's version and clock.
    pub fn info() -> Rpc {
        Self::new("info", Map::new())
    }

    /// The members of an account's swarm; any node answers (spec 03 §4.3).
    pub fn get_swarm(account: &Account) -> Rpc {
        Self::new("get_swarm", with_account(account))
    }

    /// Every node of the network, asked of a node's daemon (spec 03 §2.4).
    pub fn service_nodes() -> Rpc {
        Self::oxend("get_service_nodes", service_nodes_params())
    }

    /// The account a name stands for, by the name's BLAKE2b-32 hash (spec 03 §11).
    pub fn ons_resolve(name_hash: &[u8; 32]) -> Rpc {
        Self::oxend("ons_resolve", json!({ "type": 0, "name_hash": BASE64.encode(name_hash) }))
    }

    fn oxend(endpoint: &str, params: Value) -> Rpc {
        let mut outer = Map::new();
        outer.insert("endpoint".into(), endpoint.into());
        outer.insert("params".into(), params);
        Self::new("oxend_request", outer)
    }
}

/// The parameters of `get_service_nodes`: active nodes only, and the fields we read (spec 03 §2.3).
pub fn service_nodes_params() -> Value {
    json!({
        "active_only": true,
        "fields": {
            "public_ip": true, "storage_port": true, "pubkey_x25519": true, "pubkey_ed25519": true,
            "requested_unlock_height": true, "height": true, "swarm_id": true,
        },
    })
}

/// Leaves bytes with a swarm (spec 03 §9.6). Reply: [`super::reply::StoreReply`].
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    /// For whom.
    pub account: Account,
    /// Where; anything but a public inbox needs a signature.
    pub namespace: Namespace,
    /// What: at most [`super::MAX_MESSAGE_BYTES`].
    pub data: &'a [u8],
    /// How long, in ms: 10 s to 14 days in a public inbox, to 30 days elsewhere.
    pub ttl: u64,
}

impl Store<'_> {
    /// What the message will be called, wherever it is stored (spec 03 §9.6).
    pub fn hash(&self) -> MessageHash {
        message_hash(&self.account, self.namespace, self.data)
    }

    /// The request at network time `now`; `auth` is only used where the namespace needs it.
    pub fn rpc(&self, auth: Option<&Auth<'_>>, now: Timestamp) -> Rpc {
        let mut params = with_account(&self.account);
        params.insert("namespace".into(), self.namespace.0.into());
        params.insert("timestamp".into(), now.as_ms().into());
        params.insert("ttl".into(), self.ttl.into());
        params.insert("data".into(), BASE64.encode(self.data).into());
        if let Some(auth) = auth
            && !self.namespace.is_public_inbox()
        {
            params.insert("sig_timestamp".into(), now.as_ms().into());
            auth.sign_into(&mut params, &signing::store(self.namespace, now));
        }
        Rpc::recursive("store", params)
    }
}

/// Fetches what came after a hash (spec 03 §9.7). Reply: [`super::reply::RetrieveReply`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retrieve {
    /// From where.
    pub namespace: Namespace,
    /// The last one had from *this node*; a node's order of arrival is its own.
    pub last_hash: Option<MessageHash>,
    /// Largest reply: bytes, or −n for an n-th of what a node sends at most; `None` lets the node choose.
    pub max_size: Option<i64>,
}

impl Retrieve {
    /// The request, signed at network time `now`.
    pub fn rpc(&self, auth: &Auth<'_>, now: Timestamp) -> Rpc {
        let mut params = with_account(&auth.account());
        params.insert("namespace".into(), self.namespace.0.into());
        let last_hash = self.last_hash.map(|hash| hash.to_string()).unwrap_or_default();
        params.insert("last_hash".into(), last_hash.into());
        if let Some(max_size) = self.max_size {
            params.insert("max_size".into(), max_size.into());
        }
        params.insert("timestamp".into(), now.as_ms().into());
        auth.sign_into(&mut params, &signing::retrieve(self.namespace, now));
        Rpc::new("retrieve", params)
    }
}

/// Removes messages (spec 03 §9.8). Reply: [`super::reply::DeleteReply`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delete {
    /// Which, at least one.
    pub hashes: Vec<MessageHash>,
    /// Whether it is an error (404) if no member had any of them.
    pub required: bool,
}

impl Delete {
    /// The signed request.
    pub fn rpc(&self, auth: &Auth<'_>) -> Rpc {
        let mut params = with_account(&auth.account());
        params.insert("messages".into(), texts(&self.hashes));
        if self.required {
            params.insert("required".into(), true.into());
        }
        auth.sign_into(&mut params, &signing::delete(&self.hashes));
        Rpc::recursive("delete", params)
    }
}

/// Removes everything (spec 03 §9.9). Reply: [`super::reply::SweepReply`] for the time `now`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeleteAll {
    /// Of which namespaces.
    pub scope: Scope,
}

impl DeleteAll {
    /// The request, signed at network time `now`.
    pub fn rpc(&self, auth: &Auth<'_>, now: Timestamp) -> Rpc {
        let mut params = with_scope(auth, self.scope);
        params.insert("timestamp".into(), now.as_ms().into());
        auth.sign_into(&mut params, &signing::delete_all(self.scope, now));
        Rpc::recursive("delete_all", params)
    }
}

/// Removes everything up to a time (spec 03 §9.10). Reply: [`super::reply::SweepReply`] for the time `before`.
/// One namespace a request: present servers fail on "all".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeleteBefore {
    /// Of which namespace.
    pub namespace: Namespace,
    /// Messages with this timestamp or an earlier one go.
    pub before: Timestamp,
}

impl DeleteBefore {
    /// The signed request.
    pub fn rpc(&self, auth: &Auth<'_>) -> Rpc {
        let scope = Scope::One(self.namespace);
        let mut params = with_scope(auth, scope);
        params.insert("before".into(), self.before.as_ms().into());
        auth.sign_into(&mut params, &signing::delete_before(scope, self.before));
        Rpc::recursive("delete_before", params)
    }
}

/// Brings every later expiry forward to a time (spec 03 §9.11). Reply: [`super::reply::SweepReply`] for `expiry`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExpireAll {
    /// Of which namespaces.
    pub scope: Scope,
    /// The latest expiry left.
    pub expiry: Timestamp,
}

impl ExpireAll {
    /// The signed request.
    pub fn rpc(&self, auth: &Auth<'_>) -> Rpc {
        let mut params = with_scope(auth, self.scope);
        params.insert("expiry".into(), self.expiry.as_ms().into());
        auth.sign_into(&mut params, &signing::expire_all(self.scope, self.expiry));
        Rpc::recursive("expire_all", params)
    }
}

/// Changes when messages expire (spec 03 §9.12). Reply: [`super::reply::ExpireReply`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expire {
    /// Which, at least one.
    pub hashes: Vec<MessageHash>,
    /// One for all of them, or as many as there are hashes; capped by the nodes at 30 days from now.
    pub expiries: Vec<Timestamp>,
    /// In which direction.
    pub mode: ExpireMode,
}

impl Expire {
    /// The signed request.
    pub fn rpc(&self, auth: &Auth<'_>) -> Rpc {
        let mut params = with_account(&auth.account());
        params.insert("messages".into(), texts(&self.hashes));
        let expiry = match self.expiries.as_slice() {
            [one] => one.as_ms().into(),
            several => several.iter().map(|expiry| expiry.as_ms()).collect::<Vec<_>>().into(),
        };
        params.insert("expiry".into(), expiry);
        if self.mode != ExpireMode::Set {
            params.insert(self.mode.word().into(), true.into());
        }
        let text = signing::expire(self.mode, self.expiries.iter().copied(), &self.hashes);
        auth.sign_into(&mut params, &text);
        Rpc::recursive("expire", params)
    }
}

/// Asks when messages expire (spec 03 §9.13). Reply: [`super::reply::expiries`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetExpiries {
    /// Which, at least one.
    pub hashes: Vec<MessageHash>,
}

impl GetExpiries {
    /// The request, signed at network time `now`.
    pub fn rpc(&self, auth: &Auth<'_>, now: Timestamp) -> Rpc {
        let mut params = with_account(&auth.account());
        params.insert("messages".into(), texts(&self.hashes));
        params.insert("timestamp".into(), now.as_ms().into());
        auth.sign_into(&mut params, &signing::get_expiries(now, &self.hashes));
        Rpc::new("get_expiries", params)
    }
}

/// Forbids or allows again what a token gave (spec 03 §9.14); the owner only. Reply:
/// [`super::reply::RevokeReply`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoke {
    /// Which tokens, at most 50.
    pub tokens: Vec<SubaccountToken>,
    /// `true` takes a revocation back.
    pub undo: bool,
}

impl Revoke {
    /// The request, signed at network time `now`.
    pub fn rpc(&self, auth: &Auth<'_>, now: Timestamp) -> Rpc {
        let tokens: Vec<String> = self.tokens.iter().map(SubaccountToken::to_base64).collect();
        let mut params = with_account(&auth.account());
        params.insert("timestamp".into(), now.as_ms().into());
        if self.undo {
            params.insert("unrevoke".into(), tokens.into());
            auth.sign_into(&mut params, &signing::unrevoke_subaccount(now, &self.tokens));
            Rpc::recursive("unrevoke_subaccount", params)
        } else {
            params.insert("revoke".into(), tokens.into());
            auth.sign_into(&mut params, &signing::revoke_subaccount(now, &self.tokens));
            Rpc::recursive("revoke_subaccount", params)
        }
    }
}

fn with_account(account: &Account) -> Map<String, Value> {
    Map::from_iter([("pubkey".to_owned(), Value::from(account.to_string()))])
}

fn with_scope(auth: &Auth<'_>, scope: Scope) -> Map<String, Value> {
    let mut params = with_account(&auth.account());
    let scope = match scope {
        Scope::One(namespace) => namespace.0.into(),
        Scope::All => "all".into(),
    };
    params.insert("namespace".into(), scope);
    params
}

fn texts(hashes: &[MessageHash]) -> Value {
    hashes.iter().map(MessageHash::to_string).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(account: Account) -> Rpc {
        Store { account, namespace: Namespace::MESSAGES, data: b"abc", ttl: 1000 }
            .rpc(None, Timestamp::from_ms(1_700_000_000_000))
    }

    #[test]
    fn an_unsigned_store_is_as_in_the_document() {
        let account = Account::User(crate::id::SessionId([7; 32]));
        let sent: Value = serde_json::from_slice(&store(account).to_json()).unwrap();
        assert_eq!(
            sent,
            json!({ "jsonrpc": "2.0", "method": "store", "params": {
                "pubkey": account.to_string(), "namespace": 0, "timestamp": 1_700_000_000_000_u64,
                "ttl": 1000, "data": "YWJj" } })
        );
    }

    #[test]
    fn time_limits_allow_for_a_dead_member_in_every_round() {
        let account = Account::User(crate::id::SessionId([7; 32]));
        let three = Batch::of(&[(); 3]);
        assert_eq!(Rpc::info().time_limit(), 10_000);
        assert_eq!(store(account).time_limit(), 10_000);
        assert_eq!(Rpc::batch(three, |()| store(account)).time_limit(), 10_000);
        assert_eq!(Rpc::sequence(three, |()| store(account)).time_limit(), 20_000);
    }
}
