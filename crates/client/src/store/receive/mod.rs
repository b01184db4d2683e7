//! Taking in what a swarm gave us.
//!
//! Decision: everything one retrieve brought is one transaction: rows, seen hashes and the place where the next
//! retrieve goes on. A crash before the commit fetches the same again, a crash after it fetches what follows; nothing
//! is lost and nothing doubled.
//!
//! Decision: the order in which messages arrive does not matter for what is in the conversation afterwards. Nodes of
//! a swarm are not in step, so a reaction may come before its message. What points at a message that is not here yet
//! is kept by what it points at (author and sent timestamp) and finds it later.
//!
//! Decision: when a message was stored counts beside when it was sent. What its sender wrote without a network and the
//! swarm got long after was sent, as far as anybody else could know, when it was stored: it is not older than what
//! happened meanwhile, see [`Receiver::sent`] and [`Receiver::place_in_time`].
//!
//! Decision: whoever is not accepted makes at most one thing here, a request, and of those there are only so many; see
//! [`strangers`]. What else strangers send makes no row of its own.

mod call;
mod deferring;
mod invitation;
pub(super) mod message;
pub(super) mod pointing;
pub(super) mod strangers;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::message::TTL_CONTENT_MS;
use septet_protocol::time::Timestamp;

use super::arrived::{
    AppliedBatch, Cursor, GroupRight, Incoming, IncomingKind, Meaning, ReceivedBatch, ReceivedItem,
};
use super::db::{Db, Me};
use super::error::StoreError;
use super::types::Deletion;
use super::values::{Hash, Ms, Node, Owner, Person, time};
use crate::event::Event;
use crate::model::{Address, ConversationId, MessageId};
use message::Body;

/// The longest that a swarm keeps anything, in ms (spec 03 §9.12).
const TTL_LONGEST_MS: u64 = 30 * 24 * 3600 * 1000;
/// How much longer than the swarm we remember a hash, in ms: nodes' clocks differ.
const HASH_MARGIN_MS: u64 = 10 * 60 * 1000;
/// Sent this much before the last config that does not know the conversation: it was deleted (spec 02 §21.5).
const OUTDATED_MS: u64 = 2 * 60 * 1000;

impl Db {
    /// Which of these hashes have not been taken in yet, in the order given.
    pub fn unseen(&self, account: Account, hashes: &[MessageHash]) -> Result<Vec<MessageHash>, StoreError> {
        let mut statement = self.sql().prepare_cached(SEEN)?;
        let mut unseen = Vec::new();
        for hash in hashes {
            if !statement.exists(params![Hash(*hash), Owner(account)])? {
                unseen.push(*hash);
            }
        }
        Ok(unseen)
    }

    /// How often the places of an account were reset. What is read with it belongs to a retrieve that begins now.
    pub fn cursor_generation(&self, account: Account) -> Result<i64, StoreError> {
        let sql = "SELECT generation FROM cursor_generations WHERE account = ?1";
        let found = self.sql().prepare_cached(sql)?.query_row([Owner(account)], |row| row.get(0));
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Where the next retrieve from a node goes on.
    pub fn last_hash(
        &self,
        node: Ed25519Public,
        account: Account,
        namespace: Namespace,
    ) -> Result<Option<MessageHash>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT hash FROM last_hashes WHERE account = ?1 AND namespace = ?2 AND node = ?3",
        )?;
        let found = statement.query_row(params![Owner(account), namespace.0, Node(node)], |row| {
            row.get(0).map(|Hash(hash)| hash)
        });
        Ok(found.optional()?)
    }

    /// Where the next retrieves from each node go on.
    pub fn last_hashes(
        &self,
        account: Account,
    ) -> Result<BTreeMap<(Ed25519Public, Namespace), MessageHash>, StoreError> {
        let mut statement =
            self.sql().prepare_cached("SELECT node, namespace, hash FROM last_hashes WHERE account = ?1")?;
        let rows = statement.query_map([Owner(account)], |row| {
            let (Node(node), Hash(hash)) = (row.get(0)?, row.get(2)?);
            Ok(((node, Namespace(row.get(1)?)), hash))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Retrieves everything again from now on; what was taken in already is recognised by its hash. A retrieve that is
    /// under way writes no place down any more (spec 09 §5.2).
    pub fn forget_last_hashes(&mut self, account: Account) -> Result<(), StoreError> {
        self.transaction(|db| {
            let sql = "INSERT INTO cursor_generations (account, generation) VALUES (?1, 1)
                       ON CONFLICT DO UPDATE SET generation = generation + 1";
            db.sql().prepare_cached(sql)?.execute([Owner(account)])?;
            let sql = "DELETE FROM last_hashes WHERE account = ?1";
            db.sql().prepare_cached(sql)?.execute([Owner(account)])?;
            Ok(())
        })
    }

    /// Takes in what one retrieve brought, in one transaction, by the rules of spec 02 §5 (steps 1, 4 and 8 to 14),
    /// §10, §12, §16, §18, §21 to §23.
    pub fn apply_received(&mut self, batch: &ReceivedBatch) -> Result<AppliedBatch, StoreError> {
        self.transaction(|db| {
            let mut receiver =
                Receiver::new(db, Some(batch.node), batch.account, batch.namespace, batch.now)?;
            let mut items: Vec<&ReceivedItem> = batch.items.iter().collect();
            items.sort_by_key(|item| order(item));
            for item in items {
                // A node may say of the end what it likes; the swarm keeps it no longer and no shorter than this.
                let end = item.expiration.clamp(batch.now + TTL_CONTENT_MS, batch.now + TTL_LONGEST_MS);
                if !receiver.db.remember_hash(batch.account, item.hash, end + HASH_MARGIN_MS)? {
                    continue;
                }
                match &item.meaning {
                    Meaning::Nothing => {}
                    Meaning::Said(incoming) => _ = receiver.take(item, incoming)?,
                    Meaning::Unreadable(unreadable) => receiver.defer(item, unreadable)?,
                }
                if std::mem::take(&mut receiver.doubtful) {
                    receiver.db.forget_hash(batch.account, item.hash)?;
                }
            }
            let applied = receiver.finish()?;
            if let Some(cursor) = batch.last_hash
                && db.cursor_generation(batch.account)? == batch.generation
            {
                db.set_last_hash(batch.node, batch.account, batch.namespace, cursor)?;
            }
            Ok(applied)
        })
    }

    fn set_last_hash(
        &self,
        node: Ed25519Public,
        account: Account,
        namespace: Namespace,
        cursor: Cursor,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO last_hashes (account, namespace, node, hash, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at",
        )?;
        let (hash, until) = (Hash(cursor.hash), Ms(cursor.expires_at));
        statement.execute(params![Owner(account), namespace.0, Node(node), hash, until])?;
        Ok(())
    }

    /// A message is to be taken in when it comes again.
    fn forget_hash(&self, owner: Account, hash: MessageHash) -> Result<(), StoreError> {
        let mut statement =
            self.sql().prepare_cached("DELETE FROM seen_hashes WHERE hash = ?1 AND owner = ?2")?;
        statement.execute(params![Hash(hash), Owner(owner)])?;
        Ok(())
    }

    /// Notes that a hash was taken in or stored by us. False if it was known.
    pub(super) fn remember_hash(
        &self,
        owner: Account,
        hash: MessageHash,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO seen_hashes (hash, owner, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        Ok(statement.execute(params![Hash(hash), Owner(owner), Ms(until)])? > 0)
    }
}

/// Whether a hash was taken in.
pub(super) const SEEN: &str = "SELECT 1 FROM seen_hashes WHERE hash = ?1 AND owner = ?2";
/// What we think of a sender.
pub(super) const STANDING: &str = "SELECT approved, approved_me, blocked FROM people WHERE account = ?1";
/// A conversation as a message finds it.
pub(super) const PLACE: &str = "SELECT id, priority < 0, last_read FROM conversations WHERE address = ?1";
/// What is here of an author and time, but for what has another number (spec 09 §6.3).
pub(super) const KNOWN: &str = "SELECT id, outgoing, deleted, hash, conversation,
         coalesce(notice_kind NOT IN ('community_invitation', 'group_invitation', 'unreadable'), 0),
         coalesce(notice_kind = 'unreadable', 0),
         id <= (SELECT cleared_to FROM conversations WHERE id = messages.conversation)
     FROM messages WHERE author = ?1 AND timestamp = ?2 AND local = 0
         AND (?3 IS NULL OR conversation = ?3) AND (?4 IS NULL OR msg_id IS NULL OR msg_id = ?4)
     ORDER BY id";

/// What there is to read comes first, then by time: so a stranger's reaction finds the conversation made.
fn order(item: &ReceivedItem) -> (u8, Timestamp, MessageHash) {
    let (rank, timestamp) = match &item.meaning {
        Meaning::Nothing => (2, Timestamp::default()),
        Meaning::Unreadable(unreadable) => {
            (0, unreadable.unknown.map_or(item.stored_at, |unknown| unknown.timestamp))
        }
        Meaning::Said(incoming) => match incoming.kind {
            IncomingKind::Message { .. }
            | IncomingKind::Notice { .. }
            | IncomingKind::Call { .. }
            | IncomingKind::Invitation(_)
            | IncomingKind::RequestResponse => (0, incoming.timestamp),
            IncomingKind::Reaction { .. }
            | IncomingKind::CallSettled(_)
            | IncomingKind::Unsend { .. }
            | IncomingKind::ReadReceipt { .. }
            | IncomingKind::Typing(_) => (1, incoming.timestamp),
        },
    };
    (rank, timestamp, item.hash)
}

/// What we think of a sender.
#[derive(Clone, Copy, Default)]
struct Standing {
    approved: bool,
    approved_me: bool,
    blocked: bool,
}

/// A conversation as a message finds it.
#[derive(Clone, Copy)]
struct Place {
    row: ConversationId,
    hidden: bool,
    last_read: Timestamp,
}

/// A message that is here already.
struct Known {
    id: MessageId,
    outgoing: bool,
    deletion: Deletion,
    hash: Option<MessageHash>,
    conversation: ConversationId,
    /// A line that tells what happened; nobody can unsend it (spec 02 §23).
    control: bool,
    /// A line that stands for what only a later version can show.
    placeholder: bool,
    /// Its conversation was cleared, and its row is on its way out.
    cleared: bool,
}

/// Takes in one batch.
struct Receiver<'a> {
    db: &'a mut Db,
    me: Me,
    now: Timestamp,
    /// When what is taken now came here; before now if it was kept for this version.
    came: Timestamp,
    /// The node that gave it; `None` if it was kept.
    node: Option<Ed25519Public>,
    /// Where it lay.
    account: Account,
    namespace: Namespace,
    /// What was taken last was dropped on the word of this node alone: another one may bring it again.
    doubtful: bool,
    /// Strangers made something here.
    strangers: bool,
    /// Requests that became longer.
    requests: BTreeSet<ConversationId>,
    new: Vec<MessageId>,
    applied: AppliedBatch,
}

impl<'a> Receiver<'a> {
    fn new(
        db: &'a mut Db,
        node: Option<Ed25519Public>,
        account: Account,
        namespace: Namespace,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let me = db.me()?;
        Ok(Self {
            db,
            me,
            now,
            came: now,
            node,
            account,
            namespace,
            doubtful: false,
            strangers: false,
            requests: BTreeSet::new(),
            new: Vec::new(),
            applied: AppliedBatch::default(),
        })
    }

    /// Keeps within limits what came, and tells what is left of it.
    fn finish(mut self) -> Result<AppliedBatch, StoreError> {
        self.bound_strangers()?;
        self.applied.unreadable = self.applied.unreadable && self.db.update_wanted(self.now)?;
        self.applied.list_changed |= !self.new.is_empty();
        self.db.set_arrived(&self.new)?;
        self.applied.messages = self.db.messages_by_id(&self.new, self.now)?;
        Ok(self.applied)
    }
}

impl Receiver<'_> {
    /// Takes in what one message says. False if nothing is kept of it.
    fn take(&mut self, item: &ReceivedItem, incoming: &Incoming) -> Result<bool, StoreError> {
        let standing = self.standing(incoming.sender)?;
        // Being made an admin is about the group, whoever tells it (spec 02 §22).
        let promoted = matches!(&incoming.kind, IncomingKind::Invitation(it) if matches!(it.right, GroupRight::Admin(_)));
        if standing.blocked && incoming.sender != self.me.id && !promoted {
            return Ok(false);
        }
        let kept = match &incoming.kind {
            IncomingKind::Message { text, attachments, quote, preview, expiry } => {
                let quote = quote.filter(|quote| self.may_be_quoted(incoming, quote.author));
                let preview = preview.as_ref();
                let body = Body { text, attachments, quote, preview, ..Body::empty(*expiry) };
                self.message(item, incoming, standing, &body)?.is_some()
            }
            IncomingKind::Notice { notice, expiry } => {
                let body = Body { notice: Some(notice), ..Body::empty(*expiry) };
                self.message(item, incoming, standing, &body)?.is_some()
            }
            IncomingKind::Invitation(invitation) => self.invitation(item, incoming, standing, invitation)?,
            IncomingKind::Call { call, expiry } => self.call(item, incoming, standing, *call, *expiry)?,
            IncomingKind::CallSettled(call) => self.call_settled(incoming, *call)?,
            IncomingKind::Reaction { target, emoji, remove } => {
                self.reaction(incoming, standing, target, emoji, *remove)?
            }
            IncomingKind::Unsend { target, msg_id } => self.unsend(incoming, standing, *target, *msg_id)?,
            IncomingKind::ReadReceipt { timestamps } => self.receipt(incoming, standing, timestamps)?,
            IncomingKind::RequestResponse => self.accepted(item, incoming, standing)?,
            IncomingKind::Typing(started) => self.typing(incoming, standing, *started)?,
        };
        self.profile(incoming)?;
        Ok(kept)
    }

    /// Whether what somebody wrote can be meant in this conversation: with one other, it is theirs or ours. Anything
    /// else would let strangers fill the list of people with names of their choice.
    fn may_be_quoted(&self, incoming: &Incoming, author: SessionId) -> bool {
        incoming.conversation.account().is_none_or(|other| author == other || author == self.me.id)
    }

    fn standing(&self, id: SessionId) -> Result<Standing, StoreError> {
        let mut statement = self.db.sql().prepare_cached(STANDING)?;
        let found = statement.query_row([Person(id)], |row| {
            Ok(Standing { approved: row.get(0)?, approved_me: row.get(1)?, blocked: row.get(2)? })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    fn place(&self, address: &Address) -> Result<Option<Place>, StoreError> {
        let mut statement = self.db.sql().prepare_cached(PLACE)?;
        let found = statement.query_row([address.to_bytes()], |row| {
            let row_id = ConversationId(row.get(0)?);
            Ok(Place { row: row_id, hidden: row.get(1)?, last_read: time(row, 2)? })
        });
        Ok(found.optional()?)
    }

    /// When a message was sent, as far as its age decides something (spec 02 §21.5): when it was stored, if that is
    /// later. Who wrote it without a network could not know what happened until then. A node that lies about it can
    /// bring back what was deleted elsewhere, not suppress anything.
    fn sent(&self, item: &ReceivedItem, timestamp: Timestamp) -> Timestamp {
        timestamp.max(item.stored_at.min(self.now))
    }

    /// Sent before the conversation was deleted on another device: it must not bring it back (spec 02 §21.5).
    ///
    /// When that was is told by the configs' times, which nothing proves; on the word of one node, a message is only
    /// dropped until another brings it.
    fn outdated(
        &mut self,
        conversation: &Address,
        sent: Timestamp,
        place: Option<Place>,
    ) -> Result<bool, StoreError> {
        let to_self = *conversation == Address::Account(self.me.id);
        let namespace = if to_self { Namespace::USER_PROFILE } else { Namespace::CONTACTS };
        let gone = match place {
            Some(place) => place.hidden,
            None => !to_self,
        };
        if !gone {
            return Ok(false);
        }
        let me = Account::User(self.me.id);
        if sent + OUTDATED_MS < self.db.config_processed_at(me, namespace)? {
            return Ok(true);
        }
        let Some(node) = self.node else { return Ok(false) };
        let claimed = self.db.claimed_config_time(me, namespace, node)?;
        self.doubtful = sent + OUTDATED_MS < claimed;
        Ok(self.doubtful)
    }

    /// What is here of an author and sent timestamp: in one conversation, or in any. A message that has a number is
    /// not the one with another number (spec 09 §6.3).
    fn known(
        &self,
        conversation: Option<ConversationId>,
        author: i64,
        timestamp: Timestamp,
        msg_id: Option<i64>,
    ) -> Result<Vec<Known>, StoreError> {
        let mut statement = self.db.sql().prepare_cached(KNOWN)?;
        let key = params![author, Ms(timestamp), conversation.map(|id| id.0), msg_id];
        let rows = statement.query_map(key, |row| {
            Ok(Known {
                id: MessageId(row.get(0)?),
                outgoing: row.get(1)?,
                deletion: row.get(2)?,
                hash: row.get::<_, Option<Hash>>(3)?.map(|hash| hash.0),
                conversation: ConversationId(row.get(4)?),
                control: row.get(5)?,
                placeholder: row.get(6)?,
                cleared: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes a line away, as if it had not come.
    fn remove(&mut self, line: MessageId) -> Result<(), StoreError> {
        let touched = self.db.remove_messages(&[line])?;
        if !self.new.contains(&line) {
            let deleted = |conversation: &_| Event::Deleted { conversation: *conversation, message: line };
            self.applied.told.extend(touched.iter().map(deleted));
        }
        self.new.retain(|id| *id != line);
        self.applied.changed.extend(touched);
        self.applied.list_changed = true;
        Ok(())
    }

    /// Whether something belongs into Note to Self.
    fn to_self(&self, incoming: &Incoming) -> bool {
        incoming.conversation == Address::Account(self.me.id)
    }

    fn profile(&mut self, incoming: &Incoming) -> Result<(), StoreError> {
        let Some(profile) = &incoming.profile else { return Ok(()) };
        if incoming.sender == self.me.id || self.db.find_person(incoming.sender)?.is_none() {
            return Ok(());
        }
        if self.db.merge_profile(incoming.sender, profile)? {
            self.applied.contacts_changed.insert(incoming.sender);
            self.applied.list_changed = true;
            self.applied.picture_wanted |= profile.picture.is_some();
        }
        Ok(())
    }
}
