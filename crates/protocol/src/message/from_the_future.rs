//! Messages of newer clients: what they add to known kinds does not disturb, and unknown kinds are told apart.

use proptest::collection::vec;
use proptest::prelude::*;

use super::newer::{Placement, UnknownType, field_numbers, has_unknown_field};
use super::tests::{TIME, alice, bob, data, receive_bytes, text};
use super::*;
use crate::account::AccountKeys;
use crate::crypto::SystemRandom;
use crate::id::SessionId;
use crate::time::Timestamp;
use crate::wire::{Message as _, proto};

/// Field 19, of any wire type but groups.
const NEW: &[u8] = &[0x9a, 1, 1, 0x2a];
/// Field 18: the id of the message.
const MSG_ID: &[u8] = &[0x91, 1, 5, 0, 0, 0, 0, 0, 0, 0];

fn with(content: &proto::Content, appended: &[u8]) -> Vec<u8> {
    [&content.encode_to_vec(), appended].concat()
}

fn from_alice(content: &proto::Content, appended: &[u8]) -> Result<Received, DecodeError> {
    receive_bytes(with(content, appended), &alice(), &bob())
}

fn unknown(content: &proto::Content, sender: &AccountKeys, me: &AccountKeys) -> UnknownType {
    match receive_bytes(with(content, NEW), sender, me) {
        Err(DecodeError::UnknownType(unknown)) => unknown,
        other => panic!("{other:?}"),
    }
}

fn nothing_known() -> proto::Content {
    proto::Content { sig_timestamp: Some(TIME), ..Default::default() }
}

fn to(target: &str) -> proto::Content {
    data(proto::DataMessage { sync_target: Some(target.into()), ..Default::default() })
}

#[test]
fn a_newer_format_is_told_from_what_means_nothing() {
    for data in [&[0][..], &[0, 2, 0x10], &[0; 160]] {
        assert_eq!(decode_one_to_one(data, &bob()), Err(DecodeError::NewerFormat));
    }
    assert_eq!(decode_one_to_one(&[], &bob()), Err(DecodeError::Envelope));
}

#[test]
fn an_unknown_kind_keeps_what_surrounds_it() {
    let content = proto::Content { expiration_type: Some(2), expiration_timer: Some(60), ..nothing_known() };
    let received = receive_bytes([&with(&content, MSG_ID), NEW].concat(), &alice(), &bob());
    let expected = UnknownType {
        sender: alice().session_id,
        is_own: false,
        sync_target: None,
        timestamp: Timestamp::from_ms(TIME),
        msg_id: Some(MsgId(5)),
        expiration: Expiration::AfterSend(60),
    };
    assert_eq!(received, Err(DecodeError::UnknownType(expected)));
    assert_eq!(expected.placement(bob().session_id.into()), Placement::Incoming(alice().session_id.into()));
}

#[test]
fn our_own_copy_of_an_unknown_kind_says_where_it_belongs() {
    let me = alice();
    let timer = |content| proto::Content { expiration_type: Some(1), expiration_timer: Some(60), ..content };
    let copy = unknown(&timer(to(&bob().session_id.to_string())), &me, &me);
    assert_eq!(copy.placement(me.session_id.into()), Placement::Outgoing(bob().session_id.into()));
    assert_eq!((copy.is_own, copy.expiration), (true, Expiration::AfterRead(60)));
    let note = unknown(&timer(to(&me.session_id.to_string())), &me, &me);
    assert_eq!(
        (note.placement(me.session_id.into()), note.expiration),
        (Placement::Outgoing(me.session_id.into()), Expiration::AfterSend(60))
    );
    for target in ["", "03", &format!("03{}", "0".repeat(64))] {
        let lost = unknown(&timer(to(target)), &me, &me);
        assert_eq!(
            (lost.placement(me.session_id.into()), lost.expiration),
            (Placement::Nowhere, Expiration::AfterRead(60))
        );
    }
}

#[test]
fn a_foreign_or_misdated_message_of_an_unknown_kind_is_dropped() {
    let foreign = from_alice(&to(&bob().session_id.to_string()), NEW);
    assert_eq!(foreign, Err(DecodeError::ForeignSyncTarget));
    let misdated = proto::Content { sig_timestamp: Some(TIME + 1), ..Default::default() };
    assert_eq!(from_alice(&misdated, NEW), Err(DecodeError::Timestamp));
}

#[test]
fn something_known_beside_the_unknown_counts() {
    let author = Some(bob().session_id.to_string().into());
    let receipt = proto::ReceiptMessage { kind: Some(1), timestamp: vec![1] };
    let reaction = proto::Reaction { id: Some(1), author, emoji: Some("👍".into()), action: Some(0) };
    let reaction = proto::DataMessage { reaction: Some(reaction), ..Default::default() };
    let left = Some(proto::GroupUpdateMemberLeftMessage {});
    let update = proto::GroupUpdateMessage { member_left_message: left, ..Default::default() };
    let update = proto::DataMessage { group_update_message: Some(update), ..Default::default() };
    for known in [
        data(text("hi")),
        data(reaction),
        data(update),
        data(proto::DataMessage { flags: Some(2), ..Default::default() }),
        proto::Content { receipt_message: Some(receipt), ..nothing_known() },
    ] {
        let content = from_alice(&known, NEW).unwrap().content;
        assert_eq!(content, from_alice(&known, &[]).unwrap().content);
        assert_ne!(content, Content::Unknown);
    }
}

#[test]
fn something_known_that_is_broken_is_handled_as_ever() {
    let receipt = proto::ReceiptMessage { kind: Some(9), timestamp: vec![1] };
    let delivered = proto::ReceiptMessage { kind: Some(0), timestamp: vec![1] };
    for (known, error) in [(receipt, Some("receipt.type")), (delivered, None)] {
        let content = proto::Content { receipt_message: Some(known), ..nothing_known() };
        match (from_alice(&content, NEW), error) {
            (Err(DecodeError::Content(error)), Some(field)) => assert_eq!(error, ContentError::Field(field)),
            (Ok(received), None) => assert_eq!(received.content, Content::Unknown),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_known_and_nothing_new_is_nothing() {
    for appended in [&[][..], MSG_ID, &[0x92, 1, 0]] {
        assert_eq!(from_alice(&nothing_known(), appended).unwrap().content, Content::Unknown);
    }
    let blank = data(text(" \u{200b}"));
    assert_eq!(from_alice(&blank, &[]), Err(DecodeError::Content(ContentError::NothingToShow)));
    assert!(matches!(from_alice(&blank, NEW), Err(DecodeError::UnknownType(_))));
}

#[test]
fn the_id_of_a_message_is_carried_in_any_form() {
    let id = |appended: &[u8]| from_alice(&data(text("hi")), appended).unwrap().msg_id;
    assert_eq!(id(&[]), None);
    assert_eq!(id(MSG_ID), Some(MsgId(5)));
    assert_eq!(id(&[0x90, 1, 5]), Some(MsgId(5)));
    assert_eq!(id(&[0x95, 1, 5, 0, 0, 0]), Some(MsgId(5)));
    assert_eq!(id(&[0x92, 1, 3, 1, 2, 3]), None);
}

#[test]
fn an_unsend_request_names_its_target_by_id_too() {
    let request =
        proto::UnsendRequest { timestamp: Some(7), author: Some(alice().session_id.to_string().into()) };
    for (named, id) in
        [(&[][..], None), (&[0x19, 9, 0, 0, 0, 0, 0, 0, 0], Some(MsgId(9))), (&[0x18, 9], Some(MsgId(9)))]
    {
        let request = [&request.encode_to_vec(), named].concat();
        let field = [&[0x4a, u8::try_from(request.len()).unwrap()], request.as_slice()].concat();
        let received = from_alice(&nothing_known(), &[&field, MSG_ID].concat()).unwrap();
        let target = MessageRef { author: alice().session_id, timestamp: Timestamp::from_ms(7) };
        assert_eq!(received.content, Content::Unsend(target));
        assert_eq!((received.target_msg_id, received.msg_id), (id, Some(MsgId(5))));
    }
}

#[test]
fn ids_that_other_kinds_carry_are_ignored() {
    // Field 5 in a quote and in a reaction, 3 in a receipt, 3 to 5 in a notice of a saved file.
    let author = bob().session_id.to_string();
    let nested =
        |number: u8, inner: &[u8]| [&[number << 3 | 2, u8::try_from(inner.len()).unwrap()], inner].concat();
    let reference = [&[0x08, 7, 0x12, 66][..], author.as_bytes()].concat();
    let id = [0x29, 5, 0, 0, 0, 0, 0, 0, 0];
    let quote = nested(8, &[&reference[..], &id].concat());
    let reaction = nested(11, &[&reference[..], &[0x1a, 4], "👍".as_bytes(), &[0x20, 0], &id].concat());
    let target = MessageRef { author: bob().session_id, timestamp: Timestamp::from_ms(7) };
    let time = Timestamp::from_ms(7);
    for (content, expected) in [
        (
            nested(1, &[&[0x0a, 2][..], b"hi", &quote].concat()),
            Content::Visible(Visible { body: "hi".into(), quote: Some(target), ..Default::default() }),
        ),
        (
            nested(1, &reaction),
            Content::Reaction(Reaction {
                target,
                emoji: "👍".parse().unwrap(),
                action: ReactionAction::React,
            }),
        ),
        (nested(5, &[8, 1, 16, 7, 0x19, 5, 0, 0, 0, 0, 0, 0, 0]), Content::ReadReceipt(vec![time])),
        (
            nested(8, &[8, 2, 16, 7, 24, 7, 0x21, 5, 0, 0, 0, 0, 0, 0, 0, 40, 0]),
            Content::DataExtraction(DataExtraction::MediaSaved(Some(time))),
        ),
    ] {
        assert_eq!(receive_bytes(content, &alice(), &bob()).unwrap().content, expected);
    }
}

/// Envelopes with other fields than those that are read: an old sender's id, signatures of any length, any wire type.
#[test]
fn nothing_in_an_envelope_but_time_and_content_decides() {
    let (sender, me) = (alice(), bob());
    let content = with(&data(text("hi")), &[]);
    let sealed = crate::crypto::session::encrypt_for_recipient(
        &content,
        &sender.ed25519,
        &me.session_id.x25519(),
        &mut SystemRandom,
    )
    .unwrap();
    let envelope = proto::ReceivedEnvelope {
        kind: Some(proto::envelope::Kind::SessionMessage.into()),
        timestamp: Some(TIME),
        content: Some(sealed),
    };
    let sig = |length: usize| [&[0x5a, u8::try_from(length).unwrap()][..], &vec![7; length]].concat();
    for extra in
        [vec![], sig(0), sig(63), sig(64), sig(65), vec![0x58, 1], vec![0x12, 3, 1, 2, 3], vec![0x10, 1]]
    {
        let envelope = [envelope.encode_to_vec(), extra.clone()].concat();
        let request = proto::WebSocketRequest { body: Some(envelope), ..Default::default() };
        let stored = proto::WebSocketMessage { kind: Some(1), request: Some(request) }.encode_to_vec();
        assert!(decode_one_to_one(&stored, &me).is_ok(), "{extra:?}");
    }
}

prop_compose! {
    /// A field that may be anything but a group.
    fn any_field(numbers: std::ops::Range<u32>)(
        number in numbers, kind in 0..4, value: u64, bytes in vec(any::<u8>(), 0..90),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let (wire, value) = match kind {
            0 => (0, { let mut v = Vec::new(); prost::encoding::encode_varint(value, &mut v); v }),
            1 => (1, value.to_le_bytes().to_vec()),
            2 => (5, value.to_le_bytes()[..4].to_vec()),
            _ => (2, [&[u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat()),
        };
        prost::encoding::encode_varint(u64::from(number) << 3 | wire, &mut out);
        [out, value].concat()
    }
}

proptest! {
    /// `proMessage`, its proof in any form, the signature for communities: field 16 and 17, of every wire type.
    #[test]
    fn no_form_of_session_pro_decides_about_a_message(pro in vec(any_field(16..18), 0..4)) {
        let plain = from_alice(&data(text("hi")), &[]).unwrap();
        prop_assert_eq!(from_alice(&data(text("hi")), &pro.concat()), Ok(plain));
        let unknown = from_alice(&nothing_known(), &[&pro.concat(), NEW].concat());
        prop_assert!(matches!(unknown, Err(DecodeError::UnknownType(_))));
    }

    #[test]
    fn a_new_field_makes_an_unknown_kind_only_of_what_says_nothing(field in any_field(19..1 << 29), body in "[a-z]{0,9}") {
        let result = from_alice(&data(text(&body)), &field);
        prop_assert_eq!(result.is_ok(), !body.is_empty());
        prop_assert_eq!(matches!(result, Err(DecodeError::UnknownType(_))), body.is_empty());
    }

    #[test]
    fn what_is_malformed_is_never_of_an_unknown_kind(mut content in vec(any_field(19..99), 0..4), junk in vec(any::<u8>(), 1..9)) {
        content.push(junk);
        let content = content.concat();
        if field_numbers(&content).is_none() {
            prop_assert!(!has_unknown_field(&content));
            let received = receive_bytes(content, &alice(), &bob());
            prop_assert!(!matches!(received, Err(DecodeError::UnknownType(_))));
        }
    }

    #[test]
    fn the_walk_agrees_with_the_schema(content in vec(any_field(12..30), 0..6)) {
        let content = content.concat();
        let numbers = field_numbers(&content).unwrap();
        prop_assert_eq!(has_unknown_field(&content), numbers.iter().any(|number| *number > 18));
    }

    #[test]
    fn our_own_copy_is_placed_where_an_account_is_named(target in "(05|03)[0-9a-f]{64}", from_us: bool) {
        let (me, sender) = (alice(), if from_us { alice() } else { bob() });
        let result = receive_bytes(with(&to(&target), NEW), &sender, &me);
        match (from_us, target.parse::<SessionId>()) {
            (false, _) => prop_assert_eq!(result, Err(DecodeError::ForeignSyncTarget)),
            (true, Ok(account)) => {
                let Err(DecodeError::UnknownType(unknown)) = result else { panic!() };
                prop_assert_eq!(unknown.placement(me.session_id.into()), Placement::Outgoing(account.into()));
            }
            (true, Err(_)) => {
                let Err(DecodeError::UnknownType(unknown)) = result else { panic!() };
                prop_assert_eq!(unknown.placement(me.session_id.into()), Placement::Nowhere);
            }
        }
    }
}
