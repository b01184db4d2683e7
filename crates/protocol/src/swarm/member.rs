//! What each member of a swarm says it did (spec 03 §9.2).
//!
//! Decision: a word counts only if its signature holds under the key of somebody who *is* a member, by the lists that we
//! believe; the reply cannot name its own witnesses. A member whose signature is wrong is treated like one that failed,
//! never like one that did it.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use serde_json::{Map, Value};

use crate::id::Ed25519Public;

/// The keys of a swarm's members, as the lists have them that we believe; what a reply says of others proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemberKeys(BTreeSet<Ed25519Public>);

impl MemberKeys {
    /// Whether this is a member's key.
    pub fn contains(&self, key: &Ed25519Public) -> bool {
        self.0.contains(key)
    }

    /// The keys, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Ed25519Public> {
        self.0.iter()
    }
}

impl FromIterator<Ed25519Public> for MemberKeys {
    fn from_iter<T: IntoIterator<Item = Ed25519Public>>(keys: T) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// One member's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Member<T> {
    /// Did it, and signed what it did.
    Done(T),
    /// Claims to have done it, without a valid signature of a member or without saying what.
    Unproven,
    /// Did not do it, or did not answer the node we asked.
    Failed {
        /// It was silent for too long.
        timeout: bool,
        /// Its status, if it gave one.
        code: Option<u16>,
        /// Its words, if any.
        reason: Option<String>,
    },
}

/// The answers of a swarm's members, by their keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Members<T>(BTreeMap<Ed25519Public, Member<T>>);

impl<T> Members<T> {
    /// Reads the `swarm` object of a reply from a swarm of these members. `read` turns a member's entry into its
    /// meaning and the text that its signature must cover; `None` means that the entry says too little.
    pub(super) fn read(
        body: &Value,
        swarm: &MemberKeys,
        read: impl Fn(&Map<String, Value>) -> Option<(T, Vec<u8>)>,
    ) -> Option<Self> {
        let mut members = BTreeMap::new();
        for (key, entry) in body.get("swarm")?.as_object()? {
            if let (Ok(key), Some(entry)) = (key.parse(), entry.as_object()) {
                let member = read_member(&key, entry, &read);
                let proves = swarm.contains(&key) || !matches!(member, Member::Done(_));
                members.insert(key, if proves { member } else { Member::Unproven });
            }
        }
        Some(Self(members))
    }

    /// Every member's answer, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Ed25519Public, &Member<T>)> {
        self.0.iter()
    }

    /// What members did and signed for.
    pub fn done(&self) -> impl Iterator<Item = (&Ed25519Public, &T)> {
        self.0.iter().filter_map(|(key, member)| match member {
            Member::Done(done) => Some((key, done)),
            Member::Unproven | Member::Failed { .. } => None,
        })
    }

    /// Whether at least one member did it: what counts as success.
    pub fn any_done(&self) -> bool {
        self.done().next().is_some()
    }

    /// How many members answered or should have.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the reply named no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read_member<T>(
    key: &Ed25519Public,
    entry: &Map<String, Value>,
    read: &impl Fn(&Map<String, Value>) -> Option<(T, Vec<u8>)>,
) -> Member<T> {
    if flag(entry.get("failed")) {
        return Member::Failed {
            timeout: flag(entry.get("timeout")),
            code: entry.get("code").and_then(status),
            reason: entry.get("reason").and_then(Value::as_str).map(str::to_owned),
        };
    }
    match (read(entry), entry.get("signature").and_then(signature)) {
        (Some((done, text)), Some(signature)) if key.verify(&text, &signature) => Member::Done(done),
        _ => Member::Unproven,
    }
}

/// A boolean that may have become an integer on its way between nodes.
pub(super) fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(set)) => *set,
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        _ => false,
    }
}

fn status(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// 64 bytes in base64, with or without its `==`.
fn signature(value: &Value) -> Option<[u8; 64]> {
    let text = value.as_str()?.trim_end_matches('=');
    BASE64.decode(format!("{text}==").as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn booleans_come_as_integers_too() {
        assert!(flag(Some(&json!(true))) && flag(Some(&json!(1))));
        assert!(
            !flag(Some(&json!(false))) && !flag(Some(&json!(0))) && !flag(Some(&json!(null))) && !flag(None)
        );
    }

    #[test]
    fn a_failed_member_says_how() {
        let key = Ed25519Public([9; 32]).to_string();
        let body = json!({ "swarm": { key: { "failed": 1, "code": "503", "reason": "busy" } } });
        let members = Members::read(&body, &MemberKeys::default(), |_| Some(((), Vec::new()))).unwrap();
        let expected = Member::Failed { timeout: false, code: Some(503), reason: Some("busy".into()) };
        assert_eq!(members.iter().next().unwrap().1, &expected);
        assert!(!members.any_done());
    }

    #[test]
    fn an_entry_without_a_signature_proves_nothing() {
        let body =
            json!({ "swarm": { Ed25519Public([9; 32]).to_string(): { "hash": "x" }, "not a key": {} } });
        let members = Members::read(&body, &MemberKeys::default(), |_| Some(((), Vec::new()))).unwrap();
        assert_eq!(members.iter().map(|(_, member)| member).collect::<Vec<_>>(), [&Member::Unproven]);
    }
}
