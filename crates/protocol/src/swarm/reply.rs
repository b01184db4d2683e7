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
    /// Known ones that were left as they are; absent if the member does not tell, as when neither shortening nor
    /// extending.
    pub unchanged: Option<BTreeMap<MessageHash, Timestamp>>,
}

impl Expired {
    /// Whether the member says that it has this one, changed or not.
    pub fn has(&self, hash: &MessageHash) -> bool {
        self.updated.contains_key(hash) || self.unchanged.as_ref().is_some_and(|it| it.contains_key(hash))
    }

    /// When one that was left as it is ends.
    pub fn left_at(&self, hash: &MessageHash) -> Option<Timestamp> {
        self.unchanged.as_ref()?.get(hash).copied()
    }
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
    let told = entry.get("unchanged").and_then(Value::as_object);
    let mut unchanged = BTreeMap::new();
    for (hash, expiry) in told.into_iter().flatten() {
        unchanged.insert(hash.clone(), time(Some(expiry))?);
    }
    let in_order = unchanged.iter().map(|(hash, expiry)| (hash, *expiry));
    let text = signed::expired(account, expiries.iter().copied(), &request.hashes, &updated, in_order);
    let applied = |index: usize| expiries.get(index).or(expiries.first()).copied();
    let updated = updated.iter().enumerate().map(|(index, hash)| Some((hash.parse().ok()?, applied(index)?)));
    let unchanged = unchanged.iter().map(|(hash, expiry)| Some((hash.parse().ok()?, *expiry)));
    let unchanged = unchanged.collect::<Option<_>>()?;
    let expired =
        Expired { updated: updated.collect::<Option<_>>()?, unchanged: told.is_some().then_some(unchanged) };
    Some((expired, text))
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
mod tests;
