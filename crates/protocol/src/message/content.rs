//! What a message says: one variant for each kind of spec 02 §7.

use std::fmt;

use super::emoji::Emoji;
use super::group_update::GroupUpdate;
use super::text::is_blank;
use crate::attachment::AttachmentPointer;
use crate::id::SessionId;
use crate::time::Timestamp;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, attachments, a quote, a link preview: what a conversation consists of.
    Visible(Visible),
    /// An emoji set on another message, or taken off (spec 02 §16).
    Reaction(Reaction),
    /// An invitation into a community (spec 02 §17).
    CommunityInvitation(CommunityInvitation),
    /// The sender changed when their messages disappear; the new setting is the message's own timer (spec 02 §18.1).
    TimerUpdate,
    /// Something changed in a group, or we are invited into one (spec 02 §2.19).
    GroupUpdate(GroupUpdate),
    /// The sender has read our messages with these sent timestamps (spec 02 §19).
    ReadReceipt(Vec<Timestamp>),
    /// The sender types (`true`) or stopped (`false`) (spec 02 §20).
    Typing(bool),
    /// The sender saved a file of ours or took a screenshot (spec 02 §24).
    DataExtraction(DataExtraction),
    /// Asks to delete a message (spec 02 §23). Who may ask for which one is the reader's to decide.
    Unsend(MessageRef),
    /// Call signalling (spec 02 §25).
    Call(Call),
    /// Accepts our message request; `false` is never sent and means nothing (spec 02 §21).
    RequestResponse(bool),
    /// Nothing we know, and nothing that a newer version would know. To be dropped without a trace (spec 02 §28).
    Unknown,
}

/// Names a message: on the network its author and sent timestamp identify it (spec 02 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// Who wrote it.
    pub author: SessionId,
    /// When it was sent, by its envelope.
    pub timestamp: Timestamp,
}

/// A message with something to show: received ones have a text that is not blank, or an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// The text, lines ended by `\n`; may be empty. Received ones are cut to 10,000 code points.
    pub body: String,
    /// Pictures and files, at most [`super::MAX_ATTACHMENTS`].
    pub attachments: Vec<AttachmentPointer>,
    /// The message it answers.
    pub quote: Option<MessageRef>,
    /// A link in the text, with title and picture.
    pub preview: Option<LinkPreview>,
}

impl Visible {
    /// Whether it has text that is not blank, or an attachment. Others are neither sent nor shown (spec 02 §5).
    pub fn has_something_to_show(&self) -> bool {
        !is_blank(&self.body) || !self.attachments.is_empty()
    }
}

/// A link with a title and a picture (spec 02 §15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPreview {
    /// The link as it stands in the text: `http://…` or `https://…`, at most 4,096 bytes.
    pub url: String,
    /// Title of the page; may be empty if there is a picture. Received ones are cut to [`LinkPreview::MAX_TITLE_CHARS`].
    pub title: String,
    /// Picture of the page. Boxed, as few messages have one.
    pub image: Option<Box<AttachmentPointer>>,
}

impl LinkPreview {
    /// The longest link that is previewed, in bytes (spec 02 §15).
    pub const MAX_URL_BYTES: usize = 4_096;
    /// What is kept of a title, in Unicode code points; our rule, far above what a page's title has.
    pub const MAX_TITLE_CHARS: usize = 1_000;

    /// Whether it has something to show and its link stands in this text. Others are neither sent nor shown: a title
    /// may not speak for a link that nobody sees.
    pub fn belongs_to(&self, body: &str) -> bool {
        let shows_something = !is_blank(&self.title) || self.image.is_some();
        shows_something && self.url.len() <= Self::MAX_URL_BYTES && stands_in(&self.url, body)
    }
}

/// Whether a link stands in a text as a whole, and not as the beginning or the middle of another one.
fn stands_in(url: &str, body: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let stands_alone = |(start, link): (usize, &str)| {
        let before = body.get(..start).and_then(|text| text.chars().next_back());
        let after = body.get(start + link.len()..).unwrap_or_default();
        // Punctuation may follow, and then a space; a letter or digit would belong to a longer link.
        let mut end = after.chars().take_while(|c| c.is_ascii() && !c.is_ascii_whitespace());
        !before.is_some_and(|c| c.is_ascii_alphanumeric()) && !end.any(|c| c.is_ascii_alphanumeric())
    };
    is_web && body.match_indices(url).any(stands_alone)
}

/// An emoji for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The message it is for.
    pub target: MessageRef,
    /// The emoji.
    pub emoji: Emoji,
    /// Set or take off.
    pub action: ReactionAction,
}

/// What to do with a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReactionAction {
    /// Set it.
    React,
    /// Take it off.
    Remove,
}

/// An invitation into a community; both fields are non-empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityInvitation {
    /// Full address with key: `https://host/room?public_key=…`. Not checked.
    pub url: String,
    /// Name of the room.
    pub name: String,
}

/// What the sender took out of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataExtraction {
    /// A picture of the screen. No longer sent by anyone.
    Screenshot,
    /// An attachment of the message with this sent timestamp, if the sender told it.
    MediaSaved(Option<Timestamp>),
}

/// One step of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Names the call in all its messages.
    pub id: CallId,
    /// Which step.
    pub kind: CallKind,
    /// Session description (offer, answer), or one line for each candidate.
    pub sdps: Vec<String>,
    /// One for each candidate.
    pub line_indexes: Vec<u32>,
    /// One for each candidate.
    pub mids: Vec<String>,
}

/// Names a call: a UUID in text form, taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub String);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The steps of a call (spec 02 §25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// An offer will come; wakes the device.
    PreOffer,
    /// The caller's session description.
    Offer,
    /// The called one's session description.
    Answer,
    /// Not in use.
    ProvisionalAnswer,
    /// Where the sender can be reached.
    IceCandidates,
    /// The call is over, or declined.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stands_in_a_text_as_a_whole() {
        let stands = |url: &str, body: &str| {
            LinkPreview { url: url.into(), title: "T".into(), image: None }.belongs_to(body)
        };
        for body in [
            "https://a.example/x",
            "(https://a.example/x).",
            "見てhttps://a.example/xを",
            "a\nhttps://a.example/x\nb",
        ] {
            assert!(stands("https://a.example/x", body), "{body}");
        }
        for (url, body) in [
            ("https://a.example", "https://a.example.evil.test/"),
            ("https://a.example/x", "https://a.example/x?y=1"),
            ("https://a.example/x", "https://a.example/xy https://a.example/"),
            ("https://a.example", "xhttps://a.example"),
            ("javascript://a", "javascript://a"),
            ("a", "a"),
            ("", "a"),
        ] {
            assert!(!stands(url, body), "{url} in {body}");
        }
        assert!(stands("https://a.example/x", "https://a.example/xy and https://a.example/x"));
        let longest = format!("https://a.example/{}", "x".repeat(LinkPreview::MAX_URL_BYTES - 18));
        assert!(stands(&longest, &longest));
        assert!(!stands(&format!("{longest}x"), &format!("{longest}x")));
    }
}
