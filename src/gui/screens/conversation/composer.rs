//! Where a message is written: text, files that wait, what it answers, what its link leads to.
//!
//! Decision: what is written belongs to the conversation, not to the window: text, files, preview and what it answers are
//! kept as a draft a moment after each change and when the conversation is left. A draft that has more than its text is
//! complete only when the rest is loaded; until then it is neither kept nor sent. Enter sends, Shift+Enter breaks the line, and neither does anything to
//! a text that an input method is still composing.
//!
//! Decision: whatever is typed while nothing else takes letters is written here. Escape takes back one thing at a time:
//! the list above the cursor, the answer, the keyboard.

mod field;
mod voice;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::text::{CCursor, CCursorRange, CharIndex};
use egui::text_edit::TextEditState;
use egui::{
    Event, Frame, Galley, Id, ImeEvent, Key, Margin, Modifiers, Popup, Pos2, Rect, Sense, Ui, WidgetInfo,
    pos2, vec2,
};
use septet_client::model::{
    ConversationId, Draft, DraftSummary, Message, MessageId, OutgoingFile, TypingNow,
};
use septet_protocol::id::SessionId;
use septet_protocol::message::MAX_SENT_CHARS;

use super::emoji_button::EmojiButton;
use super::link_bar::LinkBar;
use super::recorder::Recorder;
use super::request;
use super::staged::Staged;
use super::suggest::{Choice, Suggest};
use super::words;
use super::written::Written;
use crate::gui::command::{Command, Look, ShownPreview, StagedFile, Toast, Writing};
use crate::gui::icons::Icon;
use crate::gui::state::Thread;
use crate::gui::text::{self, Weight};
use crate::gui::theme::{metric, radius};
use crate::gui::view::ViewCtx;
use crate::gui::widgets::{button, text_center, text_left};

/// The counter appears when so few characters are left.
const COUNTER: usize = 200;
/// With it the row is at least so high, so that it stands above the button.
const COUNTED: f32 = 64.0;
/// The field grows to so many lines.
const LINES: f32 = 8.0;
/// A draft is kept so long after a key, in seconds: with what writing it takes, 0.3 s are not exceeded.
const KEEP_AFTER: f64 = 0.2;

/// A time that has come already.
const SOON: f64 = 0.0;

/// What is being written in one conversation.
#[derive(Default)]
pub struct Composer {
    written: Written,
    /// How many characters of it are sent.
    count: usize,
    staged: Staged,
    /// The message it answers.
    reply: Option<Arc<Message>>,
    /// When the draft is to be kept, if it changed.
    keep_at: Option<f64>,
    begun: bool,
    /// The draft has more than its text, and that is not here yet.
    loading: bool,
    /// Enter was pressed while something of it was not here yet.
    impatient: bool,
    composing: bool,
    /// The other was told that one types, and not that one stopped.
    typing: bool,
    focus: bool,
    recorder: Recorder,
    suggest: Suggest,
    emoji: EmojiButton,
    link: LinkBar,
    laid: Option<Laid>,
    /// Where the cursor is, on the screen; the list of suggestions stands above it.
    cursor: Pos2,
}

/// The text laid out, as long as nothing of this changes.
struct Laid {
    text: String,
    made_for: (f32, f32, bool, u64),
    galley: Arc<Galley>,
}

impl Composer {
    /// Begins with a draft, if none was begun.
    pub fn begin(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId, draft: Option<&DraftSummary>) {
        if self.begun {
            return;
        }
        (self.begun, self.focus) = (true, true);
        let Some(draft) = draft else { return };
        self.written = Written::read(&draft.text, &|id| words::author(cx, id));
        self.recount();
        self.link.begin(&draft.text, None);
        if draft.files > 0 || draft.reply_to.is_some() || draft.preview {
            self.loading = true;
            cx.send(Command::LoadDraft(conversation));
        }
    }

    /// What the draft has besides its text is here.
    pub fn restored(&mut self, writing: Writing) {
        if std::mem::take(&mut self.loading) {
            self.restore(writing.files);
            self.reply = self.reply.take().or(writing.reply);
            if writing.preview.is_some() {
                self.link.begin(&self.written.sent(), writing.preview);
            }
        }
    }

    /// A website answered.
    pub fn previewed(&mut self, url: &str, preview: Option<ShownPreview>) {
        if self.link.arrived(url, preview) {
            self.keep_at = Some(SOON);
        }
    }

    /// Puts the cursor into the field in the next frame.
    pub fn focus(&mut self) {
        self.focus = true;
    }

    /// Answers a message.
    pub fn reply_to(&mut self, thread: &Thread, message: MessageId) {
        let message = thread.messages.iter().find(|other| other.id == message);
        self.answer(message.cloned());
        self.focus = true;
    }

    /// Takes back a message that was refused, in front of what was begun since.
    pub fn give_back(&mut self, cx: &ViewCtx<'_>, writing: Writing) {
        let names = |id: SessionId| words::author(cx, id);
        match self.written.shown().trim().is_empty() {
            true => self.written = Written::read(&writing.text, &names),
            false => self.written.prepend(&writing.text, &names),
        }
        self.recount();
        self.link.begin(&self.written.sent(), writing.preview);
        self.restore(writing.files);
        self.reply = self.reply.take().or(writing.reply);
        (self.keep_at, self.focus) = (Some(SOON), true);
    }

    /// Adds a file.
    pub fn stage(&mut self, cx: &ViewCtx<'_>, file: StagedFile) {
        if matches!(file.source, OutgoingFile::Kept(_)) {
            self.staged.arrived();
        }
        self.staged.add(cx, file);
        (self.keep_at, self.focus) = (Some(SOON), true);
    }

    /// A pasted picture could not be made a file.
    pub fn not_staged(&mut self) {
        self.staged.arrived();
        self.impatient = false;
    }

    /// A look into a file has shown this.
    pub fn looked(&mut self, file: &OutgoingFile, look: &Look) {
        self.staged.looked(file, look);
    }

    /// Closes the list above the cursor, or leaves what it answers. False if there is neither.
    pub fn step_back(&mut self) -> bool {
        if self.suggest.is_open() {
            self.suggest.close();
        } else if self.reply.is_some() {
            self.answer(None);
        } else {
            return false;
        }
        self.focus = true;
        true
    }

    fn answer(&mut self, message: Option<Arc<Message>>) {
        (self.reply, self.keep_at) = (message, Some(SOON));
    }

    /// Keeps the draft if it changed; `now` in seconds, infinite when leaving.
    pub fn keep(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId, now: f64) {
        if !self.loading && self.keep_at.is_some_and(|at| at <= now) {
            self.keep_at = None;
            let (text, mut files) = (self.written.sent(), self.staged.sources());
            files.extend(self.recorder.kept().cloned().map(OutgoingFile::Kept));
            let reply_to = self.reply.as_ref().map(|message| message.id);
            let preview = self.link.preview();
            cx.send(Command::SetDraft { conversation, draft: Draft { text, files, reply_to, preview } });
        }
    }

    /// Shows it at the lower edge. True if a message was sent.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
        self.take_drops(ui, cx, conversation);
        self.take_letters(ui, conversation);
        self.link.pasted(ui);
        let frame = Frame::new().inner_margin(Margin { left: 12, right: 12, top: 10, bottom: 12 });
        let top = ui.max_rect().left_top();
        let inner = ui.available_width();
        ui.painter().hline(top.x + 12.0..=top.x + inner - 12.0, top.y, egui::Stroke::new(1.0, cx.theme.line));
        frame
            .show(ui, |ui| {
                if self.reply.is_none() && self.staged.is_empty() && self.link.show(ui, cx, conversation) {
                    self.keep_at = Some(SOON);
                }
                self.reply_bar(ui, cx, conversation);
                if self.staged.show(ui, cx) {
                    self.keep_at = Some(SOON);
                }
                self.row(ui, cx, conversation)
            })
            .inner
    }

    /// The message being answered, with a way to not answer it.
    fn reply_bar(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) {
        let Some(message) = self.reply.clone() else { return };
        let thread = cx.state.thread(conversation);
        // As it is now, if it is among those in memory.
        let message = thread
            .and_then(|thread| thread.messages.iter().find(|other| other.id == message.id).cloned())
            .unwrap_or(message);
        if message.deleted {
            self.answer(None);
            return;
        }
        let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 38.0), Sense::hover());
        ui.painter().rect_filled(Rect::from_min_size(row.min, vec2(3.0, 38.0)), 1, cx.theme.accent);
        let author = cx.small().color(cx.theme.accent).weight(Weight::Semibold);
        let width = row.width() - 60.0;
        let left = row.left() + 12.0;
        let name = words::author(cx, message.from);
        text_left(ui.painter(), pos2(left, row.top() + 10.0), &name, author, width);
        text_left(ui.painter(), pos2(left, row.top() + 28.0), &excerpt(cx, &message), cx.small(), width);
        let close = Rect::from_center_size(pos2(row.right() - 16.0, row.center().y), vec2(32.0, 32.0));
        if button::icon_at(ui, cx, close, Id::unique("no reply"), Icon::X, &cx.t("do-not-reply")).clicked() {
            self.answer(None);
        }
        ui.add_space(10.0);
    }

    /// Attach, field, send.
    fn row(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
        if self.recorder.is_on() {
            return self.voice_row(ui, cx, conversation);
        }
        self.notice_input_method(ui);
        let here = ui.ctx().memory(|memory| memory.has_focus(field_id(conversation)));
        if here
            && !self.composing
            && let Some(chosen) = self.suggest.keys(ui)
        {
            self.choose(ui, cx, conversation, chosen);
        }
        let enter = self.enter_pressed(ui, conversation);
        self.answer_by_key(ui, cx, conversation);
        let side = metric::ICON_BUTTON;
        let full = ui.available_width();
        let counted = self.count + COUNTER >= MAX_SENT_CHARS;
        let field_width = full - 2.0 * (side + 8.0) - (38.0 + 4.0);
        let height = self.field_height(ui, cx, field_width).max(if counted { COUNTED } else { 0.0 });
        let (row, _) = ui.allocate_exact_size(vec2(full, height), Sense::hover());
        let attach = Rect::from_min_size(pos2(row.left(), row.bottom() - side - 3.0), vec2(side, side));
        if request::attach(ui, cx, conversation, attach) {
            cx.send(Command::PickFiles(conversation));
        }
        let send = Rect::from_min_size(row.right_bottom() - vec2(38.0, 38.0), vec2(38.0, 38.0));
        let smile = attach.translate(vec2(send.left() - 4.0 - side - attach.left(), 0.0));
        let field = Rect::from_x_y_ranges(attach.right() + 8.0..=smile.left() - 8.0, row.y_range());
        self.field(ui, cx, conversation, field);
        if counted {
            self.counter(ui, cx, Rect::from_min_max(pos2(send.left() - 4.0, row.top()), send.right_top()));
        }
        if let Some(emoji) = self.emoji.show(ui, cx, smile) {
            self.put(ui, cx, conversation, &emoji);
        }
        if let Some(chosen) = self.suggest.show(ui, cx, self.cursor) {
            self.choose(ui, cx, conversation, chosen);
        }
        let pressed = match self.is_empty() && !self.loading {
            true => self.microphone(ui, cx, conversation, send),
            false => self.send_button(ui, cx, send),
        };
        let wanted = enter || pressed || self.impatient;
        wanted && self.send(ui, cx, conversation)
    }

    /// Letters that nothing else takes are written here.
    fn take_letters(&mut self, ui: &Ui, conversation: ConversationId) {
        let ctx = ui.ctx();
        let elsewhere = self.recorder.is_on()
            || ctx.text_edit_focused()
            || Popup::is_any_open(ctx)
            || ctx.memory(|memory| memory.top_modal_layer().is_some());
        // Space presses the button that has the keyboard.
        let typed = |event: &Event| match event {
            Event::Text(text) => !text.trim().is_empty(),
            Event::Paste(_) => true,
            _ => false,
        };
        if !elsewhere && ui.input(|input| input.events.iter().any(typed)) {
            ctx.memory_mut(|memory| memory.request_focus(field_id(conversation)));
        }
    }

    /// Puts what was chosen in place of what was typed for it.
    fn choose(
        &mut self,
        ui: &Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        (start, choice): (usize, Choice),
    ) {
        let id = field_id(conversation);
        let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
        let end = state.cursor.char_range().map_or(start, |range| range.primary.index.0).max(start);
        let start = self.written.remove(start..end);
        let names = |id: SessionId| words::author(cx, id);
        let length = match choice {
            Choice::Member(member) => self.written.insert_mention(start, member, &names),
            Choice::Emoji(emoji) => self.written.insert(start, &emoji, &names),
        };
        let length = length + self.written.insert(start + length, " ", &names);
        let at = CCursor::new(CharIndex(start + length));
        state.cursor.set_char_range(Some(CCursorRange::one(at)));
        state.store(ui.ctx(), id);
        self.suggest.close();
        self.focus = true;
        self.changed(ui);
    }

    /// Puts something where the cursor is, in place of what is marked.
    fn put(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId, text: &str) {
        let id = field_id(conversation);
        let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
        let end = self.written.shown().chars().count();
        let marked = state.cursor.char_range().map_or(end..end, |range| {
            let [from, to] = range.sorted_cursors();
            from.index.0..to.index.0
        });
        let start = if marked.is_empty() { marked.start } else { self.written.remove(marked) };
        let length = self.written.insert(start, text, &|id| words::author(cx, id));
        let at = CCursor::new(CharIndex(start + length));
        state.cursor.set_char_range(Some(CCursorRange::one(at)));
        state.store(ui.ctx(), id);
        self.focus = true;
        self.changed(ui);
    }

    fn notice_input_method(&mut self, ui: &Ui) {
        ui.input(|input| {
            for event in &input.events {
                if let Event::Ime(event) = event {
                    self.composing = matches!(event, ImeEvent::Preedit { text, .. } if !text.is_empty());
                }
            }
        });
    }

    /// Takes Enter away from the field if it means "send".
    fn enter_pressed(&self, ui: &Ui, conversation: ConversationId) -> bool {
        if self.composing || !ui.ctx().memory(|memory| memory.has_focus(field_id(conversation))) {
            return false;
        }
        // The event's own modifiers count: Shift may be up again by the end of the frame.
        let sends = |event: &Event| {
            matches!(event, Event::Key { key: Key::Enter, pressed: true, modifiers, .. }
                if !modifiers.shift && !modifiers.alt)
        };
        ui.input_mut(|input| {
            let before = input.events.len();
            input.events.retain(|event| !sends(event));
            input.events.len() < before
        })
    }

    /// Arrow up in an empty field answers the other's newest message.
    fn answer_by_key(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId) {
        if !ui.ctx().memory(|memory| memory.has_focus(field_id(conversation))) || self.composing {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if self.is_empty() && self.reply.is_none() && pressed(Key::ArrowUp) {
            let thread = cx.state.thread(conversation);
            let newest = thread.and_then(|thread| {
                thread.messages.iter().rev().find(|message| !message.outgoing && message.notice.is_none())
            });
            self.answer(newest.cloned());
        }
    }

    /// Characters left, near the limit.
    fn counter(&self, ui: &Ui, cx: &ViewCtx<'_>, place: Rect) {
        let left = MAX_SENT_CHARS as i64 - self.count as i64;
        let color = if left < 0 { cx.theme.bad } else { cx.theme.muted };
        let style = cx.tiny().color(color).weight(Weight::Semibold);
        let center = pos2(place.center().x, place.bottom() - 14.0);
        text_center(ui.painter(), center, &left.to_string(), style, 60.0);
        let label = cx.strings.with("characters-left", [("count", left.into())]);
        let response = ui.interact(place, Id::unique("characters left"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
    }

    fn send_button(&self, ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) -> bool {
        let ready = !self.is_empty();
        let sense = if ready { Sense::click() } else { Sense::hover() };
        let response = ui.interact(rect, Id::unique("send"), sense);
        let theme = cx.theme;
        let (ground, ink) = match (ready, response.hovered()) {
            (true, true) => (theme.accent.lerp_to_gamma(theme.text, 0.15), theme.on_accent),
            (true, false) => (theme.accent, theme.on_accent),
            (false, _) => (theme.raised, theme.faint),
        };
        ui.painter().rect_filled(rect, radius::COMPOSER, ground);
        Icon::ARROW_UP.paint(ui.painter(), rect.center(), 20.0, ink);
        if response.has_focus() {
            let ring = egui::Stroke::new(1.5, theme.text);
            ui.painter().rect_stroke(rect.expand(2.0), 14, ring, egui::StrokeKind::Inside);
        }
        let label = cx.t("send");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ready, &*label));
        response.on_hover_text(&*label).clicked()
    }

    /// Tells the other that a key was pressed, or that nothing is written any more, if that is to be told at all.
    fn tell_typing(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        let writes = !self.written.shown().trim().is_empty();
        if cx.state.settings.typing_indicators && (writes || self.typing) {
            let what = if writes { TypingNow::Key } else { TypingNow::Stopped };
            cx.send(Command::Typing(conversation, what));
        }
        self.typing = writes;
    }

    /// What is written is left, for now at least.
    pub fn stop_typing(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId) {
        if std::mem::take(&mut self.typing) && cx.state.settings.typing_indicators {
            cx.send(Command::Typing(conversation, TypingNow::Stopped));
        }
    }

    fn is_empty(&self) -> bool {
        self.written.shown().trim().is_empty() && self.staged.is_empty()
    }

    fn send(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId) -> bool {
        if self.is_empty() {
            return false;
        }
        let text = self.written.sent().trim().to_owned();
        if self.count > MAX_SENT_CHARS {
            let said = cx.strings.with("too-long", [("limit", MAX_SENT_CHARS.into())]);
            cx.actions.toast(Toast::bad(said));
            return false;
        }
        self.impatient = self.loading || !self.staged.is_complete();
        if self.impatient {
            return false;
        }
        let reply_to = self.reply.take().map(|message| message.id);
        let draft = Draft { text, files: self.staged.take(), reply_to, preview: self.link.preview() };
        // Writing it down as a message empties the draft.
        cx.send(Command::Send { conversation, draft });
        self.written.clear();
        self.link.clear();
        self.suggest = Suggest::default();
        (self.count, self.keep_at, self.typing) = (0, None, false);
        ui.ctx().memory_mut(|memory| memory.request_focus(field_id(conversation)));
        true
    }

    /// Puts files back that were there before; a voice message goes to its own place.
    fn restore(&mut self, files: Vec<StagedFile>) {
        let (mut others, mut voice) = (Vec::new(), None);
        for file in files {
            match file.source {
                OutgoingFile::Kept(kept) if kept.voice => voice = Some(kept),
                _ => others.push(file),
            }
        }
        self.staged.restore(others);
        if let Some(kept) = voice {
            self.recorder.keep(kept);
        }
    }

    /// Files dropped on the window, and pictures pasted into it.
    fn take_drops(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId) {
        let (dropped, pasted) = ui.input(|input| {
            let dropped: Vec<_> = input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect();
            let pasted: Vec<_> = input
                .events
                .iter()
                .filter_map(|event| match event {
                    Event::PasteImage(image) => Some(image.clone()),
                    _ => None,
                })
                .collect();
            (dropped, pasted)
        });
        if (!dropped.is_empty() || !pasted.is_empty()) && request::refuses_files(cx, conversation) {
            return;
        }
        if !dropped.is_empty() {
            cx.send(Command::Stage(conversation, dropped));
        }
        for image in pasted {
            self.staged.expect();
            cx.send(Command::StagePicture(conversation, image));
        }
    }
}

/// The field of a conversation: each has its own, so that undo and cursor stay apart.
pub fn field_id(conversation: ConversationId) -> Id {
    Id::unique(("composer", conversation))
}

/// A text laid out for editing, its mentions in the accent colour.
fn laid_out(ui: &Ui, cx: &ViewCtx<'_>, written: &Written, text: &str, width: f32) -> Arc<Galley> {
    let mentions: Vec<_> = written.mentions().collect();
    let lit = cx.body().color(cx.theme.accent).weight(Weight::Medium);
    text::layout_editable_with(ui.ctx(), text, cx.body(), &mentions, lit, width)
}

/// A message in one line.
fn excerpt(cx: &ViewCtx<'_>, message: &Message) -> String {
    match message.attachments.first() {
        _ if !message.text.is_empty() => words::named(cx, &message.text),
        Some(first) if first.is_image() => {
            cx.strings.with("pictures", [("count", message.attachments.len().into())])
        }
        Some(first) if !first.name.is_empty() => first.name.clone(),
        _ => cx.t("file").to_string(),
    }
}
