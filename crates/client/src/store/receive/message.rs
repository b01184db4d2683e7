//! Messages and control lines as they come in, ours from other devices among them.

use rusqlite::{OptionalExtension, params};
use septet_protocol::id::MessageHash;
use septet_protocol::time::Timestamp;

use super::{Known, Place, Receiver, Standing};
use crate::model::{ConversationId, Expiry, MessageId, MessageState, Notice};
use crate::store::arrived::{Incoming, ReceivedItem};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::outgoing::NewRow;
use crate::store::read;
use crate::store::types::{Deletion, NewAttachment, NewPreview, Now, QuoteKey, ReadMessage};
use crate::store::values::{Hash, Ms, time};

/// A message that was stored so much later than it was sent lay somewhere without a network, in ms. Shorter times are
/// those of uploads and slow lines.
const LATE_MS: u64 = 2 * 60 * 1000;
/// So far the clock of a node may be ahead, in ms.
const AHEAD_MS: u64 = 60 * 1000;

/// Whether a later line tells of a changed timer.
pub(in crate::store) const NEWER_EXPIRY_CHANGE: &str = "SELECT 1 FROM messages
     WHERE conversation = ?1 AND notice_kind = 'expiry_changed' AND author = ?2 AND (sorted_at, timestamp) > (?3, ?4)
         AND id > (SELECT cleared_to FROM conversations WHERE id = ?1)";
/// Takes earlier lines away.
pub(in crate::store) const OLDER_EXPIRY_CHANGES: &str = "DELETE FROM messages
     WHERE conversation = ?1 AND notice_kind = 'expiry_changed' AND author = ?2 AND (sorted_at, timestamp) < (?3, ?4)";
/// What of earlier lines may be out already, or is only to reach our other devices, goes on without them.
pub(in crate::store) const LET_GO: &str = "UPDATE outbox SET message = NULL, kind = 3
     WHERE attempted = 1 AND given_up = 0 AND message IN
         (SELECT id FROM messages WHERE conversation = ?1 AND notice_kind = 'expiry_changed' AND author = ?2
              AND (sorted_at, timestamp) < (?3, ?4))";

/// What a message says.
pub(super) struct Body<'a> {
    pub(super) text: &'a str,
    pub(super) attachments: &'a [NewAttachment],
    pub(super) quote: Option<QuoteKey>,
    pub(super) preview: Option<&'a NewPreview>,
    pub(super) notice: Option<&'a Notice>,
    pub(super) expiry: Expiry,
}

impl Body<'_> {
    /// One that says nothing yet.
    pub(super) const fn empty(expiry: Expiry) -> Self {
        Self { text: "", attachments: &[], quote: None, preview: None, notice: None, expiry }
    }

    /// Something the other wrote for us to read.
    fn is_visible(&self) -> bool {
        matches!(self.notice, None | Some(Notice::CommunityInvitation { .. }))
    }

    fn counts_as_unread(&self) -> bool {
        let told = matches!(
            self.notice,
            Some(Notice::MissedCall | Notice::GroupInvitation { .. } | Notice::Unreadable)
        );
        self.is_visible() || told
    }

    /// Only where there is a conversation already (spec 02 §5).
    fn needs_conversation(&self) -> bool {
        matches!(
            self.notice,
            Some(
                Notice::MediaSaved | Notice::Screenshot | Notice::GroupInvitation { .. } | Notice::Unreadable
            )
        )
    }

    /// Nothing to list a hidden conversation again for: a changed timer, or what has its own place elsewhere.
    fn stays_hidden(&self) -> bool {
        matches!(
            self.notice,
            Some(Notice::ExpiryChanged { .. } | Notice::GroupInvitation { .. } | Notice::Unreadable)
        )
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
    at: read::Place,
}

impl Db {
    /// Of the lines that tell of a changed timer only the newest of each author stays; one of ours that was not tried yet
    /// is not sent any more. False if a newer is here.
    pub(in crate::store) fn newest_expiry_change(
        &self,
        conversation: ConversationId,
        author: i64,
        at: read::Place,
    ) -> Result<bool, StoreError> {
        let key = params![conversation.0, author, Ms(at.0), Ms(at.1)];
        if self.sql().prepare_cached(NEWER_EXPIRY_CHANGE)?.exists(key)? {
            return Ok(false);
        }
        self.sql().prepare_cached(LET_GO)?.execute(key)?;
        self.sql().prepare_cached(OLDER_EXPIRY_CHANGES)?.execute(key)?;
        Ok(true)
    }
}

impl Receiver<'_> {
    /// A message or control line. Returns its number if it is new here.
    pub(super) fn message(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
        body: &Body<'_>,
    ) -> Result<Option<MessageId>, StoreError> {
        let own = incoming.sender == self.me.id;
        let place = self.place(&incoming.conversation)?;
        // A stranger's timer alone would be a conversation that nobody sees, and there could be any number of them.
        let needs_conversation = body.needs_conversation()
            || matches!(body.notice, Some(Notice::ExpiryChanged { .. })) && !own && !standing.approved;
        let unwelcome = needs_conversation && place.is_none()
            || matches!(body.notice, Some(Notice::MissedCall)) && !standing.approved;
        let sent = self.sent(item, incoming.timestamp);
        if unwelcome || self.outdated(&incoming.conversation, sent, place)? {
            return Ok(None);
        }
        let author = self.db.person(incoming.sender)?;
        if let Some(place) = place {
            for known in self.known(Some(place.row), author, incoming.timestamp, incoming.msg_id)? {
                if !known.cleared {
                    self.merge(&known, item.hash, incoming.msg_id)?;
                    return Ok(None);
                }
                self.db.remove_messages(&[known.id])?;
            }
        }
        let place = match place {
            Some(place) => place,
            None => Place {
                row: self.db.ensure_conversation(&incoming.conversation)?,
                hidden: false,
                last_read: Timestamp::default(),
            },
        };
        let at = self.place_in_time(item, incoming);
        if matches!(body.notice, Some(Notice::ExpiryChanged { .. }))
            && !self.db.newest_expiry_change(place.row, author, at)?
        {
            return Ok(None);
        }
        let can_be_unsent = body.is_visible() || matches!(body.notice, Some(Notice::Unreadable));
        let key = QuoteKey { author: incoming.sender, timestamp: incoming.timestamp };
        let unsent = can_be_unsent && self.has_pending_unsend(key, incoming.msg_id)?;
        if unsent {
            self.applied.delete_hashes.push(item.hash);
            self.drop_reactions(place.row, author, incoming.timestamp)?;
            if own && self.to_self(incoming) || !body.is_visible() {
                return Ok(None);
            }
        }
        let unread = !own && !unsent && body.counts_as_unread() && at > (place.last_read, place.last_read);
        let expires_at = self.countdown(incoming, body.expiry, own, unread);
        if expires_at.is_some_and(|at| at <= self.now) {
            return Ok(None);
        }
        let id =
            self.insert(item, incoming, body, &Fresh { place, author, own, unread, unsent, expires_at, at })?;
        self.new.push(id);
        self.db.touch_conversation(place.row, at.0, !body.stays_hidden())?;
        if !own && !standing.approved {
            self.strangers = true;
            self.requests.insert(place.row);
        }
        // A changed timer says nothing of what was read: the device that sent it takes nothing as read either.
        let tells = !matches!(body.notice, Some(Notice::Unreadable | Notice::ExpiryChanged { .. }));
        if own && tells {
            self.own_message(incoming, place, at)?;
        } else if !own && body.is_visible() {
            self.visible_from(incoming, standing, place)?;
        }
        Ok(Some(id))
    }

    /// Where a message stands: where it was sent; or, if it claims to be from the future, where it came; or, if another
    /// wrote it long before the swarm got it, where that got it. Those of one moment stand by what they claim.
    ///
    /// Official apps put what comes late where it was written. There it stands above what was read already, and all
    /// devices take it as read without anybody having seen it. Where it was stored, it is the newest of its
    /// conversation, unread, and a read mark that moves over it tells all our devices the same. Our own messages stay
    /// where they were written, as the device has them that wrote them.
    ///
    /// Nothing proves when something was stored. A node that names a time that is not yet is not believed; with another
    /// one it moves what it is the first to show, and takes nothing away.
    pub(super) fn place_in_time(&self, item: &ReceivedItem, incoming: &Incoming) -> read::Place {
        let told = item.stored_at <= self.came + AHEAD_MS;
        let late =
            told && incoming.sender != self.me.id && item.stored_at.since(incoming.timestamp) > LATE_MS;
        let place = if late { item.stored_at } else { incoming.timestamp };
        (place.min(self.came), incoming.timestamp)
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
            msg_id: incoming.msg_id,
            sorted_at: fresh.at.0,
            local: false,
            outgoing: fresh.own,
            state: if fresh.own { MessageState::Sent } else { MessageState::Received },
            hash: Some(item.hash).filter(|_| keep),
            text: if keep { body.text } else { "" },
            notice: body.notice.filter(|_| keep),
            quote: body.quote.filter(|_| keep),
            counts: fresh.unread,
            mention: fresh.unread && (quoted_us || Db::mentions_us(body.text, self.me.id)),
            deletion: if fresh.unsent { Deletion::ByAuthor } else { Deletion::No },
            expiry: body.expiry,
            expires_at: fresh.expires_at,
            now: Now::Known(self.now),
        })?;
        if keep {
            self.db.insert_attachments(id, body.attachments)?;
            if let Some(preview) = body.preview {
                self.db.insert_preview(id, preview)?;
            }
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
                hash: Some(item.hash),
                expires_at: fresh.expires_at,
            });
        }
        Ok(id)
    }

    /// When a message disappears, if its countdown runs from the start (spec 02 §18.3).
    ///
    /// When the swarm's copy ends is told by one node, which may say what it likes: it makes nothing end early. What was
    /// read elsewhere begins now, until the members agree on an earlier end (§18.4).
    fn countdown(&self, incoming: &Incoming, expiry: Expiry, own: bool, unread: bool) -> Option<Timestamp> {
        let seconds = match expiry {
            Expiry::Off => return None,
            Expiry::AfterRead(_) if !own && unread => return None,
            Expiry::AfterRead(seconds) if !own => return Some(self.now + u64::from(seconds) * 1000),
            Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => seconds,
        };
        Some(incoming.timestamp.min(self.now) + u64::from(seconds) * 1000)
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
            self.applied.requests.push(place.row);
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
        if standing.approved
            && let Some(conversation) = self.db.find_conversation(&incoming.conversation)?
        {
            let author = self.db.person(incoming.sender)?;
            let id = self.db.insert_line(
                conversation,
                author,
                false,
                at,
                &Notice::TheyAccepted,
                Now::Known(self.now),
            )?;
            self.new.push(id);
        }
        Ok(())
    }

    /// A message request response (spec 02 §21.2).
    ///
    /// From whom we have not accepted it answers nothing that we sent, and leaves nothing.
    pub(super) fn accepted(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        if incoming.sender == self.me.id || !standing.approved {
            return Ok(false);
        }
        let place = self.place(&incoming.conversation)?;
        if self.outdated(&incoming.conversation, self.sent(item, incoming.timestamp), place)? {
            return Ok(false);
        }
        let row = self.db.ensure_conversation(&incoming.conversation)?;
        self.db.touch_conversation(row, Timestamp::default(), true)?;
        self.applied.list_changed = true;
        self.note_acceptance(incoming, standing, incoming.timestamp)?;
        Ok(true)
    }

    /// Written on another device of ours: that accepts the other, and reads what came before (spec 02 §9). A mark
    /// "unread" is left to the read states that devices share, or devices would not agree on which came first.
    fn own_message(&mut self, incoming: &Incoming, place: Place, at: read::Place) -> Result<(), StoreError> {
        if let Some(other) = incoming.conversation.account().filter(|id| *id != self.me.id)
            && self.db.set_approved(other, true)?
        {
            self.applied.contacts_changed.insert(other);
        }
        let outcome = self.db.move_mark(place.row, at, Now::Known(self.now))?;
        if outcome.any {
            self.applied.changed.insert(place.row);
            self.applied.read.extend(outcome.read);
        }
        self.db.raise_clock(incoming.timestamp.min(self.now))
    }

    /// A message that is here already comes again under another hash: our own copy, or stored twice (spec 02 §28).
    /// The number that one of the two lacks is taken over, so that a third one is told from both in any order.
    pub(super) fn merge(
        &mut self,
        known: &Known,
        hash: MessageHash,
        msg_id: Option<i64>,
    ) -> Result<(), StoreError> {
        if msg_id.is_some() {
            let sql = "UPDATE messages SET msg_id = ?2 WHERE id = ?1 AND msg_id IS NULL";
            self.db.sql().prepare_cached(sql)?.execute(params![known.id.0, msg_id])?;
        }
        if known.deletion == Deletion::ByAuthor {
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
        if self.db.outbox_came_back(known.id)? {
            self.applied.outbox_changed = true;
        }
        let sql = "SELECT 1 FROM outbox WHERE message = ?1";
        let waits = self.db.sql().prepare_cached(sql)?.exists([known.id.0])?;
        let sql = "SELECT timestamp FROM messages WHERE id = ?1 AND state <> ?2";
        let open = self
            .db
            .sql()
            .prepare_cached(sql)?
            .query_row(params![known.id.0, MessageState::Sent], |row| time(row, 0));
        if let Some(sent) = open.optional()?.filter(|_| !waits) {
            // When it was stored was not heard; our other devices count from when it was sent as well (§18.3).
            self.db.message_sent(known.id, None, sent, Now::Known(self.now))?;
            self.applied.changed.insert(known.conversation);
        }
        Ok(())
    }
}
