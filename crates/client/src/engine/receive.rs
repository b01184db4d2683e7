//! What a message from the swarm means: from stored bytes to what the store is told.
//!
//! Decision: decoding needs only our keys and runs on all cores, before and outside of the transaction that stores
//! the result. Everything here is silent about what it cannot read: a foreign message that makes no sense leaves no
//! trace but its hash (spec 02 §5).

use std::sync::Arc;
use std::thread::available_parallelism;

use septet_protocol::attachment::{AttachmentPointer, Encryption, name};
use septet_protocol::id::SessionId;
use septet_protocol::message::{
    Call, CallKind, Content, DataExtraction, Expiration, GroupUpdate, MessageRef, Profile, ReactionAction,
    Received, decode_one_to_one,
};
use septet_protocol::swarm::reply::StoredMessage;
use zeroize::Zeroizing;

use super::Engine;
use crate::model::{Expiry, Notice};
use crate::store::{
    Incoming, IncomingKind, NewAttachment, PictureSource, ProfileData, QuoteKey, ReceivedItem, RemoteFile,
};

/// Fewer messages than this are decoded where they are: handing them to other threads costs more.
const WORTH_SHARING: usize = 16;

/// Decodes messages on all cores; the result has one item for each, in the same order.
pub async fn read_all(engine: &Arc<Engine>, messages: Vec<StoredMessage>) -> Vec<ReceivedItem> {
    if messages.len() < WORTH_SHARING {
        return messages.into_iter().map(|message| read(engine, message)).collect();
    }
    let workers = available_parallelism().map_or(1, |count| count.get());
    let share = messages.len().div_ceil(workers);
    let mut messages = messages.into_iter();
    let mut shares = Vec::new();
    loop {
        let share: Vec<StoredMessage> = messages.by_ref().take(share).collect();
        if share.is_empty() {
            break;
        }
        let engine = Arc::clone(engine);
        shares.push(tokio::task::spawn_blocking(move || {
            share.into_iter().map(|message| read(&engine, message)).collect::<Vec<_>>()
        }));
    }
    let mut items = Vec::new();
    for share in shares {
        // A share is lost only if the runtime ends; the messages are fetched again after the next start.
        items.extend(share.await.unwrap_or_default());
    }
    items
}

/// Decodes one message.
fn read(engine: &Engine, message: StoredMessage) -> ReceivedItem {
    let incoming = match decode_one_to_one(&message.data, &engine.keys) {
        Ok(received) => interpret(received, engine.me(), engine.receipts.are_on()),
        Err(error) => {
            tracing::debug!(%error, "a message cannot be read");
            None
        }
    };
    ReceivedItem { hash: message.hash, expiration: message.expiry, incoming }
}

/// What a decoded message is to us; `None` if nothing.
fn interpret(received: Received, me: SessionId, receipts: bool) -> Option<Incoming> {
    let own = received.sender == me;
    let conversation = received.conversation();
    let expiry = expiry(received.expiration);
    let notice = |notice| Some(IncomingKind::Notice { notice, expiry });
    let kind = match received.content {
        Content::Visible(visible) => Some(IncomingKind::Message {
            text: visible.body,
            attachments: visible.attachments.iter().map(attachment).collect(),
            quote: visible.quote.map(key),
            expiry,
        }),
        Content::Reaction(reaction) => Some(IncomingKind::Reaction {
            target: key(reaction.target),
            emoji: reaction.emoji.into_string(),
            remove: reaction.action == ReactionAction::Remove,
        }),
        Content::CommunityInvitation(invitation) => {
            notice(Notice::CommunityInvitation { url: invitation.url, name: invitation.name })
        }
        Content::TimerUpdate => notice(Notice::ExpiryChanged { expiry }),
        Content::GroupUpdate(GroupUpdate::Invite { name, .. } | GroupUpdate::Promote { name, .. }) => {
            notice(Notice::GroupInvitation { name })
        }
        Content::ReadReceipt(timestamps) if receipts => Some(IncomingKind::ReadReceipt { timestamps }),
        Content::DataExtraction(DataExtraction::MediaSaved(_)) => notice(Notice::MediaSaved),
        Content::DataExtraction(DataExtraction::Screenshot) => notice(Notice::Screenshot),
        Content::Unsend(target) => Some(IncomingKind::Unsend { target: key(target), msg_id: None }),
        // We cannot take calls: the offer is what says that somebody tried (spec 02 §25).
        Content::Call(Call { kind: CallKind::Offer, .. }) if !own => notice(Notice::MissedCall),
        Content::RequestResponse(true) if !own => Some(IncomingKind::RequestResponse),
        // Typing is neither shown nor told (spec 02 §20); the rest is for groups, for calls, or unknown.
        _ => None,
    }?;
    let profile = received.profile.map(profile);
    let (sender, timestamp) = (received.sender, received.timestamp);
    Some(Incoming { sender, conversation: conversation.into(), timestamp, msg_id: None, profile, kind })
}

/// A timer as the model has it.
pub fn expiry(expiration: Expiration) -> Expiry {
    match expiration {
        Expiration::Off => Expiry::Off,
        Expiration::AfterRead(seconds) => Expiry::AfterRead(seconds),
        Expiration::AfterSend(seconds) => Expiry::AfterSend(seconds),
    }
}

/// A timer as the protocol has it.
pub fn expiration(expiry: Expiry) -> Expiration {
    match expiry {
        Expiry::Off => Expiration::Off,
        Expiry::AfterRead(seconds) => Expiration::AfterRead(seconds),
        Expiry::AfterSend(seconds) => Expiration::AfterSend(seconds),
    }
}

/// A reference as the store has it.
fn key(reference: MessageRef) -> QuoteKey {
    QuoteKey { author: reference.author, timestamp: reference.timestamp }
}

/// A profile as the store has it.
fn profile(profile: Profile) -> ProfileData {
    ProfileData {
        name: profile.name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        picture: profile.picture.map(|picture| PictureSource {
            url: picture.url.as_str().to_owned(),
            key: Zeroizing::new(picture.key.as_bytes().to_vec()),
        }),
        updated: profile.updated,
    }
}

/// An attachment as the store has it. Official apps leave out one without an address (spec 02 §13); we show that there
/// was one, because a person who sent a picture must not be taken for one who sent nothing.
fn attachment(pointer: &AttachmentPointer) -> NewAttachment {
    NewAttachment {
        name: name::displayed(&pointer.name),
        content_type: pointer.content_type.clone(),
        size: u64::from(pointer.size),
        dimensions: pointer.dimensions,
        voice: pointer.voice,
        remote: remote(pointer),
        file: None,
        original: None,
        pointer: None,
    }
}

/// Where an attachment is and how to open it; `None` if its message lacks the one or the other.
fn remote(pointer: &AttachmentPointer) -> Option<RemoteFile> {
    let (key, digest) = match &pointer.encryption {
        Encryption::Legacy { key, digest } => (key.as_bytes().to_vec(), Some(*digest)),
        Encryption::Deterministic { key } => (key.as_bytes().to_vec(), None),
        Encryption::None | Encryption::Unusable => return None,
    };
    let url = pointer.url.as_ref()?.as_str().to_owned();
    Some(RemoteFile { url, key: Zeroizing::new(key), digest })
}
