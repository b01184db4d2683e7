//! Storing what a member of our swarm had (spec 03 §10.2).
//!
//! What came of a compartment is stored in one transaction with the mark of where the next request goes on, so that
//! a kill loses nothing: what was not stored is fetched again. Only then is it told to whoever listens, and the tasks
//! that it gives work to are woken.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use septet_protocol::id::{Account, Ed25519Public, MessageHash, Namespace, SessionId};
use septet_protocol::swarm::Auth;
use septet_protocol::swarm::reply::{RetrieveReply, StoredMessage};
use septet_protocol::swarm::request::Delete;
use septet_protocol::time::Timestamp;

use super::documents::Merge;
use super::{Engine, Reader, receive};
use crate::event::Event;
use crate::model::{AttachmentState, ConversationId, Message};
use crate::store::{AppliedBatch, Cursor, Db, Now, ReceivedBatch, ReceivedItem, StoreError};

/// Where something was asked for.
#[derive(Clone, Copy)]
pub struct Source {
    /// The member that answered.
    pub node: Ed25519Public,
    /// The compartment.
    pub namespace: Namespace,
    /// How often the marks had been reset when it was asked.
    pub generation: i64,
}

/// What a member had in one compartment, of what was asked for.
pub struct Arrived {
    /// All that it listed.
    pub listed: Vec<MessageHash>,
    /// What of that is not over.
    pub shown: Vec<MessageHash>,
    /// What of that nobody had shown before.
    pub new: Vec<MessageHash>,
    /// So many messages are new here.
    pub messages: u64,
}

/// Stores what one compartment of our account had at a member, with the mark of how far we are there. Fails if the
/// store does; then nothing of it is stored.
pub async fn store(
    engine: &Arc<Engine>,
    source: Source,
    fetched: RetrieveReply,
    now: Timestamp,
) -> Result<Arrived, StoreError> {
    let account = Account::from(engine.me());
    let mut messages = fetched.messages;
    let listed: Vec<MessageHash> = messages.iter().map(|message| message.hash).collect();
    let last_hash = messages.last().map(|message| Cursor { hash: message.hash, expires_at: message.expiry });
    messages.retain(|message| message.expiry > now);
    let shown: Vec<MessageHash> = messages.iter().map(|message| message.hash).collect();
    let asked = shown.clone();
    let new = engine.store.read(move |db| db.unseen(account, &asked)).await?;
    let Source { node, namespace, generation } = source;
    let batch = ReceivedBatch { node, account, namespace, last_hash, generation, items: Vec::new(), now };
    let messages = if namespace == Namespace::MESSAGES {
        let unseen: HashSet<MessageHash> = new.iter().copied().collect();
        messages.retain(|message| unseen.contains(&message.hash));
        store_messages(engine, batch, messages).await?
    } else {
        store_config(engine, batch, messages).await?;
        0
    };
    Ok(Arrived { listed, shown, new, messages })
}

/// Reads messages that nobody had shown before, stores them, and tells of them; how many were new to us.
async fn store_messages(
    engine: &Arc<Engine>,
    batch: ReceivedBatch,
    messages: Vec<StoredMessage>,
) -> Result<u64, StoreError> {
    let items = receive::read_all(engine, messages).await;
    let documents = engine.documents.clone();
    let apply = move |db: &mut Db| {
        db.transaction(|db| {
            let people = concerned(&items, documents.me());
            let now = Now::Known(batch.now);
            let mut applied = db.apply_received(&ReceivedBatch { items, ..batch })?;
            want_files(db, &mut applied.messages)?;
            let changed = !people.is_empty() && documents.conversations_changed(db, &people, now)?;
            Ok((applied, changed))
        })
    };
    let (applied, configs_changed) = engine.store.call(apply).await?;
    if configs_changed {
        engine.bells.config.notify_one();
    }
    let count = applied.messages.len() as u64;
    engine.follow_up(applied);
    Ok(count)
}

/// Everybody of whom these messages may tell something new, with the time of their first one, so that all our
/// devices write the same into the configs. What we wrote ourselves on another device, that device tells itself: said
/// here as well, it would compete with what a person set there just after.
fn concerned(items: &[ReceivedItem], me: SessionId) -> BTreeMap<SessionId, Timestamp> {
    let mut people: BTreeMap<SessionId, Timestamp> = BTreeMap::new();
    let incoming = items.iter().filter_map(|item| item.incoming.as_ref());
    for incoming in incoming.filter(|incoming| incoming.sender != me) {
        let Some(person) = incoming.conversation.account() else { continue };
        let first = people.entry(person).or_insert(incoming.timestamp);
        *first = incoming.timestamp.min(*first);
    }
    people
}

/// Files of people we accepted, and our own from other devices, are fetched without asking (spec 02 §13); those of
/// strangers wait for a click.
fn want_files(db: &mut Db, messages: &mut [Message]) -> Result<(), StoreError> {
    let mut trusted: BTreeMap<ConversationId, bool> = BTreeMap::new();
    for message in messages.iter_mut().filter(|message| !message.attachments.is_empty()) {
        let known = trusted.get(&message.conversation).copied();
        let trusted = match known {
            Some(trusted) => trusted,
            None => {
                let approved =
                    db.conversation(message.conversation)?.is_some_and(|it| it.approved && !it.blocked);
                *trusted.entry(message.conversation).or_insert(approved)
            }
        };
        if !trusted && !message.outgoing {
            continue;
        }
        for attachment in &mut message.attachments {
            if db.attachment_wanted(attachment.id)? {
                attachment.state = AttachmentState::Downloading { done: 0, total: 0 };
            }
        }
    }
    Ok(())
}

/// Merges what the swarm has of a config, with the mark of how far we are in the same transaction.
async fn store_config(
    engine: &Arc<Engine>,
    mut batch: ReceivedBatch,
    messages: Vec<StoredMessage>,
) -> Result<(), StoreError> {
    // Merging the same again is harmless, and needed if a document was lost (spec 05 §8.3). The names are kept only
    // to tell what is new in the swarm.
    let seen = |message: &StoredMessage| ReceivedItem {
        hash: message.hash,
        expiration: message.expiry,
        incoming: None,
    };
    batch.items = messages.iter().map(seen).collect();
    let (documents, namespace, now) = (engine.documents.clone(), batch.namespace, batch.now);
    let merged = engine.store.call(move |db| {
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
    });
    let merged = merged.await?;
    if merged.unreadable {
        engine.polls.found_unreadable();
    }
    if merged.needs_push {
        engine.bells.config.notify_one();
    }
    if merged.changed {
        engine.bells.downloads.notify_one();
        engine.events.send(Event::Profile);
        engine.events.send(Event::Conversations);
    }
    for conversation in merged.touched {
        engine.events.send(Event::Messages(conversation));
    }
    engine.became_read(merged.read, Reader::Elsewhere);
    Ok(())
}

impl Engine {
    /// Tells what arrived, and does what the network has to hear of.
    fn follow_up(self: &Arc<Self>, applied: AppliedBatch) {
        for message in applied.messages {
            self.events.send(Event::Message(Box::new(message)));
        }
        for conversation in applied.requests {
            self.events.send(Event::Request(conversation));
        }
        for event in applied.told {
            self.events.send(event);
        }
        for conversation in applied.changed {
            self.events.send(Event::Messages(conversation));
        }
        if applied.list_changed {
            self.events.send(Event::Conversations);
        }
        if applied.outbox_changed {
            self.bells.outbox.notify_one();
        }
        self.bells.downloads.notify_one();
        self.bells.expiry.notify_one();
        self.became_read(applied.read, Reader::Elsewhere);
        self.forget(applied.delete_hashes);
    }

    /// Deletes messages from our own swarm, in the background; they expire there anyway, so failing is no harm
    /// (spec 02 §23).
    pub fn forget(self: &Arc<Self>, hashes: Vec<MessageHash>) {
        if hashes.is_empty() {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let account = Account::from(engine.me());
            let request = Delete { hashes, required: false };
            let build = |_: &Ed25519Public, _| request.rpc(&Auth::user(engine.me(), &engine.keys.ed25519));
            if let Err(error) = engine.network.swarm_request(&account, build).await {
                tracing::debug!(%error, "messages stay in the swarm until they expire");
            }
        });
    }
}
