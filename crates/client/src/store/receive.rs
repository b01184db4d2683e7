//! Taking in what a swarm gave us.
//!
//! Decision: everything one retrieve brought is one transaction: rows, seen hashes and the place where the next
//! retrieve goes on. A crash before the commit fetches the same again, a crash after it fetches what follows; nothing
//! is lost and nothing doubled.
//!
//! Decision: the order in which messages arrive does not matter for what is in the conversation afterwards. Nodes of
//! a swarm are not in step, so a reaction may come before its message. What points at a message that is not here yet
//! is kept by what it points at (author and sent timestamp) and finds it later.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::time::Timestamp;

use super::account::Me;
use super::db::Db;
use super::error::StoreError;
use super::outgoing::NewRow;
use super::types::{
    AppliedBatch, Incoming, IncomingKind, NewAttachment, QuoteKey, ReadMessage, ReceivedBatch, ReceivedItem,
};
use super::values::{Hash, Ms, Node, Owner, Person, optional_time};
use crate::model::{ConversationId, Expiry, MessageId, MessageState, Notice};

/// How much longer than the swarm we remember a hash, in ms: nodes' clocks differ.
const HASH_MARGIN_MS: u64 = 10 * 60 * 1000;
/// How long wishes for messages that have not come are kept, in ms (spec 02 §28).
const PENDING_MS: u64 = 14 * 24 * 3600 * 1000;
/// Sent this much before the last config that does not know the conversation: it was deleted (spec 02 §21.5).
const OUTDATED_MS: u64 = 2 * 60 * 1000;
/// The longest emoji kept, in bytes; the longest that exists has 35.
const EMOJI_BYTES: usize = 64;
/// How many read receipts for unknown messages are kept from one message.
const PENDING_RECEIPTS: usize = 100;

impl Db {
    /// Which of these hashes have not been taken in yet, in the order given.
    pub fn unseen(&self, account: Account, hashes: &[MessageHash]) -> Result<Vec<MessageHash>, StoreError> {
        let mut statement =
            self.sql().prepare_cached("SELECT 1 FROM seen_hashes WHERE hash = ?1 AND owner = ?2")?;
        let mut unseen = Vec::new();
        for hash in hashes {
            if !statement.exists(params![Hash(*hash), Owner(account)])? {
                unseen.push(*hash);
            }
        }
        Ok(unseen)
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

    /// Retrieves everything again from now on; what was taken in already is recognised by its hash.
    pub fn forget_last_hashes(&mut self, account: Account) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached("DELETE FROM last_hashes WHERE account = ?1")?;
        statement.execute([Owner(account)])?;
        Ok(())
    }

    /// Takes in what one retrieve brought, in one transaction, by the rules of spec 02 §5 (steps 1, 4 and 8 to 14),
    /// §10, §12, §16, §18, §21 to §23.
    pub fn apply_received(&mut self, batch: &ReceivedBatch) -> Result<AppliedBatch, StoreError> {
        self.transaction(|db| {
            let me = db.me()?;
            let mut receiver =
                Receiver { db, me, now: batch.now, new: Vec::new(), applied: AppliedBatch::default() };
            let mut items: Vec<&ReceivedItem> = batch.items.iter().collect();
            items.sort_by_key(|item| order(item));
            for item in items {
                if receiver.db.remember_hash(batch.account, item.hash, item.expiration + HASH_MARGIN_MS)?
                    && let Some(incoming) = &item.incoming
                {
                    receiver.take(item, incoming)?;
                }
            }
            let Receiver { new, mut applied, .. } = receiver;
            if let Some(hash) = batch.last_hash {
                db.set_last_hash(batch.node, batch.account, batch.namespace, hash)?;
            }
            applied.list_changed |= !new.is_empty();
            applied.messages = db.messages_by_id(&new)?;
            Ok(applied)
        })
    }

    fn set_last_hash(
        &self,
        node: Ed25519Public,
        account: Account,
        namespace: Namespace,
        hash: MessageHash,
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO last_hashes (account, namespace, node, hash) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET hash = excluded.hash",
        )?;
        statement.execute(params![Owner(account), namespace.0, Node(node), Hash(hash)])?;
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

    /// We put an emoji under a message, or take it away; `timestamp` is the reaction's own. False if nothing changed.
    pub fn react(
        &mut self,
        message: MessageId,
        emoji: &str,
        remove: bool,
        timestamp: Timestamp,
    ) -> Result<bool, StoreError> {
        self.transaction(|db| {
            let me = db.me()?;
            let (conversation, author, at): (i64, i64, Ms) = db
                .sql()
                .prepare_cached(
                    "SELECT conversation, author, timestamp FROM messages WHERE id = ?1 AND deleted = 0 AND local = 0",
                )?
                .query_row([message.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            db.raise_clock(timestamp)?;
            db.write_reaction(conversation, author, at.0, me.person, emoji, remove, timestamp)
        })
    }

    /// The newest word of an author about an emoji counts. False if it is not the newest, or says nothing new.
    #[allow(clippy::too_many_arguments)]
    fn write_reaction(
        &self,
        conversation: i64,
        target_author: i64,
        target: Timestamp,
        author: i64,
        emoji: &str,
        remove: bool,
        timestamp: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "INSERT INTO reactions (conversation, target_timestamp, target_author, author, emoji, timestamp, removed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET timestamp = excluded.timestamp, removed = excluded.removed
             WHERE excluded.timestamp > timestamp",
        )?;
        let values = params![conversation, Ms(target), target_author, author, emoji, Ms(timestamp), remove];
        Ok(statement.execute(values)? > 0)
    }
}

/// What there is to read comes first, then by time: so a stranger's reaction finds the conversation made.
fn order(item: &ReceivedItem) -> (u8, Timestamp, MessageHash) {
    let (rank, timestamp) = match &item.incoming {
        None => (2, Timestamp::default()),
        Some(incoming) => match incoming.kind {
            IncomingKind::Message { .. } | IncomingKind::Notice { .. } | IncomingKind::RequestResponse => {
                (0, incoming.timestamp)
            }
            _ => (1, incoming.timestamp),
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
    row: i64,
    hidden: bool,
    last_read: Timestamp,
}

/// A message that is here already.
struct Known {
    id: MessageId,
    outgoing: bool,
    deleted: bool,
    hash: Option<MessageHash>,
    conversation: i64,
    /// A line that tells what happened; nobody can unsend it (spec 02 §23).
    control: bool,
}

/// Takes in one batch.
struct Receiver<'a> {
    db: &'a mut Db,
    me: Me,
    now: Timestamp,
    new: Vec<MessageId>,
    applied: AppliedBatch,
}

impl Receiver<'_> {
    fn take(&mut self, item: &ReceivedItem, incoming: &Incoming) -> Result<(), StoreError> {
        let standing = self.standing(incoming.sender)?;
        if standing.blocked && incoming.sender != self.me.id {
            return Ok(());
        }
        match &incoming.kind {
            IncomingKind::Message { text, attachments, quote, expiry } => {
                let body = Body { text, attachments, quote: *quote, notice: None, expiry: *expiry };
                self.message(item, incoming, standing, &body)?;
            }
            IncomingKind::Notice { notice, expiry } => {
                let body =
                    Body { text: "", attachments: &[], quote: None, notice: Some(notice), expiry: *expiry };
                self.message(item, incoming, standing, &body)?;
            }
            IncomingKind::Reaction { target, emoji, remove } => {
                self.reaction(incoming, target, emoji, *remove)?
            }
            IncomingKind::Unsend { target } => self.unsend(incoming, *target)?,
            IncomingKind::ReadReceipt { timestamps } => self.receipt(incoming, standing, timestamps)?,
            IncomingKind::RequestResponse => self.accepted(incoming, standing)?,
        }
        self.profile(incoming)
    }

    fn standing(&self, id: SessionId) -> Result<Standing, StoreError> {
        let mut statement = self
            .db
            .sql()
            .prepare_cached("SELECT approved, approved_me, blocked FROM people WHERE account = ?1")?;
        let found = statement.query_row([Person(id)], |row| {
            Ok(Standing { approved: row.get(0)?, approved_me: row.get(1)?, blocked: row.get(2)? })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    fn place(&self, id: ConversationId) -> Result<Option<Place>, StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "SELECT c.id, c.priority < 0, c.last_read FROM conversations c JOIN people p ON p.id = c.person
             WHERE p.account = ?1",
        )?;
        let found = statement.query_row([Person(id.0)], |row| {
            Ok(Place { row: row.get(0)?, hidden: row.get(1)?, last_read: row.get::<_, Ms>(2)?.0 })
        });
        Ok(found.optional()?)
    }

    /// Sent before the conversation was deleted on another device: it must not bring it back (spec 02 §21.5).
    fn outdated(&self, incoming: &Incoming, place: Option<Place>) -> Result<bool, StoreError> {
        let to_self = incoming.conversation.0 == self.me.id;
        let namespace = if to_self { Namespace::USER_PROFILE } else { Namespace::CONTACTS };
        let gone = match place {
            Some(place) => place.hidden,
            None => !to_self,
        };
        if !gone {
            return Ok(false);
        }
        let processed = self.db.config_processed_at(Account::User(self.me.id), namespace)?;
        Ok(incoming.timestamp + OUTDATED_MS < processed)
    }

    /// A message or control line.
    fn message(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
        body: &Body<'_>,
    ) -> Result<(), StoreError> {
        let own = incoming.sender == self.me.id;
        let place = self.place(incoming.conversation)?;
        let unwelcome = match body.notice {
            Some(Notice::MediaSaved | Notice::Screenshot) => place.is_none(),
            Some(Notice::MissedCall) => !standing.approved,
            _ => false,
        };
        if unwelcome || self.outdated(incoming, place)? {
            return Ok(());
        }
        let author = self.db.person(incoming.sender)?;
        if let Some(known) = self.known(author, incoming.timestamp)? {
            return self.merge(&known, item.hash);
        }
        let place = match place {
            Some(place) => place,
            None => Place {
                row: self.db.ensure_conversation(incoming.conversation)?,
                hidden: false,
                last_read: Timestamp::default(),
            },
        };
        if matches!(body.notice, Some(Notice::ExpiryChanged { .. }))
            && !self.newest_expiry_change(place.row, author, incoming.timestamp)?
        {
            return Ok(());
        }
        let unsent = body.is_visible() && self.take_pending_unsend(author, incoming.timestamp)?;
        if unsent {
            self.applied.delete_hashes.push(item.hash);
            self.drop_reactions(place.row, author, incoming.timestamp)?;
            if own && incoming.conversation.0 == self.me.id {
                return Ok(());
            }
        }
        let unread = !own && !unsent && body.counts_as_unread() && incoming.timestamp > place.last_read;
        let expires_at = self.countdown(item, incoming, body.expiry, own, unread);
        if expires_at.is_some_and(|at| at <= self.now) {
            return Ok(());
        }
        let id =
            self.insert(item, incoming, body, &Fresh { place, author, own, unread, unsent, expires_at })?;
        self.new.push(id);
        self.db.touch_conversation(place.row, incoming.timestamp, true)?;
        if own {
            self.own_message(incoming, place)
        } else if body.is_visible() {
            self.visible_from(incoming, standing, place)
        } else {
            Ok(())
        }
    }

    fn insert(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        body: &Body<'_>,
        fresh: &Fresh,
    ) -> Result<MessageId, StoreError> {
        let quoted_us = body.quote.is_some_and(|quote| quote.author == self.me.id);
        let keep = !fresh.unsent;
        let id = self.db.insert_row(&NewRow {
            conversation: fresh.place.row,
            author: fresh.author,
            timestamp: incoming.timestamp,
            local: false,
            outgoing: fresh.own,
            state: if fresh.own { MessageState::Sent } else { MessageState::Received },
            hash: Some(item.hash).filter(|_| keep),
            text: if keep { body.text } else { "" },
            notice: body.notice.filter(|_| keep),
            quote: body.quote.filter(|_| keep),
            unread: fresh.unread,
            mention: fresh.unread && (quoted_us || Db::mentions_us(body.text, self.me.id)),
            deleted: fresh.unsent,
            expiry: body.expiry,
            expires_at: fresh.expires_at,
            now: self.now,
        })?;
        if keep {
            self.db.insert_attachments(id, body.attachments)?;
        }
        if fresh.own {
            self.take_pending_receipt(incoming, id)?;
        }
        if !fresh.own && !fresh.unread && keep && matches!(body.expiry, Expiry::AfterRead(_)) {
            // Read elsewhere already: the swarm's copy has to be shortened (spec 02 §18.4).
            self.applied.read.push(ReadMessage {
                id,
                from: incoming.sender,
                timestamp: incoming.timestamp,
                notice: true,
                hash: Some(item.hash),
                expires_at: fresh.expires_at,
            });
        }
        Ok(id)
    }

    /// When a message disappears, if its countdown runs from the start (spec 02 §18.3, §18.4).
    fn countdown(
        &self,
        item: &ReceivedItem,
        incoming: &Incoming,
        expiry: Expiry,
        own: bool,
        unread: bool,
    ) -> Option<Timestamp> {
        let seconds = match expiry {
            Expiry::Off => return None,
            Expiry::AfterRead(_) if !own && unread => return None,
            Expiry::AfterRead(seconds) if !own => {
                let from_now = self.now + u64::from(seconds) * 1000;
                let shortened = item.expiration > Timestamp::default() && item.expiration <= from_now;
                return Some(if shortened { item.expiration } else { from_now });
            }
            Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => seconds,
        };
        let length = u64::from(seconds) * 1000;
        let ends = incoming.timestamp.min(self.now) + length;
        Some(if item.expiration > Timestamp::default() { ends.min(item.expiration) } else { ends })
    }

    /// Something to read from the other: that they accept us, and a stranger's makes a request (spec 02 §21.2).
    fn visible_from(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        place: Place,
    ) -> Result<(), StoreError> {
        self.note_acceptance(incoming, standing, incoming.timestamp - 1)?;
        let was_request = standing.approved_me && !place.hidden;
        if !standing.approved && !was_request {
            self.applied.requests.push(incoming.conversation);
        }
        Ok(())
    }

    /// The other accepts us; if we had written first, a line tells so.
    fn note_acceptance(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if standing.approved_me {
            return Ok(());
        }
        self.db.set_approved_me(incoming.sender, true)?;
        self.applied.contacts_changed.insert(incoming.sender);
        self.applied.list_changed = true;
        if standing.approved && self.db.find_conversation(incoming.conversation)?.is_some() {
            let author = self.db.person(incoming.sender)?;
            let id = self.db.insert_line(
                incoming.conversation,
                author,
                false,
                at,
                &Notice::TheyAccepted,
                self.now,
            )?;
            self.new.push(id);
        }
        Ok(())
    }

    /// A message request response (spec 02 §21.2).
    fn accepted(&mut self, incoming: &Incoming, standing: Standing) -> Result<(), StoreError> {
        if incoming.sender == self.me.id {
            return Ok(());
        }
        let place = self.place(incoming.conversation)?;
        if self.outdated(incoming, place)? {
            return Ok(());
        }
        if standing.approved {
            let row = self.db.ensure_conversation(incoming.conversation)?;
            self.db.touch_conversation(row, Timestamp::default(), true)?;
            self.applied.list_changed = true;
        }
        self.note_acceptance(incoming, standing, incoming.timestamp)
    }

    /// Written on another device of ours: that accepts the other, and reads what came before (spec 02 §9).
    fn own_message(&mut self, incoming: &Incoming, place: Place) -> Result<(), StoreError> {
        if incoming.conversation.0 != self.me.id && self.db.set_approved(incoming.conversation.0, true)? {
            self.applied.contacts_changed.insert(incoming.conversation.0);
        }
        let outcome = self.db.read_up_to(place.row, incoming.timestamp, self.now)?;
        if !outcome.read.is_empty() {
            self.applied.changed.insert(incoming.conversation);
            self.applied.read.extend(outcome.read);
        }
        self.db.raise_clock(incoming.timestamp.min(self.now))
    }

    fn known(&self, author: i64, timestamp: Timestamp) -> Result<Option<Known>, StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "SELECT id, outgoing, deleted, hash, conversation,
                 coalesce(json_extract(notice, '$.kind') NOT IN ('community_invitation', 'group_invitation'), 0)
             FROM messages WHERE author = ?1 AND timestamp = ?2 AND local = 0",
        )?;
        let found = statement.query_row(params![author, Ms(timestamp)], |row| {
            Ok(Known {
                id: MessageId(row.get(0)?),
                outgoing: row.get(1)?,
                deleted: row.get(2)?,
                hash: row.get::<_, Option<Hash>>(3)?.map(|hash| hash.0),
                conversation: row.get(4)?,
                control: row.get(5)?,
            })
        });
        Ok(found.optional()?)
    }

    /// A message that is here already comes again under another hash: our own copy, or stored twice (spec 02 §28).
    fn merge(&mut self, known: &Known, hash: MessageHash) -> Result<(), StoreError> {
        if known.deleted {
            self.applied.delete_hashes.push(hash);
            return Ok(());
        }
        match known.hash {
            None => self.db.set_hash(known.id, hash)?,
            Some(same) if same == hash => {}
            Some(_) => {
                let sql = "INSERT OR IGNORE INTO extra_hashes (message, hash) VALUES (?1, ?2)";
                self.db.sql().prepare_cached(sql)?.execute(params![known.id.0, Hash(hash)])?;
            }
        }
        if known.outgoing {
            self.own_copy_arrived(known)?;
        }
        Ok(())
    }

    /// The copy is in our swarm, so nobody needs to store it any more. A note to ourselves is thereby sent.
    fn own_copy_arrived(&mut self, known: &Known) -> Result<(), StoreError> {
        let sql = "DELETE FROM outbox WHERE message = ?1 AND kind IN (1, 2)";
        if self.db.sql().prepare_cached(sql)?.execute([known.id.0])? > 0 {
            self.applied.outbox_changed = true;
        }
        let sql = "SELECT 1 FROM outbox WHERE message = ?1";
        let waits = self.db.sql().prepare_cached(sql)?.exists([known.id.0])?;
        let sql = "SELECT 1 FROM messages WHERE id = ?1 AND state <> ?2";
        let open = self.db.sql().prepare_cached(sql)?.exists(params![known.id.0, MessageState::Sent])?;
        if open && !waits {
            self.db.message_sent(known.id, None, self.now, self.now)?;
            self.changed(known.conversation)?;
        }
        Ok(())
    }

    fn reaction(
        &mut self,
        incoming: &Incoming,
        target: &QuoteKey,
        emoji: &str,
        remove: bool,
    ) -> Result<(), StoreError> {
        let Some(place) = self.place(incoming.conversation)? else { return Ok(()) };
        if emoji.is_empty() || emoji.len() > EMOJI_BYTES {
            return Ok(());
        }
        let target_author = self.db.person(target.author)?;
        if self.known(target_author, target.timestamp)?.is_some_and(|known| known.deleted) {
            return Ok(());
        }
        let author = self.db.person(incoming.sender)?;
        let written = self.db.write_reaction(
            place.row,
            target_author,
            target.timestamp,
            author,
            emoji,
            remove,
            incoming.timestamp,
        )?;
        if written {
            self.applied.changed.insert(incoming.conversation);
        }
        Ok(())
    }

    /// Only the author may unsend, or another device of ours for us (spec 02 §23).
    fn unsend(&mut self, incoming: &Incoming, target: QuoteKey) -> Result<(), StoreError> {
        if incoming.sender != target.author && incoming.sender != self.me.id {
            return Ok(());
        }
        let author = self.db.person(target.author)?;
        let Some(known) = self.known(author, target.timestamp)? else {
            let sql =
                "INSERT OR IGNORE INTO pending_unsends (author, timestamp, expires_at) VALUES (?1, ?2, ?3)";
            let until = Ms(self.now + PENDING_MS);
            self.db.sql().prepare_cached(sql)?.execute(params![author, Ms(target.timestamp), until])?;
            return Ok(());
        };
        if known.deleted || known.control {
            return Ok(());
        }
        self.applied.delete_hashes.extend(self.db.hashes_of(&[known.id])?);
        let touched = if self.db.conversation_of(known.id)? == Some(ConversationId(self.me.id)) {
            self.db.remove_messages(&[known.id])?
        } else {
            self.db.delete_messages(&[known.id])?
        };
        self.new.retain(|id| *id != known.id);
        self.applied.changed.extend(touched);
        self.applied.list_changed = true;
        Ok(())
    }

    /// Whether somebody asked for this message to be deleted before it came; forgets the wish.
    fn take_pending_unsend(&self, author: i64, timestamp: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self
            .db
            .sql()
            .prepare_cached("DELETE FROM pending_unsends WHERE author = ?1 AND timestamp = ?2")?;
        Ok(statement.execute(params![author, Ms(timestamp)])? > 0)
    }

    fn receipt(
        &mut self,
        incoming: &Incoming,
        standing: Standing,
        list: &[Timestamp],
    ) -> Result<(), StoreError> {
        let Some(place) = self.place(incoming.conversation)? else { return Ok(()) };
        if !standing.approved || incoming.sender == self.me.id {
            return Ok(());
        }
        let reader = self.db.person(incoming.sender)?;
        let mut update = self.db.sql().prepare_cached(
            "UPDATE messages SET read_at = min(coalesce(read_at, ?4), ?4)
             WHERE author = ?1 AND timestamp = ?2 AND local = 0 AND conversation = ?3",
        )?;
        let mut keep = self.db.sql().prepare_cached(
            "INSERT INTO pending_receipts (reader, timestamp, read_at, expires_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET read_at = min(read_at, excluded.read_at)",
        )?;
        let mut room = PENDING_RECEIPTS;
        for at in list {
            if update.execute(params![self.me.person, Ms(*at), place.row, Ms(incoming.timestamp)])? > 0 {
                self.applied.changed.insert(incoming.conversation);
            } else if room > 0 {
                room -= 1;
                let until = Ms(self.now + PENDING_MS);
                keep.execute(params![reader, Ms(*at), Ms(incoming.timestamp), until])?;
            }
        }
        Ok(())
    }

    /// Reactions may have come before the message that is deleted as it comes.
    fn drop_reactions(&self, conversation: i64, author: i64, timestamp: Timestamp) -> Result<(), StoreError> {
        let mut statement = self.db.sql().prepare_cached(
            "DELETE FROM reactions WHERE conversation = ?1 AND target_timestamp = ?2 AND target_author = ?3",
        )?;
        statement.execute(params![conversation, Ms(timestamp), author])?;
        Ok(())
    }

    /// A message of ours from another device may have been read by the other before its copy came here.
    fn take_pending_receipt(&self, incoming: &Incoming, id: MessageId) -> Result<(), StoreError> {
        let reader = self.db.person(incoming.conversation.0)?;
        let key = params![reader, Ms(incoming.timestamp)];
        let read_at = self
            .db
            .sql()
            .prepare_cached(
                "DELETE FROM pending_receipts WHERE reader = ?1 AND timestamp = ?2 RETURNING read_at",
            )?
            .query_row(key, |row| optional_time(row, 0))
            .optional()?
            .flatten();
        if let Some(read_at) = read_at {
            let sql = "UPDATE messages SET read_at = ?2 WHERE id = ?1";
            self.db.sql().prepare_cached(sql)?.execute(params![id.0, Ms(read_at)])?;
        }
        Ok(())
    }

    /// Of the lines that tell of a changed timer only the newest of each author stays. False if a newer is here.
    fn newest_expiry_change(
        &self,
        conversation: i64,
        author: i64,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = params![conversation, author, Ms(at)];
        let newer = self
            .db
            .sql()
            .prepare_cached(
                "SELECT 1 FROM messages WHERE conversation = ?1 AND author = ?2 AND timestamp > ?3
                 AND notice IS NOT NULL AND json_extract(notice, '$.kind') = 'expiry_changed'",
            )?
            .exists(key)?;
        if newer {
            return Ok(false);
        }
        self.db
            .sql()
            .prepare_cached(
                "DELETE FROM messages WHERE conversation = ?1 AND author = ?2 AND timestamp < ?3
                 AND notice IS NOT NULL AND json_extract(notice, '$.kind') = 'expiry_changed' AND state <> 0",
            )?
            .execute(key)?;
        Ok(true)
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

    fn changed(&mut self, conversation: i64) -> Result<(), StoreError> {
        let sql = "SELECT p.account FROM conversations c JOIN people p ON p.id = c.person WHERE c.id = ?1";
        let Person(id) = self.db.sql().prepare_cached(sql)?.query_row([conversation], |row| row.get(0))?;
        self.applied.changed.insert(ConversationId(id));
        Ok(())
    }
}

/// What a message says.
struct Body<'a> {
    text: &'a str,
    attachments: &'a [NewAttachment],
    quote: Option<QuoteKey>,
    notice: Option<&'a Notice>,
    expiry: Expiry,
}

impl Body<'_> {
    /// Something the other wrote for us to read.
    fn is_visible(&self) -> bool {
        matches!(
            self.notice,
            None | Some(Notice::CommunityInvitation { .. } | Notice::GroupInvitation { .. })
        )
    }

    fn counts_as_unread(&self) -> bool {
        self.is_visible() || matches!(self.notice, Some(Notice::MissedCall))
    }
}

/// How a new message enters its conversation.
struct Fresh {
    place: Place,
    author: i64,
    own: bool,
    unread: bool,
    unsent: bool,
    expires_at: Option<Timestamp>,
}
