//! When a swarm is believed to have something (spec 03 §9.2).
//!
//! Decision: a member's signature proves that *it* said so, and a member may sign what it does not keep, or keep what
//! it passes on to nobody. So two members must have proven it, of one reply or of several; of a swarm of one, that one.
//! A message of which only one has told stays "sending": the next member is asked, and stores the same bytes again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::member::MemberKeys;
use super::reply::{ReplyError, StoreReply};
use crate::id::{Ed25519Public, MessageHash};

/// So many members must have proven something.
const WITNESSES: usize = 2;

impl MemberKeys {
    /// How many members must have proven something before it is believed; one is enough if there is no other.
    pub fn needed(&self) -> usize {
        self.iter().count().clamp(1, WITNESSES)
    }
}

/// Who has proven to have one message, over all tries of a request.
#[derive(Default, Debug)]
pub struct Witnesses(Mutex<BTreeSet<Ed25519Public>>);

impl Witnesses {
    /// Reads a reply to a request to store what is called `hash`; an error as long as too few members have proven
    /// that they have it, and the next one is to be asked.
    pub fn read(
        &self,
        body: &Value,
        swarm: &MemberKeys,
        hash: MessageHash,
    ) -> Result<StoreReply, ReplyError> {
        let reply = StoreReply::read(body, swarm, hash)?;
        let mut witnesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        witnesses.extend(reply.members.done().map(|(member, _)| *member));
        if witnesses.len() >= swarm.needed() { Ok(reply) } else { Err(ReplyError("signature")) }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::json;

    use super::*;
    use crate::crypto::Ed25519Secret;

    #[test]
    fn one_member_is_no_witness_unless_it_is_alone() {
        let swarm = |count: u8| (0..count).map(|n| Ed25519Public([n; 32])).collect::<MemberKeys>();
        assert_eq!([0, 1, 2, 7].map(|count| swarm(count).needed()), [1, 1, 2, 2]);
    }

    #[test]
    fn two_replies_of_one_member_each_are_two_witnesses() {
        let members = [1, 2, 3].map(|number| Ed25519Secret::from_seed([number; 32]));
        let swarm: MemberKeys = members.iter().map(Ed25519Secret::public).collect();
        let hash = MessageHash([7; 32]);
        let proof = |member: &Ed25519Secret| {
            let signature = BASE64.encode(&member.sign(hash.to_string().as_bytes()));
            let entry = json!({ "hash": hash.to_string(), "signature": signature });
            json!({ "swarm": { (member.public().to_string()): entry } })
        };
        let witnesses = Witnesses::default();
        assert!(witnesses.read(&proof(&members[0]), &swarm, hash).is_err());
        assert!(witnesses.read(&proof(&members[0]), &swarm, hash).is_err(), "the same one again");
        assert!(witnesses.read(&proof(&members[1]), &swarm, hash).is_ok());
        let alone: MemberKeys = [members[0].public()].into_iter().collect();
        assert!(Witnesses::default().read(&proof(&members[0]), &alone, hash).is_ok());
    }
}
