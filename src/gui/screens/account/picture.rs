//! Our picture: the circle, what can be done about it, and how far that is.
//!
//! Decision: a picture that was set is shown at once, everywhere; the account catches up behind it. If it cannot,
//! the old one comes back together with the reason, and the cut is kept for another try.

use std::path::PathBuf;

use egui::accesskit::Role;
use egui::{Color32, Context, Event, Id, Rect, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2};
use septet_client::model::Profile;

use super::super::super::command::{Command, Toast};
use super::super::super::icons::Icon;
use super::super::super::own_picture::{PictureNews, PictureProblem, PictureWish};
use super::super::super::text::{Wrap, layout};
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::dialog::{self, Answer};
use super::super::super::widgets::{avatar, drop_hint, paragraph, text_left};
use super::crop::{CropView, Done};

/// Height of the line of controls, in points.
pub const CONTROLS: f32 = 34.0;

/// What is remembered between frames.
#[derive(Default)]
pub struct Picture {
    stage: Stage,
    /// Whether to remove it is being asked.
    asking: bool,
}

/// How far a new picture is.
#[derive(Default)]
enum Stage {
    /// There is none.
    #[default]
    Idle,
    /// Its file is being read.
    Opening,
    /// Its file cannot be used.
    Unusable(PictureProblem),
    /// It is being cut.
    Cropping(CropView),
    /// It is on its way.
    Setting(CropView),
    /// It was not set, for this reason.
    Failed(CropView, String),
}

impl Picture {
    /// The picture that is being cut, if one is.
    pub fn cropping(&mut self) -> Option<&mut CropView> {
        match &mut self.stage {
            Stage::Cropping(view) => Some(view),
            _ => None,
        }
    }

    /// Whether a question is being asked.
    pub fn is_asking(&self) -> bool {
        self.asking
    }

    /// The page is left: what was not decided is forgotten, what is on its way goes on.
    pub fn leave(&mut self) {
        self.asking = false;
        if !matches!(self.stage, Stage::Setting(_) | Stage::Failed(..)) {
            self.stage = Stage::Idle;
        }
    }

    /// The person is done with cutting.
    pub fn decided(&mut self, cx: &ViewCtx<'_>, done: Done) {
        match (std::mem::take(&mut self.stage), done) {
            (Stage::Cropping(view), Done::Set) => self.set(cx, view),
            (Stage::Cropping(_), Done::Cancel) => {}
            (other, _) => self.stage = other,
        }
    }

    fn set(&mut self, cx: &ViewCtx<'_>, view: CropView) {
        cx.send(Command::OwnPicture(PictureWish::Set(view.cut())));
        cx.images.show_preview(view.preview());
        self.stage = Stage::Setting(view);
    }

    /// Something became of a picture; `shown` if the page is.
    pub fn news(&mut self, ctx: &Context, cx: &ViewCtx<'_>, news: PictureNews, shown: bool) {
        let stage = std::mem::take(&mut self.stage);
        self.stage = match (stage, news) {
            (Stage::Setting(view), PictureNews::Set(cut)) if view.cut().is(&cut) => {
                cx.images.settle_preview();
                Stage::Idle
            }
            (Stage::Setting(view), PictureNews::NotSet(cut, reason)) if view.cut().is(&cut) => {
                cx.images.drop_preview();
                if !shown {
                    cx.actions.toast(Toast::bad(not_set(cx, &reason)));
                }
                Stage::Failed(view, reason)
            }
            (Stage::Setting(view), _) => Stage::Setting(view),
            (Stage::Cropping(view), PictureNews::Unusable(problem)) => {
                cx.actions.toast(Toast::bad(&*cx.t(sentence(problem))));
                Stage::Cropping(view)
            }
            (_, PictureNews::Opened(candidate)) if shown => Stage::Cropping(CropView::new(ctx, candidate)),
            (Stage::Cropping(view), _) => Stage::Cropping(view),
            (_, PictureNews::Opening) if shown => Stage::Opening,
            (_, PictureNews::Unusable(problem)) if shown => Stage::Unusable(problem),
            (Stage::Opening, _) => Stage::Idle,
            (stage, _) => stage,
        };
    }

    /// The circle; a click chooses another picture.
    pub fn circle(&mut self, ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) {
        avatar::own(ui.painter(), rect.center(), rect.width(), cx);
        let busy = matches!(self.stage, Stage::Setting(_) | Stage::Opening);
        let sense = if busy { Sense::hover() } else { Sense::click() };
        let response = ui.interact(rect, Id::unique("own picture"), sense);
        let radius = rect.width() / 2.0;
        if !busy && (response.hovered() || response.has_focus()) {
            ui.painter().circle_filled(rect.center(), radius, Color32::from_black_alpha(0x70));
            Icon::PENCIL.paint(ui.painter(), rect.center(), 24.0, Color32::WHITE);
        }
        if response.has_focus() {
            ui.painter().circle_stroke(rect.center(), radius + 3.0, Stroke::new(1.5, cx.theme.accent));
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Button, !busy, &*cx.t("your-picture")));
        if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
            cx.send(Command::OwnPicture(PictureWish::Pick));
        }
    }

    /// What can be done, or what is being done, in one line.
    pub fn controls(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, rect: Rect, me: &Profile) {
        let mut line = ui.new_child(UiBuilder::new().max_rect(rect).layout(*ui.layout()));
        line.horizontal(|ui| match &self.stage {
            Stage::Opening => {
                said(ui, cx, &cx.t("opening-picture"));
            }
            Stage::Setting(_) => {
                said(ui, cx, &cx.t("setting-picture"));
                ui.add_space(12.0);
                if button::words(ui, cx, &cx.t("stop-setting"), Tone::Quiet, vec2(64.0, CONTROLS)).clicked() {
                    cx.send(Command::OwnPicture(PictureWish::Stop));
                    cx.images.drop_preview();
                    self.stage = Stage::Idle;
                }
            }
            _ => {
                let label = cx.t(if me.picture.is_some() { "change-picture" } else { "add-picture" });
                if button::words(ui, cx, &label, Tone::Quiet, vec2(142.0, CONTROLS)).clicked() {
                    cx.send(Command::OwnPicture(PictureWish::Pick));
                }
                if me.picture.is_some() {
                    ui.add_space(6.0);
                    self.asking |= button::icon(ui, cx, Icon::TRASH_2, &cx.t("remove-picture")).clicked();
                }
            }
        });
    }

    /// What went wrong, and whether to remove the picture.
    pub fn below(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        match &self.stage {
            Stage::Unusable(problem) => {
                ui.add_space(10.0);
                paragraph(ui, &cx.t(sentence(*problem)), cx.small().color(cx.theme.bad));
            }
            Stage::Failed(..) => self.failed(ui, cx),
            _ => {}
        }
        if self.asking {
            let (heading, text) = (cx.t("remove-picture-heading"), cx.t("remove-picture-text"));
            match dialog::confirm(ui, cx, &heading, &text, &cx.t("remove"), Tone::Danger) {
                Answer::Waiting => {}
                Answer::No => self.asking = false,
                Answer::Yes => {
                    self.asking = false;
                    cx.images.drop_preview();
                    cx.send(Command::OwnPicture(PictureWish::Remove));
                }
            }
        }
    }

    fn failed(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        let Stage::Failed(_, reason) = &self.stage else { return };
        ui.add_space(10.0);
        paragraph(ui, &not_set(cx, reason), cx.small().color(cx.theme.bad));
        ui.add_space(8.0);
        let (mut again, mut discard) = (false, false);
        ui.horizontal(|ui| {
            let size = vec2(108.0, CONTROLS);
            again = button::words(ui, cx, &cx.t("try-again"), Tone::Quiet, size).clicked();
            ui.add_space(8.0);
            discard = button::words(ui, cx, &cx.t("discard"), Tone::Quiet, size).clicked();
        });
        if (again || discard)
            && let Stage::Failed(view, _) = std::mem::take(&mut self.stage)
            && again
        {
            self.set(cx, view);
        }
    }

    /// Files that are dropped on the page and pictures that are pasted into it. `typing` if text goes elsewhere.
    pub fn take_from_outside(&mut self, ui: &Ui, cx: &ViewCtx<'_>, region: Rect, typing: bool) {
        if self.asking || matches!(self.stage, Stage::Setting(_)) {
            return;
        }
        drop_hint::show(ui, cx, region, Icon::IMAGE, &cx.t("drop-picture"));
        let mut wish = None;
        let mut other = false;
        ui.input(|input| {
            if let Some(file) = input.raw.dropped_files.first() {
                wish = Some(PictureWish::File(file.path().to_owned()));
            }
            for event in &input.events {
                match event {
                    Event::PasteImage(image) => wish = Some(PictureWish::Pasted(image.clone())),
                    Event::Paste(text) if !typing => match file_of(text) {
                        Some(path) => wish = Some(PictureWish::File(path)),
                        None => other = true,
                    },
                    _ => {}
                }
            }
        });
        match wish {
            Some(wish) => {
                cx.send(Command::OwnPicture(wish));
                if !matches!(self.stage, Stage::Cropping(_)) {
                    self.stage = Stage::Opening;
                }
            }
            None if other => cx.actions.toast(Toast::bad(&*cx.t("no-picture-pasted"))),
            None => {}
        }
    }
}

/// A line of text as high as a button.
fn said(ui: &mut Ui, cx: &ViewCtx<'_>, text: &str) {
    let width = layout(ui.ctx(), text, cx.small(), Wrap::None).size().x;
    let (rect, response) = ui.allocate_exact_size(vec2(width, CONTROLS), Sense::hover());
    text_left(ui.painter(), rect.left_center(), text, cx.small(), width + 1.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
}

/// The file that a pasted text names, as file managers copy it.
fn file_of(text: &str) -> Option<PathBuf> {
    let line = text.trim();
    if line.is_empty() || line.contains('\n') {
        return None;
    }
    match line.strip_prefix("file:") {
        Some(_) => url::Url::parse(line).ok()?.to_file_path().ok(),
        None => Some(PathBuf::from(line)).filter(|path| path.is_absolute() && path.extension().is_some()),
    }
}

fn not_set(cx: &ViewCtx<'_>, reason: &str) -> String {
    cx.strings.with("picture-not-set", [("reason", reason.into())])
}

fn sentence(problem: PictureProblem) -> &'static str {
    match problem {
        PictureProblem::NoFile => "picture-no-file",
        PictureProblem::Unreadable => "picture-unreadable",
        PictureProblem::TooLarge => "picture-too-large",
    }
}

#[cfg(test)]
mod tests {
    use super::file_of;
    use std::path::Path;

    #[cfg(unix)]
    #[test]
    fn a_copied_file_is_known() {
        assert_eq!(
            file_of("file:///pictures/A%20lake.png\n").as_deref(),
            Some(Path::new("/pictures/A lake.png"))
        );
        assert_eq!(file_of("/pictures/lake.png").as_deref(), Some(Path::new("/pictures/lake.png")));
        for text in ["", "hello", "/", "lake.png", "/a.png\n/b.png", "file://"] {
            assert_ne!(file_of(text).as_deref().map(|path| path.extension().is_some()), Some(true), "{text}");
        }
    }
}
