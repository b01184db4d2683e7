//! The answers to storage requests (spec 03 §9).
//!
//! Decision: what a reply says of single messages or members is read one by one, and what cannot be read is left out;
//! one bad entry must not hide the rest. A reply without its main part is an error: another node may do better.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::{Map, Value};

use super::auth::SubaccountToken;
use super::member::{MemberKeys, Members, flag};
use super::message_hash;
use super::request::{Delete, Expire, Revoke};
use super::signing::node as signed;
use crate::id::{Account, MessageHash, Namespace};
use crate::time::Timestamp;

/// A reply that does not say what it should: ask another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node's reply lacks `{0}` or has it in a wrong form")]
pub struct ReplyError(pub &'static str);

/// One result of a batch or sequence.
#[derive(Clone, PartialEq, Debug)]
pub struct SubReply {
    /// Its status.
    pub code: u16,
    /// An object, or a string for plain-text replies.
    pub body: Value,
}

impl SubReply {
    /// Whether it was carried out.
    pub const fn is_ok(&self) -> bool {
        matches!(self.code, 200..=299)
    }
}

/// The results of a batch or sequence, in the order of the requests; a sequence ends with its first failure.
pub fn results(mut body: Value) -> Result<Vec<SubReply>, ReplyError> {
    let results = body.get_mut("results").map(Value::take);
    let Some(Value::Array(results)) = results else { return Err(ReplyError("results")) };
    results.into_iter().map(|result| sub_reply(result).ok_or(ReplyError("results"))).collect()
}

fn sub_reply(mut result: Value) -> Option<SubReply> {
    let code = result.get("code")?.as_u64()?.try_into().ok()?;
    let body = result.get_mut("body").map(Value::take).unwrap_or_default();
    Some(SubReply { code, body })
}

/// The node's clock when it answered, wherever in the reply it stands (spec 03 §8).
pub fn network_time(body: &Value) -> Option<Timestamp> {
    // Anything before 2021 is no clock, as other clients have it too.
    const EARLIEST: u64 = 1_609_419_600_000;
    let here = body.get("t").or_else(|| body.get("timestamp")).and_then(Value::as_u64);
    if let Some(time) = here.filter(|time| *time >= EARLIEST) {
        return Some(Timestamp::from_ms(time));
    }
    let parts = body.get("results").and_then(Value::as_array).into_iter().flatten().chain(body.get("result"));
    parts.filter_map(|part| part.get("body")).find_map(network_time)
}

/// The answer to [`super::request::Store`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreReply {
    /// What the message is called.
    pub hash: MessageHash,
    /// What each member did.
    pub members: Members<Stored>,
}

/// A message at one member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its hash.
    pub hash: MessageHash,
    /// Until when it is kept.
    pub expiry: Option<Timestamp>,
    /// Whether it was there before.
    pub already: bool,
}

impl StoreReply {
    /// Reads the reply of a swarm of these members to a request to store what is called `hash`
    /// ([`message_hash`]). An error if none of them proved that it has just that.
    pub fn read(body: &Value, swarm: &MemberKeys, hash: MessageHash) -> Result<Self, ReplyError> {
        let members = Members::read(body, swarm, |entry| {
            let named: MessageHash = entry.get("hash")?.as_str()?.parse().ok()?;
            if named != hash {
                return None;
            }
            let stored =
                Stored { hash, expiry: time(entry.get("expiry")), already: flag(entry.get("already")) };
            Some((stored, signed::stored(hash)))
        })
        .ok_or(ReplyError("swarm"))?;
        if members.any_done() { Ok(Self { hash, members }) } else { Err(ReplyError("signature")) }
    }
}

/// The answer to [`super::request::Retrieve`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetrieveReply {
    /// In the order of arrival at this node.
    pub messages: Vec<StoredMessage>,
    /// Whether there are more: ask again with the last hash.
    pub more: bool,
    /// How many items were left out because they are not what their hash says: the node lies.
    pub forged: usize,
}

/// A message as a swarm keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its name.
    pub hash: MessageHash,
    /// When it was stored, by the one who stored it.
    pub timestamp: Timestamp,
    /// When it goes.
    pub expiry: Timestamp,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl std::fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.hash, self.data.len())
    }
}

impl RetrieveReply {
    /// Reads what a node has of an account in a namespace. What is not called as its bytes demand is left out: a name
    /// that fits other bytes would make us pass over the message it belongs to, or delete it.
    pub fn read(body: &Value, account: &Account, namespace: Namespace) -> Result<Self, ReplyError> {
        let items = body.get("messages").and_then(Value::as_array).ok_or(ReplyError("messages"))?;
        let mut messages: Vec<StoredMessage> = items.iter().filter_map(stored_message).collect();
        let read = messages.len();
        messages.retain(|message| message.hash == message_hash(account, namespace, &message.data));
        Ok(Self { forged: read - messages.len(), messages, more: flag(body.get("more")) })
    }
}

fn stored_message(message: &Value) -> Option<StoredMessage> {
    let expiry = message.get("expiration").or_else(|| message.get("expiry"));
    Some(StoredMessage {
        hash: message.get("hash")?.as_str()?.parse().ok()?,
        timestamp: time(message.get("timestamp"))?,
        expiry: time(expiry)?,
        data: BASE64.decode(message.get("data")?.as_str()?.as_bytes()).ok()?,
    })
}

/// The answer to [`Delete`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteReply {
    /// What each member removed.
    pub members: Members<BTreeSet<MessageHash>>,
}

impl DeleteReply {
    /// Reads the reply of a swarm of these members to a request about `account`.
    pub fn read(
        body: &Value,
        swarm: &MemberKeys,
        account: &Account,
        request: &Delete,
    ) -> Result<Self, ReplyError> {
        let members = Members::read(body, swarm, |entry| {
            let deleted = hashes(entry.get("deleted")?)?;
            let text = signed::deleted(account, &request.hashes, sorted_texts(deleted.iter()));
            Some((deleted, text))
        });
        Ok(Self { members: members.ok_or(ReplyError("swarm"))? })
    }
}

/// The answer to a request about whole namespaces: [`super::request::DeleteAll`],
/// [`super::request::DeleteBefore`] and [`super::request::ExpireAll`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepReply {
    /// What each member touched, across all namespaces.
    pub members: Members<BTreeSet<MessageHash>>,
}

impl SweepReply {
    /// Reads the reply of a swarm of these members to a request about `account` that named `time` (the signing time,
    /// `before` or `expiry`).
    pub fn read(
        body: &Value,
        swarm: &MemberKeys,
        account: &Account,
        time: Timestamp,
    ) -> Result<Self, ReplyError> {
        let members = Members::read(body, swarm, |entry| {
            let touched = swept_hashes(entry.get("deleted").or_else(|| entry.get("updated"))?)?;
            let text = signed::swept(account, time, sorted_texts(touched.iter()));
            Some((touched, text))
        });
        Ok(Self { members: members.ok_or(ReplyError("swarm"))? })
    }
}

/// The answer to [`Expire`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpireReply {
    /// What each member did.
    pub members: Members<Expired>,
}

/// What one member did with the expiries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expired {
    /// Changed ones, with the expiry now in force.
    pub updated: BTreeMap<MessageHash, Timestamp>,
    /// Known ones that were left as they are (when shortening or extending only).
    pub unchanged: BTreeMap<MessageHash, Timestamp>,
}

impl ExpireReply {
    /// Reads the reply of a swarm of these members to a request about `account`.
    pub fn read(
        body: &Value,
        swarm: &MemberKeys,
        account: &Account,
        request: &Expire,
    ) -> Result<Self, ReplyError> {
        let members = Members::read(body, swarm, |entry| expired(entry, account, request));
        Ok(Self { members: members.ok_or(ReplyError("swarm"))? })
    }
}

fn expired(entry: &Map<String, Value>, account: &Account, request: &Expire) -> Option<(Expired, Vec<u8>)> {
    // The order that a signature covers is that of the texts, not of the bytes they stand for.
    let updated = sorted_texts(hashes(entry.get("updated")?)?.iter());
    let expiries: Vec<Timestamp> = match entry.get("expiry")? {
        Value::Array(several) => several.iter().map(|value| time(Some(value))).collect::<Option<_>>()?,
        one => vec![time(Some(one))?],
    };
    let mut unchanged = BTreeMap::new();
    for (hash, expiry) in entry.get("unchanged").and_then(Value::as_object).into_iter().flatten() {
        unchanged.insert(hash.clone(), time(Some(expiry))?);
    }
    let in_order = unchanged.iter().map(|(hash, expiry)| (hash, *expiry));
    let text = signed::expired(account, expiries.iter().copied(), &request.hashes, &updated, in_order);
    let applied = |index: usize| expiries.get(index).or(expiries.first()).copied();
    let updated = updated.iter().enumerate().map(|(index, hash)| Some((hash.parse().ok()?, applied(index)?)));
    let unchanged = unchanged.iter().map(|(hash, expiry)| Some((hash.parse().ok()?, *expiry)));
    Some((
        Expired { updated: updated.collect::<Option<_>>()?, unchanged: unchanged.collect::<Option<_>>()? },
        text,
    ))
}

/// The answer to [`super::request::GetExpiries`]: those messages that are there, with their expiry.
pub fn expiries(body: &Value) -> Result<BTreeMap<MessageHash, Timestamp>, ReplyError> {
    let expiries = body.get("expiries").and_then(Value::as_object).ok_or(ReplyError("expiries"))?;
    let entries = expiries.iter();
    Ok(entries.filter_map(|(hash, expiry)| Some((hash.parse().ok()?, time(Some(expiry))?))).collect())
}

/// The answer to [`Revoke`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokeReply {
    /// Which members did it.
    pub members: Members<()>,
}

impl RevokeReply {
    /// Reads the reply of a swarm of these members to a request about `account` that was signed at `signed_at`.
    pub fn read(
        body: &Value,
        swarm: &MemberKeys,
        account: &Account,
        request: &Revoke,
        signed_at: Timestamp,
    ) -> Result<Self, ReplyError> {
        let tokens: &[SubaccountToken] = &request.tokens;
        let members = Members::read(body, swarm, |_| Some(((), signed::revoked(account, signed_at, tokens))));
        Ok(Self { members: members.ok_or(ReplyError("swarm"))? })
    }
}

/// What a node says of itself: its version and its clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// The storage server's version, `[major, minor, patch]`, if given.
    pub version: Option<[u64; 3]>,
    /// Its clock.
    pub timestamp: Timestamp,
}

impl Info {
    /// Reads the reply to [`super::Rpc::info`].
    pub fn read(body: &Value) -> Result<Self, ReplyError> {
        let version = body.get("version").and_then(Value::as_array).and_then(|numbers| {
            let numbers: Vec<u64> = numbers.iter().filter_map(Value::as_u64).collect();
            numbers.try_into().ok()
        });
        let timestamp = time(body.get("timestamp")).ok_or(ReplyError("timestamp"))?;
        Ok(Self { version, timestamp })
    }
}

/// A name's encrypted account (spec 03 §11).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnsRecord {
    /// The ciphertext.
    pub encrypted_value: Vec<u8>,
    /// Its nonce; absent in records of the oldest kind.
    pub nonce: Option<[u8; 24]>,
}

/// The answer to [`super::Rpc::ons_resolve`]; `None` if nobody has registered the name.
pub fn ons_record(body: &Value) -> Result<Option<OnsRecord>, ReplyError> {
    let result = body.get("result").ok_or(ReplyError("result"))?;
    let Some(value) = result.get("encrypted_value").and_then(Value::as_str) else { return Ok(None) };
    let encrypted_value =
        HEXLOWER_PERMISSIVE.decode(value.as_bytes()).map_err(|_| ReplyError("encrypted_value"))?;
    let nonce = match result.get("nonce").and_then(Value::as_str) {
        None => None,
        Some(text) => {
            let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| ReplyError("nonce"))?;
            Some(bytes.try_into().map_err(|_| ReplyError("nonce"))?)
        }
    };
    Ok(Some(OnsRecord { encrypted_value, nonce }))
}

fn time(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_u64().map(Timestamp::from_ms)
}

fn hashes(value: &Value) -> Option<BTreeSet<MessageHash>> {
    value.as_array()?.iter().map(|hash| hash.as_str()?.parse().ok()).collect()
}

/// A list of hashes, or an object of such lists by namespace.
fn swept_hashes(value: &Value) -> Option<BTreeSet<MessageHash>> {
    match value {
        Value::Object(namespaces) => {
            let mut all = BTreeSet::new();
            for list in namespaces.values() {
                all.extend(hashes(list)?);
            }
            Some(all)
        }
        list => hashes(list),
    }
}

/// Hashes as text, in the order of the text: that is what nodes sort and sign.
fn sorted_texts<'a>(hashes: impl Iterator<Item = &'a MessageHash>) -> Vec<String> {
    let mut texts: Vec<String> = hashes.map(MessageHash::to_string).collect();
    texts.sort_unstable();
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::crypto::Ed25519Secret;
    use crate::id::{Ed25519Public, SessionId};
    use crate::swarm::SwarmReply;
    use crate::swarm::nodes::service_nodes;
    use crate::swarm::signing::ExpireMode;

    const ACCOUNT: Account = Account::User(SessionId([7; 32]));

    fn name(data: &[u8]) -> MessageHash {
        message_hash(&ACCOUNT, Namespace::MESSAGES, data)
    }

    fn item(hash: MessageHash, data: &str) -> Value {
        json!({ "hash": hash.to_string(), "timestamp": 1, "expiration": 2, "data": data })
    }

    fn retrieved(body: &Value) -> Result<RetrieveReply, ReplyError> {
        RetrieveReply::read(body, &ACCOUNT, Namespace::MESSAGES)
    }

    #[test]
    fn results_are_split_in_order() {
        let body = json!({ "results": [{ "code": 200, "body": { "a": 1 } }, { "code": 401, "body": "no" }] });
        let parts = results(body).unwrap();
        assert!(parts[0].is_ok() && !parts[1].is_ok());
        assert_eq!(parts[1].body, json!("no"));
        assert_eq!(results(json!({})), Err(ReplyError("results")));
        assert_eq!(results(json!({ "results": [1] })), Err(ReplyError("results")));
    }

    #[test]
    fn the_clock_is_found_at_the_top_or_inside() {
        let t = Timestamp::from_ms(1_700_000_000_000);
        assert_eq!(network_time(&json!({ "t": t.as_ms() })), Some(t));
        assert_eq!(
            network_time(&json!({ "results": [{ "body": "x" }, { "body": { "t": t.as_ms() } }] })),
            Some(t)
        );
        assert_eq!(network_time(&json!({ "result": { "body": { "t": t.as_ms() } } })), Some(t));
        assert_eq!(network_time(&json!({ "t": 5 })), None);
        assert_eq!(network_time(&json!("plain text")), None);
    }

    #[test]
    fn a_message_that_cannot_be_read_does_not_hide_the_others() {
        let body = json!({ "messages": [{ "hash": "short" }, item(name(b"a"), "YQ==")], "more": 1 });
        let reply = retrieved(&body).unwrap();
        assert_eq!((reply.messages.len(), reply.forged, reply.more), (1, 0, true));
        assert_eq!(reply.messages[0].data, b"a");
        assert_eq!(retrieved(&json!({})), Err(ReplyError("messages")));
    }

    #[test]
    fn what_is_not_what_its_hash_says_is_left_out() {
        let swapped = json!({ "messages": [item(name(b"b"), "YQ=="), item(name(b"c"), "Yw==")] });
        let reply = retrieved(&swapped).unwrap();
        assert_eq!((reply.messages.len(), reply.forged), (1, 1));
        assert_eq!(reply.messages[0].data, b"c");
        let elsewhere = RetrieveReply::read(&swapped, &ACCOUNT, Namespace::CONTACTS).unwrap();
        assert_eq!((elsewhere.messages.len(), elsewhere.forged), (0, 2));
    }

    #[test]
    fn only_a_members_signature_over_the_very_hash_proves_a_store() {
        let secrets = [[1; 32], [2; 32]].map(Ed25519Secret::from_seed);
        let [member, stranger] = &secrets;
        let swarm = MemberKeys::from_iter([member.public()]);
        let reply = |signer: &Ed25519Secret, named: MessageHash, signed: MessageHash| {
            let signature = BASE64.encode(&signer.sign(&signed::stored(signed)));
            let entry = json!({ "hash": named.to_string(), "signature": signature });
            StoreReply::read(&json!({ "swarm": { signer.public().to_string(): entry } }), &swarm, name(b"a"))
        };
        assert_eq!(reply(member, name(b"a"), name(b"a")).map(|reply| reply.hash), Ok(name(b"a")));
        for (what, lie) in [
            ("another message's true reply", reply(member, name(b"b"), name(b"b"))),
            ("a signature over another hash", reply(member, name(b"a"), name(b"b"))),
            ("somebody who is no member", reply(stranger, name(b"a"), name(b"a"))),
        ] {
            assert_eq!(lie, Err(ReplyError("signature")), "{what}");
        }
        let unsigned =
            json!({ "swarm": { member.public().to_string(): { "hash": name(b"a").to_string() } } });
        assert_eq!(StoreReply::read(&unsigned, &swarm, name(b"a")), Err(ReplyError("signature")));
    }

    #[test]
    fn a_name_may_be_unregistered() {
        assert_eq!(ons_record(&json!({ "result": {} })), Ok(None));
        assert_eq!(ons_record(&json!({})), Err(ReplyError("result")));
        let record = ons_record(&json!({ "result": { "encrypted_value": "00ff" } })).unwrap().unwrap();
        assert_eq!(record, OnsRecord { encrypted_value: vec![0, 255], nonce: None });
    }

    /// Any JSON, with names and texts that replies have, so that reading gets deep into it.
    fn json() -> impl Strategy<Value = Value> {
        let key = Ed25519Public([9; 32]).to_string();
        let hash = MessageHash([1; 32]).to_string();
        let name = prop::sample::select(vec![
            "swarm".to_owned(),
            key,
            hash.clone(),
            "hash".into(),
            "signature".into(),
            "expiry".into(),
            "updated".into(),
            "unchanged".into(),
            "deleted".into(),
            "messages".into(),
            "results".into(),
            "body".into(),
            "code".into(),
            "t".into(),
            "snodes".into(),
            "result".into(),
            "nonce".into(),
            "encrypted_value".into(),
            "service_node_states".into(),
            "expiries".into(),
            "timestamp".into(),
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop_oneof![Just(hash), Just(BASE64.encode(&[0; 64])), ".*"].prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_panics_on_foreign_json(body in json()) {
            let (account, swarm) = (ACCOUNT, MemberKeys::from_iter([Ed25519Public([9; 32])]));
            let now = Timestamp::from_ms(5);
            let hashes = vec![MessageHash([1; 32])];
            let _ = (network_time(&body), retrieved(&body), expiries(&body));
            let _ = StoreReply::read(&body, &swarm, MessageHash([1; 32]));
            let _ = (SweepReply::read(&body, &swarm, &account, now), ons_record(&body), Info::read(&body));
            let _ = DeleteReply::read(&body, &swarm, &account, &Delete { hashes: hashes.clone(), required: false });
            let expire = Expire { hashes, expiries: vec![now], mode: ExpireMode::Extend };
            let _ = ExpireReply::read(&body, &swarm, &account, &expire);
            let _ = (service_nodes(&body), SwarmReply::read(&body));
            let _ = results(body);
        }
    }
}
