//! The window: takes in updates, chooses what is shown, and hands every view its context.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use egui::{Context, CursorIcon, Frame, Id, Panel, Popup, Rect, Sense, Stroke, Ui, pos2, vec2};
use septet_client::model::{AttachmentState, ConversationId};
use tokio::sync::mpsc::UnboundedSender;

use super::actions::Actions;
use super::attached::FileNews;
use super::clock::Clock;
use super::command::{Command, Toast, Update};
use super::fonts;
use super::images::Images;
use super::preferences::Preferences;
use super::screens::account::Account;
use super::screens::conversation::details::Side;
use super::screens::conversation::{Composer, ConversationView, player};
use super::screens::list::List;
use super::screens::path;
use super::screens::welcome::Welcome;
use super::sound::{ClipKey, Sound, SoundNews};
use super::state::{AppState, PAGE, Phase};
use super::strings::Strings;
use super::theme::{Theme, ThemeChoice, metric};
use super::view::ViewCtx;
use super::widgets::toast::Toasts;
use super::widgets::{mark, text_center};

/// The context of this frame. A macro, because it borrows single fields while a view borrows another.
macro_rules! context {
    ($window:ident, $theme:expr, $narrow:expr) => {
        ViewCtx {
            state: &$window.state,
            actions: &$window.actions,
            theme: $theme,
            strings: &$window.strings,
            images: &$window.images,
            sound: &$window.sound,
            clock: &$window.clock,
            narrow: $narrow,
            generation: $window.generation,
        }
    };
}

mod choosing;

/// The text cursor blinks for so many seconds after the last input.
const BLINK_FOR: f64 = 10.0;

/// How long, in seconds, the window must stay as it is before that is kept.
const SETTLED: f64 = 1.0;

/// What is on top of list and conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    Path,
    Account,
}

/// The window and everything in it.
pub struct Window {
    state: AppState,
    updates: Receiver<Update>,
    actions: Actions,
    preferences: Preferences,
    /// What was kept of them last.
    kept: Preferences,
    /// What they were in the last frame, and since when.
    seen: Preferences,
    changed: f64,
    theme: Option<Theme>,
    strings: Strings,
    images: Images,
    sound: Sound,
    clock: Clock,
    toasts: Toasts,
    list: List,
    welcome: Welcome,
    account: Account,
    page: Option<Page>,
    open: Option<ConversationId>,
    views: BTreeMap<ConversationId, ConversationView>,
    side: Side,
    generation: u64,
    atlas: f32,
    last_input: f64,
}

impl Window {
    /// A window that sends commands and takes in updates. Fonts are set up for `ctx`; those of the system are left
    /// to the caller.
    pub fn new(
        ctx: &Context,
        commands: UnboundedSender<Command>,
        updates: Receiver<Update>,
        clock: Clock,
    ) -> Self {
        ctx.set_fonts(fonts::definitions());
        ctx.options_mut(|options| options.zoom_with_keyboard = true);
        Self {
            state: AppState::default(),
            updates,
            actions: Actions::new(commands),
            preferences: Preferences::default(),
            kept: Preferences::default(),
            seen: Preferences::default(),
            changed: 0.0,
            theme: None,
            strings: Strings::english(),
            images: Images::default(),
            sound: Sound::default(),
            clock,
            toasts: Toasts::default(),
            list: List::default(),
            welcome: Welcome::default(),
            account: Account::default(),
            page: None,
            open: None,
            views: BTreeMap::new(),
            side: Side::default(),
            generation: 0,
            atlas: 0.0,
            last_input: 0.0,
        }
    }

    /// Chooses the theme.
    pub fn set_theme(&mut self, choice: ThemeChoice) {
        self.preferences.theme = choice;
    }

    /// Takes over what was chosen before.
    pub fn set_preferences(&mut self, ctx: &Context, preferences: Preferences) {
        (self.preferences, self.kept) = (preferences, preferences);
        ctx.set_zoom_factor(preferences.zoom);
    }

    /// Notes how the window is left, and has it kept when it stays so for a moment: not while it is being dragged.
    fn notice_preferences(&mut self, ctx: &Context) {
        self.preferences.zoom = ctx.zoom_factor();
        ctx.input(|input| self.preferences.notice(input.viewport()));
        let now = ctx.input(|input| input.time);
        if self.preferences != self.seen {
            (self.seen, self.changed) = (self.preferences, now);
        }
        if self.preferences == self.kept {
            return;
        }
        if now - self.changed >= SETTLED {
            self.keep_preferences();
        } else {
            ctx.request_repaint_after_secs((SETTLED - (now - self.changed)) as f32 + 0.05);
        }
    }

    fn keep_preferences(&mut self) {
        if self.preferences != self.kept {
            self.kept = self.preferences;
            self.actions.send(Command::KeepPreferences(self.preferences));
        }
    }

    /// Opens our own page.
    pub fn open_account(&mut self) {
        self.page = Some(Page::Account);
    }

    /// Opens a conversation.
    pub fn open(&mut self, id: ConversationId) {
        if let (Some(theme), Some(left)) = (self.theme, self.open.filter(|open| *open != id)) {
            let cx = context!(self, &theme, false);
            if let Some(view) = self.views.get_mut(&left) {
                view.turn_away(&cx);
            }
        }
        self.open = Some(id);
        self.views.entry(id).or_insert_with(|| ConversationView::new(id)).enter();
        self.actions.send(Command::Show(id));
    }

    /// Draws one frame.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.images.next_frame();
        let theme = self.current_theme(ui.ctx());
        self.take_updates(ui.ctx(), &theme);
        self.notice_new_fonts(ui.ctx());
        ui.painter().rect_filled(ui.max_rect(), 0, theme.bg);
        self.draw(ui, &theme);
        self.notice_preferences(ui.ctx());
        self.atlas = ui.ctx().fonts(|fonts| fonts.font_atlas_fill_ratio());
        self.rest_cursor(ui.ctx());
        ui.ctx().request_repaint_after(self.clock.until_midnight());
    }

    /// The text cursor stops blinking a while after the last input, so that an idle window draws nothing.
    fn rest_cursor(&mut self, ctx: &Context) {
        let (now, busy) = ctx.input(|input| (input.time, !input.events.is_empty()));
        if busy {
            self.last_input = now;
        }
        let blink = now - self.last_input < BLINK_FOR;
        if ctx.global_style().visuals.text_cursor.blink != blink {
            ctx.all_styles_mut(|style| style.visuals.text_cursor.blink = blink);
        }
    }

    /// The atlas of glyphs was begun anew: what was laid out points into the old one.
    fn notice_new_fonts(&mut self, ctx: &Context) {
        let filled = ctx.fonts(|fonts| fonts.font_atlas_fill_ratio());
        if filled < self.atlas {
            self.generation += 1;
        }
    }

    fn current_theme(&mut self, ctx: &Context) -> Theme {
        let dark = match self.preferences.theme {
            ThemeChoice::Dark => true,
            ThemeChoice::Light => false,
            ThemeChoice::System => ctx.system_theme().is_none_or(|theme| theme == egui::Theme::Dark),
        };
        let theme = if dark { Theme::dark() } else { Theme::light() }.accented(self.preferences.accent);
        if self.theme != Some(theme) {
            theme.apply(ctx);
            self.theme = Some(theme);
        }
        theme
    }

    fn take_updates(&mut self, ctx: &Context, theme: &Theme) {
        let updates: Vec<Update> = self.updates.try_iter().collect();
        for update in updates {
            self.state.apply(&update);
            self.take(ctx, theme, update);
        }
        let now = ctx.input(|input| input.time);
        for toast in self.actions.take_toasts() {
            self.toasts.push(toast, now);
        }
    }

    /// What an update means to single views.
    fn take(&mut self, ctx: &Context, theme: &Theme, update: Update) {
        match update {
            Update::Restoring(progress) => self.welcome.progress(progress),
            Update::AccountFailed(reason) => self.welcome.failed(reason),
            Update::NameNeeded => self.welcome.name_needed(),
            Update::RestoreCancelled => self.welcome.cancelled(),
            Update::SecretCopied(true) => self.actions.toast(Toast::info(&*self.strings.t("secret-copied"))),
            Update::SecretCopied(false) => self.actions.toast(Toast::bad(&*self.strings.t("no-clipboard"))),
            Update::QrRead(said) => self.welcome.qr_read(said),
            Update::Opened(_) => {
                self.welcome.opened(&self.actions);
                self.kept = Preferences::default(); // until now there was no place for them
            }
            Update::Image(key, image) => self.images.loaded(ctx, key, image),
            Update::Attachment { attachment, state: AttachmentState::Local, .. } => {
                self.images.retry_file(attachment);
            }
            Update::File(news) => self.file_news(ctx, news),
            Update::Recovery(words) => {
                if let Some(words) = self.welcome.recovered(words) {
                    self.account.recovered(words);
                }
            }
            Update::OwnPicture(news) => {
                let cx = context!(self, theme, false);
                self.account.picture_news(ctx, &cx, news, self.page == Some(Page::Account));
            }
            Update::Sound(news) => self.take_sound(theme, news),
            Update::Gone(_, id) => {
                self.sound.close_if(&self.actions, |now| now.of.is_some_and(|(_, message)| message == id));
            }
            Update::Toast(toast) => self.actions.toast(toast),
            Update::Stale(id) => self.reload(id),
            Update::Resolved(name, result) => {
                if let Some(address) = self.list.resolved(&name, &result) {
                    self.actions.send(Command::Open(address));
                }
            }
            Update::EmojiFont(font) => {
                fonts::insert_emoji(ctx, font);
                self.generation += 1;
            }
            Update::DeletedForNow(messages) => {
                let text = self.strings.with("deleted-here", [("count", messages.len().into())]);
                self.actions.toast(Toast::undo(text, messages));
            }
            Update::NotHere(id, message) => {
                let cx = context!(self, theme, false);
                if let Some(view) = self.views.get_mut(&id) {
                    view.not_here(&cx, message);
                }
            }
            Update::OpenConversation(id) => self.open(id),
            Update::Saved(path) => {
                let path = path.display().to_string();
                self.actions.toast(Toast::info(self.strings.with("saved", [("path", path.into())])));
            }
            Update::NoFileDialog => self.actions.toast(Toast::bad(&*self.strings.t("no-file-dialog"))),
            Update::Refused { conversation, writing, reason } => {
                self.actions.toast(Toast::bad(reason));
                self.write(theme, conversation, |composer, cx| composer.give_back(cx, writing));
            }
            Update::Draft(id, writing) => self.write(theme, id, |composer, _| composer.restored(writing)),
            Update::Preview { conversation, url, preview } => {
                self.write(theme, conversation, |composer, _| composer.previewed(&url, preview));
            }
            Update::Staged(id, file) => self.write(theme, id, |composer, cx| composer.stage(cx, file)),
            Update::NotStaged(id) => self.write(theme, id, |composer, _| composer.not_staged()),
            Update::Looked(id, file, look) => {
                self.write(theme, id, |composer, _| composer.looked(&file, &look));
            }
            _ => {}
        }
    }

    fn file_news(&mut self, ctx: &Context, news: FileNews) {
        match news {
            FileNews::Risky { conversation, attachment, name } => {
                if let Some(view) = self.views.get_mut(&conversation) {
                    view.ask_risky(attachment, name);
                }
            }
            FileNews::NoOpener(name) => {
                let words = self.strings.with("no-opener", [("name", name.into())]);
                self.actions.toast(Toast::bad(words));
            }
            FileNews::SavedAll(folder, count) => {
                let folder = folder.display().to_string();
                let values = [("count", count.into()), ("folder", folder.into())];
                self.actions.toast(Toast::info(self.strings.with("saved-all", values)));
            }
            FileNews::Animation(key, frames) => self.images.animations.made(ctx, key, frames),
        }
    }

    /// What came of playing or recording.
    fn take_sound(&mut self, theme: &Theme, news: SoundNews) {
        match news {
            SoundNews::Looked(clip, waveform) => self.sound.looked(clip, waveform),
            SoundNews::Playing(run, progress) => self.sound.started(run, progress),
            SoundNews::Ended(run) => _ = self.sound.ended(&self.actions, run),
            SoundNews::Failed(run, problem) => {
                if self.sound.ended(&self.actions, run) {
                    self.actions.toast(Toast::bad(problem));
                }
            }
            SoundNews::Recording(id, meter) => self.write(theme, id, |composer, _| composer.records(meter)),
            SoundNews::Full(id) => self.write(theme, id, |composer, cx| composer.stop_recording(cx, id)),
            SoundNews::Recorded(id, kept, waveform) => {
                self.sound.looked(ClipKey::Kept(kept.clone()), Some(waveform));
                self.write(theme, id, |composer, _| composer.recorded(kept));
            }
            SoundNews::NotRecorded(id, problem) => {
                let text = problem.unwrap_or_else(|| self.strings.t("too-short").to_string());
                self.actions.toast(Toast::bad(text));
                self.write(theme, id, |composer, _| composer.not_recorded());
            }
        }
    }

    /// Changes what is written in a conversation, and keeps it.
    fn write(&mut self, theme: &Theme, id: ConversationId, change: impl FnOnce(&mut Composer, &ViewCtx<'_>)) {
        let cx = context!(self, theme, false);
        if let Some(view) = self.views.get_mut(&id) {
            view.write(&cx, change);
        }
    }

    /// What is written everywhere is kept now, not in a moment.
    fn keep_drafts(&mut self) {
        let Some(theme) = self.theme else { return };
        let cx = context!(self, &theme, false);
        for view in self.views.values_mut() {
            view.leave(&cx);
        }
    }

    /// Loads the stretch of a conversation that is shown again.
    fn reload(&self, conversation: ConversationId) {
        use septet_client::model::Page;
        let Some(thread) = self.state.thread(conversation) else { return };
        let limit = u32::try_from(thread.messages.len()).unwrap_or(PAGE).max(PAGE);
        let middle = thread.messages.get(thread.messages.len() / 2);
        let page = match middle {
            Some(middle) if thread.more_after => Page::Around(middle.id),
            _ => Page::Newest,
        };
        self.actions.send(Command::Load { conversation, page, limit });
    }

    fn draw(&mut self, ui: &mut Ui, theme: &Theme) {
        let narrow = ui.max_rect().width() < metric::NARROW;
        match self.state.phase.clone() {
            Phase::Starting => {
                mark::paint(ui.painter(), ui.max_rect().center(), 72.0, theme.accent.gamma_multiply(0.6));
            }
            Phase::Open if self.welcome.goes_on() => {
                let cx = context!(self, theme, narrow);
                self.welcome.show(ui, &cx);
            }
            Phase::FirstRun => {
                let cx = context!(self, theme, narrow);
                self.welcome.show(ui, &cx);
            }
            Phase::Broken(reason) => {
                let cx = context!(self, theme, narrow);
                let center = ui.max_rect().center();
                mark::paint(ui.painter(), center - vec2(0.0, 64.0), 72.0, theme.faint);
                let mut child = ui.new_child(egui::UiBuilder::new().max_rect(Rect::from_center_size(
                    center + vec2(0.0, 60.0),
                    vec2((ui.max_rect().width() - 48.0).min(480.0), 140.0),
                )));
                super::widgets::paragraph(&mut child, &reason, cx.body());
            }
            Phase::Open => self.regions(ui, theme, narrow),
        }
        let cx = context!(self, theme, narrow);
        self.toasts.show(ui, &cx);
    }

    /// List and conversation, side by side if there is room.
    fn regions(&mut self, ui: &mut Ui, theme: &Theme, narrow: bool) {
        let dialog = ui.ctx().memory(|memory| memory.top_modal_layer().is_some());
        self.side.escape = !dialog && !Popup::is_any_open(ui.ctx());
        self.keys(ui, theme, narrow);
        let account = self.page == Some(Page::Account);
        let list_shown = !narrow || (self.open.is_none() && !account);
        let mut choice = None;
        if list_shown {
            let width = if narrow { ui.max_rect().width() } else { self.preferences.list_width };
            let cx = context!(self, theme, narrow);
            let frame = Frame::new().fill(theme.panel);
            Panel::left("list")
                .exact_size(width)
                .resizable(false)
                .show_separator_line(false)
                .frame(frame)
                .show(ui, |ui| {
                    if narrow {
                        player::strip(ui, &cx, None);
                    }
                    choice = self.list.show(ui, &cx, self.open);
                });
        }
        if !narrow {
            self.list_edge(ui, theme);
        }
        if let Some(choice) = choice {
            self.chosen(theme, narrow, choice);
        }
        if self.page == Some(Page::Account) {
            self.account(ui, theme, narrow);
        } else if !narrow || self.open.is_some() {
            self.conversation(ui, theme, narrow);
        }
        self.pages(ui, theme, narrow);
    }

    /// Our own page, where the conversation would be.
    fn account(&mut self, ui: &mut Ui, theme: &Theme, narrow: bool) {
        let before = self.preferences;
        let cx = context!(self, theme, narrow);
        let close = self.account.show(ui, &cx, &mut self.preferences);
        if self.preferences.accent != before.accent {
            self.generation += 1; // links in messages have the colour they were laid out with
        }
        if self.preferences != before {
            self.keep_preferences();
            ui.ctx().request_repaint();
        }
        if close {
            self.leave_account();
        }
    }

    fn leave_account(&mut self) {
        if self.page == Some(Page::Account) {
            self.page = None;
            self.account.leave();
        }
    }

    /// The line between list and conversation; dragging it makes the list wider.
    fn list_edge(&mut self, ui: &Ui, theme: &Theme) {
        let area = ui.max_rect();
        let x = area.left() + self.preferences.list_width;
        ui.painter().vline(x - 0.5, area.y_range(), Stroke::new(1.0, theme.line));
        let handle = Rect::from_min_max(pos2(x - 3.0, area.top()), pos2(x + 3.0, area.bottom()));
        let response = ui.interact(handle, Id::unique("list edge"), Sense::drag());
        if response.hovered() || response.dragged() {
            ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            self.preferences.list_width = (at.x - area.left()).clamp(metric::LIST_LEAST, metric::LIST_MOST);
        }
    }

    fn conversation(&mut self, ui: &mut Ui, theme: &Theme, narrow: bool) {
        let cx = context!(self, theme, narrow);
        let Some(view) = self.open.and_then(|id| self.views.get_mut(&id)) else {
            nothing_open(ui, &cx);
            return;
        };
        let (id, fate) = (view.id, view.show(ui, &cx, &mut self.side));
        self.meet(theme, narrow, id, fate);
    }

    fn pages(&mut self, ui: &Ui, theme: &Theme, narrow: bool) {
        let cx = context!(self, theme, narrow);
        let close = match self.page {
            Some(Page::Path) => path::show(ui, &cx),
            Some(Page::Account) | None => false,
        };
        if close {
            self.page = None;
        }
    }
}

/// What stands where a conversation would be.
fn nothing_open(ui: &Ui, cx: &ViewCtx<'_>) {
    let center = ui.available_rect_before_wrap().center();
    mark::paint(ui.painter(), center - vec2(0.0, 36.0), 72.0, cx.theme.line);
    text_center(
        ui.painter(),
        center + vec2(0.0, 28.0),
        &cx.t("nothing-open"),
        cx.body().color(cx.theme.muted),
        360.0,
    );
}

impl eframe::App for Window {
    fn on_exit(&mut self, _graphics: Option<&eframe::glow::Context>) {
        self.keep_preferences();
        self.keep_drafts();
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        Window::ui(self, ui);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.theme.map_or(Theme::dark().bg, |theme| theme.bg).to_normalized_gamma_f32()
    }
}
