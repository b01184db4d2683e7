//! The pictures of a message in a grid.

use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, Pos2, Rect, Stroke, Ui, Vec2, pos2, vec2};
use septet_client::model::{Attachment, AttachmentState};

use super::super::words;
use super::layouter::Layouter;
use super::meta::Meta;
use super::painting::{Act, Painting};
use super::transfer::{fraction, is_here};
use crate::gui::attached::FileWish;
use crate::gui::command::{Command, ImageKey};
use crate::gui::icons::Icon;
use crate::gui::images::Picture;
use crate::gui::text::{Style, Weight};
use crate::gui::theme::{radius, size};
use crate::gui::widgets::text_center;

const GRID_GAP: f32 = 3.0;
/// The pictures of a message are decoded for this many pixels on the longer side.
pub const THUMBNAIL: u32 = 960;
/// As the former, while they move.
const MOVING: u32 = 480;

/// Pictures in a grid.
pub struct ImagesBlock {
    /// Each with the place of its attachment in the message, and rounded corners.
    cells: Vec<(usize, Rect, CornerRadius)>,
    /// How many more there are than shown.
    more: usize,
    /// Time and state, over the last cell.
    meta: Option<Meta>,
}

impl ImagesBlock {
    /// The rectangle it covers.
    pub fn bounds(&self) -> Rect {
        self.cells.iter().map(|(_, rect, _)| *rect).reduce(Rect::union).unwrap_or(Rect::NOTHING)
    }

    /// The place in the message of the picture that is shown here.
    pub fn image_at(&self, at: Pos2) -> Option<usize> {
        self.cells.iter().find(|(_, rect, _)| rect.contains(at)).map(|(index, ..)| *index)
    }
}

impl Layouter<'_> {
    /// Lays out the pictures of the message.
    pub fn images(&mut self, meta: Option<Meta>) -> ImagesBlock {
        let images: Vec<(usize, &Attachment)> = self
            .message
            .attachments
            .iter()
            .enumerate()
            .filter(|(_, attachment)| attachment.is_image())
            .collect();
        let more = images.len().saturating_sub(4);
        let shown = images.get(..images.len().min(4)).unwrap_or_default();
        let sizes = grid(shown, self.widest.min(383.0));
        let extent = sizes.iter().copied().reduce(Rect::union).unwrap_or(Rect::NOTHING).size();
        let frame = self.take(extent);
        let cells = shown
            .iter()
            .zip(sizes)
            .map(|((index, _), cell)| {
                let rect = cell.translate(frame.min.to_vec2());
                (*index, rect, outer_corners(frame, rect))
            })
            .collect();
        ImagesBlock { cells, more, meta }
    }
}

/// Places pictures in a frame of this width: one as it is, two side by side, more in rows of two.
fn grid(images: &[(usize, &Attachment)], width: f32) -> Vec<Rect> {
    if let [(_, only)] = images {
        return vec![Rect::from_min_size(Pos2::ZERO, single(only.dimensions, width))];
    }
    let cell = vec2((width - GRID_GAP) / 2.0, ((width - GRID_GAP) / 2.0 * 0.66).round());
    let odd = images.len() % 2 == 1;
    (0..images.len())
        .map(|index| {
            if odd && index == 0 {
                return Rect::from_min_size(Pos2::ZERO, vec2(width, (width * 0.5).round()));
            }
            let at = if odd { index - 1 } else { index };
            let above = if odd { (width * 0.5).round() + GRID_GAP } else { 0.0 };
            let (row, side) = (at / 2, at % 2);
            let corner = pos2(side as f32 * (cell.x + GRID_GAP), above + row as f32 * (cell.y + GRID_GAP));
            Rect::from_min_size(corner, cell)
        })
        .collect()
}

/// The size of a picture that stands alone: its own shape within limits, so that nothing moves when it loads.
fn single(dimensions: Option<(u32, u32)>, widest: f32) -> Vec2 {
    let Some((width, height)) = dimensions.filter(|(width, height)| *width > 0 && *height > 0) else {
        return vec2(280.0_f32.min(widest), 200.0);
    };
    let (width, height) = (width as f32, height as f32);
    let scale = (widest / width).min(320.0 / height).min(1.0);
    vec2((width * scale).round().clamp(120.0, widest), (height * scale).round().clamp(80.0, 320.0))
}

/// Rounds the corners of a cell that are corners of the whole grid.
fn outer_corners(frame: Rect, cell: Rect) -> CornerRadius {
    let near = |a: f32, b: f32| (a - b).abs() < 1.0;
    let (left, right) = (near(frame.left(), cell.left()), near(frame.right(), cell.right()));
    let (top, bottom) = (near(frame.top(), cell.top()), near(frame.bottom(), cell.bottom()));
    let corner = |outer: bool| if outer { radius::BUBBLE } else { 0 };
    CornerRadius {
        nw: corner(left && top),
        ne: corner(right && top),
        sw: corner(left && bottom),
        se: corner(right && bottom),
    }
}

impl Painting<'_> {
    /// Paints them.
    pub fn images(&mut self, block: &ImagesBlock) {
        let ImagesBlock { cells, more, meta } = block;
        for (count, (index, rect, corners)) in cells.iter().enumerate() {
            let Some(attachment) = self.message.attachments.get(*index) else { continue };
            let rect = rect.translate(self.offset);
            let veiled = *more > 0 && count + 1 == cells.len();
            self.image(attachment, rect, *corners, !veiled);
            if veiled {
                self.ui.painter().rect_filled(rect, *corners, Color32::from_black_alpha(0x99));
                let style = Style::new(size::HEADING, Color32::WHITE).weight(Weight::Semibold);
                text_center(self.ui.painter(), rect.center(), &format!("+{more}"), style, rect.width());
            }
        }
        if let (Some(meta), Some((_, last, _))) = (meta, cells.last()) {
            let corner = last.right_bottom() + self.offset - vec2(8.0, 8.0);
            let ground = Rect::from_min_max(corner - meta.size() - vec2(14.0, 4.0), corner);
            self.ui.painter().rect_filled(ground, 10, Color32::from_black_alpha(0x99));
            let at = ground.center() - meta.size() / 2.0;
            self.meta(at, meta, Some(Color32::WHITE));
        }
    }

    /// One picture; `state` to show how far it is.
    fn image(&mut self, attachment: &Attachment, rect: Rect, corners: CornerRadius, state: bool) {
        let theme = self.cx.theme;
        let here = is_here(attachment);
        let key = ImageKey::Attachment(attachment.id);
        let picture =
            if here { self.cx.images.get(self.cx.actions, &key, THUMBNAIL) } else { Picture::Loading };
        let bad = matches!(picture, Picture::Bad);
        let moving = if here && may_move(attachment) {
            self.cx.images.animations.get(self.ui.ctx(), self.cx.actions, &key, MOVING)
        } else {
            None
        };
        let picture = moving.map_or(picture, |(texture, size)| Picture::Ready { texture, size });
        match picture {
            Picture::Ready { texture, size } => {
                let shape = RectShape::filled(rect, corners, Color32::WHITE);
                self.ui.painter().add(shape.with_texture(texture, cover(size, rect.size())));
            }
            Picture::Loading => {
                self.ui.painter().rect_filled(rect, corners, theme.bubble(self.message.outgoing));
            }
            Picture::Bad => {
                self.ui.painter().rect_filled(rect, corners, theme.bubble(self.message.outgoing));
                Icon::IMAGE_OFF.paint(self.ui.painter(), rect.center(), 24.0, theme.muted);
            }
        }
        let name = if attachment.name.is_empty() {
            self.cx.t("picture").to_string()
        } else {
            attachment.name.clone()
        };
        let label = match attachment.state {
            AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. } => name,
            AttachmentState::Remote => format!("{} {name}", self.cx.t("download")),
            AttachmentState::Downloading { .. } => format!("{} {name}", self.cx.t("stop-receiving")),
            AttachmentState::Failed { .. } => format!("{} {name}", self.cx.t("try-again")),
            AttachmentState::Expired => format!("{name} {}", self.cx.t("file-expired")),
            AttachmentState::Unusable => format!("{name} {}", self.cx.t("file-unusable")),
        };
        let response = self.click(rect, attachment.id, &label);
        if state {
            self.overlay(attachment, rect);
        }
        if response.clicked() {
            match attachment.state {
                AttachmentState::Remote => self.act = Some(Act::Fetch(attachment.id)),
                AttachmentState::Failed { .. } => self.cx.send(self.again(attachment)),
                // Another program may know more about it.
                AttachmentState::Local if bad => {
                    self.cx.send(Command::File(FileWish::Open { attachment: attachment.id, warned: false }));
                }
                AttachmentState::Downloading { .. } => self.cx.send(Command::StopTransfer(attachment.id)),
                AttachmentState::Expired | AttachmentState::Unusable => {}
                AttachmentState::Local | AttachmentState::Preparing | AttachmentState::Uploading { .. } => {
                    self.act = Some(Act::View(attachment.id));
                }
            }
        }
    }

    /// What stands over a picture that is not here yet.
    fn overlay(&self, attachment: &Attachment, rect: Rect) {
        let (icon, part) = match &attachment.state {
            AttachmentState::Local => return,
            AttachmentState::Preparing => (Icon::ARROW_UP, Some(fraction(0, 0))),
            AttachmentState::Remote => (Icon::DOWNLOAD, None),
            AttachmentState::Failed { .. } => (Icon::ROTATE_CW, None),
            AttachmentState::Expired | AttachmentState::Unusable => (Icon::IMAGE_OFF, None),
            AttachmentState::Uploading { done, total } => (Icon::ARROW_UP, Some(fraction(*done, *total))),
            AttachmentState::Downloading { done, total } => (Icon::X, Some(fraction(*done, *total))),
        };
        let painter = self.ui.painter();
        let says = attachment.state == AttachmentState::Remote && rect.width() >= 150.0;
        let center = if says { rect.center() - vec2(0.0, 20.0) } else { rect.center() };
        painter.circle_filled(center, 22.0, Color32::from_black_alpha(0x88));
        icon.paint(painter, center, 18.0, Color32::WHITE);
        if let Some(part) = part {
            ring(self.ui, center, 20.0, part);
        }
        if says {
            let (room, ink) = (rect.width() - 16.0, self.cx.theme.text);
            let below = |by| center + vec2(0.0, by);
            text_center(
                painter,
                below(38.0),
                &self.cx.t("click-to-download"),
                self.cx.small().color(ink),
                room,
            );
            let size = words::bytes(self.cx, attachment.size);
            text_center(painter, below(56.0), &size, self.cx.tiny(), room);
        }
    }
}

/// Whether its kind can move; whether it does is known once it is decoded.
pub fn may_move(attachment: &Attachment) -> bool {
    matches!(attachment.content_type.as_str(), "image/gif" | "image/webp")
}

/// The part of a picture that fills a frame, as texture coordinates.
pub fn cover(picture: Vec2, frame: Vec2) -> Rect {
    let (picture, frame) = (picture.x / picture.y.max(1.0), frame.x / frame.y.max(1.0));
    let part = if picture > frame { vec2(frame / picture, 1.0) } else { vec2(1.0, picture / frame) };
    Rect::from_center_size(pos2(0.5, 0.5), part)
}

/// A ring of which a part is drawn.
fn ring(ui: &Ui, center: Pos2, radius: f32, part: f32) {
    let steps = (part * 48.0).ceil() as usize;
    let point = |step: usize| {
        let turn = (step as f32 / 48.0).min(part) * std::f32::consts::TAU - std::f32::consts::FRAC_PI_2;
        center + Vec2::angled(turn) * radius
    };
    let points = (0..=steps).map(point).collect();
    ui.painter().line(points, Stroke::new(2.5, Color32::WHITE));
}
