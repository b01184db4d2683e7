//! What one does with a whole conversation, from its details, its menu and its row in the list.
//!
//! Decision: one place says what applies to which conversation, what it is called, and what is asked before something
//! is lost, so that the three ways to it offer the same in the same words. What can be taken back is done at once;
//! what deletes asks first, and the question names what goes and where.

use egui::containers::menu::SubMenu;
use egui::{Ui, vec2};
use septet_client::model::{Conversation, ConversationId, ConversationKind};
use septet_protocol::time::Timestamp;

use super::super::command::{Change, Command, Silence};
use super::super::icons::Icon;
use super::super::theme::metric;
use super::super::view::ViewCtx;
use super::super::widgets::button::{Tone, menu_row};
use super::super::widgets::dialog::{self, Answer};
use super::conversation::words;

/// The times one can mute for, in seconds.
const TIMES: [u32; 4] = [3600, 8 * 3600, 86_400, 604_800];
/// Muted longer than this means until somebody switches it on; in milliseconds.
const FOR_GOOD: u64 = 10 * 365 * 86_400_000;

/// Something to do with a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// To the top of the list.
    Pin,
    /// Back among the others.
    Unpin,
    /// As if it had been seen.
    MarkRead,
    /// As if it had not been seen.
    MarkUnread,
    /// Notify again.
    Unmute,
    /// Out of the list.
    Hide,
    /// Back into the list.
    Show,
    /// Nothing from them any more.
    Block,
    /// Let them write again.
    Unblock,
    /// Refuse a request.
    Decline,
    /// Delete all messages.
    DeleteConversation,
    /// Delete all messages and the contact.
    DeleteContact,
}

/// What becomes of a conversation that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It stays open.
    Stays,
    /// It is left as one leaves it for another.
    Leaves,
    /// It is gone with all that was being written there.
    Gone,
}

/// Whether a conversation is in the "hidden" part of the list: there is something in it, and it is nowhere else.
pub fn is_tucked_away(conversation: &Conversation) -> bool {
    Deed::Show.applies(conversation) && (conversation.last_message.is_some() || conversation.draft.is_some())
}

/// Whether nothing of it is to be found any more: a contact who was deleted, a request that was declined.
pub fn is_gone(conversation: &Conversation) -> bool {
    conversation.hidden && !conversation.blocked && !is_ours(conversation)
}

/// A contact, or Note to Self.
pub fn is_ours(conversation: &Conversation) -> bool {
    conversation.approved || conversation.kind == ConversationKind::NoteToSelf
}

/// Whether there are no notifications now. An end that has passed counts for nothing.
pub fn is_muted(cx: &ViewCtx<'_>, conversation: &Conversation) -> bool {
    conversation.muted_until.is_some_and(|until| until > cx.clock.timestamp())
}

/// Until when, if it ends by itself.
pub fn mute_ends(cx: &ViewCtx<'_>, conversation: &Conversation) -> Option<Timestamp> {
    let now = cx.clock.timestamp();
    conversation.muted_until.filter(|until| *until > now && until.as_ms() - now.as_ms() < FOR_GOOD)
}

/// Whether notifications can be switched off here.
pub fn can_be_muted(conversation: &Conversation) -> bool {
    conversation.kind == ConversationKind::Private && conversation.approved && !conversation.blocked
}

impl Deed {
    /// Whether it makes sense with this conversation as it is.
    pub fn applies(self, conversation: &Conversation) -> bool {
        let person = conversation.kind == ConversationKind::Private;
        let read = conversation.unread == 0 && !conversation.marked_unread;
        match self {
            Self::Pin => conversation.is_listed() && conversation.pinned == 0,
            Self::Unpin => conversation.is_listed() && conversation.pinned > 0,
            Self::MarkRead => !read,
            Self::MarkUnread => conversation.is_listed() && read,
            Self::Unmute => can_be_muted(conversation) && conversation.muted_until.is_some(),
            Self::Hide => conversation.is_listed(),
            Self::Show => conversation.hidden && !conversation.blocked && is_ours(conversation),
            Self::Block => person && !conversation.blocked,
            Self::Unblock => person && conversation.blocked,
            Self::Decline => conversation.is_request(),
            Self::DeleteConversation => is_ours(conversation) && conversation.last_message.is_some(),
            Self::DeleteContact => person && conversation.approved,
        }
    }

    /// Its picture, the name of its name, and how it looks.
    pub fn look(self, conversation: &Conversation) -> (Icon, &'static str, Tone) {
        let note = conversation.kind == ConversationKind::NoteToSelf;
        match self {
            Self::Pin => (Icon::PIN, "pin", Tone::Quiet),
            Self::Unpin => (Icon::PIN_OFF, "unpin", Tone::Quiet),
            Self::MarkRead => (Icon::CHECK_CHECK, "mark-read", Tone::Quiet),
            Self::MarkUnread => (Icon::MESSAGE_SQUARE, "mark-unread", Tone::Quiet),
            Self::Unmute => (Icon::BELL, "unmute", Tone::Quiet),
            Self::Hide if note => (Icon::EYE_OFF, "hide-note", Tone::Quiet),
            Self::Hide => (Icon::EYE_OFF, "hide-conversation", Tone::Quiet),
            Self::Show => (Icon::EYE, "show-in-list", Tone::Quiet),
            Self::Block => (Icon::BAN, "block", Tone::Danger),
            Self::Unblock => (Icon::USER_CHECK, "unblock", Tone::Quiet),
            Self::Decline => (Icon::X, "decline", Tone::Danger),
            Self::DeleteConversation if note => (Icon::TRASH_2, "delete-notes", Tone::Danger),
            Self::DeleteConversation => (Icon::TRASH_2, "delete-conversation", Tone::Danger),
            Self::DeleteContact => (Icon::USER_X, "delete-contact", Tone::Danger),
        }
    }

    /// What becomes of the conversation, should it be open, when this is done.
    pub fn fate(self) -> Fate {
        match self {
            Self::Hide => Fate::Leaves,
            Self::Decline | Self::DeleteConversation | Self::DeleteContact => Fate::Gone,
            _ => Fate::Stays,
        }
    }

    /// Whether something is lost by it, here or on another device of ours.
    pub fn asks(self, conversation: &Conversation) -> bool {
        match self {
            // Our other devices delete the messages of what is hidden; of Note to Self they do not.
            Self::Hide => conversation.kind == ConversationKind::Private,
            Self::Block | Self::Decline | Self::DeleteConversation | Self::DeleteContact => true,
            _ => false,
        }
    }

    /// Does it.
    pub fn carry_out(self, cx: &ViewCtx<'_>, conversation: &Conversation) {
        let id = conversation.id;
        let change = |change| Command::Change(id, change);
        cx.send(match (self, &conversation.last_message) {
            (Self::Pin, _) => Command::Pin(id, true),
            (Self::Unpin, _) => Command::Pin(id, false),
            (Self::MarkRead, Some(last)) if conversation.unread > 0 => {
                Command::MarkRead { conversation: id, up_to: last.id }
            }
            (Self::MarkRead, _) => change(Change::MarkUnread(false)),
            (Self::MarkUnread, _) => change(Change::MarkUnread(true)),
            (Self::Unmute, _) => change(Change::Mute(Silence::Off)),
            (Self::Hide, _) => change(Change::Hide),
            (Self::Show, _) => change(Change::ShowInList),
            (Self::Block, _) => Command::Block(id),
            (Self::Unblock, _) => Command::Unblock(id),
            (Self::Decline, _) => Command::Decline(id),
            (Self::DeleteConversation, _) => change(Change::DeleteMessages),
            (Self::DeleteContact, _) => change(Change::DeleteContact),
        });
    }

    /// What is asked, what is lost, and the name of the button that does it.
    fn question(self, cx: &ViewCtx<'_>, conversation: &Conversation) -> (String, String, &'static str) {
        let title = words::title(cx, conversation);
        let say = |name| cx.strings.with(name, [("name", title.as_str().into())]);
        match self {
            Self::Block => (say("block-heading"), say("block-text"), "block"),
            Self::Decline => (say("decline-heading"), say("decline-text"), "decline"),
            Self::Hide => (say("hide-heading"), say("hide-text"), "hide"),
            Self::DeleteConversation if conversation.kind == ConversationKind::NoteToSelf => {
                (say("delete-notes-heading"), say("delete-notes-text"), "delete-notes")
            }
            Self::DeleteContact => {
                (say("delete-contact-heading"), say("delete-contact-text"), "delete-contact")
            }
            _ => (say("delete-conversation-heading"), say("delete-conversation-text"), "delete-conversation"),
        }
    }
}

/// Asks whether it is to be done, and does it on "yes".
pub fn ask(ui: &Ui, cx: &ViewCtx<'_>, conversation: &Conversation, deed: Deed) -> Answer {
    let (heading, text, yes) = deed.question(cx, conversation);
    let answer = dialog::confirm(ui, cx, &heading, &text, &cx.t(yes), Tone::Danger);
    if answer == Answer::Yes {
        deed.carry_out(cx, conversation);
    }
    answer
}

/// Those of these deeds that apply, as rows of a menu; the one chosen.
pub fn menu_rows(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation, deeds: &[Deed]) -> Option<Deed> {
    let mut chosen = None;
    for deed in deeds.iter().copied().filter(|deed| deed.applies(conversation)) {
        let (icon, label, tone) = deed.look(conversation);
        if menu_row(ui, cx, icon, &cx.t(label), tone).clicked() {
            chosen = Some(deed);
            ui.close();
        }
    }
    chosen
}

/// The row of a menu that mutes for a time of choice, or switches notifications on again.
pub fn mute_row(ui: &mut Ui, cx: &ViewCtx<'_>, conversation: &Conversation) {
    if !can_be_muted(conversation) {
        return;
    }
    if is_muted(cx, conversation) {
        if menu_rows(ui, cx, conversation, &[Deed::Unmute]).is_some() {
            Deed::Unmute.carry_out(cx, conversation);
        }
        return;
    }
    let row = menu_row(ui, cx, Icon::BELL_OFF, &cx.t("mute"), Tone::Quiet);
    let end = row.rect.right_center() - vec2(14.0, 0.0);
    Icon::CHEVRON_RIGHT.paint(ui.painter(), end, metric::ICON - 2.0, cx.theme.faint);
    SubMenu::new().show(ui, &row, |ui| mute_times(ui, cx, conversation.id));
}

/// For how long to mute, as rows of a menu.
pub fn mute_times(ui: &mut Ui, cx: &ViewCtx<'_>, id: ConversationId) {
    let times = TIMES.map(|seconds| (words::duration(cx.strings, seconds), Silence::For(seconds)));
    let for_good = (cx.t("mute-for-good").to_string(), Silence::ForGood);
    for (label, silence) in times.into_iter().chain([for_good]) {
        let icon = if silence == Silence::ForGood { Icon::BELL_OFF } else { Icon::CLOCK };
        if menu_row(ui, cx, icon, &label, Tone::Quiet).clicked() {
            cx.send(Command::Change(id, Change::Mute(silence)));
            ui.close();
        }
    }
}

/// "Until 15:30", or "Until you switch it on".
pub fn mute_words(cx: &ViewCtx<'_>, conversation: &Conversation) -> String {
    match mute_ends(cx, conversation) {
        Some(end) => cx.strings.with("muted-until", [("time", cx.clock.moment(end, cx.strings).into())]),
        None => cx.t("mute-for-good").to_string(),
    }
}
