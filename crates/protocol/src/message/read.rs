//! From the fields of spec 02 §2 to typed content: leniently where nothing is lost by it, strictly where a field is
//! required.
//!
//! Decision: a text that is not UTF-8 costs that text and nothing else. Texts that are shown because they are what the
//! message says (its body, the name in an invitation) keep what can be read of them; others count as not said, and a
//! broken name of another account or message counts as one that nobody has.

use super::MAX_ATTACHMENTS;
use super::content::{
    Call, CallId, CallKind, CommunityInvitation, Content, DataExtraction, LinkPreview, MessageRef, Reaction,
    ReactionAction, Visible,
};
use super::emoji::Emoji;
use super::group_update::{GroupChange, GroupUpdate, MAX_GROUP_NAME_BYTES, MemberChange};
use super::profile::Profile;
use super::text::{is_blank, truncated, truncated_body};
use super::write::TIMER_UPDATE;
use crate::attachment::{AttachmentPointer, Key};
use crate::id::SessionId;
use crate::time::Timestamp;
use crate::wire::{Message as _, lossy_text, proto, text};

/// Why a content is dropped. It will not get better: remember its hash, tell nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Not protobuf, or not of this schema.
    #[error("not a message")]
    Malformed,
    /// A required field is missing, or has a value that cannot be.
    #[error("the field {0} is missing or makes no sense")]
    Field(&'static str),
    /// More attachments than one message may have.
    #[error("{found} attachments; at most {MAX_ATTACHMENTS} are allowed")]
    TooManyAttachments {
        /// How many there were.
        found: usize,
    },
    /// Flags nobody uses: made by something that is not a Session client of today.
    #[error("unknown flags {0}")]
    UnknownFlags(u32),
    /// No text, no attachment, nothing else to show.
    #[error("there is nothing to show")]
    NothingToShow,
}

/// A parsed content: what is said, and what surrounds it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) content: Content,
    pub(super) profile: Option<Profile>,
    /// Timestamp inside a typing message, ms; has to be the message's own.
    pub(super) typing_timestamp: Option<u64>,
}

/// The fields of a content whose padding is off.
pub(super) fn fields(bytes: &[u8]) -> Result<proto::Content, ContentError> {
    proto::Content::decode(bytes).map_err(|_| ContentError::Malformed)
}

/// What the fields of a content mean.
pub(super) fn content(wire: proto::Content) -> Result<Parsed, ContentError> {
    let mut parsed = Parsed { content: Content::Unknown, profile: None, typing_timestamp: None };
    // If several are set, which none does, the first of this order counts (spec 02 §2.4).
    parsed.content = if let Some(mut data) = wire.data_message {
        let profile_key = data.profile_key.take();
        parsed.profile = data.profile.take().map(|profile| Profile::from_wire(profile, profile_key));
        data_message(data)?
    } else if let Some(receipt) = wire.receipt_message {
        read_receipt(receipt)?
    } else if let Some(typing) = wire.typing_message {
        let timestamp = typing.timestamp.ok_or(ContentError::Field("typing.timestamp"))?;
        parsed.typing_timestamp = Some(timestamp);
        typing_indicator(&typing)?
    } else if let Some(extraction) = wire.data_extraction_notification {
        data_extraction(&extraction)?
    } else if let Some(unsend) = wire.unsend_request {
        Content::Unsend(message_ref(unsend.timestamp, unsend.author, "unsend")?)
    } else if let Some(step) = wire.call_message {
        call(step)?
    } else if let Some(response) = wire.message_request_response {
        parsed.profile = response.profile.map(|profile| Profile::from_wire(profile, response.profile_key));
        Content::RequestResponse(
            response.is_approved.ok_or(ContentError::Field("request_response.approved"))?,
        )
    } else {
        Content::Unknown
    };
    Ok(parsed)
}

fn data_message(data: proto::DataMessage) -> Result<Content, ContentError> {
    if let Some(update) = data.group_update_message {
        return group_update(update);
    }
    if let Some(what) = data.reaction {
        return reaction(what);
    }
    match data.flags.unwrap_or(0) {
        0 => {}
        flags if flags & TIMER_UPDATE != 0 => return Ok(Content::TimerUpdate),
        flags => return Err(ContentError::UnknownFlags(flags)),
    }
    let found = data.attachments.len();
    if found > MAX_ATTACHMENTS {
        return Err(ContentError::TooManyAttachments { found });
    }
    let invitation = data.community_invitation.map(community_invitation).transpose()?.flatten();
    let body = truncated_body(lossy_text(data.body.unwrap_or_default()));
    let attachments =
        data.attachments.into_iter().map(attachment).collect::<Result<Vec<_>, ContentError>>()?;
    let quote = data.quote.map(quote).transpose()?.flatten();
    let preview = preview(data.preview, &body)?;
    match invitation {
        // Written without a text by every client; where there is one after all, it is what can be shown.
        Some(invitation) if is_blank(&body) && attachments.is_empty() => {
            Ok(Content::CommunityInvitation(invitation))
        }
        _ => {
            let visible = Visible { body, attachments, quote, preview };
            visible
                .has_something_to_show()
                .then_some(visible)
                .map(Content::Visible)
                .ok_or(ContentError::NothingToShow)
        }
    }
}

fn attachment(wire: proto::AttachmentPointer) -> Result<AttachmentPointer, ContentError> {
    AttachmentPointer::from_wire(wire).ok_or(ContentError::Field("attachment.id"))
}

/// `None` if its author is nobody we could know; that is no reason to lose the text.
fn quote(wire: proto::Quote) -> Result<Option<MessageRef>, ContentError> {
    let timestamp = Timestamp::from_ms(wire.id.ok_or(ContentError::Field("quote.id"))?);
    let author = wire.author.ok_or(ContentError::Field("quote.author"))?;
    Ok(account(Some(author)).map(|author| MessageRef { author, timestamp }))
}

/// The first preview that has something to show, and whose link stands in the text (spec 02 §15).
fn preview(previews: Vec<proto::Preview>, body: &str) -> Result<Option<LinkPreview>, ContentError> {
    for wire in previews {
        let url = text(Some(wire.url.ok_or(ContentError::Field("preview.url"))?)).unwrap_or_default();
        let title = truncated(text(wire.title).unwrap_or_default(), LinkPreview::MAX_TITLE_CHARS);
        let image = wire.image.map(attachment).transpose()?.map(Box::new);
        let preview = LinkPreview { url, title, image };
        if preview.belongs_to(body) {
            return Ok(Some(preview));
        }
    }
    Ok(None)
}

/// `None` if it leads nowhere or has no name.
fn community_invitation(
    wire: proto::CommunityInvitation,
) -> Result<Option<CommunityInvitation>, ContentError> {
    let url = wire.url.ok_or(ContentError::Field("community_invitation.url"))?;
    let url = text(Some(url)).unwrap_or_default();
    let name = lossy_text(wire.name.ok_or(ContentError::Field("community_invitation.name"))?);
    let is_complete = !url.is_empty() && !name.is_empty();
    Ok(is_complete.then_some(CommunityInvitation { url, name }))
}

fn reaction(wire: proto::Reaction) -> Result<Content, ContentError> {
    use proto::reaction::Action;
    let target = message_ref(wire.id, wire.author, "reaction")?;
    let action = match known(wire.action, "reaction.action")? {
        Action::React => ReactionAction::React,
        Action::Remove => ReactionAction::Remove,
    };
    let emoji = text(wire.emoji).and_then(|emoji| emoji.parse::<Emoji>().ok());
    let emoji = emoji.ok_or(ContentError::NothingToShow)?;
    Ok(Content::Reaction(Reaction { target, emoji, action }))
}

fn read_receipt(wire: proto::ReceiptMessage) -> Result<Content, ContentError> {
    match known(wire.kind, "receipt.type")? {
        proto::receipt_message::Kind::Read => {
            Ok(Content::ReadReceipt(wire.timestamp.into_iter().map(Timestamp::from_ms).collect()))
        }
        // "Delivered": out of use.
        proto::receipt_message::Kind::Delivery => Ok(Content::Unknown),
    }
}

fn typing_indicator(wire: &proto::TypingMessage) -> Result<Content, ContentError> {
    use proto::typing_message::Action;
    Ok(Content::Typing(known::<Action>(wire.action, "typing.action")? == Action::Started))
}

fn data_extraction(wire: &proto::DataExtractionNotification) -> Result<Content, ContentError> {
    use proto::data_extraction_notification::Kind;
    Ok(Content::DataExtraction(match known(wire.kind, "data_extraction.type")? {
        Kind::Screenshot => DataExtraction::Screenshot,
        Kind::MediaSaved => {
            DataExtraction::MediaSaved(wire.timestamp.filter(|ms| *ms != 0).map(Timestamp::from_ms))
        }
    }))
}

fn call(wire: proto::CallMessage) -> Result<Content, ContentError> {
    use proto::call_message::Kind;
    let kind = match known(wire.kind, "call.type")? {
        Kind::PreOffer => CallKind::PreOffer,
        Kind::Offer => CallKind::Offer,
        Kind::Answer => CallKind::Answer,
        Kind::ProvisionalAnswer => CallKind::ProvisionalAnswer,
        Kind::IceCandidates => CallKind::IceCandidates,
        Kind::EndCall => CallKind::End,
    };
    let id = text(wire.uuid).filter(|id| !id.is_empty()).map(CallId);
    let id = id.ok_or(ContentError::Field("call.uuid"))?;
    // None may be left out: one of each belongs together by its place.
    let texts = |fields: Vec<Vec<u8>>| fields.into_iter().map(lossy_text).collect();
    let (sdps, line_indexes, mids) = (texts(wire.sdps), wire.sdp_m_line_indexes, texts(wire.sdp_mids));
    Ok(Content::Call(Call { id, kind, sdps, line_indexes, mids }))
}

fn group_update(wire: proto::GroupUpdateMessage) -> Result<Content, ContentError> {
    use ContentError::Field;
    let update = if let Some(invite) = wire.invite_message {
        let auth_data = zeroize::Zeroizing::new(invite.member_auth_data.unwrap_or_default());
        let group = text(invite.group_session_id).and_then(|id| id.parse().ok());
        GroupUpdate::Invite {
            group: group.ok_or(Field("invite.group"))?,
            name: invite.name.map(group_name).ok_or(Field("invite.name"))?,
            auth_data: Key::from_slice(&auth_data).map(Box::new).ok_or(Field("invite.auth_data"))?,
            admin_signature: signature(invite.admin_signature, "invite.signature")?,
        }
    } else if let Some(change) = wire.info_change_message {
        info_change(change)?
    } else if let Some(change) = wire.member_change_message {
        member_change(change)?
    } else if let Some(promote) = wire.promote_message {
        let seed = zeroize::Zeroizing::new(promote.group_identity_seed.unwrap_or_default());
        GroupUpdate::Promote {
            seed: Key::from_slice(&seed).ok_or(Field("promote.seed"))?,
            name: promote.name.map(group_name).ok_or(Field("promote.name"))?,
        }
    } else if wire.member_left_message.is_some() {
        GroupUpdate::MemberLeft
    } else if let Some(response) = wire.invite_response {
        GroupUpdate::InviteResponse {
            approved: response.is_approved.ok_or(Field("invite_response.approved"))?,
        }
    } else if let Some(delete) = wire.delete_member_content {
        let admin_signature = delete.admin_signature.filter(|bytes| !bytes.is_empty());
        GroupUpdate::DeleteMemberContent {
            members: ids(delete.member_session_ids, "delete.members")?,
            hashes: delete.message_hashes.into_iter().filter_map(|hash| text(Some(hash))).collect(),
            admin_signature: admin_signature
                .map(|bytes| signature(Some(bytes), "delete.signature"))
                .transpose()?,
        }
    } else if wire.member_left_notification_message.is_some() {
        GroupUpdate::MemberLeftNotification
    } else {
        return Ok(Content::Unknown);
    };
    Ok(Content::GroupUpdate(update))
}

fn info_change(wire: proto::GroupUpdateInfoChangeMessage) -> Result<GroupUpdate, ContentError> {
    use proto::group_update_info_change_message::Kind;
    let change = match known(wire.kind, "info_change.type")? {
        Kind::Name => {
            let name = wire.updated_name.map(group_name);
            GroupChange::Name(name.ok_or(ContentError::Field("info_change.name"))?)
        }
        Kind::Avatar => GroupChange::Picture,
        Kind::DisappearingMessages => GroupChange::Timer(wire.updated_expiration.unwrap_or(0)),
    };
    let admin_signature = signature(wire.admin_signature, "info_change.signature")?;
    Ok(GroupUpdate::InfoChange { change, admin_signature })
}

fn member_change(wire: proto::GroupUpdateMemberChangeMessage) -> Result<GroupUpdate, ContentError> {
    use proto::group_update_member_change_message::Kind;
    Ok(GroupUpdate::MemberChange {
        change: match known(wire.kind, "member_change.type")? {
            Kind::Added => MemberChange::Added,
            Kind::Removed => MemberChange::Removed,
            Kind::Promoted => MemberChange::Promoted,
        },
        members: ids(wire.member_session_ids, "member_change.members")?,
        history_shared: wire.history_shared.unwrap_or(false),
        admin_signature: signature(wire.admin_signature, "member_change.signature")?,
    })
}

/// A group's name, cut to what groups may have (spec 06 §11).
fn group_name(name: Vec<u8>) -> String {
    let mut name = lossy_text(name);
    name.truncate(name.floor_char_boundary(MAX_GROUP_NAME_BYTES));
    name
}

/// A required value of an enumeration; an unknown one counts as missing.
fn known<E: TryFrom<i32>>(value: Option<i32>, field: &'static str) -> Result<E, ContentError> {
    value.and_then(|value| E::try_from(value).ok()).ok_or(ContentError::Field(field))
}

/// The two required fields that name another message.
fn message_ref(
    timestamp: Option<u64>,
    author: Option<Vec<u8>>,
    field: &'static str,
) -> Result<MessageRef, ContentError> {
    let author = account(author).ok_or(ContentError::Field(field))?;
    let timestamp = Timestamp::from_ms(timestamp.ok_or(ContentError::Field(field))?);
    Ok(MessageRef { author, timestamp })
}

fn signature(bytes: Option<Vec<u8>>, field: &'static str) -> Result<[u8; 64], ContentError> {
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(ContentError::Field(field))
}

fn ids(texts: Vec<Vec<u8>>, field: &'static str) -> Result<Vec<SessionId>, ContentError> {
    texts.into_iter().map(|id| account(Some(id)).ok_or(ContentError::Field(field))).collect()
}

/// An account's id as it is written; `None` if it is none.
fn account(id: Option<Vec<u8>>) -> Option<SessionId> {
    text(id)?.parse().ok()
}
