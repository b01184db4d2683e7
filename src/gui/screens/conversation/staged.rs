//! Files that wait in the composer, as tiles with a way to take each back.

use egui::accesskit::Role;
use egui::epaint::RectShape;
use egui::{Color32, Id, Rect, ScrollArea, Sense, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2};
use septet_client::model::OutgoingFile;

use super::super::super::command::{Look, StagedFile, Toast};
use super::super::super::icons::Icon;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::{paragraph, text_left};
use super::words;

/// The most files of a message.
const MOST: usize = 32;
/// The most bytes of a file.
const LARGEST: u64 = 10_000_000;
/// The most bytes of a photograph before it is made smaller.
const LARGEST_PHOTOGRAPH: u64 = 100_000_000;

/// The files.
#[derive(Default)]
pub struct Staged {
    files: Vec<(StagedFile, Option<TextureHandle>)>,
    /// Pasted pictures that are being made files.
    coming: usize,
}

impl Staged {
    /// No files wait.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.coming == 0
    }

    /// All that were added are here.
    pub fn is_complete(&self) -> bool {
        self.coming == 0
    }

    /// A pasted picture is being made a file.
    pub fn expect(&mut self) {
        self.coming += 1;
    }

    /// One of those is a file now, or cannot be one.
    pub fn arrived(&mut self) {
        self.coming = self.coming.saturating_sub(1);
    }

    /// Adds one, if it can be sent.
    pub fn add(&mut self, cx: &ViewCtx<'_>, file: StagedFile) {
        let name = [("name", file.name.as_str().into())];
        if self.files.len() >= MOST {
            cx.actions.toast(Toast::bad(cx.strings.with("too-many-files", [("limit", MOST.into())])));
        } else if file.size > largest(&file) {
            cx.actions.toast(Toast::bad(cx.strings.with("file-too-large", name)));
        } else if file.size == 0 {
            cx.actions.toast(Toast::bad(cx.strings.with("file-empty", name)));
        } else {
            self.files.push((file, None));
        }
    }

    /// Puts files in front that were there before.
    pub fn restore(&mut self, files: Vec<StagedFile>) {
        self.files.splice(0..0, files.into_iter().map(|file| (file, None)));
    }

    /// Notes what a look into a file has shown.
    pub fn looked(&mut self, source: &OutgoingFile, look: &Look) {
        for (file, texture) in self.files.iter_mut().filter(|(file, _)| file.source == *source) {
            file.look = look.clone();
            *texture = None;
        }
    }

    /// What is to be sent.
    pub fn sources(&self) -> Vec<OutgoingFile> {
        self.files.iter().map(|(file, _)| file.source.clone()).collect()
    }

    /// Takes them all, to send.
    pub fn take(&mut self) -> Vec<OutgoingFile> {
        std::mem::take(&mut self.files).into_iter().map(|(file, _)| file.source).collect()
    }

    /// Shows them in a row. True if one was taken back.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut removed = None;
        ScrollArea::horizontal().id_salt("staged").max_height(72.0).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                for (index, (file, texture)) in self.files.iter_mut().enumerate() {
                    if tile(ui, cx, index, file, texture) {
                        removed = Some(index);
                    }
                }
                for _ in 0..self.coming {
                    let (rect, _) = ui.allocate_exact_size(vec2(64.0, 64.0), Sense::hover());
                    empty_tile(ui, cx, rect);
                }
            });
        });
        for (file, _) in self.files.iter().filter(|(file, _)| file.look.may_tell_place) {
            ui.add_space(6.0);
            let name = [("name", file.name.as_str().into())];
            paragraph(ui, &cx.strings.with("file-may-tell-place", name), cx.tiny());
        }
        ui.add_space(10.0);
        if let Some(index) = removed {
            self.files.remove(index);
        }
        removed.is_some()
    }
}

/// How large a file may be: photographs are made smaller before they are sent, so what counts is decided then.
fn largest(file: &StagedFile) -> u64 {
    let ending = file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let shrinks = matches!(ending.as_deref(), Some("jpg" | "jpeg" | "webp"));
    if file.picture && shrinks { LARGEST_PHOTOGRAPH } else { LARGEST }
}

/// A picture that cannot be seen yet.
fn empty_tile(ui: &Ui, cx: &ViewCtx<'_>, rect: Rect) {
    ui.painter().rect_filled(rect, 10, cx.theme.raised);
    Icon::IMAGE.paint(ui.painter(), rect.center(), 20.0, cx.theme.faint);
}

/// One file; true if it is to be taken back.
fn tile(
    ui: &mut Ui,
    cx: &ViewCtx<'_>,
    index: usize,
    file: &StagedFile,
    texture: &mut Option<TextureHandle>,
) -> bool {
    let theme = cx.theme;
    let width = if file.picture { 64.0 } else { 200.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(width, 64.0), Sense::hover());
    ui.painter().rect_filled(rect, 10, theme.raised);
    if let Some(image) = &file.look.thumbnail {
        let texture = texture.get_or_insert_with(|| {
            ui.ctx().load_texture(
                "staged",
                egui::ImageData::Color(std::sync::Arc::clone(image)),
                TextureOptions::LINEAR,
            )
        });
        let size = texture.size_vec2();
        let part = if size.x > size.y { vec2(size.y / size.x, 1.0) } else { vec2(1.0, size.x / size.y) };
        let shape = RectShape::filled(rect, 10, Color32::WHITE);
        ui.painter().add(shape.with_texture(texture.id(), Rect::from_center_size(pos2(0.5, 0.5), part)));
    } else if file.picture {
        empty_tile(ui, cx, rect);
    } else {
        Icon::FILE.paint(ui.painter(), pos2(rect.left() + 24.0, rect.center().y), 20.0, theme.accent);
        let left = rect.left() + 44.0;
        let room = rect.width() - 72.0;
        text_left(ui.painter(), pos2(left, rect.center().y - 9.0), &file.name, cx.body(), room);
        let size = words::bytes(cx, file.size);
        text_left(ui.painter(), pos2(left, rect.center().y + 10.0), &size, cx.tiny(), room);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &file.name));
    let corner = rect.right_top() + vec2(-13.0, 13.0);
    let close = Rect::from_center_size(corner, vec2(20.0, 20.0));
    let remove = ui.interact(close, Id::unique(("staged", index)), Sense::click());
    let ground = if remove.hovered() { 0xdd } else { 0x99 };
    ui.painter().circle_filled(corner, 9.0, Color32::from_black_alpha(ground));
    Icon::X.paint(ui.painter(), corner, 12.0, Color32::WHITE);
    let label = cx.strings.with("remove-file", [("name", file.name.as_str().into())]);
    remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    remove.clicked()
}
