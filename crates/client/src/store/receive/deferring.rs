//! What this version cannot read, as it comes, and as a later version reads it (spec 09 §6.1).
//!
//! Decision: the line that stands for such a message goes through the same code as any other, so that whatever holds
//! for messages (duplicates, unsend requests, read marks, timers) holds for it. It stands where the message does, and a
//! read mark tells whether it was read: so the message that takes its place later is where it was, and read or not as
//! the line was.

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::{Account, Namespace};
use septet_protocol::message::newer::{Placement, UnknownType, kept_until};
use septet_protocol::time::Timestamp;

use super::message::Body;
use super::{Receiver, Standing};
use crate::model::{Address, ConversationId, Expiry, MessageId, Notice};
use crate::store::arrived::{
    AppliedBatch, DeferredId, Incoming, IncomingKind, Meaning, ReceivedItem, Unreadable,
};
use crate::store::db::Db;
use crate::store::deferred::NewDeferred;
use crate::store::error::StoreError;
use crate::store::types::QuoteKey;

/// Hides a line from what looks for messages of the network, or shows it to that again: what points at the message stays
/// when the line goes hidden, and goes with it otherwise.
const HIDE: &str = "UPDATE messages SET local = ?2 WHERE id = ?1";

impl Db {
    /// Takes in what was kept, as this version reads it now: what it knows takes the place of the line that stood for
    /// it. What it still cannot read stays, and so does what it has no use for, but without a line.
    pub fn apply_deferred(
        &mut self,
        items: &[(DeferredId, ReceivedItem)],
        owner: Account,
        namespace: Namespace,
        version: &str,
        now: Timestamp,
    ) -> Result<AppliedBatch, StoreError> {
        self.transaction(|db| {
            let mut receiver = Receiver::new(db, None, owner, namespace, now)?;
            let mut items: Vec<&(DeferredId, ReceivedItem)> = items.iter().collect();
            items.sort_by_key(|(_, item)| super::order(item));
            for (id, item) in items {
                receiver.read_again(*id, item, version)?;
            }
            receiver.finish()
        })
    }
}

impl Receiver<'_> {
    /// Keeps what cannot be read, after the checks that need no reading.
    pub(super) fn defer(&mut self, item: &ReceivedItem, unreadable: &Unreadable) -> Result<(), StoreError> {
        let Some(unknown) = unreadable.unknown else {
            self.applied.unreadable = true;
            return self.keep(item, unreadable, None, None);
        };
        let standing = self.standing(unknown.sender)?;
        if standing.blocked && !unknown.is_own {
            return Ok(());
        }
        let address = match unknown.placement(self.account) {
            Placement::Incoming(account) | Placement::Outgoing(account) => Some(Address::from(account)),
            Placement::Nowhere => None,
        };
        let shown = match &address {
            Some(address) => self.shown(address)?,
            None => None,
        };
        if self.is_answered(item, &unknown)? {
            // Something was said here, whether its sender wanted it deleted before it came or after.
            return match shown {
                Some(id) => self.db.touch_conversation(id, unknown.timestamp.min(self.now), false),
                None => Ok(()),
            };
        }
        if let Some(address) = address.as_ref().filter(|_| shown.is_some()) {
            return match self.placeholder(item, &unknown, standing, address)? {
                Some(line) => self.keep(item, unreadable, Some(line), Some(address)),
                // Here already, or over.
                None => Ok(()),
            };
        }
        if let Some(address) = &address {
            let place = self.place(address)?;
            if self.outdated(address, self.sent(item, unknown.timestamp), place)? {
                return Ok(());
            }
        }
        // A stranger can write whatever they like; only what is surely our own is told of.
        self.applied.unreadable |= unknown.is_own;
        self.keep(item, unreadable, None, address.as_ref())
    }

    /// Whether nothing is to be kept of it: it was unsent, or is kept under another hash.
    fn is_answered(&mut self, item: &ReceivedItem, unknown: &UnknownType) -> Result<bool, StoreError> {
        let msg_id = unknown.msg_id.map(|id| id.0);
        let target = QuoteKey { author: unknown.sender, timestamp: unknown.timestamp };
        if self.has_pending_unsend(target, msg_id)? {
            self.applied.delete_hashes.push(item.hash);
            return Ok(true);
        }
        self.db.has_deferred(target, msg_id)
    }

    /// A line stands only in a conversation that is there, was used and is not hidden: it makes none, and brings none
    /// back.
    fn shown(&self, address: &Address) -> Result<Option<ConversationId>, StoreError> {
        let sql = "SELECT id FROM conversations
                   WHERE address = ?1 AND priority >= 0 AND (active_at > 0 OR opened_at > 0)";
        let found = self.db.sql().prepare_cached(sql)?.query_row([address.to_bytes()], |row| row.get(0));
        Ok(found.optional()?.map(ConversationId))
    }

    fn placeholder(
        &mut self,
        item: &ReceivedItem,
        unknown: &UnknownType,
        standing: Standing,
        address: &Address,
    ) -> Result<Option<MessageId>, StoreError> {
        let (notice, expiry) = (Notice::Unreadable, Expiry::from(unknown.expiration));
        let body = Body { notice: Some(&notice), ..Body::empty(expiry) };
        let incoming = Incoming {
            sender: unknown.sender,
            conversation: address.clone(),
            timestamp: unknown.timestamp,
            msg_id: unknown.msg_id.map(|id| id.0),
            profile: None,
            kind: IncomingKind::Notice { notice: notice.clone(), expiry },
        };
        self.message(item, &incoming, standing, &body)
    }

    fn keep(
        &self,
        item: &ReceivedItem,
        unreadable: &Unreadable,
        placeholder: Option<MessageId>,
        place: Option<&Address>,
    ) -> Result<(), StoreError> {
        let after_send = unreadable.unknown.and_then(|unknown| match Expiry::from(unknown.expiration) {
            Expiry::AfterSend(seconds) => Some(unknown.timestamp.min(self.now) + u64::from(seconds) * 1000),
            Expiry::Off | Expiry::AfterRead(_) => None,
        });
        // With a line, it goes when that goes.
        let kept_until = kept_until(after_send, item.stored_at, Some(item.expiration));
        let expires_at = kept_until.filter(|_| placeholder.is_none());
        if expires_at.is_some_and(|at| at <= self.now) {
            return Ok(());
        }
        self.db.insert_deferred(&NewDeferred {
            owner: self.account,
            namespace: self.namespace,
            item,
            unreadable,
            placeholder,
            place: place.and_then(Address::id),
            expires_at,
            now: self.now,
        })
    }

    /// Takes in one thing that was kept, as it is read now.
    fn read_again(&mut self, id: DeferredId, item: &ReceivedItem, version: &str) -> Result<(), StoreError> {
        // A person may have deleted it meanwhile.
        let Some(record) = self.db.deferred_record(id)? else { return Ok(()) };
        if matches!(item.meaning, Meaning::Unreadable(_)) {
            return self.db.deferred_tried(id, false, None, version);
        }
        if let Some(line) = record.placeholder {
            self.db.sql().prepare_cached(HIDE)?.execute(params![line.0, true])?;
        }
        let before = self.new.len();
        self.came = record.received_at.min(self.now);
        let kept = match &item.meaning {
            Meaning::Said(incoming) => self.take(item, incoming)?,
            Meaning::Nothing | Meaning::Unreadable(_) => false,
        };
        self.came = self.now;
        if kept {
            let sql = "DELETE FROM deferred WHERE id = ?1";
            self.db.sql().prepare_cached(sql)?.execute([id.0])?;
        } else {
            let until = kept_until(None, item.stored_at, Some(item.expiration));
            self.db.deferred_tried(id, true, until, version)?;
        }
        if let Some(line) = record.placeholder {
            let successor = self.new.get(before).copied();
            self.give_way(line, successor, kept)?;
        }
        Ok(())
    }

    /// Takes a line away whose message came, or turned out to be nothing. A countdown that ran goes on.
    fn give_way(
        &mut self,
        line: MessageId,
        successor: Option<MessageId>,
        kept: bool,
    ) -> Result<(), StoreError> {
        if let Some(successor) = successor {
            let sql = "UPDATE messages SET expires_at = coalesce(min(expires_at, l.ends), expires_at, l.ends)
                       FROM (SELECT expires_at AS ends FROM messages WHERE id = ?2) l WHERE id = ?1";
            self.db.sql().prepare_cached(sql)?.execute([successor.0, line.0])?;
        }
        if !kept {
            self.db.sql().prepare_cached(HIDE)?.execute(params![line.0, false])?;
        }
        self.remove(line)
    }
}
