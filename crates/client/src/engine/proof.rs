//! When a swarm is believed to have something (spec 03 §9.2).
//!
//! Decision: a member's signature proves that *it* said so, and a member may sign what it does not keep, or keep what
//! it passes on to nobody. So two members must have proven it, of one reply or of several; of a swarm of one, that one.
//! A message of which only one has told stays "sending": the next member is asked, and stores the same bytes again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use septet_protocol::id::{Ed25519Public, MessageHash};
use septet_protocol::swarm::MemberKeys;
use septet_protocol::swarm::reply::{ReplyError, StoreReply};
use serde_json::Value;

/// So many members must have proven something.
const WITNESSES: usize = 2;

/// How many members of a swarm must have proven something.
pub fn needed(swarm: &MemberKeys) -> usize {
    swarm.iter().count().min(WITNESSES)
}

/// Who has proven to have one message, over all tries of a request.
#[derive(Default)]
pub struct Witnesses(Mutex<BTreeSet<Ed25519Public>>);

impl Witnesses {
    /// Reads a reply to a request to store what is called `hash`; an error as long as too few members have proven
    /// that they have it.
    pub fn read(&self, body: &Value, swarm: &MemberKeys, hash: MessageHash) -> Result<(), ReplyError> {
        let reply = StoreReply::read(body, swarm, hash)?;
        let mut witnesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        witnesses.extend(reply.members.done().map(|(member, _)| *member));
        if witnesses.len() >= needed(swarm) { Ok(()) } else { Err(ReplyError("signature")) }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use septet_protocol::crypto::Ed25519Secret;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_member_is_no_witness_unless_it_is_alone() {
        let swarm = |count: u8| (0..count).map(|number| Ed25519Public([number; 32])).collect();
        assert_eq!([0, 1, 2, 7].map(|count| needed(&swarm(count))), [0, 1, 2, 2]);
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
