//! Whole messages: every rule for sending and receiving holds.

use super::one_to_one::seal_content;
use super::*;
use crate::account::{AccountKeys, DisplayName, Seed};
use crate::attachment::{Encryption, Key};
use crate::crypto::SystemRandom;
use crate::id::GroupId;
use crate::swarm::MAX_MESSAGE_BYTES;
use crate::time::Timestamp;
use crate::wire::{Message as _, proto};

pub(super) const TIME: u64 = 1_767_225_600_123;

pub(super) fn alice() -> AccountKeys {
    Seed::from_bytes([1; 16]).keys()
}

pub(super) fn bob() -> AccountKeys {
    Seed::from_bytes([2; 16]).keys()
}

/// What `me` makes of a content that `sender` wrote.
fn receive(
    content: &proto::Content,
    sender: &AccountKeys,
    me: &AccountKeys,
) -> Result<Received, DecodeError> {
    receive_bytes(content.encode_to_vec(), sender, me)
}

/// What `me` makes of a serialized content that `sender` wrote.
pub(super) fn receive_bytes(
    content: Vec<u8>,
    sender: &AccountKeys,
    me: &AccountKeys,
) -> Result<Received, DecodeError> {
    let time = Timestamp::from_ms(TIME);
    let stored = seal_content(content, time, sender, &me.session_id, &mut SystemRandom).unwrap();
    decode_one_to_one(&stored, me)
}

pub(super) fn data(data_message: proto::DataMessage) -> proto::Content {
    proto::Content { data_message: Some(data_message), sig_timestamp: Some(TIME), ..Default::default() }
}

pub(super) fn text(body: &str) -> proto::DataMessage {
    proto::DataMessage { body: Some(body.into()), ..Default::default() }
}

pub(super) fn from_alice(content: &proto::Content) -> Result<Received, DecodeError> {
    receive(content, &alice(), &bob())
}

pub(super) fn to_oneself(content: &proto::Content) -> Result<Received, DecodeError> {
    receive(content, &alice(), &alice())
}

fn field(name: &'static str) -> Result<Received, DecodeError> {
    Err(DecodeError::Content(ContentError::Field(name)))
}

#[test]
fn a_message_with_nothing_to_show_is_neither_sent_nor_accepted() {
    let nothing = Err(DecodeError::Content(ContentError::NothingToShow));
    assert_eq!(from_alice(&data(text(" \n\u{200b}"))), nothing);
    assert_eq!(from_alice(&data(proto::DataMessage::default())), nothing);
    let quote = proto::Quote { id: Some(1), author: Some(bob().session_id.to_string().into()) };
    assert_eq!(from_alice(&data(proto::DataMessage { quote: Some(quote), ..Default::default() })), nothing);
    let message = Outgoing::new(Content::Visible(Visible::default()), Timestamp::from_ms(TIME));
    let sent = encode_one_to_one(&message, &alice(), &bob().session_id, &mut SystemRandom);
    assert_eq!(sent, Err(EncodeError::Empty));
}

#[test]
fn a_33rd_attachment_spoils_the_message() {
    let pointer = proto::AttachmentPointer { deprecated_id: Some(9), ..Default::default() };
    let with = |count| proto::DataMessage { attachments: vec![pointer.clone(); count], ..Default::default() };
    assert!(from_alice(&data(with(32))).is_ok());
    let refused = ContentError::TooManyAttachments { found: 33 };
    assert_eq!(from_alice(&data(with(33))), Err(DecodeError::Content(refused)));
    let Ok(Received { content: Content::Visible(mut visible), .. }) = from_alice(&data(with(32))) else {
        panic!()
    };
    visible.attachments.push(visible.attachments[0].clone());
    let message = Outgoing::new(Content::Visible(visible), Timestamp::from_ms(TIME));
    let sent = encode_one_to_one(&message, &alice(), &bob().session_id, &mut SystemRandom);
    assert_eq!(sent, Err(EncodeError::TooManyAttachments { found: 33 }));
}

#[test]
fn a_message_too_large_to_be_stored_is_refused_with_its_size() {
    let send = |length: usize| {
        let content = Content::Visible(Visible { body: "x".repeat(length), ..Default::default() });
        let message = Outgoing::new(content, Timestamp::from_ms(TIME));
        encode_one_to_one(&message, &alice(), &bob().session_id, &mut SystemRandom)
    };
    assert!(send(76_000).unwrap().len() <= MAX_MESSAGE_BYTES);
    assert!(matches!(send(77_000), Err(EncodeError::TooLarge { size }) if size > 77_000));
}

#[test]
fn long_texts_are_cut_and_never_dropped() {
    let received = from_alice(&data(text(&"é".repeat(10_500)))).unwrap();
    let Content::Visible(visible) = received.content else { panic!() };
    assert_eq!(visible.body, "é".repeat(10_000));
}

#[test]
fn required_fields_are_required() {
    let quote = proto::Quote { id: None, author: Some(bob().session_id.to_string().into()) };
    let message = proto::DataMessage { quote: Some(quote), ..text("hi") };
    assert_eq!(from_alice(&data(message)), field("quote.id"));
    let attachments = vec![proto::AttachmentPointer { url: Some("http://x".into()), ..Default::default() }];
    let message = proto::DataMessage { attachments, ..text("hi") };
    assert_eq!(from_alice(&data(message)), field("attachment.id"));
    let reaction = proto::Reaction { id: Some(1), author: Some("05".into()), ..Default::default() };
    let message = proto::DataMessage { reaction: Some(reaction), ..Default::default() };
    assert_eq!(from_alice(&data(message)), field("reaction"));
    let call = proto::CallMessage { kind: Some(99), uuid: Some("x".into()), ..Default::default() };
    let content = proto::Content { call_message: Some(call), ..Default::default() };
    assert_eq!(from_alice(&content), field("call.type"));
}

#[test]
fn an_unusable_quote_does_not_lose_the_text() {
    let quote = proto::Quote { id: Some(1), author: Some("somebody".into()) };
    let received = from_alice(&data(proto::DataMessage { quote: Some(quote), ..text("hi") })).unwrap();
    let expected = Visible { body: "hi".into(), ..Default::default() };
    assert_eq!(received.content, Content::Visible(expected));
}

#[test]
fn ids_inside_are_read_in_any_case() {
    let author = bob().session_id.to_string().to_uppercase();
    let unsend = proto::UnsendRequest { timestamp: Some(7), author: Some(author.into()) };
    let content = proto::Content { unsend_request: Some(unsend), ..Default::default() };
    let target = MessageRef { author: bob().session_id, timestamp: Timestamp::from_ms(7) };
    assert_eq!(from_alice(&content).unwrap().content, Content::Unsend(target));
}

#[test]
fn of_several_actions_the_first_of_the_documented_order_counts() {
    let mut content = proto::Content {
        message_request_response: Some(proto::MessageRequestResponse {
            is_approved: Some(true),
            ..Default::default()
        }),
        typing_message: Some(proto::TypingMessage { timestamp: Some(TIME), action: Some(0) }),
        ..Default::default()
    };
    assert_eq!(from_alice(&content).unwrap().content, Content::Typing(true));
    content.data_message = Some(text("hi"));
    assert!(matches!(from_alice(&content).unwrap().content, Content::Visible(_)));
    assert_eq!(from_alice(&proto::Content::default()).unwrap().content, Content::Unknown);
}

#[test]
fn flags_decide_between_timer_update_and_refusal() {
    let with = |flags| data(proto::DataMessage { flags: Some(flags), ..text("hi") });
    assert_eq!(from_alice(&with(2)).unwrap().content, Content::TimerUpdate);
    assert!(matches!(from_alice(&with(0)).unwrap().content, Content::Visible(_)));
    assert_eq!(from_alice(&with(1)), Err(DecodeError::Content(ContentError::UnknownFlags(1))));
}

#[test]
fn a_preview_belongs_to_a_link_in_the_text() {
    let preview = |url: &str, title: &str| proto::Preview {
        url: Some(url.into()),
        title: Some(title.into()),
        image: None,
    };
    let preview_of = |previews| {
        let message = proto::DataMessage { preview: previews, ..text("see https://a.example/x") };
        match from_alice(&data(message)).unwrap().content {
            Content::Visible(visible) => visible.preview.map(|preview| preview.title),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(preview_of(vec![preview("https://b.example", "B")]), None);
    assert_eq!(preview_of(vec![preview("https://a.example/x", "")]), None);
    let second = vec![preview("https://b.example", "B"), preview("https://a.example/x", "A")];
    assert_eq!(preview_of(second).as_deref(), Some("A"));
    let long = preview_of(vec![preview("https://a.example/x", &"é".repeat(2_000))]).unwrap();
    assert_eq!(long, "é".repeat(LinkPreview::MAX_TITLE_CHARS));
}

#[test]
fn a_preview_is_kept_whole() {
    let image = proto::AttachmentPointer {
        deprecated_id: Some(0),
        url: Some("http://filev2.getsession.org/file/1#d".into()),
        key: Some(vec![7; 32]),
        size: Some(9),
        ..Default::default()
    };
    let preview = proto::Preview { url: Some("https://a.example".into()), title: None, image: Some(image) };
    let message = proto::DataMessage { preview: vec![preview], ..text("https://a.example") };
    let Content::Visible(visible) = from_alice(&data(message)).unwrap().content else { panic!() };
    let preview = visible.preview.unwrap();
    let image = preview.image.unwrap();
    assert_eq!((preview.url.as_str(), preview.title.as_str(), image.size), ("https://a.example", "", 9));
    assert_eq!(image.encryption, Encryption::Deterministic { key: Key::new([7; 32]) });
}

#[test]
fn an_invitation_and_a_promotion_are_kept_whole() {
    let update = |update: proto::GroupUpdateMessage| {
        let profile = proto::Profile { display_name: Some("Alice".into()), ..Default::default() };
        let (update, profile) = (Some(update), Some(profile));
        let message = proto::DataMessage { group_update_message: update, profile, ..Default::default() };
        let received = from_alice(&data(message)).unwrap();
        assert_eq!(received.profile.unwrap().name, Some(DisplayName::truncated("Alice").unwrap()));
        received.content
    };
    let group = GroupId([7; 32]);
    let invite = proto::GroupUpdateInviteMessage {
        group_session_id: Some(group.to_string().into()),
        name: Some("é".repeat(60).into()),
        member_auth_data: Some(vec![1; 100]),
        admin_signature: Some(vec![2; 64]),
    };
    let promote = proto::GroupUpdatePromoteMessage {
        group_identity_seed: Some(vec![3; 32]),
        name: Some("Friends".into()),
    };
    let invited = GroupUpdate::Invite {
        group,
        name: "é".repeat(50),
        auth_data: Box::new(Key::new([1; 100])),
        admin_signature: [2; 64],
    };
    let promoted = GroupUpdate::Promote { seed: Key::new([3; 32]), name: "Friends".into() };
    let whole = proto::GroupUpdateMessage { invite_message: Some(invite), ..Default::default() };
    assert_eq!(update(whole), Content::GroupUpdate(invited));
    let whole = proto::GroupUpdateMessage { promote_message: Some(promote), ..Default::default() };
    assert_eq!(update(whole), Content::GroupUpdate(promoted));
}

#[test]
fn what_is_no_emoji_is_no_reaction() {
    let react = |emoji: &str| {
        let reaction = proto::Reaction {
            id: Some(7),
            author: Some(bob().session_id.to_string().into()),
            emoji: Some(emoji.into()),
            action: Some(0),
        };
        from_alice(&data(proto::DataMessage { reaction: Some(reaction), ..Default::default() }))
    };
    assert!(matches!(react("👍🏿").unwrap().content, Content::Reaction(it) if it.emoji.as_str() == "👍🏿"));
    for emoji in ["", "ok", "👍👍", &"x".repeat(10_000)] {
        assert_eq!(react(emoji), Err(DecodeError::Content(ContentError::NothingToShow)), "{emoji}");
    }
}

#[test]
fn an_invitation_needs_address_and_name() {
    let invite = |url: &str, name: &str| {
        let invitation = proto::CommunityInvitation { url: Some(url.into()), name: Some(name.into()) };
        from_alice(&data(proto::DataMessage { community_invitation: Some(invitation), ..Default::default() }))
    };
    let invitation = CommunityInvitation { url: "https://x".into(), name: "X".into() };
    assert_eq!(invite("https://x", "X").unwrap().content, Content::CommunityInvitation(invitation));
    assert_eq!(invite("", "X"), Err(DecodeError::Content(ContentError::NothingToShow)));
}

#[test]
fn times_inside_and_outside_have_to_agree() {
    let with = |sig_timestamp| from_alice(&proto::Content { sig_timestamp, ..data(text("hi")) });
    assert!(with(Some(TIME)).is_ok() && with(Some(0)).is_ok() && with(None).is_ok());
    assert_eq!(with(Some(TIME + 1)), Err(DecodeError::Timestamp));
    let typing = proto::TypingMessage { timestamp: Some(TIME - 1), action: Some(0) };
    let content = proto::Content { typing_message: Some(typing), ..Default::default() };
    assert_eq!(from_alice(&content), Err(DecodeError::Timestamp));
}

#[test]
fn copies_of_our_own_messages_name_their_conversation() {
    let with = |target: &str| data(proto::DataMessage { sync_target: Some(target.into()), ..text("hi") });
    let copy = to_oneself(&with(&bob().session_id.to_string().to_uppercase())).unwrap();
    assert_eq!((copy.sync_target, copy.conversation()), (Some(bob().session_id), bob().session_id));
    let note = to_oneself(&with("")).unwrap();
    assert_eq!((note.sync_target, note.conversation()), (None, alice().session_id));
    assert_eq!(to_oneself(&with("03")), Err(DecodeError::ForeignSyncTarget));
    let to_bob = bob().session_id.to_string();
    assert_eq!(from_alice(&with(&to_bob)), Err(DecodeError::ForeignSyncTarget));
}

#[test]
fn only_some_kinds_may_be_sent_to_oneself() {
    let time = Timestamp::from_ms(TIME);
    let target = MessageRef { author: alice().session_id, timestamp: time };
    let call = |kind| {
        let id = CallId("x".into());
        Content::Call(Call { id, kind, sdps: vec![], line_indexes: vec![], mids: vec![] })
    };
    for (content, allowed) in [
        (Content::TimerUpdate, true),
        (Content::Unsend(target), true),
        (call(CallKind::Answer), true),
        (call(CallKind::End), true),
        (call(CallKind::Offer), false),
        (Content::Typing(true), false),
        (Content::ReadReceipt(vec![time]), false),
        (Content::DataExtraction(DataExtraction::MediaSaved(Some(time))), false),
        (Content::RequestResponse(true), false),
    ] {
        let message = Outgoing::new(content, time);
        let me = alice();
        let stored = encode_one_to_one(&message, &me, &me.session_id, &mut SystemRandom).unwrap();
        match decode_one_to_one(&stored, &me) {
            Ok(received) => assert!(allowed && received.content == message.content, "{message:?}"),
            Err(error) => assert!(!allowed && error == DecodeError::NotForOneself, "{message:?}"),
        }
    }
}

#[test]
fn timers_in_note_to_self_count_from_sending() {
    let content = proto::Content { expiration_type: Some(1), expiration_timer: Some(60), ..data(text("hi")) };
    assert_eq!(to_oneself(&content).unwrap().expiration, Expiration::AfterSend(60));
    assert_eq!(from_alice(&content).unwrap().expiration, Expiration::AfterRead(60));
    let to_bob = proto::DataMessage { sync_target: Some(bob().session_id.to_string().into()), ..text("hi") };
    let copy = proto::Content { data_message: Some(to_bob), ..content };
    assert_eq!(to_oneself(&copy).unwrap().expiration, Expiration::AfterRead(60));
}

#[test]
fn a_picture_needs_address_and_key_and_a_name_is_cut() {
    let url = "http://filev2.getsession.org/file/1";
    let with = |url: &str, key: Option<Vec<u8>>| {
        let profile = proto::Profile {
            display_name: Some("é".repeat(80).into()),
            profile_picture: Some(url.into()),
            last_profile_update_seconds: Some(5),
        };
        let message = proto::DataMessage { profile: Some(profile), profile_key: key, ..text("hi") };
        from_alice(&data(message)).unwrap().profile.unwrap()
    };
    let profile = with(url, Some(vec![7; 32]));
    assert_eq!(profile.name.unwrap().as_str().len(), 100);
    assert_eq!(
        profile.picture.unwrap(),
        ProfilePicture { url: url.parse().unwrap(), key: Key::new([7; 32]) }
    );
    for (url, key) in
        [(url, None), (url, Some(vec![7; 16])), ("", Some(vec![7; 32])), ("http://x", Some(vec![7; 32]))]
    {
        assert_eq!(with(url, key).picture, None);
    }
    let profile = proto::Profile { display_name: Some("me".into()), ..Default::default() };
    let own = to_oneself(&data(proto::DataMessage { profile: Some(profile), ..text("hi") })).unwrap();
    assert_eq!(own.profile, None);
}

#[test]
fn unknown_fields_are_skipped_and_packed_numbers_are_read() {
    // Receipt (field 5): type 1, timestamps 1 and 2 packed into one field, then a field nobody knows.
    let content = [0x2a, 0x06, 0x08, 0x01, 0x12, 0x02, 0x01, 0x02, 0xca, 0x3e, 0x01, 0x00];
    let parsed = read::fields(&content).and_then(read::content).unwrap();
    let timestamps = [1, 2].map(Timestamp::from_ms).to_vec();
    assert_eq!(parsed.content, Content::ReadReceipt(timestamps));
}
