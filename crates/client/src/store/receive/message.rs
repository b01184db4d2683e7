//! Messages and control lines as they come in, ours from other devices among them.

use rusqlite::params;
use septet_protocol::id::MessageHash;
use septet_protocol::time::Timestamp;

use super::{Known, Place, Receiver, Standing};
use crate::model::{ConversationId, Expiry, MessageId, MessageState, Notice};
use crate::store::db::Db;
use crate::store::error::StoreError;
use crate::store::outgoing::NewRow;
use crate::store::read;
use crate::store::types::{Incoming, NewAttachment, Now, QuoteKey, ReadMessage, ReceivedItem};
use crate::store::values::{Hash, Ms};

/// Whether a later line tells of a changed timer.
pub(in crate::store) const NEWER_EXPIRY_CHANGE: &str = "SELECT 1 FROM messages
     WHERE conversation = ?1 AND notice_kind = 'expiry_changed' AND author = ?2 AND (sorted_at, timestamp) > (?3, ?4)
         AND id > (SELECT cleared_to FROM conversations WHERE id = ?1)";
/// Takes earlier lines away.
pub(in crate::store) const OLDER_EXPIRY_CHANGES: &str = "DELETE FROM messages
     WHERE conversation = ?1 AND notice_kind = 'expiry_changed' AND author = ?2 AND (sorted_at, timestamp) < (?3, ?4)
         AND state <> 0";

/// What a message says.
pub(super) struct Body<'a> {
    pub(super) text: &'a str,
    pub(super) attachments: &'a [NewAttachment],
    pub(super) quote: Option<QuoteKey>,
    pub(super) notice: Option<&'a Notice>,
    pub(super) expiry: Expiry,
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

impl Db {
    /// Of the lines that tell of a changed timer only the newest of each author stays. False if a newer is here.
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
        self.sql().prepare_cached(OLDER_EXPIRY_CHANGES)?.execute(key)?;
        Ok(true)
    }
}

impl Receiver<'_> {
    /// A message or control line.
    pub(super) fn message(
        &mut self,
        item: &ReceivedItem,
        incoming: &Incoming,
        standing: Standing,
        body: &Body<'_>,
    ) -> Result<(), StoreError> {
        let own = incoming.sender == self.me.id;
        let place = self.place(&incoming.conversation)?;
        let unwelcome = match body.notice {
            Some(Notice::MediaSaved | Notice::Screenshot) => place.is_none(),
            Some(Notice::MissedCall) => !standing.approved,
            _ => false,
        };
        if unwelcome || self.outdated(incoming, place)? {
            return Ok(());
        }
        let author = self.db.person(incoming.sender)?;
        if let Some(place) = place {
            for known in self.known(Some(place.row), author, incoming.timestamp, incoming.msg_id)? {
                if !known.cleared {
                    return self.merge(&known, item.hash);
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
        if matches!(body.notice, Some(Notice::ExpiryChanged { .. }))
            && !self.db.newest_expiry_change(place.row, author, self.place_in_time(incoming))?
        {
            return Ok(());
        }
        let unsent = body.is_visible() && self.take_pending_unsend(author, incoming)?;
        if unsent {
            self.applied.delete_hashes.push(item.hash);
            self.drop_reactions(place.row, author, incoming.timestamp)?;
            if own && self.to_self(incoming) {
                return Ok(());
            }
        }
        let unread = !own
            && !unsent
            && body.counts_as_unread()
            && self.place_in_time(incoming) > (place.last_read, place.last_read);
        let expires_at = self.countdown(incoming, body.expiry, own, unread);
        if expires_at.is_some_and(|at| at <= self.now) {
            return Ok(());
        }
        let id =
            self.insert(item, incoming, body, &Fresh { place, author, own, unread, unsent, expires_at })?;
        self.new.push(id);
        // That a timer was changed is nothing to come back for.
        let unhide = !matches!(body.notice, Some(Notice::ExpiryChanged { .. }));
        self.db.touch_conversation(place.row, self.place_in_time(incoming).0, unhide)?;
        if own {
            self.own_message(incoming, place)
        } else if body.is_visible() {
            self.visible_from(incoming, standing, place)
        } else {
            Ok(())
        }
    }

    /// Where a message stands: where it was sent, or here and now if it claims to be from the future. Those of one
    /// moment stand by what they claim.
    fn place_in_time(&self, incoming: &Incoming) -> read::Place {
        (incoming.timestamp.min(self.now), incoming.timestamp)
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
            sorted_at: self.place_in_time(incoming).0,
            local: false,
            outgoing: fresh.own,
            state: if fresh.own { MessageState::Sent } else { MessageState::Received },
            hash: Some(item.hash).filter(|_| keep),
            text: if keep { body.text } else { "" },
            notice: body.notice.filter(|_| keep),
            quote: body.quote.filter(|_| keep),
            counts: fresh.unread,
            mention: fresh.unread && (quoted_us || Db::mentions_us(body.text, self.me.id)),
            deleted: fresh.unsent,
            expiry: body.expiry,
            expires_at: fresh.expires_at,
            now: Now::Known(self.now),
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
    pub(super) fn accepted(&mut self, incoming: &Incoming, standing: Standing) -> Result<(), StoreError> {
        if incoming.sender == self.me.id {
            return Ok(());
        }
        let place = self.place(&incoming.conversation)?;
        if self.outdated(incoming, place)? {
            return Ok(());
        }
        if standing.approved {
            let row = self.db.ensure_conversation(&incoming.conversation)?;
            self.db.touch_conversation(row, Timestamp::default(), true)?;
            self.applied.list_changed = true;
        }
        self.note_acceptance(incoming, standing, incoming.timestamp)
    }

    /// Written on another device of ours: that accepts the other, and reads what came before (spec 02 §9). A mark
    /// "unread" is left to the read states that devices share, or devices would not agree on which came first.
    fn own_message(&mut self, incoming: &Incoming, place: Place) -> Result<(), StoreError> {
        if let Some(other) = incoming.conversation.account().filter(|id| *id != self.me.id)
            && self.db.set_approved(other, true)?
        {
            self.applied.contacts_changed.insert(other);
        }
        let outcome = self.db.move_mark(place.row, self.place_in_time(incoming), Now::Known(self.now))?;
        if outcome.any {
            self.applied.changed.insert(place.row);
            self.applied.read.extend(outcome.read);
        }
        self.db.raise_clock(incoming.timestamp.min(self.now))
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
            self.db.message_sent(known.id, None, self.now, Now::Known(self.now))?;
            self.applied.changed.insert(known.conversation);
        }
        Ok(())
    }
}
