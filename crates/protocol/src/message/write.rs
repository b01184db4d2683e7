//! From typed content to the fields of spec 02 §2.
//!
//! Fields are set exactly as the recipes of spec 02 §7.1 have them; what a kind does not carry (timer, profile, name
//! of the conversation in copies for oneself) is left out whatever the message says.

use super::content::{
    Call, CallKind, CommunityInvitation, Content, DataExtraction, LinkPreview, MessageRef, Reaction,
    ReactionAction, Visible,
};
use super::expiration::Expiration;
use super::group_update::{GroupChange, GroupUpdate, MemberChange};
use super::outgoing::Outgoing;
use crate::attachment::AttachmentPointer;
use crate::id::SessionId;
use crate::time::Timestamp;
use crate::wire::{Message as _, proto};

/// `DataMessage.flags` of a timer update.
pub(super) const TIMER_UPDATE: u32 = 2;

impl Outgoing {
    /// The serialized `Content`, before padding (spec 02 §2.4).
    pub fn to_bytes(&self) -> Vec<u8> {
        content(self).encode_to_vec()
    }
}

/// The whole content of a message.
pub(super) fn content(message: &Outgoing) -> proto::Content {
    let mut out = action(message);
    out.sig_timestamp = Some(message.timestamp.as_ms());
    if let Some(expiration) = carried_expiration(message) {
        let (kind, seconds) = expiration.to_wire();
        out.expiration_type = Some(kind);
        out.expiration_timer = Some(seconds);
    }
    out
}

/// The timer a kind carries: data messages always one, even if off; calls and notices a coerced one; others none.
fn carried_expiration(message: &Outgoing) -> Option<Expiration> {
    match &message.content {
        content if is_data_message(content) => Some(message.expiration),
        Content::DataExtraction(_) => Some(message.expiration.coerced_to_after_read()),
        Content::Call(call) => Some(match call.kind {
            CallKind::Offer | CallKind::Answer | CallKind::End => message.expiration.coerced_to_after_read(),
            CallKind::PreOffer | CallKind::ProvisionalAnswer | CallKind::IceCandidates => Expiration::Off,
        }),
        _ => None,
    }
}

/// Whether a kind is written as a `DataMessage`.
pub(super) fn is_data_message(content: &Content) -> bool {
    matches!(
        content,
        Content::Visible(_)
            | Content::Reaction(_)
            | Content::CommunityInvitation(_)
            | Content::TimerUpdate
            | Content::GroupUpdate(_)
    )
}

fn action(message: &Outgoing) -> proto::Content {
    let mut out = proto::Content::default();
    match &message.content {
        Content::ReadReceipt(timestamps) => out.receipt_message = Some(receipt(timestamps)),
        Content::Typing(started) => out.typing_message = Some(typing(*started, message.timestamp)),
        Content::DataExtraction(what) => out.data_extraction_notification = Some(data_extraction(*what)),
        Content::Unsend(target) => out.unsend_request = Some(unsend(target)),
        Content::Call(step) => out.call_message = Some(call(step)),
        Content::RequestResponse(approved) => {
            out.message_request_response = Some(request_response(*approved, message));
        }
        Content::Unknown => {}
        _ => out.data_message = Some(data_message(message)),
    }
    out
}

fn data_message(message: &Outgoing) -> proto::DataMessage {
    let mut out = proto::DataMessage { sync_target: message.sync_target.map(text), ..Default::default() };
    match &message.content {
        Content::Visible(visible) => set_visible(&mut out, visible),
        Content::Reaction(what) => out.reaction = Some(reaction(what)),
        Content::CommunityInvitation(CommunityInvitation { url, name }) => {
            out.community_invitation =
                Some(proto::CommunityInvitation { url: Some(text(url)), name: Some(text(name)) });
        }
        Content::TimerUpdate => {
            out.flags = Some(TIMER_UPDATE);
            return out;
        }
        Content::GroupUpdate(update) => out.group_update_message = Some(group_update(update)),
        _ => {}
    }
    if let Some(profile) = &message.profile {
        let (profile, key) = profile.to_wire();
        out.profile = Some(profile);
        out.profile_key = key;
    }
    out
}

fn set_visible(out: &mut proto::DataMessage, visible: &Visible) {
    out.body = (!visible.body.is_empty()).then(|| text(&visible.body));
    out.attachments = visible.attachments.iter().map(AttachmentPointer::to_wire).collect();
    out.quote = visible.quote.as_ref().map(|MessageRef { author, timestamp }| proto::Quote {
        id: Some(timestamp.as_ms()),
        author: Some(text(author)),
    });
    out.preview = visible.preview.iter().filter(|it| it.belongs_to(&visible.body)).map(preview).collect();
}

fn preview(preview: &LinkPreview) -> proto::Preview {
    proto::Preview {
        url: Some(text(&preview.url)),
        title: (!preview.title.is_empty()).then(|| text(&preview.title)),
        image: preview.image.as_ref().map(|image| image.to_wire()),
    }
}

fn reaction(reaction: &Reaction) -> proto::Reaction {
    let action = match reaction.action {
        ReactionAction::React => proto::reaction::Action::React,
        ReactionAction::Remove => proto::reaction::Action::Remove,
    };
    proto::Reaction {
        id: Some(reaction.target.timestamp.as_ms()),
        author: Some(text(reaction.target.author)),
        emoji: Some(text(&reaction.emoji)),
        action: Some(action.into()),
    }
}

fn receipt(timestamps: &[Timestamp]) -> proto::ReceiptMessage {
    proto::ReceiptMessage {
        kind: Some(proto::receipt_message::Kind::Read.into()),
        timestamp: timestamps.iter().map(|timestamp| timestamp.as_ms()).collect(),
    }
}

fn typing(started: bool, timestamp: Timestamp) -> proto::TypingMessage {
    let action = match started {
        true => proto::typing_message::Action::Started,
        false => proto::typing_message::Action::Stopped,
    };
    proto::TypingMessage { timestamp: Some(timestamp.as_ms()), action: Some(action.into()) }
}

fn data_extraction(what: DataExtraction) -> proto::DataExtractionNotification {
    use proto::data_extraction_notification::Kind;
    let (kind, timestamp) = match what {
        DataExtraction::Screenshot => (Kind::Screenshot, None),
        DataExtraction::MediaSaved(of) => (Kind::MediaSaved, of.map(Timestamp::as_ms)),
    };
    proto::DataExtractionNotification { kind: Some(kind.into()), timestamp }
}

fn unsend(target: &MessageRef) -> proto::UnsendRequest {
    proto::UnsendRequest { timestamp: Some(target.timestamp.as_ms()), author: Some(text(target.author)) }
}

fn request_response(approved: bool, message: &Outgoing) -> proto::MessageRequestResponse {
    let (profile, profile_key) = match &message.profile {
        Some(profile) => {
            let (profile, key) = profile.to_wire();
            (Some(profile), key)
        }
        None => (None, None),
    };
    proto::MessageRequestResponse { is_approved: Some(approved), profile_key, profile }
}

fn call(call: &Call) -> proto::CallMessage {
    use proto::call_message::Kind;
    let kind = match call.kind {
        CallKind::PreOffer => Kind::PreOffer,
        CallKind::Offer => Kind::Offer,
        CallKind::Answer => Kind::Answer,
        CallKind::ProvisionalAnswer => Kind::ProvisionalAnswer,
        CallKind::IceCandidates => Kind::IceCandidates,
        CallKind::End => Kind::EndCall,
    };
    proto::CallMessage {
        kind: Some(kind.into()),
        sdps: call.sdps.iter().map(text).collect(),
        sdp_m_line_indexes: call.line_indexes.clone(),
        sdp_mids: call.mids.iter().map(text).collect(),
        uuid: Some(text(&call.id.0)),
    }
}

fn group_update(update: &GroupUpdate) -> proto::GroupUpdateMessage {
    let mut out = proto::GroupUpdateMessage::default();
    match update {
        GroupUpdate::Invite { group, name, auth_data, admin_signature } => {
            out.invite_message = Some(proto::GroupUpdateInviteMessage {
                group_session_id: Some(text(group)),
                name: Some(text(name)),
                member_auth_data: Some(auth_data.as_bytes().to_vec()),
                admin_signature: Some(admin_signature.to_vec()),
            });
        }
        GroupUpdate::Promote { seed, name } => {
            out.promote_message = Some(proto::GroupUpdatePromoteMessage {
                group_identity_seed: Some(seed.as_bytes().to_vec()),
                name: Some(text(name)),
            });
        }
        GroupUpdate::InfoChange { change, admin_signature } => {
            out.info_change_message = Some(info_change(change, admin_signature));
        }
        GroupUpdate::MemberChange { change, members, history_shared, admin_signature } => {
            out.member_change_message = Some(proto::GroupUpdateMemberChangeMessage {
                kind: Some(member_change(*change).into()),
                member_session_ids: ids(members),
                history_shared: history_shared.then_some(true),
                admin_signature: Some(admin_signature.to_vec()),
            });
        }
        GroupUpdate::MemberLeft => out.member_left_message = Some(proto::GroupUpdateMemberLeftMessage {}),
        GroupUpdate::MemberLeftNotification => {
            out.member_left_notification_message = Some(proto::GroupUpdateMemberLeftNotificationMessage {});
        }
        GroupUpdate::InviteResponse { approved } => {
            out.invite_response =
                Some(proto::GroupUpdateInviteResponseMessage { is_approved: Some(*approved) });
        }
        GroupUpdate::DeleteMemberContent { members, hashes, admin_signature } => {
            out.delete_member_content = Some(proto::GroupUpdateDeleteMemberContentMessage {
                member_session_ids: ids(members),
                message_hashes: hashes.iter().map(text).collect(),
                admin_signature: admin_signature.map(|signature| signature.to_vec()),
            });
        }
    }
    out
}

fn ids(members: &[SessionId]) -> Vec<Vec<u8>> {
    members.iter().map(text).collect()
}

/// A text as the bytes of its field.
fn text(value: impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn info_change(change: &GroupChange, admin_signature: &[u8; 64]) -> proto::GroupUpdateInfoChangeMessage {
    use proto::group_update_info_change_message::Kind;
    let (kind, name, timer) = match change {
        GroupChange::Name(name) => (Kind::Name, Some(text(name)), None),
        GroupChange::Picture => (Kind::Avatar, None, None),
        GroupChange::Timer(seconds) => (Kind::DisappearingMessages, None, Some(*seconds)),
    };
    proto::GroupUpdateInfoChangeMessage {
        kind: Some(kind.into()),
        updated_name: name,
        updated_expiration: timer,
        admin_signature: Some(admin_signature.to_vec()),
    }
}

fn member_change(change: MemberChange) -> proto::group_update_member_change_message::Kind {
    use proto::group_update_member_change_message::Kind;
    match change {
        MemberChange::Added => Kind::Added,
        MemberChange::Removed => Kind::Removed,
        MemberChange::Promoted => Kind::Promoted,
    }
}
