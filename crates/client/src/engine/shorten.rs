//! Agreeing with our other devices on when what was read disappears (spec 02 §18.4).
//!
//! Whoever reads a message that disappears after reading asks our swarm to keep it no longer than that. Who does so
//! second, because it learns later that the message was read, is told the earlier end, and takes it over.
//!
//! Decision: one member alone makes nothing vanish early. An earlier end counts if two members have signed it or one
//! before it; that a message is over already, if two members have signed that they do not have it, and none has it. What
//! a retrieve says of the end of a message is no more than one member's word, and does not count at all.
//!
//! Decision: the end that every message has in a swarm, two weeks after it was sent, tells of no reading. A message that
//! disappears a week after reading and is read on its tenth day stays here for that week, though the swarm forgets it
//! before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use septet_protocol::id::MessageHash;
use septet_protocol::message::TTL_CONTENT_MS;
use septet_protocol::swarm::reply::{ExpireReply, Expired};
use septet_protocol::swarm::request::Expire;
use septet_protocol::swarm::signing::ExpireMode;
use septet_protocol::time::Timestamp;

use super::Engine;
use crate::event::Event;
use crate::store::{Db, ReadMessage};

/// So much earlier than it should a swarm may forget a message, in ms.
const SWARM_MARGIN_MS: u64 = 60 * 60 * 1000;

/// Where something was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// On this device.
    Here,
    /// On another device of ours: the countdown began there.
    Elsewhere,
}

impl Engine {
    /// Messages became read: those that disappear after reading are told to our swarm, so that our other devices agree
    /// on when. Failing is no harm: each device then counts by itself.
    pub fn became_read(self: &Arc<Self>, read: Vec<ReadMessage>, reader: Reader) {
        let mut ends: BTreeMap<Timestamp, Vec<ReadMessage>> = BTreeMap::new();
        for message in read {
            if let (Some(at), Some(_)) = (message.expires_at, message.hash) {
                ends.entry(at).or_default().push(message);
            }
        }
        if ends.is_empty() {
            return;
        }
        self.bells.expiry.notify_one();
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            for (at, messages) in ends {
                engine.shorten(at, messages, reader).await;
            }
        });
    }

    /// Shortens the life of messages in our swarm; where another device was faster, its earlier end counts.
    async fn shorten(&self, at: Timestamp, messages: Vec<ReadMessage>, reader: Reader) {
        let hashes: Vec<MessageHash> = messages.iter().filter_map(|message| message.hash).collect();
        let request = Expire { hashes, expiries: vec![at], mode: ExpireMode::Shorten };
        let credentials = self.credentials();
        let (account, auth) = (credentials.owner(), credentials.auth());
        let reply = match self.network.swarm_request(&account, |_, _| request.rpc(&auth)).await {
            Ok(reply) => reply,
            Err(error) => return tracing::debug!(%error, "a countdown is not told to the swarm"),
        };
        let needed = reply.swarm.needed();
        let Ok(reply) = ExpireReply::read(&reply.body, &reply.swarm, &account, &request) else { return };
        let words: Vec<&Expired> = reply.members.done().map(|(_, expired)| expired).collect();
        let now = self.network.now();
        let mut earlier = Vec::new();
        for message in &messages {
            let Some(hash) = message.hash else { continue };
            let end = told_end(&words, &hash, needed, reader, now);
            if let Some(end) = end.filter(|end| *end < at && !is_natural(*end, message.timestamp)) {
                earlier.push((message.id, end));
            }
        }
        let write = move |db: &mut Db| {
            db.transaction(|db| {
                let mut touched = BTreeSet::new();
                for (id, end) in earlier {
                    db.ends_earlier(id, end)?;
                    touched.extend(db.conversation_of(id)?);
                }
                Ok(touched)
            })
        };
        match self.store.call(write).await {
            Ok(touched) => touched.into_iter().for_each(|id| self.events.send(Event::Messages(id))),
            Err(error) => tracing::warn!(%error, "a countdown cannot be written down"),
        }
        self.bells.expiry.notify_one();
    }
}

/// When a message ends, as members say, if they say so.
fn told_end(
    words: &[&Expired],
    hash: &MessageHash,
    needed: usize,
    reader: Reader,
    now: Timestamp,
) -> Option<Timestamp> {
    if reader == Reader::Elsewhere && is_over(words, hash, needed) {
        return Some(now);
    }
    agreed(words.iter().filter_map(|word| word.left_at(hash)).collect(), needed)
}

/// Whether a swarm forgets a message of that age by then anyway.
fn is_natural(end: Timestamp, sent: Timestamp) -> bool {
    end + SWARM_MARGIN_MS >= sent + TTL_CONTENT_MS
}

/// The earliest end that so many members have signed, or an earlier one.
fn agreed(mut ends: Vec<Timestamp>, needed: usize) -> Option<Timestamp> {
    ends.sort_unstable();
    ends.get(needed.checked_sub(1)?).copied()
}

/// Whether so many members say that they do not have a message, and none that it has it.
fn is_over(words: &[&Expired], hash: &MessageHash, needed: usize) -> bool {
    words.len() >= needed && !words.iter().any(|word| word.has(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_alone_makes_nothing_vanish_early() {
        let at = |list: &[u64]| list.iter().map(|ms| Timestamp::from_ms(*ms)).collect::<Vec<_>>();
        assert_eq!(agreed(at(&[]), 2), None);
        assert_eq!(agreed(at(&[1]), 2), None);
        assert_eq!(agreed(at(&[900, 1, 800]), 2), Some(Timestamp::from_ms(800)));
        assert_eq!(agreed(at(&[5]), 1), Some(Timestamp::from_ms(5)), "alone in its swarm");
    }

    #[test]
    fn what_every_swarm_forgets_was_not_read_earlier() {
        let (day, sent) = (24 * 60 * 60 * 1000, Timestamp::from_ms(1_790_000_000_000));
        let (hash, now) = (MessageHash([1; 32]), sent + 10 * day);
        let told = |end| {
            let word = Expired { updated: BTreeMap::new(), unchanged: Some(BTreeMap::from([(hash, end)])) };
            told_end(&[&word, &word], &hash, 2, Reader::Here, now)
        };
        let natural = told(sent + 14 * day).unwrap();
        assert!(is_natural(natural, sent), "a week after reading stays a week");
        assert!(!is_natural(told(now + 3 * day).unwrap(), sent), "another device was faster");
        let gone = Expired { updated: BTreeMap::new(), unchanged: Some(BTreeMap::new()) };
        let at = |now| told_end(&[&gone, &gone], &hash, 2, Reader::Elsewhere, now);
        assert!(!is_natural(at(now).unwrap(), sent) && is_natural(at(sent + 15 * day).unwrap(), sent));
    }

    #[test]
    fn what_no_member_has_any_more_is_over() {
        let (hash, end) = (MessageHash([1; 32]), Timestamp::from_ms(5));
        let without = Expired { updated: BTreeMap::new(), unchanged: Some(BTreeMap::new()) };
        let with = Expired { updated: BTreeMap::from([(hash, end)]), unchanged: Some(BTreeMap::new()) };
        assert!(is_over(&[&without, &without], &hash, 2));
        assert!(!is_over(&[&without], &hash, 2), "one alone");
        assert!(!is_over(&[&without, &without, &with], &hash, 2), "one has it");
    }
}
