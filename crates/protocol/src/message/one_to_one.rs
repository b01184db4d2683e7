//! The envelope of one-to-one messages: padded, signed, sealed, wrapped, and back (spec 02 §3, §4, §5).
//!
//! ```text
//! Content ─ pad ─ sign ─ seal ─▶ Envelope ─▶ WebSocketMessage ─ base64 ─▶ "data" of a store request
//! ```
//! The wrappings around the sealed box are what is left of an older protocol; their odd empty fields are written
//! because older decoders insist on them.

use data_encoding::BASE64;

use super::MAX_ATTACHMENTS;
use super::content::{CallKind, Content};
use super::expiration::{Expiration, Place};
use super::msg_id::MsgId;
use super::newer::{self, UnknownType};
use super::outgoing::Outgoing;
use super::profile::Profile;
use super::raw_pointers::RawPointers;
use super::read::{self, ContentError};
use super::sent_time::Witness;
use super::write::is_data_message;
use crate::account::AccountKeys;
use crate::crypto::session::{BadRecipient, DecryptError, Opened};
use crate::crypto::{Ed25519Secret, Random};
use crate::id::{Ed25519Public, SessionId};
use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;
use crate::wire::{Message as _, proto};

/// Padded contents are a multiple of this long.
const PADDING: usize = 160;
/// More bytes than this are not read, whatever a node hands out: no honest one keeps a quarter of it, and two bytes can
/// become an empty attachment of a hundred times that size in memory.
const MAX_RECEIVED_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// Why a message cannot be sent. Nothing was sent, and trying again will not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// No text, no attachment: receivers would drop it.
    #[error("the message is empty")]
    Empty,
    /// More than [`MAX_ATTACHMENTS`].
    #[error("{found} attachments; at most {MAX_ATTACHMENTS} can be sent in one message")]
    TooManyAttachments {
        /// How many there are.
        found: usize,
    },
    /// More than [`MAX_MESSAGE_BYTES`] when all is wrapped.
    #[error("the message takes {size} bytes; at most {MAX_MESSAGE_BYTES} can be sent")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// No account can have the recipient's id.
    #[error(transparent)]
    Recipient(#[from] BadRecipient),
}

/// Why received data is no message for this version.
///
/// [`NewerFormat`](Self::NewerFormat) and [`UnknownType`](Self::UnknownType) are to be kept as they came and tried again
/// after an update (spec 09 §6.1). All others will never become a message: remember the hash, do not try again, and tell
/// nobody (spec 02 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Of a format that only newer versions open. Nothing is known of it, not even whether it is for us: anybody can
    /// store such bytes.
    #[error("in a newer format")]
    NewerFormat,
    /// An authentic message of a kind that only newer versions know.
    #[error("of a newer kind")]
    UnknownType(UnknownType),
    /// Not a wrapped envelope, or larger than any.
    #[error("not an envelope")]
    Envelope,
    /// Not sealed to us, or not signed by its sender.
    #[error(transparent)]
    Sealed(#[from] DecryptError),
    /// The content is not one of ours.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// It does not say when it was sent, or says another time outside the signature than inside.
    #[error("the time outside the signature is not the one inside")]
    Timestamp,
    /// It claims to be a copy of a message of ours, but we did not write it.
    #[error("a copy for another account")]
    ForeignSyncTarget,
    /// We wrote it ourselves, but it is of a kind one does not send to oneself.
    #[error("of a kind one does not send to oneself")]
    NotForOneself,
}

/// A received message, authentic and within its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who wrote it; ourselves, if it comes from another device of ours.
    pub sender: SessionId,
    /// The key it is signed with.
    pub sender_ed25519: Ed25519Public,
    /// Sent timestamp.
    pub timestamp: Timestamp,
    /// Its second name beside the timestamp, if it has one (spec 09 §6.3).
    pub msg_id: Option<MsgId>,
    /// What it says.
    pub content: Content,
    /// When it disappears. Kinds that never do have [`Expiration::Off`].
    pub expiration: Expiration,
    /// The sender's profile; never our own.
    pub profile: Option<Profile>,
    /// In a copy of our own message: the conversation it belongs to.
    pub sync_target: Option<SessionId>,
    /// In a request to delete a message: the second name of that message, if the request tells it. A message with
    /// another one is not meant ([`MsgId::differ`]).
    pub target_msg_id: Option<MsgId>,
    /// Where its files and its preview's picture are, as that came, with what this version does not read in it.
    pub pointers: RawPointers,
}

impl Received {
    /// The conversation it belongs to (spec 02 §5 step 7): the other account; ourselves for Note to Self.
    pub fn conversation(&self) -> SessionId {
        self.sync_target.unwrap_or(self.sender)
    }
}

/// Encrypts a message for an account (for Note to Self and copies: our own) into the bytes that its swarm stores.
///
/// Retries store the same bytes, so this is done once for each message and recipient. Draws the ephemeral key
/// (32 bytes), then the seed of the throw-away signature (32).
pub fn encode_one_to_one(
    message: &Outgoing,
    sender: &AccountKeys,
    to: &SessionId,
    rng: &mut impl Random,
) -> Result<Vec<u8>, EncodeError> {
    if let Content::Visible(visible) = &message.content {
        let found = visible.attachments.len();
        if found > MAX_ATTACHMENTS {
            return Err(EncodeError::TooManyAttachments { found });
        }
        if !visible.has_something_to_show() {
            return Err(EncodeError::Empty);
        }
    }
    let bytes = seal_content(message.to_bytes(), message.timestamp, sender, to, rng)?;
    match bytes.len() {
        size if size > MAX_MESSAGE_BYTES => Err(EncodeError::TooLarge { size }),
        _ => Ok(bytes),
    }
}

/// Pads, signs, seals and wraps a serialized content.
pub(super) fn seal_content(
    content: Vec<u8>,
    timestamp: Timestamp,
    sender: &AccountKeys,
    to: &SessionId,
    rng: &mut impl Random,
) -> Result<Vec<u8>, BadRecipient> {
    let sealed =
        sender.recipients.encrypt_for_recipient(&pad(content), &sender.ed25519, &to.x25519(), rng)?;
    // So that those who pay for Session Pro, and sign with a key of theirs here, do not stand out.
    let throw_away = Ed25519Secret::generate(rng);
    Ok(wrap(&proto::Envelope {
        kind: Some(proto::envelope::Kind::SessionMessage.into()),
        timestamp: Some(timestamp.as_ms()),
        source_device: Some(1),
        pro_sig: Some(throw_away.sign(&sealed).to_vec()),
        content: Some(sealed),
        ..Default::default()
    }))
}

/// Opens what was stored for us, and applies every rule that needs nothing but the message and our keys.
pub fn decode_one_to_one(data: &[u8], me: &AccountKeys) -> Result<Received, DecodeError> {
    if newer::is_newer_format(data) {
        return Err(DecodeError::NewerFormat);
    }
    if data.len() > MAX_RECEIVED_BYTES {
        return Err(DecodeError::Envelope);
    }
    let (timestamp, sealed) = unwrap(data)?;
    let opened = me.senders.decrypt_incoming(&sealed, &me.x25519)?;
    read_opened(opened, timestamp, me.session_id)
}

/// What an opened message says to `me`; `timestamp` is what its envelope tells. All of [`decode_one_to_one`] but the
/// opening.
pub fn read_opened(mut opened: Opened, timestamp: Timestamp, me: SessionId) -> Result<Received, DecodeError> {
    unpad(&mut opened.message);
    let wire = read::fields(&opened.message)?;
    if timestamp.as_ms() == 0 || !Witness::Envelope(timestamp).agrees(wire.sig_timestamp) {
        return Err(DecodeError::Timestamp);
    }
    let is_own = opened.sender == me;
    let named = named_conversation(&wire);
    if named.is_some() && !is_own {
        return Err(DecodeError::ForeignSyncTarget);
    }
    let sync_target = named.and_then(account);
    let msg_id = MsgId::of_content(&opened.message);
    let (sender, kind, seconds) = (opened.sender, wire.expiration_type, wire.expiration_timer);
    if newer::is_unknown_type(&wire, &opened.message) {
        let place = place(sync_target == Some(me));
        let expiration = Expiration::resolve(kind, seconds, place);
        return Err(DecodeError::UnknownType(UnknownType {
            sender,
            is_own,
            sync_target,
            timestamp,
            msg_id,
            expiration,
        }));
    }
    if named.is_some() && sync_target.is_none() {
        // A copy of a message to somebody must not become a note to oneself.
        return Err(DecodeError::ForeignSyncTarget);
    }
    let parsed = read::content(wire)?;
    if parsed.typing_timestamp.is_some_and(|inside| inside != timestamp.as_ms()) {
        return Err(DecodeError::Timestamp);
    }
    if is_own && !may_be_sent_to_oneself(&parsed.content) {
        return Err(DecodeError::NotForOneself);
    }
    let target_msg_id = match parsed.content {
        Content::Unsend(_) => MsgId::of_unsend_target(&opened.message),
        _ => None,
    };
    let pointers = RawPointers::of(&parsed.content, &opened.message);
    let place = place(is_own && sync_target.is_none_or(|account| account == me));
    Ok(Received {
        sender,
        sender_ed25519: opened.sender_ed25519,
        timestamp,
        msg_id,
        expiration: match can_disappear(&parsed.content) {
            true => Expiration::resolve(kind, seconds, place),
            false => Expiration::Off,
        },
        content: parsed.content,
        profile: parsed.profile.filter(|_| !is_own),
        sync_target,
        target_msg_id,
        pointers,
    })
}

/// The conversation that a copy for oneself says to belong to, as written. What is not UTF-8 is no account's id, but it
/// is not absent either.
fn named_conversation(wire: &proto::Content) -> Option<&[u8]> {
    let data = wire.data_message.as_ref()?;
    data.sync_target.as_deref().filter(|target| !target.is_empty())
}

/// An account's id as it is written; `None` if it is none.
fn account(id: &[u8]) -> Option<SessionId> {
    std::str::from_utf8(id).ok()?.parse().ok()
}

fn place(is_note_to_self: bool) -> Place {
    if is_note_to_self { Place::NoteToSelfOrGroup } else { Place::Private }
}

/// Spec 02 §5 step 5.
fn may_be_sent_to_oneself(content: &Content) -> bool {
    match content {
        Content::Visible(_)
        | Content::Reaction(_)
        | Content::CommunityInvitation(_)
        | Content::TimerUpdate
        | Content::GroupUpdate(_)
        | Content::Unsend(_)
        | Content::Unknown => true,
        Content::Call(call) => matches!(call.kind, CallKind::Answer | CallKind::End),
        Content::ReadReceipt(_)
        | Content::Typing(_)
        | Content::DataExtraction(_)
        | Content::RequestResponse(_) => false,
    }
}

/// Spec 02 §18.2.
fn can_disappear(content: &Content) -> bool {
    is_data_message(content) || matches!(content, Content::DataExtraction(_) | Content::Call(_))
}

/// Puts an envelope into its outer wrapping (spec 02 §3.6).
fn wrap(envelope: &proto::Envelope) -> Vec<u8> {
    let request = proto::WebSocketRequest {
        verb: Some(Vec::new()),
        path: Some(Vec::new()),
        body: Some(envelope.encode_to_vec()),
        id: Some(0),
        headers: Vec::new(),
    };
    let kind = Some(proto::web_socket_message::Kind::Request.into());
    proto::WebSocketMessage { kind, request: Some(request) }.encode_to_vec()
}

/// Takes both wrappings off (spec 02 §4.1): envelope timestamp and sealed box.
fn unwrap(data: &[u8]) -> Result<(Timestamp, Vec<u8>), DecodeError> {
    let outer = proto::WebSocketMessage::decode(data).map_err(|_| DecodeError::Envelope)?;
    let body = outer.request.and_then(|request| request.body).ok_or(DecodeError::Envelope)?;
    let envelope = proto::ReceivedEnvelope::decode(body.as_slice()).map_err(|_| DecodeError::Envelope)?;
    match (envelope.kind, envelope.timestamp, envelope.content) {
        (Some(_), Some(timestamp), Some(sealed)) => Ok((Timestamp::from_ms(timestamp), sealed)),
        _ => Err(DecodeError::Envelope),
    }
}

/// Appends 0x80 and zeros up to a multiple of 160, and, as every client does, another 160 where the 0x80 alone would
/// have filled up the last (spec 02 §3.1).
fn pad(mut content: Vec<u8>) -> Vec<u8> {
    content.push(0x80);
    let zeros = PADDING - content.len() % PADDING;
    content.resize(content.len() + zeros, 0);
    content
}

/// Takes the padding off, whatever its length; what is not padded stays as it is (spec 02 §4.3).
fn unpad(message: &mut Vec<u8>) {
    match message.iter().rposition(|byte| *byte != 0) {
        Some(end) if message.get(end) == Some(&0x80) => message.truncate(end),
        Some(_) => {}
        None => message.clear(),
    }
}

/// The text is not the base64 of a stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored data is not base64")]
pub struct DataError;

/// Writes stored bytes as the `data` of a `store` request: standard base64 with padding.
pub fn to_store_data(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Reads the `data` of a `retrieve` reply.
pub fn from_store_data(data: &str) -> Result<Vec<u8>, DataError> {
    BASE64.decode(data.as_bytes()).map_err(|_| DataError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paddings_have_the_lengths_of_every_other_client() {
        for (content, padded) in
            [(0, 160), (1, 160), (158, 160), (159, 320), (160, 320), (318, 320), (319, 480), (320, 480)]
        {
            assert_eq!(pad(vec![7; content]).len(), padded, "{content}");
        }
    }

    #[test]
    fn a_message_of_zeros_is_empty_and_an_unpadded_one_is_whole() {
        for (padded, plain) in [(vec![0; 160], vec![]), (vec![1, 2, 0], vec![1, 2, 0]), (vec![0x80], vec![])]
        {
            let mut message = padded;
            unpad(&mut message);
            assert_eq!(message, plain);
        }
    }

    proptest! {
        #[test]
        fn padding_comes_off_again(content: Vec<u8>) {
            let mut padded = pad(content.clone());
            prop_assert_eq!(padded.len() % PADDING, 0);
            unpad(&mut padded);
            prop_assert_eq!(padded, content);
        }

        #[test]
        fn stored_data_is_base64(bytes: Vec<u8>, text: String) {
            prop_assert_eq!(from_store_data(&to_store_data(&bytes)), Ok(bytes));
            let _ = from_store_data(&text);
        }

        #[test]
        fn nothing_panics_on_foreign_bytes(data: Vec<u8>) {
            prop_assert!(unwrap(&data).is_err());
        }
    }
}
