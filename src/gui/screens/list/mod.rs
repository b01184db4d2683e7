//! The list of conversations: who we are, the search field, requests, rows, the path light.

mod many;
mod row;
mod shelf;
mod unreadable;

use egui::accesskit::Role;
use egui::{Id, Key, Modifiers, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::{
    Address, Connection, ConnectionState, Conversation, ConversationId, ConversationKind,
};
use septet_protocol::id::SessionId;

use self::many::Many;
use self::shelf::Shelf;
use super::super::command::Command;
use super::super::icons::Icon;
use super::super::text::{self, Style, Weight, Wrap};
use super::super::theme::{metric, radius, size};
use super::super::view::ViewCtx;
use super::super::widgets::avatar;
use super::super::widgets::button;
use super::super::widgets::dialog::Answer;
use super::super::widgets::field::Field;
use super::super::widgets::{mark, text_left};
use super::deeds::{self, Deed, Fate};

/// What the person chose in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A conversation.
    Open(ConversationId),
    /// Whatever is at an address; nothing may be there yet.
    Meet(Address),
    /// The path dialog.
    Path,
    /// Our own page.
    Account,
    /// A conversation with its details beside it.
    Details(ConversationId),
    /// Something was done with this conversation that it does not stay open after.
    Done(ConversationId, Fate),
}

/// What the list remembers between frames.
#[derive(Default)]
pub struct List {
    search: String,
    shelf: Shelf,
    /// What is asked before it is done, and with whom.
    asking: Option<(ConversationId, Deed)>,
    many: Many,
    looking_up: Option<String>,
    not_found: Option<String>,
}

/// The field's id, for Ctrl+K.
pub fn search_id() -> Id {
    Id::unique("search")
}

impl List {
    /// A registered name was looked up.
    pub fn resolved(&mut self, name: &str, result: &Result<Address, String>) -> Option<Address> {
        if self.looking_up.as_deref() != Some(name) {
            return None;
        }
        self.looking_up = None;
        match result {
            Ok(id) => {
                self.search.clear();
                Some(id.clone())
            }
            Err(reason) => {
                self.not_found = Some(reason.clone());
                None
            }
        }
    }

    /// Shows it in the room there is.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        selected: Option<ConversationId>,
    ) -> Option<Choice> {
        let mut choice = self.top(ui, cx);
        choice = self.field(ui, cx).or(choice);
        unreadable::show(ui, cx);
        let foot = metric::FOOT;
        let room = ui.available_height() - foot;
        let width = ui.available_width();
        let (body, _) = ui.allocate_exact_size(vec2(width, room.max(0.0)), Sense::hover());
        let mut rows = ui.new_child(egui::UiBuilder::new().max_rect(body));
        let picked = ScrollArea::vertical()
            .id_salt("conversations")
            .auto_shrink([false, false])
            .show(&mut rows, |ui| self.rows(ui, cx, selected))
            .inner;
        let done = self.question(ui, cx).or_else(|| self.many.question(ui, cx, selected));
        done.or(picked).or(self.foot(ui, cx)).or(choice)
    }

    /// Our avatar and the program's name.
    fn top(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Choice> {
        let width = ui.available_width();
        let (bar, _) = ui.allocate_exact_size(vec2(width, metric::HEAD), Sense::hover());
        let mut choice = None;
        let middle = bar.center().y;
        let small = metric::AVATAR_SMALL;
        if cx.state.me.is_some() {
            let center = pos2(bar.left() + 12.0 + small / 2.0, middle);
            avatar::own(ui.painter(), center, small, cx);
            let rect = Rect::from_center_size(center, vec2(small + 6.0, small + 6.0));
            let response = ui.interact(rect, Id::unique("own account"), Sense::click());
            let label = cx.t("your-account");
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*label));
            if response.has_focus() || response.hovered() {
                ui.painter().circle_stroke(center, small / 2.0 + 2.0, Stroke::new(1.5, cx.theme.accent));
            }
            if response.on_hover_text(&*label).clicked() {
                choice = Some(Choice::Account);
            }
        } else {
            mark::paint(ui.painter(), pos2(bar.left() + 26.0, middle), small, cx.theme.accent);
        }
        let title = Style::new(size::TITLE, cx.theme.text).weight(Weight::Bold).line(20.0);
        text_left(ui.painter(), pos2(bar.left() + 50.0, middle), &cx.t("app-name"), title, width - 100.0);
        let rect = Rect::from_center_size(pos2(bar.right() - 28.0, middle), vec2(32.0, 32.0));
        let new =
            button::icon_at(ui, cx, rect, Id::unique("new"), Icon::SQUARE_PEN, &cx.t("new-conversation"));
        if new.clicked() {
            ui.ctx().memory_mut(|memory| memory.request_focus(search_id()));
        }
        choice
    }

    fn field(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Choice> {
        let width = ui.available_width();
        let (bar, _) = ui.allocate_exact_size(vec2(width, 42.0), Sense::hover());
        let rect = Rect::from_min_size(bar.min + vec2(12.0, 0.0), vec2(width - 24.0, 34.0));
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        let field = Field {
            label: &cx.t("search-hint"),
            hint: &cx.t("search-hint"),
            height: 34.0,
            inset: (36.0, 60.0),
            id: Some(search_id()),
            ..Field::default()
        };
        let before = self.search.clone();
        let response = field.show(&mut child, cx, &mut self.search);
        if before != self.search {
            self.not_found = None;
        }
        Icon::SEARCH.paint(
            ui.painter(),
            pos2(rect.left() + 19.0, rect.center().y),
            metric::ICON,
            cx.theme.faint,
        );
        self.field_end(ui, cx, rect);
        // With Escape the keyboard is gone already.
        let here = response.has_focus() || response.lost_focus();
        if here && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.search.clear();
            response.surrender_focus();
        }
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if entered { self.enter(cx) } else { None }
    }

    /// The shortcut's name, or a way to empty the field.
    fn field_end(&mut self, ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) {
        if self.search.is_empty() {
            let style = Style::new(size::META, cx.theme.faint).line(14.0);
            let key = text::layout(ui.ctx(), &cx.t("search-shortcut"), style, Wrap::None);
            let frame = Rect::from_center_size(
                pos2(rect.right() - 16.0 - key.size().x / 2.0, rect.center().y),
                key.size() + vec2(11.0, 2.0),
            );
            ui.painter().rect_stroke(frame, 4, Stroke::new(1.0, cx.theme.line), egui::StrokeKind::Inside);
            ui.painter().galley(frame.center() - key.size() / 2.0, key, style.color);
            return;
        }
        let clear = Rect::from_center_size(pos2(rect.right() - 17.0, rect.center().y), vec2(26.0, 26.0));
        if button::icon_at(ui, cx, clear, Id::unique("clear search"), Icon::X, &cx.t("clear-search"))
            .clicked()
        {
            self.search.clear();
            self.not_found = None;
        }
    }

    /// Enter in the field: an id opens, a name is looked up, a search opens its first hit.
    fn enter(&mut self, cx: &ViewCtx<'_>) -> Option<Choice> {
        let query = self.search.trim().to_owned();
        if let Ok(id) = query.parse::<SessionId>() {
            self.search.clear();
            return Some(Choice::Meet(id.into()));
        }
        if let Some(first) = self.hits(cx).first() {
            let id = first.id;
            self.search.clear();
            return Some(Choice::Open(id));
        }
        self.look_up(cx, &query);
        None
    }

    fn look_up(&mut self, cx: &ViewCtx<'_>, name: &str) {
        if !name.is_empty() {
            self.looking_up = Some(name.to_owned());
            self.not_found = None;
            cx.send(Command::Resolve(name.to_owned()));
        }
    }

    /// Conversations whose name or id holds what is typed, hidden ones and those of blocked accounts among them.
    fn hits<'a>(&self, cx: &'a ViewCtx<'_>) -> Vec<&'a Conversation> {
        let query = self.search.trim().to_lowercase();
        let note = cx.t("note-to-self").to_lowercase();
        let fits = |conversation: &&Conversation| match conversation.kind {
            ConversationKind::NoteToSelf => note.contains(&query),
            _ => {
                conversation.name.to_lowercase().contains(&query)
                    || conversation.nickname.as_ref().is_some_and(|name| name.to_lowercase().contains(&query))
                    || (query.len() > 3 && conversation.address.to_string().starts_with(&query))
            }
        };
        cx.state.conversations.iter().filter(|it| !deeds::is_gone(it)).filter(fits).collect()
    }

    fn rows(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, selected: Option<ConversationId>) -> Option<Choice> {
        if !self.search.trim().is_empty() {
            return self.results(ui, cx, selected);
        }
        self.shelf = self.shelf.if_any(cx);
        if let Some(shelf) = shelf::before(ui, cx, self.shelf) {
            self.shelf = shelf;
        }
        self.many.bar(ui, cx, self.shelf);
        let (shelf, mut choice, mut none) = (self.shelf, None, true);
        for conversation in cx.state.conversations.iter().filter(|it| shelf.holds(it)) {
            none = false;
            let row = ui.cursor().min;
            choice = self.row(ui, cx, conversation, selected).or(choice);
            self.many.choose(ui, cx, shelf, conversation, row);
        }
        if none {
            empty(ui, cx, &cx.t(self.shelf.empty()));
        }
        if let Some(shelf) = shelf::after(ui, cx, self.shelf) {
            self.shelf = shelf;
        }
        choice
    }

    /// One conversation, and what was chosen there.
    fn row(
        &mut self,
        ui: &mut Ui,
        cx: &ViewCtx<'_>,
        conversation: &Conversation,
        selected: Option<ConversationId>,
    ) -> Option<Choice> {
        let id = conversation.id;
        match row::show(ui, cx, conversation, selected == Some(id))? {
            row::Did::Opened => Some(Choice::Open(id)),
            row::Did::Details => Some(Choice::Details(id)),
            row::Did::Deed(deed) if deed.asks(conversation) => {
                self.asking = Some((id, deed));
                None
            }
            row::Did::Deed(deed) => {
                deed.carry_out(cx, conversation);
                (deed.fate() != Fate::Stays).then_some(Choice::Done(id, deed.fate()))
            }
        }
    }

    /// The question before something is lost.
    fn question(&mut self, ui: &Ui, cx: &ViewCtx<'_>) -> Option<Choice> {
        let (id, deed) = self.asking?;
        let answer = match cx.state.conversation(id) {
            Some(conversation) => deeds::ask(ui, cx, conversation, deed),
            None => Answer::No,
        };
        if answer != Answer::Waiting {
            self.asking = None;
        }
        (answer == Answer::Yes && deed.fate() != Fate::Stays).then_some(Choice::Done(id, deed.fate()))
    }

    fn results(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, selected: Option<ConversationId>) -> Option<Choice> {
        let query = self.search.trim().to_owned();
        let id = query.parse::<SessionId>();
        if let Ok(id) = id
            && offer(ui, cx, Icon::MESSAGE_CIRCLE, &cx.t("message-this-id"), &id.short())
        {
            self.search.clear();
            return Some(Choice::Meet(id.into()));
        }
        let mut choice = None;
        for conversation in self.hits(cx) {
            choice = self.row(ui, cx, conversation, selected).or(choice);
        }
        if matches!(choice, Some(Choice::Open(_))) {
            self.search.clear();
        }
        let could_be_name = query.len() <= 64 && id.is_err();
        if self.looking_up.is_some() {
            empty(ui, cx, &cx.t("looking-up"));
        } else if let Some(reason) = &self.not_found {
            empty(ui, cx, reason);
        } else if could_be_name && offer(ui, cx, Icon::SEARCH, &cx.t("find-name"), &query) {
            self.look_up(cx, &query);
        }
        choice
    }

    /// The path light and what it says.
    fn foot(&self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Choice> {
        let width = ui.available_width();
        let (bar, _) = ui.allocate_exact_size(vec2(width, metric::FOOT), Sense::hover());
        ui.painter().hline(bar.x_range(), bar.top() + 0.5, Stroke::new(1.0, cx.theme.line));
        let middle = bar.center().y + 0.5;
        let link = bar.with_max_x(bar.right() - 52.0);
        let response = ui.interact(link, Id::unique("path light"), Sense::click());
        let (color, words) = light(cx, &cx.state.connection);
        ui.painter().circle_filled(pos2(bar.left() + 16.0, middle), 4.0, color);
        let lit = response.hovered() || response.has_focus();
        let style = cx.small().color(if lit { cx.theme.text } else { cx.theme.muted });
        text_left(ui.painter(), pos2(bar.left() + 28.0, middle), &words, style, link.width() - 32.0);
        response
            .widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: {words}", cx.t("path"))));
        let mut choice = response.on_hover_text(&*cx.t("show-path")).clicked().then_some(Choice::Path);
        let gear = Rect::from_center_size(pos2(bar.right() - 28.0, middle), vec2(32.0, 32.0));
        if button::icon_at(ui, cx, gear, Id::unique("settings"), Icon::SETTINGS, &cx.t("settings")).clicked()
        {
            choice = Some(Choice::Account);
        }
        choice
    }
}

/// The light's colour, and words with the countries of the first path.
pub fn light(cx: &ViewCtx<'_>, connection: &Connection) -> (egui::Color32, String) {
    match connection.state {
        ConnectionState::Offline => (cx.theme.bad, cx.t("offline").to_string()),
        ConnectionState::Connecting => (cx.theme.warn, cx.t("connecting").to_string()),
        ConnectionState::Connected => {
            let countries: Option<Vec<&str>> = connection.paths.first().and_then(|path| {
                path.iter().map(|hop| hop.country.as_deref().filter(|code| code.len() == 2)).collect()
            });
            let words = match countries.filter(|countries| !countries.is_empty()) {
                Some(countries) => format!("{} · {}", cx.t("connected"), countries.join(" → ")),
                None => cx.t("connected").to_string(),
            };
            (cx.theme.good, words)
        }
    }
}

/// A line that offers to do something with what was typed.
fn offer(ui: &mut Ui, cx: &ViewCtx<'_>, icon: Icon, label: &str, what: &str) -> bool {
    let width = ui.available_width();
    let (outer, response) = ui.allocate_exact_size(vec2(width, metric::ROW), Sense::click());
    let rect = outer.shrink2(vec2(6.0, 0.0));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, radius::ROW, cx.theme.hover);
    }
    let center = pos2(rect.left() + 28.0, rect.center().y);
    ui.painter().circle_filled(center, metric::AVATAR / 2.0, cx.theme.accent_soft);
    icon.paint(ui.painter(), center, metric::ICON, cx.theme.accent);
    let left = rect.left() + 58.0;
    let room = rect.right() - left - 8.0;
    text_left(ui.painter(), pos2(left, rect.top() + 20.0), label, cx.body().weight(Weight::Medium), room);
    text_left(ui.painter(), pos2(left, rect.top() + 41.0), what, cx.small(), room);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{label} {what}")));
    response.clicked()
}

/// A quiet sentence where rows would be.
fn empty(ui: &mut Ui, cx: &ViewCtx<'_>, sentence: &str) {
    let width = ui.available_width();
    let galley = text::layout(ui.ctx(), sentence, cx.small(), Wrap::Lines(width - 48.0));
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 32.0), Sense::hover());
    ui.painter().galley(rect.min + vec2(24.0, 16.0), galley, cx.theme.muted);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, sentence));
}
