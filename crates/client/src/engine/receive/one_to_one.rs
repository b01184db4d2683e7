//! What a one-to-one message is to us (spec 02 §5).

use septet_protocol::attachment::{AttachmentPointer, Encryption, name};
use septet_protocol::crypto::blake2b;
use septet_protocol::id::SessionId;
use septet_protocol::message::{
    Call, CallId, CallKind, Content, DataExtraction, LinkPreview, MessageRef, Profile, RawPointer,
    ReactionAction, Received,
};
use zeroize::Zeroizing;

use super::invitation;
use crate::model::{Expiry, Notice, Settings};
use crate::store::{
    CallKey, Incoming, IncomingKind, NewAttachment, NewPreview, PictureSource, ProfileData, QuoteKey,
    RemoteFile,
};

/// What a decoded message is to us; `None` if nothing.
pub fn interpret(received: Received, me: SessionId, settings: Settings) -> Option<Incoming> {
    let own = received.sender == me;
    let conversation = received.conversation();
    let expiry = Expiry::from(received.expiration);
    let notice = |notice| Some(IncomingKind::Notice { notice, expiry });
    let kind = match received.content {
        Content::Visible(visible) => {
            let mut raw = received.pointers.attachments.into_iter();
            let attachments = visible.attachments.iter();
            Some(IncomingKind::Message {
                text: visible.body,
                attachments: attachments.map(|pointer| attachment(pointer, raw.next().flatten())).collect(),
                quote: visible.quote.map(key),
                preview: visible.preview.map(|it| preview(it, received.pointers.preview)),
                expiry,
            })
        }
        Content::Reaction(reaction) => Some(IncomingKind::Reaction {
            target: key(reaction.target),
            emoji: reaction.emoji,
            remove: reaction.action == ReactionAction::Remove,
        }),
        Content::CommunityInvitation(invitation) => {
            notice(Notice::CommunityInvitation { url: invitation.url, name: invitation.name })
        }
        Content::TimerUpdate => notice(Notice::ExpiryChanged { expiry }),
        Content::GroupUpdate(update) if !own => {
            invitation::checked(update, me, received.timestamp).map(IncomingKind::Invitation)
        }
        Content::ReadReceipt(timestamps) if settings.read_receipts => {
            Some(IncomingKind::ReadReceipt { timestamps })
        }
        Content::DataExtraction(DataExtraction::MediaSaved(_)) => notice(Notice::MediaSaved),
        Content::DataExtraction(DataExtraction::Screenshot) => notice(Notice::Screenshot),
        Content::Unsend(target) => {
            let msg_id = received.target_msg_id.map(|id| id.0);
            Some(IncomingKind::Unsend { target: key(target), msg_id })
        }
        // We cannot take calls: the offer is what says that somebody tried (spec 02 §25).
        Content::Call(Call { kind: CallKind::Offer, id, .. }) if !own => {
            Some(IncomingKind::Call { call: call(&id), expiry })
        }
        Content::Call(Call { kind: CallKind::Answer | CallKind::End, id, .. }) if own => {
            Some(IncomingKind::CallSettled(call(&id)))
        }
        Content::RequestResponse(true) if !own => Some(IncomingKind::RequestResponse),
        Content::Typing(started) if settings.typing_indicators && !own => Some(IncomingKind::Typing(started)),
        // The rest is for groups, for calls, or unknown, or switched off.
        _ => None,
    }?;
    let profile = received.profile.map(profile);
    let (sender, timestamp) = (received.sender, received.timestamp);
    let msg_id = received.msg_id.map(|id| id.0);
    Some(Incoming { sender, conversation: conversation.into(), timestamp, msg_id, profile, kind })
}

/// A reference as the store has it.
fn key(reference: MessageRef) -> QuoteKey {
    QuoteKey { author: reference.author, timestamp: reference.timestamp }
}

/// What names a call, of a fixed length.
fn call(id: &CallId) -> CallKey {
    CallKey(blake2b(&[], &[id.0.as_bytes()]))
}

/// A link as the store has it.
fn preview(preview: LinkPreview, raw: Option<RawPointer>) -> NewPreview {
    let image = preview.image.map(|image| Box::new(attachment(&image, raw)));
    NewPreview { url: preview.url, title: preview.title, image }
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
fn attachment(pointer: &AttachmentPointer, raw: Option<RawPointer>) -> NewAttachment {
    NewAttachment {
        name: name::displayed(&pointer.name),
        content_type: pointer.content_type.clone(),
        size: u64::from(pointer.size),
        dimensions: pointer.dimensions,
        voice: pointer.voice,
        remote: remote(pointer),
        file: None,
        original: None,
        pointer: raw.map(RawPointer::into_bytes),
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
