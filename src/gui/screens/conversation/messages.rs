//! The messages of a conversation: which are in view, where, and what the person does to them.

use std::collections::BTreeSet;

use egui::{Id, Key as Press, Rect, Sense, Ui, pos2, vec2};
use jiff::civil::Date;
use septet_client::model::{ConversationId, Message, MessageId, Page};

use super::beside::{self, Beside};
use super::items::{Item, Key, items, key};
use super::message::{self, Act, Prepared, prepare};
use super::selecting::{Done, Selection};
use super::timeline::{Anchor, Timeline};
use super::{lines, menu, request, touch, words};
use crate::gui::command::{Command, Toast};
use crate::gui::icons::Icon;
use crate::gui::state::{PAGE, Thread};
use crate::gui::text::cache::Lru;
use crate::gui::view::ViewCtx;
use crate::gui::widgets::pill;

/// How long a message that was jumped to is lit, in seconds.
const FLASH: f64 = 1.2;
/// Older messages are asked for when so few are left above.
const AHEAD: usize = 25;

/// Messages laid out; more than any window shows, so that scrolling back and forth lays out nothing twice.
type Laid = Lru<MessageId, Prepared, 400>;

/// What the list of messages remembers between frames.
#[derive(Default)]
pub struct Messages {
    timeline: Timeline<Key>,
    items: Vec<Item>,
    prepared: Laid,
    /// What `items` was made from: revision, today, first unread message, whether it is a stranger's, and whether the
    /// other types.
    made_from: Option<(u64, Date, Option<MessageId>, [bool; 2])>,
    /// What `prepared` was made for: width, pixels per point, theme, generation of fonts, what people are called.
    made_for: (f32, f32, bool, u64, u64),
    unread_from: Option<MessageId>,
    begun: bool,
    asked: Option<Page>,
    marked: Option<MessageId>,
    jump: Option<MessageId>,
    flash: Option<(MessageId, f64)>,
    hovered: Option<MessageId>,
    /// Long texts that are shown whole.
    whole: BTreeSet<MessageId>,
    newest_seen: Option<MessageId>,
    /// What is open beside a message.
    beside: Option<Beside>,
    /// Messages that show all their reactions.
    unfolded: BTreeSet<MessageId>,
    /// Whose card stands above the first message, if they are a stranger.
    stranger: Option<ConversationId>,
    /// What is chosen, while one chooses.
    pub selection: Option<Selection>,
}

impl Messages {
    /// Goes to the newest message.
    pub fn go_to_bottom(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId, thread: &Thread) {
        self.timeline.hold(Anchor::Bottom);
        if thread.more_after {
            cx.send(Command::Load { conversation, page: Page::Newest, limit: PAGE });
        }
    }

    /// Goes to a message, loading what is around it if need be.
    pub fn jump_to(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId, id: MessageId) {
        self.jump = Some(id);
        let here = cx.state.thread(conversation).is_some_and(|t| t.messages.iter().any(|m| m.id == id));
        if !here {
            cx.send(Command::Load { conversation, page: Page::Around(id), limit: PAGE });
        }
    }

    /// What one wanted to go to is not here any more.
    pub fn not_here(&mut self, cx: &ViewCtx<'_>, id: MessageId) {
        if self.jump == Some(id) {
            self.jump = None;
            missing(cx);
        }
    }

    /// The conversation is not shown any more: what waits to be shown or chosen there does so no longer.
    pub fn leave(&mut self) {
        (self.jump, self.beside, self.selection) = (None, None, None);
    }

    /// Begins to choose, with one message.
    pub fn select(&mut self, thread: &Thread, id: MessageId) {
        self.beside = None;
        self.selection = Selection::of(thread, id);
    }

    /// Shows the messages in the room there is.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        thread: &Thread,
    ) -> Option<Act> {
        let view = ui.available_rect_before_wrap();
        ui.allocate_rect(view, Sense::hover());
        let side = if cx.narrow { 12.0 } else { 24.0 };
        let column = Rect::from_x_y_ranges(view.left() + side..=view.right() - side, view.y_range());
        let stranger = cx.state.conversation(conversation).filter(|with| with.is_request());
        self.stranger = stranger.map(|with| with.id);
        let typing = cx.state.typing.contains(&conversation) && !thread.more_after;
        self.remake(ui, cx, thread, column.width(), typing);
        self.begin(thread);
        self.follow_jump(ui, view.height());

        let scroll = self.scroll(ui, view);
        let (items, prepared, whole) = (&self.items, &mut self.prepared, &self.whole);
        let ctx = ui.ctx().clone();
        self.timeline.place(view.height(), scroll, &mut |index| {
            height(&ctx, cx, thread, items.get(index), (prepared, whole), column.width())
        });

        let act = self.paint(ui, cx, thread, column, view);
        let act = act.and_then(|act| self.take(ui, cx, thread, act));
        let beside = beside::show(&mut self.beside, ui, cx, thread);
        let act = act.or(beside.and_then(|act| self.take(ui, cx, thread, act)));
        self.bar(ui, cx, view);
        self.latest(ui, cx, conversation, thread, view);
        self.ask_for_more(cx, conversation, thread);
        self.mark_read(ui, cx, conversation, thread);
        act
    }

    /// Shows a long text whole, or only its beginning again; its first line stays where it is.
    fn fold(&mut self, id: MessageId) {
        if !self.whole.remove(&id) {
            self.whole.insert(id);
        }
        let key = Key::Message(id);
        if let Some(top) = self.timeline.top_of(key) {
            // Beginnings that are out of view come back into it.
            self.timeline.hold(Anchor::Item(key, top.max(0.0)));
        }
        self.prepared.remove(&id);
        self.timeline.forget(key);
    }

    /// Does what concerns the list alone; gives back what does not.
    fn take(&mut self, ui: &Ui, cx: &ViewCtx<'_>, thread: &Thread, act: Act) -> Option<Act> {
        match act {
            Act::Open(wanted) => self.beside = Some(Beside::open(ui, wanted)),
            Act::Unfold(id) => {
                self.unfolded.insert(id);
                self.made_from = None;
            }
            Act::Fold(id) => self.fold(id),
            Act::Missing => missing(cx),
            Act::Select(id) => self.choose(ui, thread, id),
            act => return Some(act),
        }
        ui.ctx().request_repaint();
        None
    }

    /// A message is chosen, or not any more; with Shift all up to it are.
    fn choose(&mut self, ui: &Ui, thread: &Thread, id: MessageId) {
        let range = ui.input(|input| input.modifiers.shift);
        match &mut self.selection {
            None => self.select(thread, id),
            Some(selection) if range => selection.extend(thread, id),
            Some(selection) => {
                if !selection.toggle(thread, id) {
                    self.selection = None;
                }
            }
        }
    }

    /// Makes the items again if the messages changed, and forgets layouts if the room did.
    fn remake(&mut self, ui: &Ui, cx: &ViewCtx<'_>, thread: &Thread, width: f32, typing: bool) {
        let ppp = ui.ctx().pixels_per_point();
        let made_for = (width, ppp, cx.theme.dark, cx.generation, cx.state.names);
        if self.made_for != made_for {
            self.prepared.clear();
            if self.made_for.0 != width || self.made_for.3 != cx.generation {
                self.timeline.forget_heights();
            }
            self.made_for = made_for;
        }
        let stranger = self.stranger.is_some();
        let today = cx.clock.now().date();
        let made_from = Some((thread.revision, today, self.unread_from, [stranger, typing]));
        if self.made_from == made_from {
            return;
        }
        self.made_from = made_from;
        self.items = items(cx, thread, self.unread_from, &self.unfolded, stranger);
        self.items.extend(typing.then_some(Item::Typing));
        if self.selection.as_mut().is_some_and(|selection| !selection.refresh(thread)) {
            self.selection = None;
        }
        self.timeline.set_items(self.items.iter().map(|item| key(item, thread)).collect());
        for item in &self.items {
            let Item::Message(index, place) = item else { continue };
            let Some(message) = thread.messages.get(*index) else { continue };
            let stale =
                |known: &Prepared| !std::sync::Arc::ptr_eq(&known.message, message) || known.place != *place;
            if self.prepared.peek(&message.id).is_none_or(stale) {
                self.prepared.remove(&message.id);
                self.timeline.forget(Key::Message(message.id));
            }
        }
    }

    /// The first time there is something to show: start at the first unread message.
    fn begin(&mut self, thread: &Thread) {
        if self.begun || !thread.loaded {
            return;
        }
        self.begun = true;
        self.newest_seen = thread.messages.last().map(|message| message.id);
        self.unread_from = thread
            .messages
            .iter()
            .find(|message| !message.outgoing && !message.read)
            .map(|message| message.id);
        if self.unread_from.is_some() {
            self.timeline.hold(Anchor::Item(Key::Unread, 72.0));
            self.made_from = None;
        }
    }

    fn follow_jump(&mut self, ui: &Ui, height: f32) {
        let Some(id) = self.jump else { return };
        let there = self.items.iter().any(|item| matches!(item, Item::Message(..)));
        if there && self.timeline.contains(Key::Message(id)) {
            self.jump = None;
            self.timeline.hold(Anchor::Item(Key::Message(id), height * 0.3));
            self.flash = Some((id, ui.input(|input| input.time)));
        }
    }

    /// How far the person moved the view since the last frame.
    fn scroll(&mut self, ui: &Ui, view: Rect) -> f32 {
        let page = view.height() - 60.0;
        let typing = ui.ctx().text_edit_focused();
        let keys = ui.input(|input| {
            let pressed = |key| input.num_presses(key) as f32;
            let ends = input.modifiers.command || !typing;
            let mut by = (pressed(Press::PageUp) - pressed(Press::PageDown)) * page;
            if ends && input.key_pressed(Press::Home) {
                by += 1e7;
            }
            if ends && input.key_pressed(Press::End) {
                by -= 1e7;
            }
            by
        });
        let wheel = if ui.rect_contains_pointer(view) {
            ui.input(|input| input.smooth_scroll_delta().y)
        } else {
            0.0
        };
        keys + wheel
    }

    fn paint(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        thread: &Thread,
        column: Rect,
        view: Rect,
    ) -> Option<Act> {
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(view));
        ui.shrink_clip_rect(view);
        let pointer = ui.input(|input| input.pointer.hover_pos()).filter(|_| ui.rect_contains_pointer(view));
        let (mut act, mut bar) = (None, None);
        let long = &self.whole;
        for (index, top) in self.timeline.placed().to_vec() {
            let origin = pos2(column.left(), view.top() + top.round());
            let center = |height: f32| pos2(column.center().x, origin.y + height / 2.0);
            match self.items.get(index) {
                Some(Item::Stranger) => {
                    let row = Rect::from_min_size(origin, vec2(column.width(), request::HEIGHT));
                    if let Some(stranger) = self.stranger.and_then(|id| cx.state.conversation(id)) {
                        request::card(&ui, cx, stranger, thread, row);
                    }
                }
                Some(Item::Day(day)) => {
                    let name = cx.clock.day_name(*day, cx.strings);
                    lines::day(&ui, cx, center(36.0), &name, column.width());
                }
                Some(Item::Unread) => {
                    let row = Rect::from_min_size(origin + vec2(0.0, 10.0), vec2(column.width(), 18.0));
                    lines::unread_line(&ui, cx, row);
                }
                Some(Item::Notice(index)) => {
                    let Some(message) = thread.messages.get(*index) else { continue };
                    let row = Rect::from_min_size(origin, vec2(column.width(), 30.0));
                    act = act.or(self.notice(&ui, cx, message, row));
                }
                Some(Item::Message(index, place)) => {
                    let Some(message) = thread.messages.get(*index) else { continue };
                    let place = *place;
                    let prepared = self.prepared.get_or_make(message.id, || {
                        prepare(ui.ctx(), cx, message, place, column.width(), long.contains(&message.id))
                    });
                    flash(&ui, cx, &mut self.flash, prepared, origin);
                    if let Some(selection) = &self.selection {
                        let chosen = selection.has(message);
                        let bubble = prepared.bounds.translate(origin.to_vec2()).y_range();
                        let around = Rect::from_x_y_ranges(column.x_range(), bubble.expand(4.0));
                        touch::chosen_ground(&ui, cx, around, chosen);
                        message::paint(&touch::at_rest(&mut ui, chosen), cx, prepared, origin);
                        let said = message::spoken(cx, message);
                        act = act.or(touch::cover(&ui, cx, message, around, chosen, &said));
                        continue;
                    }
                    let painted = message::paint(&ui, cx, prepared, origin);
                    let bounds = prepared.bounds.translate(origin.to_vec2());
                    let near = bounds.expand2(vec2(48.0, 1.0));
                    let open = self.beside.as_ref().is_some_and(|beside| beside.message() == message.id);
                    let held = self.hovered == Some(message.id) && {
                        let place = menu::bar_rect(cx, message, bounds, view).expand(6.0);
                        pointer.is_some_and(|at| place.contains(at))
                    };
                    if held || open || (bar.is_none() && pointer.is_some_and(|at| near.contains(at))) {
                        bar = Some((message, bounds));
                    }
                    act = act.or(touch::asked_of(&ui, cx, message, &painted)).or(painted.act);
                }
                Some(Item::Typing) => {
                    let with = thread.messages.last().and_then(|it| cx.state.conversation(it.conversation));
                    let name = with.map(|it| words::title(cx, it)).unwrap_or_default();
                    lines::typing(&ui, cx, origin, &name);
                }
                None => {}
            }
        }
        self.hovered = bar.as_ref().map(|(message, _)| message.id);
        if let Some((message, bounds)) = bar {
            act = menu::bar(&ui, cx, message, bounds, view).or(act);
        }
        act
    }

    /// A line that tells what happened, with its menu.
    fn notice(&self, ui: &Ui, cx: &ViewCtx<'_>, message: &Message, row: Rect) -> Option<Act> {
        let text = notice_text(cx, message);
        if let Some(selection) = &self.selection {
            let chosen = selection.has(message);
            touch::chosen_ground(ui, cx, row, chosen);
            lines::notice(ui, cx, row.center(), message, &text, row.width());
            return touch::cover(ui, cx, message, row, chosen, &text);
        }
        let whole = ui.interact(row, message::id(message.id), Sense::click());
        lines::notice(ui, cx, row.center(), message, &text, row.width());
        whole.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ListItem, true, &text));
        if whole.has_focus() {
            let ring = egui::Stroke::new(1.5, cx.theme.accent);
            ui.painter().rect_stroke(row, 8, ring, egui::StrokeKind::Inside);
        }
        touch::asked_of(ui, cx, message, &message::Painted { whole, act: None, link: None })
    }

    /// What the keys ask of what is chosen.
    pub fn selection_keys(&self, ui: &Ui, cx: &ViewCtx<'_>) -> Option<Done> {
        self.selection.as_ref()?.keys(ui, cx)
    }

    /// The scroll bar: there when needed, can be dragged.
    fn bar(&mut self, ui: &Ui, cx: &ViewCtx<'_>, view: Rect) {
        let Some((above, part)) = self.timeline.bar(view.height()) else { return };
        let track =
            Rect::from_min_max(pos2(view.right() - 10.0, view.top() + 2.0), view.max - vec2(2.0, 2.0));
        let response = ui.interact(track, Id::unique("messages bar"), Sense::drag());
        let length = (part * track.height()).clamp(28.0, track.height());
        let run = track.height() - length;
        let reach = (1.0 - part).max(1e-6);
        let top = track.top() + run * (above / reach).clamp(0.0, 1.0);
        if response.dragged() {
            let by = response.drag_delta().y;
            if by != 0.0 {
                self.timeline.jump(((top + by - track.top()) / run.max(1.0)) * reach);
                ui.ctx().request_repaint();
            }
        }
        let lit = response.hovered() || response.dragged();
        if !lit && !ui.rect_contains_pointer(view) {
            return;
        }
        let width = if lit { 6.0 } else { 4.0 };
        let handle = Rect::from_min_size(pos2(track.right() - width, top), vec2(width, length));
        let color = if lit { cx.theme.faint } else { cx.theme.line };
        ui.painter().rect_filled(handle, 3, color);
    }

    /// The button that leads back to the newest message, with the number of those that came meanwhile.
    fn latest(
        &mut self,
        ui: &Ui,
        cx: &ViewCtx<'_>,
        conversation: ConversationId,
        thread: &Thread,
        view: Rect,
    ) {
        if self.timeline.at_bottom() && !thread.more_after {
            self.newest_seen = thread.messages.last().map(|message| message.id);
            return;
        }
        let new = thread.messages.iter().rev().take_while(|message| Some(message.id) != self.newest_seen);
        let new = new.filter(|message| !message.outgoing).count();
        let center = view.right_bottom() - vec2(42.0, 38.0);
        let rect = Rect::from_center_size(center, vec2(38.0, 38.0));
        let response = ui.interact(rect, Id::unique("latest"), Sense::click());
        let theme = cx.theme;
        let ground = if response.hovered() { theme.hover } else { theme.panel };
        ui.painter().add(theme.shadow.as_shape(rect.shrink(2.0), 19));
        ui.painter().circle(center, 19.0, ground, egui::Stroke::new(1.0, theme.line));
        Icon::CHEVRON_DOWN.paint(ui.painter(), center, 20.0, theme.text);
        if new > 0 {
            let count = pill::count(u32::try_from(new).unwrap_or(u32::MAX));
            pill::right(
                ui.painter(),
                rect.right_top() + vec2(6.0, 2.0),
                &count,
                theme.accent,
                theme.on_accent,
            );
        }
        let label = cx.strings.with("jump-to-latest", [("count", new.into())]);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
        if response.on_hover_text(&label).clicked() {
            self.go_to_bottom(cx, conversation, thread);
            ui.ctx().request_repaint();
        }
    }

    fn ask_for_more(&mut self, cx: &ViewCtx<'_>, conversation: ConversationId, thread: &Thread) {
        let placed = self.timeline.placed();
        let near_top = placed.first().is_some_and(|(index, _)| *index < AHEAD);
        let near_end = placed.last().is_some_and(|(index, _)| *index + AHEAD > self.items.len());
        let page = if near_top && thread.more_before {
            thread.messages.first().map(|message| Page::Before(message.id))
        } else if near_end && thread.more_after {
            thread.messages.last().map(|message| Page::After(message.id))
        } else {
            None
        };
        if let Some(page) = page
            && self.asked != Some(page)
        {
            self.asked = Some(page);
            cx.send(Command::Load { conversation, page, limit: PAGE });
        }
    }

    /// Tells that messages were seen: those in view of a window that has the keyboard.
    fn mark_read(&mut self, ui: &Ui, cx: &ViewCtx<'_>, conversation: ConversationId, thread: &Thread) {
        if !ui.input(|input| input.focused) {
            return;
        }
        let seen =
            self.timeline.placed().iter().rev().find_map(|(index, _)| match self.items.get(*index)? {
                Item::Message(index, _) | Item::Notice(index) => {
                    thread.messages.get(*index).filter(|message| !message.outgoing && !message.read)
                }
                _ => None,
            });
        if let Some(message) = seen
            && self.marked < Some(message.id)
        {
            self.marked = Some(message.id);
            cx.send(Command::MarkRead { conversation, up_to: message.id });
        }
    }
}

/// Says that a message is not here any more.
fn missing(cx: &ViewCtx<'_>) {
    cx.actions.toast(Toast::info(&*cx.t("quote-missing-sentence")));
}

fn height(
    ctx: &egui::Context,
    cx: &ViewCtx<'_>,
    thread: &Thread,
    item: Option<&Item>,
    (prepared, whole): (&mut Laid, &BTreeSet<MessageId>),
    width: f32,
) -> f32 {
    match item {
        Some(Item::Stranger) => request::HEIGHT,
        Some(Item::Day(_)) => 36.0,
        Some(Item::Unread) => 34.0,
        Some(Item::Notice(_)) => 30.0,
        Some(Item::Typing) => lines::TYPING,
        Some(Item::Message(index, place)) => thread.messages.get(*index).map_or(0.0, |message| {
            let whole = whole.contains(&message.id);
            prepared.get_or_make(message.id, || prepare(ctx, cx, message, *place, width, whole)).height
        }),
        None => 0.0,
    }
}

fn notice_text(cx: &ViewCtx<'_>, message: &Message) -> String {
    let who = match cx.state.conversation(message.conversation) {
        Some(conversation) => {
            let other = conversation.address.account();
            other.map_or_else(|| conversation.title(), |other| words::author(cx, other))
        }
        None => words::author(cx, message.from),
    };
    message
        .notice
        .as_ref()
        .map(|notice| words::notice(cx.strings, notice, message.outgoing, &who))
        .unwrap_or_default()
}

/// Lights a message that was jumped to, fading.
fn flash(
    ui: &Ui,
    cx: &ViewCtx<'_>,
    flash: &mut Option<(MessageId, f64)>,
    prepared: &Prepared,
    origin: egui::Pos2,
) {
    let Some((id, since)) = *flash else { return };
    if id != prepared.message.id {
        return;
    }
    let age = ui.input(|input| input.time) - since;
    if age > FLASH {
        *flash = None;
        return;
    }
    let strength = (1.0 - age / FLASH) as f32;
    let rect = prepared.bounds.translate(origin.to_vec2()).expand(5.0);
    ui.painter().rect_filled(rect, 18, cx.theme.accent.gamma_multiply(0.45 * strength));
    ui.ctx().request_repaint();
}
