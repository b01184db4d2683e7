//! A text that is not UTF-8 costs that text, never the message around it.

use proptest::prelude::*;

use super::round_trip::{any_profile, any_visible};
use super::tests::{data, from_alice, text, to_oneself};
use super::write;
use super::*;
use crate::attachment::AttachmentPointer;
use crate::id::GroupId;
use crate::time::Timestamp;
use crate::wire::proto;

const BROKEN: &[u8] = b"good \xff\xfe bad";
const LOSSY: &str = "good \u{fffd}\u{fffd} bad";

fn broken() -> Option<Vec<u8>> {
    Some(BROKEN.to_vec())
}

/// Every text of a message that it does not need.
fn optional_texts(data: &mut proto::DataMessage) -> Vec<&mut Option<Vec<u8>>> {
    let (mut texts, mut pointers) = (Vec::new(), Vec::new());
    pointers.extend(&mut data.attachments);
    for preview in &mut data.preview {
        texts.push(&mut preview.title);
        pointers.extend(&mut preview.image);
    }
    for pointer in pointers {
        texts.extend([&mut pointer.content_type, &mut pointer.file_name, &mut pointer.url]);
    }
    if let Some(profile) = &mut data.profile {
        texts.extend([&mut profile.display_name, &mut profile.profile_picture]);
    }
    texts
}

fn data_message(content: Content, profile: Option<Profile>) -> proto::DataMessage {
    let mut message = Outgoing::new(content, Timestamp::from_ms(1));
    message.profile = profile;
    write::content(&message).data_message.unwrap()
}

fn read(message: proto::DataMessage) -> (Content, Option<Profile>) {
    let received = from_alice(&data(message)).unwrap();
    (received.content, received.profile)
}

fn visible(message: proto::DataMessage) -> Visible {
    match read(message).0 {
        Content::Visible(visible) => visible,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn it_counts_as_not_said(content in any_visible(), profile in any_profile(), at: prop::sample::Index) {
        let mut whole = data_message(Content::Visible(content), Some(profile));
        let at = at.index(optional_texts(&mut whole).len());
        let mut without = whole.clone();
        *optional_texts(&mut whole)[at] = broken();
        *optional_texts(&mut without)[at] = None;
        prop_assert_eq!(read(whole), read(without));
    }

    #[test]
    fn one_that_names_something_loses_only_that(content in any_visible(), quoted: bool) {
        let mut whole = data_message(Content::Visible(content), None);
        let mut without = whole.clone();
        if quoted {
            whole.quote = Some(proto::Quote { id: Some(1), author: broken() });
            without.quote = None;
        } else {
            whole.preview.iter_mut().for_each(|preview| preview.url = broken());
            without.preview.clear();
        }
        prop_assert_eq!(read(whole), read(without));
    }

    #[test]
    fn a_body_keeps_what_can_be_read(content in any_visible()) {
        let mut whole = data_message(Content::Visible(content), None);
        let others = Visible { body: LOSSY.into(), preview: None, ..visible(whole.clone()) };
        whole.body = broken();
        prop_assert_eq!(visible(whole), others);
    }
}

#[test]
fn a_broken_name_does_not_silence_a_person() {
    let profile =
        proto::Profile { display_name: broken(), last_profile_update_seconds: Some(5), ..Default::default() };
    let (content, profile) = read(proto::DataMessage { profile: Some(profile), ..text("hi") });
    assert!(matches!(content, Content::Visible(visible) if visible.body == "hi"));
    assert_eq!(profile, Some(Profile { name: None, picture: None, updated: 5 }));
}

#[test]
fn names_in_invitations_keep_what_can_be_read() {
    let invitation = proto::CommunityInvitation { url: Some(b"https://x".to_vec()), name: broken() };
    let message = proto::DataMessage { community_invitation: Some(invitation), ..Default::default() };
    let expected = CommunityInvitation { url: "https://x".into(), name: LOSSY.into() };
    assert_eq!(read(message).0, Content::CommunityInvitation(expected));

    let invite = proto::GroupUpdateInviteMessage {
        group_session_id: Some(GroupId([7; 32]).to_string().into()),
        name: broken(),
        member_auth_data: Some(vec![1; 100]),
        admin_signature: Some(vec![2; 64]),
    };
    let update = proto::GroupUpdateMessage { invite_message: Some(invite), ..Default::default() };
    let message = proto::DataMessage { group_update_message: Some(update), ..Default::default() };
    let (Content::GroupUpdate(GroupUpdate::Invite { name, .. }), _) = read(message) else { panic!() };
    assert_eq!(name, LOSSY);
}

#[test]
fn a_copy_for_a_broken_account_is_no_note_to_oneself() {
    let message = proto::DataMessage { sync_target: broken(), ..text("for somebody") };
    assert_eq!(to_oneself(&data(message)), Err(DecodeError::ForeignSyncTarget));
}

#[test]
fn a_stored_pointer_with_a_broken_name_is_still_one() {
    let pointer =
        proto::AttachmentPointer { deprecated_id: Some(9), file_name: broken(), ..Default::default() };
    let bytes = crate::wire::Message::encode_to_vec(&pointer);
    let read = AttachmentPointer::from_bytes(&bytes).unwrap();
    assert_eq!((read.name.as_str(), read.url.map(|url| url.number())), ("", Some(9)));
}
