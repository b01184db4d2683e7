//! Taking in what a member of a swarm had (spec 03 §10.2).
//!
//! What came of a compartment is stored in one transaction with the mark of where the next request goes on, so that
//! a kill loses nothing: what was not stored is fetched again. What follows from it is told by [`Effects`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use septet_protocol::id::{MessageHash, SessionId};
use septet_protocol::swarm::reply::StoredMessage;
use septet_protocol::time::Timestamp;

use super::page::{Contents, Page, Part, Swarm};
use crate::engine::documents::{Documents, Merge};
use crate::engine::effects::Effects;
use crate::engine::events::Bell;
use crate::engine::receive;
use crate::engine::sources::key::SourceKey;
use crate::event::Event;
use crate::model::{AttachmentState, ConversationId, Message};
use crate::store::{
    AppliedBatch, Cursor, Db, Incoming, IncomingKind, Meaning, Now, ReceivedBatch, ReceivedItem, StoreError,
};

/// What a part of an answer says.
pub struct Items {
    /// Where it was, and the messages if it is such.
    batch: ReceivedBatch,
    /// The versions of a config document if it is one.
    config: Option<Vec<StoredMessage>>,
    /// What the member showed that is not over.
    shown: Vec<MessageHash>,
    /// What of that nobody had shown before.
    new: Vec<MessageHash>,
}

impl Swarm {
    /// Finds out what a part of an answer says; messages that were shown before are left out.
    pub async fn decode(&self, part: Part) -> Result<Items, StoreError> {
        let (account, now, namespace) = (self.owner(), part.now, part.compartment.namespace);
        let mut messages = part.fetched.messages;
        let cursor = |last: &StoredMessage| Cursor { hash: last.hash, expires_at: last.expiry };
        let last_hash = messages.last().map(cursor);
        messages.retain(|message| message.expiry > now);
        let shown: Vec<MessageHash> = messages.iter().map(|message| message.hash).collect();
        let asked = shown.clone();
        let new = self.engine.store.read(move |db| db.unseen(account, &asked)).await?;
        let (node, generation) = (part.node, part.generation);
        let mut batch =
            ReceivedBatch { node, account, namespace, last_hash, generation, items: Vec::new(), now };
        let config = match part.compartment.contents {
            Contents::Messages => {
                let unseen: HashSet<MessageHash> = new.iter().copied().collect();
                messages.retain(|message| unseen.contains(&message.hash));
                batch.items = receive::read_all(&self.engine, messages).await;
                None
            }
            Contents::Config => {
                // Merging the same again is harmless, and needed if a document was lost (spec 05 §8.3). The names are
                // kept only to tell what is new in the swarm.
                batch.items = messages.iter().map(name_only).collect();
                Some(messages)
            }
        };
        Ok(Items { batch, config, shown, new })
    }

    /// Stores it and notes on the page what of it is new. Fails if the store does; then nothing of it is stored.
    pub async fn apply(&self, items: Items, page: &mut Page) -> Result<Effects, StoreError> {
        let Items { batch, config, shown, new } = items;
        let effects = match config {
            Some(messages) => self.apply_config(batch, messages).await?,
            None => {
                let applied = self.apply_messages(batch).await?;
                page.messages += applied.batch.messages.len() as u64;
                following(applied)
            }
        };
        page.shown.extend(shown);
        page.new.extend(new);
        Ok(effects)
    }

    /// Stores messages.
    async fn apply_messages(&self, batch: ReceivedBatch) -> Result<Applied, StoreError> {
        let documents = self.engine.documents.clone();
        let apply = move |db: &mut Db| {
            apply_with(db, &documents, &batch.items, batch.now, |db| db.apply_received(&batch))
        };
        self.engine.store.call(apply).await
    }

    /// Merges what the swarm has of a config, with the mark of how far we are in the same transaction.
    async fn apply_config(
        &self,
        batch: ReceivedBatch,
        messages: Vec<StoredMessage>,
    ) -> Result<Effects, StoreError> {
        let (documents, namespace, now) = (self.engine.documents.clone(), batch.namespace, batch.now);
        let merge = move |db: &mut Db| {
            db.transaction(|db| {
                let merged = match messages.is_empty() {
                    true => Merge::default(),
                    false => documents.merge(db, namespace, &messages, now)?,
                };
                if let Some(newest) = merged.newest {
                    db.claim_config_time(batch.account, namespace, batch.node, newest)?;
                }
                db.apply_received(&batch)?;
                Ok(merged)
            })
        };
        let merged = self.engine.store.call(merge).await?;
        let unreadable = merged.unreadable.then_some(SourceKey::Swarm(self.owner()));
        Ok(Effects { unreadable, ..merging(merged) })
    }
}

/// A stored message of which only the name counts.
fn name_only(message: &StoredMessage) -> ReceivedItem {
    ReceivedItem::new(message, Meaning::Nothing)
}

/// What became of messages that were stored.
pub struct Applied {
    /// What changed in the tables.
    pub batch: AppliedBatch,
    /// Conversations whose row in the list changed.
    rows: BTreeSet<ConversationId>,
    /// What our other devices are to know changed.
    pub configs_changed: bool,
}

/// Which rows of the list messages change: those they are in, and those of people whose names they brought.
fn changed_rows(
    db: &Db,
    applied: &AppliedBatch,
    people: &BTreeMap<SessionId, Timestamp>,
) -> Result<BTreeSet<ConversationId>, StoreError> {
    let mut rows = applied.changed.clone();
    rows.extend(applied.told.iter().filter_map(Event::conversation));
    if applied.list_changed {
        rows.extend(applied.messages.iter().map(|message| message.conversation));
        for id in people.keys().chain(&applied.contacts_changed) {
            rows.extend(db.find_conversation(&(*id).into())?);
        }
    }
    Ok(rows)
}

/// What follows from messages that were stored.
pub fn following(applied: Applied) -> Effects {
    let Applied { batch: applied, rows, configs_changed } = applied;
    let mut effects = Effects {
        typing: applied.typing,
        read: applied.read,
        delete: applied.delete_hashes,
        ..Effects::default()
    };
    let messages = applied.messages.into_iter().map(|message| Event::Message(Box::new(message)));
    effects.events.extend(messages);
    effects.events.extend(applied.requests.into_iter().map(Event::Request));
    effects.events.extend(applied.told);
    effects.events.extend(applied.changed.into_iter().map(Event::Messages));
    effects.events.extend(rows.into_iter().map(Event::Conversation));
    effects.bells.extend([Bell::Downloads, Bell::Expiry]);
    if applied.unreadable {
        effects.events.push(Event::UpdateWanted);
    }
    if applied.outbox_changed {
        effects.bells.insert(Bell::Outbox);
    }
    if configs_changed {
        effects.bells.insert(Bell::Config);
    }
    effects
}

/// What follows from a merge.
fn merging(merged: Merge) -> Effects {
    let mut effects = Effects { read: merged.read, ..Effects::default() };
    if merged.needs_push {
        effects.bells.insert(Bell::Config);
    }
    if merged.changed {
        effects.bells.insert(Bell::Downloads);
        effects.events.extend([Event::Profile, Event::Conversations]);
    }
    effects.events.extend(merged.touched.into_iter().map(Event::Messages));
    effects
}

/// Applies messages, and in the same transaction what follows from them for files and config documents.
pub fn apply_with(
    db: &mut Db,
    documents: &Documents,
    items: &[ReceivedItem],
    now: Timestamp,
    apply: impl FnOnce(&mut Db) -> Result<AppliedBatch, StoreError>,
) -> Result<Applied, StoreError> {
    db.transaction(|db| {
        let people = concerned(items, documents.me());
        let mut batch = apply(db)?;
        want_files(db, &mut batch.messages)?;
        let configs_changed =
            !people.is_empty() && documents.conversations_changed(db, &people, Now::Known(now))?;
        let rows = changed_rows(db, &batch, &people)?;
        Ok(Applied { batch, rows, configs_changed })
    })
}

/// Everybody of whom these messages may tell something new, with the time of their first one, so that all our
/// devices write the same into the configs. What we wrote ourselves on another device, that device tells itself: said
/// here as well, it would compete with what a person set there just after.
fn concerned(items: &[ReceivedItem], me: SessionId) -> BTreeMap<SessionId, Timestamp> {
    let mut people: BTreeMap<SessionId, Timestamp> = BTreeMap::new();
    let incoming = items.iter().filter_map(ReceivedItem::incoming);
    let lasting = |incoming: &&Incoming| !matches!(incoming.kind, IncomingKind::Typing(_));
    for incoming in incoming.filter(|incoming| incoming.sender != me).filter(lasting) {
        let Some(person) = incoming.conversation.account() else { continue };
        let first = people.entry(person).or_insert(incoming.timestamp);
        *first = incoming.timestamp.min(*first);
    }
    people
}

/// Files of those whose files a person lets come, and our own from other devices, are fetched without asking (spec 02
/// §13); others wait for a click.
fn want_files(db: &mut Db, messages: &mut [Message]) -> Result<(), StoreError> {
    let mut trusted: BTreeMap<ConversationId, bool> = BTreeMap::new();
    let picture = |message: &Message| message.preview.as_ref().is_some_and(|preview| preview.image.is_some());
    for message in messages.iter_mut().filter(|it| !it.attachments.is_empty() || picture(it)) {
        let known = trusted.get(&message.conversation).copied();
        let trusted = match known {
            Some(trusted) => trusted,
            None => {
                let fetched = db.is_fetched(message.conversation, false)?;
                *trusted.entry(message.conversation).or_insert(fetched)
            }
        };
        if !trusted && !message.outgoing {
            continue;
        }
        let picture = message.preview.as_mut().and_then(|preview| preview.image.as_mut());
        for attachment in message.attachments.iter_mut().chain(picture) {
            if db.attachment_wanted(attachment.id)? {
                attachment.state = AttachmentState::Downloading { done: 0, total: 0 };
            }
        }
    }
    Ok(())
}
