//! What a message says in words: its state, its author, what it quotes, what happened.

use septet_client::model::{
    AttachmentState, AttachmentSummary, Conversation, ConversationKind, DraftSummary, Expiry, Message,
    MessageState, Notice, Quote,
};
use septet_protocol::id::SessionId;
use septet_protocol::message::mentions;

use super::super::super::strings::Strings;
use super::super::super::view::ViewCtx;

/// How far a message of ours got; nothing for the other's.
pub fn state(cx: &ViewCtx<'_>, message: &Message) -> Option<std::sync::Arc<str>> {
    Some(match message.state {
        MessageState::Received => return None,
        MessageState::Sending
            if message.attachments.iter().any(|a| a.state == AttachmentState::Preparing) =>
        {
            cx.t("state-preparing")
        }
        MessageState::Sending => cx.t("state-sending"),
        MessageState::Failed => cx.t("state-failed"),
        MessageState::Sent if message.read => cx.t("state-read"),
        MessageState::Sent => cx.t("state-sent"),
    })
}

/// What to call an account.
pub fn author(cx: &ViewCtx<'_>, id: SessionId) -> String {
    if cx.state.is_me(id) {
        return cx.t("you").to_string();
    }
    match cx.state.at(&id.into()) {
        Some(conversation) => conversation.title(),
        None => id.short(),
    }
}

/// A text with people by their names where it mentions them, for where nothing can be clicked. What may be the
/// beginning of a mention that was cut off is left out.
pub fn named(cx: &ViewCtx<'_>, text: &str) -> String {
    if !text.contains("@05") {
        return text.to_owned(); // nearly all, in every frame
    }
    let (mut out, mut at) = (String::new(), 0);
    for mention in mentions(text) {
        let Some(id) = mention.session_id() else { continue };
        out.push_str(text.get(at..mention.range.start).unwrap_or_default());
        out.push('@');
        out.push_str(&author(cx, id));
        at = mention.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    let cut = out.rfind("@05").filter(|at| {
        let end = out.get(at + 1..).unwrap_or_default();
        (12..66).contains(&end.len()) && end.bytes().all(|c| c.is_ascii_hexdigit())
    });
    if let Some(at) = cut {
        out.truncate(at);
        out.push_str("@…");
    }
    out
}

/// The name of a conversation, Note to Self included.
pub fn title(cx: &ViewCtx<'_>, conversation: &Conversation) -> String {
    match conversation.kind {
        ConversationKind::NoteToSelf => cx.t("note-to-self").to_string(),
        _ => conversation.title(),
    }
}

/// The name of the name of the page with all there is to set about a conversation.
pub fn details(conversation: &Conversation) -> &'static str {
    match conversation.kind {
        ConversationKind::NoteToSelf => "note-details",
        _ => "contact-details",
    }
}

/// What stands in the place of a message that was deleted.
pub fn gone(cx: &ViewCtx<'_>, message: &Message) -> std::sync::Arc<str> {
    cx.t(if message.deleted_here { "message-deleted-here" } else { "message-deleted" })
}

/// What is under a quote's author.
pub fn quoted(cx: &ViewCtx<'_>, quote: &Quote) -> String {
    match &quote.attachment {
        _ if quote.message.is_none() => cx.t("quote-missing").to_string(),
        _ if !quote.text.is_empty() => named(cx, &quote.text),
        Some(attachment) => attachment_kind(cx, attachment),
        None => cx.t("quote-missing").to_string(),
    }
}

/// An attachment in a few words: "Picture", "3 pictures", a file name.
pub fn attachment_kind(cx: &ViewCtx<'_>, attachment: &AttachmentSummary) -> String {
    let count = attachment.count.max(1);
    if attachment.voice {
        cx.t("voice-message").to_string()
    } else if attachment.content_type.starts_with("image/") {
        cx.strings.with("pictures", [("count", count.into())])
    } else if count > 1 || attachment.name.is_empty() {
        cx.strings.with("files", [("count", count.into())])
    } else {
        attachment.name.clone()
    }
}

/// What is written and not sent yet, in a line.
pub fn draft(cx: &ViewCtx<'_>, draft: &DraftSummary) -> String {
    match draft.text.trim() {
        "" => cx.strings.with("files", [("count", draft.files.into())]),
        // However much was pasted, a row shows a line of it.
        text => named(cx, &text.chars().take(300).collect::<String>()),
    }
}

/// A line that tells what happened. `who` is the other's name.
pub fn notice(strings: &Strings, notice: &Notice, outgoing: bool, who: &str) -> String {
    let name = [("name", who.into())];
    match notice {
        Notice::YouAccepted => strings.with("notice-you-accepted", name),
        Notice::TheyAccepted => strings.with("notice-they-accepted", name),
        Notice::ExpiryChanged { expiry } => expiry_changed(strings, *expiry, outgoing, who),
        Notice::MediaSaved => strings.with("notice-media-saved", name),
        Notice::Screenshot => strings.with("notice-screenshot", name),
        Notice::MissedCall => strings.with("notice-missed-call", name),
        Notice::CommunityInvitation { name, .. } => {
            strings.with("notice-community", [("room", name.as_str().into())])
        }
        Notice::Unreadable if outgoing => strings.t("notice-unreadable-own").to_string(),
        Notice::Unreadable => strings.with("notice-unreadable", name),
        Notice::GroupInvitation { name } => strings.with("notice-group", [("group", name.as_str().into())]),
    }
}

fn expiry_changed(strings: &Strings, expiry: Expiry, outgoing: bool, who: &str) -> String {
    let who = if outgoing { strings.t("you").to_string() } else { who.to_owned() };
    let name = match expiry {
        Expiry::Off => "notice-expiry-off",
        Expiry::AfterRead(_) => "notice-expiry-read",
        Expiry::AfterSend(_) => "notice-expiry-sent",
    };
    let length = duration(strings, expiry_seconds(expiry));
    strings.with(name, [("name", who.into()), ("time", length.into())])
}

fn expiry_seconds(expiry: Expiry) -> u32 {
    match expiry {
        Expiry::Off => 0,
        Expiry::AfterRead(seconds) | Expiry::AfterSend(seconds) => seconds,
    }
}

/// The chip in the head: "1 week after read"; nothing if messages stay.
pub fn expiry_chip(cx: &ViewCtx<'_>, expiry: Expiry) -> Option<String> {
    let name = match expiry {
        Expiry::Off => return None,
        Expiry::AfterRead(_) => "expiry-after-read",
        Expiry::AfterSend(_) => "expiry-after-sent",
    };
    Some(cx.strings.with(name, [("time", duration(cx.strings, expiry_seconds(expiry)).into())]))
}

/// A length of time in its largest whole unit.
pub fn duration(strings: &Strings, seconds: u32) -> String {
    for (name, unit) in [("weeks", 604_800), ("days", 86_400), ("hours", 3600), ("minutes", 60)] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            return strings.with(name, [("count", (seconds / unit).into())]);
        }
    }
    strings.with("seconds", [("count", seconds.into())])
}

/// A size as people read it: 950 bytes, 1.8 MB.
pub fn bytes(cx: &ViewCtx<'_>, bytes: u64) -> String {
    match bytes {
        0..1000 => cx.strings.with("size-bytes", [("count", bytes.into())]),
        1000..1_000_000 => cx.strings.with("size-kb", [("size", (bytes.div_ceil(1000)).into())]),
        _ => cx.strings.with("size-mb", [("size", format!("{:.1}", bytes as f64 / 1e6).into())]),
    }
}
