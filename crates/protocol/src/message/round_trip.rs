//! Messages of every kind, there and back: what is written is read as it was, and damage is survived.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::tests::{alice, bob};
use super::*;
use crate::account::DisplayName;
use crate::attachment::{AttachmentPointer, Encryption, Key};
use crate::crypto::SystemRandom;
use crate::id::{GroupId, SessionId};
use crate::time::Timestamp;

prop_compose! {
    fn any_ref()(author: [u8; 32], ms: u64) -> MessageRef {
        MessageRef { author: SessionId(author), timestamp: Timestamp::from_ms(ms) }
    }
}

fn any_encryption() -> impl Strategy<Value = (&'static str, Encryption)> {
    prop_oneof![
        Just(("", Encryption::None)),
        (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(a, b, digest)| {
            let mut key = [0; 64];
            key.iter_mut().zip(a.iter().chain(&b)).for_each(|(to, from)| *to = *from);
            ("", Encryption::Legacy { key: Key::new(key), digest })
        }),
        any::<[u8; 32]>().prop_map(|key| ("#d", Encryption::Deterministic { key: Key::new(key) })),
    ]
}

prop_compose! {
    fn any_attachment()(
        id: u64, (fragment, encryption) in any_encryption(), content_type in "[a-z/]{0,20}", size: u32,
        name in ".{0,40}", dimensions in option::of((1..=u32::MAX, 1..=u32::MAX)), voice: bool,
    ) -> AttachmentPointer {
        let url = format!("http://filev2.getsession.org/file/{id}{fragment}").parse().ok();
        AttachmentPointer { url, encryption, content_type, size, name, dimensions, voice }
    }
}

prop_compose! {
    pub(super) fn any_visible()(
        body in ".{1,200}", attachments in vec(any_attachment(), 1..4), quote in option::of(any_ref()),
        link in "https://[a-z]{1,9}\\.example/", title in "[a-zé]{1,30}", image in option::of(any_attachment().prop_map(Box::new)),
        has_preview: bool,
    ) -> Visible {
        let preview = has_preview.then(|| LinkPreview { url: link.clone(), title, image });
        Visible { body: format!("{body} {link}"), attachments, quote, preview }
    }
}

fn any_group_update() -> impl Strategy<Value = GroupUpdate> {
    let signature = || vec(any::<u8>(), 64).prop_map(|bytes| <[u8; 64]>::try_from(bytes).unwrap());
    let members = || vec(any::<[u8; 32]>().prop_map(SessionId), 0..4);
    let auth_data = vec(any::<u8>(), 100).prop_map(|bytes| Box::new(Key::from_slice(&bytes).unwrap()));
    prop_oneof![
        (any::<[u8; 32]>(), ".{0,25}", auth_data, signature()).prop_map(
            |(group, name, auth_data, admin_signature)| {
                GroupUpdate::Invite { group: GroupId(group), name, auth_data, admin_signature }
            }
        ),
        (any::<[u8; 32]>(), ".{0,25}")
            .prop_map(|(seed, name)| GroupUpdate::Promote { seed: Key::new(seed), name }),
        (".{0,25}".prop_map(GroupChange::Name), signature())
            .prop_map(|(change, admin_signature)| GroupUpdate::InfoChange { change, admin_signature }),
        (any::<u32>().prop_map(GroupChange::Timer), signature())
            .prop_map(|(change, admin_signature)| GroupUpdate::InfoChange { change, admin_signature }),
        signature().prop_map(|admin_signature| {
            GroupUpdate::InfoChange { change: GroupChange::Picture, admin_signature }
        }),
        (members(), any::<bool>(), signature()).prop_map(|(members, history_shared, admin_signature)| {
            let change = if history_shared { MemberChange::Added } else { MemberChange::Promoted };
            GroupUpdate::MemberChange { change, members, history_shared, admin_signature }
        }),
        Just(GroupUpdate::MemberLeft),
        Just(GroupUpdate::MemberLeftNotification),
        any::<bool>().prop_map(|approved| GroupUpdate::InviteResponse { approved }),
        (members(), vec("[a-z]{43}", 0..3), option::of(signature())).prop_map(
            |(members, hashes, admin_signature)| {
                GroupUpdate::DeleteMemberContent { members, hashes, admin_signature }
            }
        ),
    ]
}

fn any_call() -> impl Strategy<Value = Content> {
    let kind = prop::sample::select(vec![
        CallKind::PreOffer,
        CallKind::Offer,
        CallKind::Answer,
        CallKind::ProvisionalAnswer,
        CallKind::IceCandidates,
        CallKind::End,
    ]);
    ("[0-9a-f-]{36}", kind, vec(".{0,40}", 0..3), vec(any::<u32>(), 0..3), vec("[a-z]*", 0..3)).prop_map(
        |(id, kind, sdps, line_indexes, mids)| {
            Content::Call(Call { id: CallId(id), kind, sdps, line_indexes, mids })
        },
    )
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        any_visible().prop_map(Content::Visible),
        (any_ref(), prop::sample::select(vec!["😂", "👍🏿", "🇩🇪", "1️⃣", "👨‍👩‍👧‍👦"]), any::<bool>()).prop_map(
            |(target, emoji, remove)| {
                let emoji = emoji.parse().unwrap();
                let action = if remove { ReactionAction::Remove } else { ReactionAction::React };
                Content::Reaction(Reaction { target, emoji, action })
            }
        ),
        (".{1,60}", ".{1,30}")
            .prop_map(|(url, name)| Content::CommunityInvitation(CommunityInvitation { url, name })),
        Just(Content::TimerUpdate),
        any_group_update().prop_map(Content::GroupUpdate),
        vec(any::<u64>().prop_map(Timestamp::from_ms), 0..5).prop_map(Content::ReadReceipt),
        any::<bool>().prop_map(Content::Typing),
        Just(Content::DataExtraction(DataExtraction::Screenshot)),
        option::of(1..u64::MAX)
            .prop_map(|ms| Content::DataExtraction(DataExtraction::MediaSaved(ms.map(Timestamp::from_ms)))),
        any_ref().prop_map(Content::Unsend),
        any_call(),
        any::<bool>().prop_map(Content::RequestResponse),
    ]
}

prop_compose! {
    pub(super) fn any_profile()(name in "[a-zé]{1,30}", picture in option::of((any::<u64>(), any::<[u8; 32]>())), updated: u64)
        -> Profile {
        let picture = picture.map(|(id, key)| ProfilePicture {
            url: format!("http://filev2.getsession.org/file/{id}").parse().unwrap(),
            key: Key::new(key),
        });
        Profile { name: DisplayName::truncated(&name), picture, updated }
    }
}

prop_compose! {
    fn any_message()(
        content in any_content(), ms in 1..u64::MAX, timer in 1..u32::MAX, kind in 0..3, profile in option::of(any_profile()),
    ) -> Outgoing {
        let expiration = match kind {
            0 => Expiration::Off,
            1 => Expiration::AfterRead(timer),
            _ => Expiration::AfterSend(timer),
        };
        Outgoing { content, timestamp: Timestamp::from_ms(ms), expiration, profile, sync_target: None }
    }
}

/// The timer a receiver sees: what the kind carries of it.
fn visible_timer(message: &Outgoing) -> Expiration {
    match &message.content {
        Content::Visible(_)
        | Content::Reaction(_)
        | Content::CommunityInvitation(_)
        | Content::TimerUpdate
        | Content::GroupUpdate(_) => message.expiration,
        Content::DataExtraction(_) => message.expiration.coerced_to_after_read(),
        Content::Call(call) if matches!(call.kind, CallKind::Offer | CallKind::Answer | CallKind::End) => {
            message.expiration.coerced_to_after_read()
        }
        _ => Expiration::Off,
    }
}

fn carries_profile(content: &Content) -> bool {
    matches!(
        content,
        Content::Visible(_)
            | Content::Reaction(_)
            | Content::CommunityInvitation(_)
            | Content::GroupUpdate(_)
            | Content::RequestResponse(_)
    )
}

/// The pointers of a content, each as it is written alone.
fn as_written(content: &Content) -> RawPointers {
    let Content::Visible(visible) = content else { return RawPointers::default() };
    let raw = |pointer: &AttachmentPointer| RawPointer::of(&pointer.to_bytes(), pointer);
    let image = visible.preview.as_ref().and_then(|preview| preview.image.as_deref());
    RawPointers { attachments: visible.attachments.iter().map(raw).collect(), preview: image.and_then(raw) }
}

proptest! {
    #[test]
    fn every_kind_is_read_as_it_was_written(message in any_message()) {
        let (sender, me) = (alice(), bob());
        let stored = encode_one_to_one(&message, &sender, &me.session_id, &mut SystemRandom).unwrap();
        let received = decode_one_to_one(&stored, &me).unwrap();
        prop_assert_eq!(received.sender, sender.session_id);
        prop_assert_eq!(received.sender_ed25519, sender.ed25519.public());
        prop_assert_eq!(received.timestamp, message.timestamp);
        prop_assert_eq!(&received.content, &message.content);
        prop_assert_eq!(&received.pointers, &as_written(&message.content));
        prop_assert_eq!(received.expiration, visible_timer(&message));
        prop_assert_eq!(received.profile, message.profile.clone().filter(|_| carries_profile(&message.content)));
        prop_assert_eq!(received.sync_target, None);

        if let Some(copy) = message.sync_copy(me.session_id) {
            let stored = encode_one_to_one(&copy, &sender, &sender.session_id, &mut SystemRandom).unwrap();
            let received = decode_one_to_one(&stored, &sender).unwrap();
            prop_assert_eq!(received.sync_target, copy.sync_target);
            prop_assert_eq!(received.timestamp, message.timestamp);
            prop_assert_eq!(received.pointers, as_written(&message.content));
            prop_assert_eq!(received.content, message.content);
            prop_assert_eq!(received.profile, None);
        }
    }

    #[test]
    fn pointers_are_read_as_they_were_written(pointer in any_attachment()) {
        prop_assert_eq!(AttachmentPointer::from_bytes(&pointer.to_bytes()), Ok(pointer));
    }

    #[test]
    fn nothing_panics_on_foreign_bytes(bytes: Vec<u8>) {
        let _ = (read::fields(&bytes).and_then(read::content), AttachmentPointer::from_bytes(&bytes));
        prop_assert!(decode_one_to_one(&bytes, &bob()).is_err());
    }

    /// Contents with one byte changed: most still parse, so this reaches every branch of the reader.
    #[test]
    fn nothing_panics_on_damaged_contents(message in any_message(), at: usize, to: u8) {
        let mut bytes = message.to_bytes();
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = read::fields(&bytes).and_then(read::content);
    }
}
