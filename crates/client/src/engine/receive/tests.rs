//! From stored bytes to what the store is told, as this version and an older one read them.

use septet_protocol::account::Seed;
use septet_protocol::attachment::{AttachmentPointer, Encryption, Key};
use septet_protocol::crypto::{Ed25519Secret, SystemRandom};
use septet_protocol::id::{GroupId, MessageHash};
use septet_protocol::message::newer::UnknownType;
use septet_protocol::message::{
    Call, CallId, CallKind, Content, Expiration, GroupUpdate, LinkPreview, Outgoing, Visible,
    encode_one_to_one,
};
use septet_protocol::time::Timestamp;

use super::*;
use crate::store::{GroupRight, IncomingKind};

/// Some moment.
pub const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

pub fn keys(seed: u8) -> AccountKeys {
    Seed::from_bytes([seed; 16]).keys()
}

/// Everything is switched on.
const ALL: Settings = Settings { read_receipts: true, typing_indicators: true };

/// What this version reads.
pub fn this_version(keys: &AccountKeys) -> Reader<'_> {
    Reader { keys, settings: ALL, decode: decode_one_to_one }
}

/// A version that knows nothing of reactions, and of no message that has a file: it takes them for what only a later
/// version knows.
pub fn older_version(keys: &AccountKeys) -> Reader<'_> {
    Reader { keys, settings: ALL, decode: knowing_less }
}

fn knowing_less(data: &[u8], keys: &AccountKeys) -> Result<Received, DecodeError> {
    let received = decode_one_to_one(data, keys)?;
    let unknown = match &received.content {
        Content::Reaction(_) => true,
        Content::Visible(visible) => !visible.attachments.is_empty(),
        _ => false,
    };
    if !unknown {
        return Ok(received);
    }
    Err(DecodeError::UnknownType(UnknownType {
        sender: received.sender,
        is_own: received.sender == keys.session_id,
        sync_target: received.sync_target,
        timestamp: received.timestamp,
        msg_id: received.msg_id,
        expiration: received.expiration,
    }))
}

/// A message as it lies in the swarm of `to`.
pub fn stored(message: &Outgoing, from: &AccountKeys, to: &AccountKeys) -> StoredMessage {
    let data = encode_one_to_one(message, from, &to.session_id, &mut SystemRandom).unwrap();
    let hash = MessageHash(septet_protocol::crypto::blake2b(&[], &[&data]));
    StoredMessage { hash, timestamp: message.timestamp, expiry: message.timestamp + 1_209_600_000, data }
}

pub fn pointer() -> AttachmentPointer {
    AttachmentPointer {
        url: Some("http://filev2.getsession.org/file/1".parse().unwrap()),
        encryption: Encryption::Deterministic { key: Key::new([7; 32]) },
        content_type: "image/png".into(),
        size: 9,
        name: "x.png".into(),
        dimensions: None,
        voice: false,
    }
}

/// What a content from somebody else says to us.
fn kind(content: Content) -> Option<IncomingKind> {
    read(content, &keys(2)).map(|incoming| incoming.kind)
}

fn read(content: Content, from: &AccountKeys) -> Option<crate::store::Incoming> {
    let me = keys(1);
    let stored = stored(&Outgoing::new(content, NOW), from, &me);
    match this_version(&me).read(stored).meaning {
        Meaning::Said(incoming) => Some(*incoming),
        Meaning::Nothing => None,
        Meaning::Unreadable(_) => panic!("this version knows it"),
    }
}

#[test]
fn a_link_is_kept_with_its_picture() {
    let url = "https://example.org/a";
    let preview = LinkPreview { url: url.into(), title: "A page".into(), image: Some(Box::new(pointer())) };
    let visible = Visible { body: format!("look: {url}"), preview: Some(preview), ..Visible::default() };
    let Some(IncomingKind::Message { preview: Some(preview), .. }) = kind(Content::Visible(visible)) else {
        panic!("no preview");
    };
    assert_eq!((preview.url.as_str(), preview.title.as_str()), (url, "A page"));
    let image = preview.image.unwrap().remote.unwrap();
    let sent = pointer();
    assert_eq!((image.url.as_str(), image.digest), (sent.url.unwrap().as_str(), None));
}

#[test]
fn invitations_are_kept_whole_and_only_if_the_group_signed_them() {
    let group = Ed25519Secret::from_seed([9; 32]);
    let id = GroupId(group.public().0);
    let text = |id, ms: u64| format!("INVITE{id}{ms}");
    let invite = |signed: String| {
        Content::GroupUpdate(GroupUpdate::Invite {
            group: id,
            name: "Choir".into(),
            auth_data: Box::new(Key::new([3; 100])),
            admin_signature: group.sign(signed.as_bytes()),
        })
    };
    let me = keys(1).session_id;
    let Some(IncomingKind::Invitation(kept)) = kind(invite(text(me, NOW.as_ms()))) else {
        panic!("not kept")
    };
    assert_eq!((kept.group, kept.name.as_str()), (id, "Choir"));
    assert!(matches!(kept.right, GroupRight::Member(auth) if auth[..] == [3; 100]));
    for wrong in [text(me, 1), text(keys(2).session_id, NOW.as_ms())] {
        assert!(kind(invite(wrong)).is_none());
    }
    let promote = GroupUpdate::Promote { seed: Key::new([9; 32]), name: "Choir".into() };
    let Some(IncomingKind::Invitation(kept)) = kind(Content::GroupUpdate(promote)) else {
        panic!("not kept")
    };
    assert_eq!(kept.group, id);
    assert!(matches!(kept.right, GroupRight::Admin(seed) if seed[..] == [9; 32]));
    assert!(kind(Content::GroupUpdate(GroupUpdate::MemberLeft)).is_none());
}

#[test]
fn a_call_is_told_by_its_offers_and_settled_only_by_ourselves() {
    let step = |kind| {
        let id = CallId("3c1f6c1e".into());
        Content::Call(Call { id, kind, sdps: vec!["sdp".into()], line_indexes: Vec::new(), mids: Vec::new() })
    };
    let Some(IncomingKind::Call { call, .. }) = kind(step(CallKind::Offer)) else { panic!("no call") };
    for quiet in [CallKind::PreOffer, CallKind::Answer, CallKind::IceCandidates, CallKind::End] {
        assert!(kind(step(quiet)).is_none(), "{quiet:?}");
    }
    for ours in [CallKind::Answer, CallKind::End] {
        let settled = read(step(ours), &keys(1)).map(|incoming| incoming.kind);
        assert!(matches!(settled, Some(IncomingKind::CallSettled(same)) if same == call), "{ours:?}");
    }
}

#[test]
fn what_only_a_later_version_knows_keeps_its_bytes() {
    let me = keys(1);
    let newer =
        StoredMessage { hash: MessageHash([1; 32]), timestamp: NOW, expiry: NOW + 5, data: vec![0, 2, 3] };
    let item = this_version(&me).read(newer.clone());
    assert_eq!((item.hash, item.stored_at, item.expiration), (newer.hash, NOW, NOW + 5));
    let Meaning::Unreadable(kept) = item.meaning else { panic!("dropped") };
    assert!(kept.unknown.is_none() && kept.raw == newer.data);

    let visible = Visible { attachments: vec![pointer()], ..Visible::default() };
    let message = Outgoing::new(Content::Visible(visible), NOW).with_expiration(Expiration::AfterSend(60));
    let bytes = stored(&message, &keys(2), &me);
    let Meaning::Unreadable(kept) = older_version(&me).read(bytes.clone()).meaning else { panic!("read") };
    assert_eq!(kept.unknown.map(|it| (it.sender, it.timestamp)), Some((keys(2).session_id, NOW)));
    assert_eq!(kept.raw, bytes.data);
    let junk = StoredMessage { data: b"junk".to_vec(), ..newer };
    assert!(matches!(this_version(&me).read(junk).meaning, Meaning::Nothing));
}
