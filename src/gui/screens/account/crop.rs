//! Choosing the part of a picture that people will see: a circle that stands still over a picture that moves.
//!
//! Decision: what is taken is the square around the circle, because other programs show display pictures as squares
//! or with round corners. It is dimmed a little where the circle hides it, so that nobody is surprised.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::epaint::{Mesh, RectShape};
use egui::{
    Color32, Context, CornerRadius, EventFilter, Key, Modifiers, Painter, Pos2, Rect, Response, ScrollArea,
    Sense, Stroke, StrokeKind, TextureFilter, TextureHandle, TextureOptions, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::super::super::crop::Crop;
use super::super::super::icons::Icon;
use super::super::super::images::Preview;
use super::super::super::own_picture::{Candidate, Cut};
use super::super::super::theme::radius;
use super::super::super::view::ViewCtx;
use super::super::super::widgets::button::{self, Tone};
use super::super::super::widgets::{paragraph, slider};

/// The column is at most this wide, in points.
const COLUMN: f32 = 480.0;
/// The square is at most and at least so wide, in points.
const WIDEST: f32 = 400.0;
const NARROWEST: f32 = 120.0;
/// Picture around the square, in points.
const AROUND: f32 = 20.0;
/// What stands below the picture takes about so many points.
const BELOW: f32 = 212.0;
/// One key press zooms so much.
const STEP: f64 = 1.15;
/// So many points of scrolling double the size.
const DOUBLES: f64 = 180.0;
/// The circle is made of so many pieces; a multiple of 8, so that the corners of the square are met.
const PIECES: usize = 96;

/// What the person decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    /// To leave it.
    Cancel,
    /// To take what is seen.
    Set,
}

/// A picture being cut.
pub struct CropView {
    of: Arc<Candidate>,
    texture: TextureHandle,
    crop: Crop,
    /// The keyboard goes to the picture in the next frame.
    focus: bool,
}

impl CropView {
    /// Begins with the largest square in the middle.
    pub fn new(ctx: &Context, of: Arc<Candidate>) -> Self {
        let options = TextureOptions { mipmap_mode: Some(TextureFilter::Linear), ..TextureOptions::LINEAR };
        let texture = ctx.load_texture("picture to cut", Arc::clone(&of.view), options);
        let crop = Crop::new(of.pixels.width(), of.pixels.height());
        Self { of, texture, crop, focus: true }
    }

    /// What is seen.
    pub fn cut(&self) -> Cut {
        Cut { of: Arc::clone(&self.of), square: self.crop.square() }
    }

    /// What is seen, for painting it elsewhere.
    pub fn preview(&self) -> Preview {
        Preview::new(self.texture.clone(), self.part(self.seen()))
    }

    /// Shows it in the room there is.
    pub fn show(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, room: Rect) -> Option<Done> {
        let margin = if room.width() < 480.0 { 14.0 } else { 24.0 };
        let width = COLUMN.min(room.width() - 2.0 * margin);
        let mut done = None;
        let mut inside = ui.new_child(UiBuilder::new().max_rect(room));
        ScrollArea::vertical().id_salt("crop").auto_shrink([false, false]).show(&mut inside, |ui| {
            let left = ((room.width() - width) / 2.0).floor();
            let column = Rect::from_min_size(ui.cursor().min + vec2(left, 0.0), vec2(width, f32::INFINITY));
            ui.scope_builder(UiBuilder::new().max_rect(column), |ui| {
                ui.add_space(16.0);
                let side = (room.height() - BELOW - 2.0 * AROUND).min(width - 2.0 * AROUND);
                let stage = self.stage(ui, cx, side.clamp(NARROWEST, WIDEST).floor());
                ui.add_space(12.0);
                let slider = self.zoom(ui, cx);
                done = self.keys(ui, &stage, &slider);
                ui.add_space(10.0);
                self.words(ui, cx);
                ui.add_space(16.0);
                done = self.buttons(ui, cx).or(done);
                ui.add_space(20.0);
            });
        });
        done
    }

    /// The picture with the circle over it.
    fn stage(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, side: f32) -> Response {
        let size = vec2(ui.available_width(), side + 2.0 * AROUND);
        let (rect, response) = ui.allocate_exact_size(size, Sense::drag());
        let square = Rect::from_center_size(rect.center(), vec2(side, side));
        if std::mem::take(&mut self.focus) || response.drag_started() {
            response.request_focus();
        }
        if response.dragged() {
            let moved = response.drag_delta() * (self.crop.side() as f32 / side);
            self.crop.shift(f64::from(-moved.x), f64::from(-moved.y));
        }
        if response.hovered() {
            self.wheel(ui, square);
            let icon = if response.dragged() { egui::CursorIcon::Grabbing } else { egui::CursorIcon::Grab };
            ui.ctx().set_cursor_icon(icon);
        }
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect_filled(rect, radius::COMPOSER, cx.theme.raised);
        self.paint(&painter, rect, square);
        veil(&painter, cx, rect, square);
        if response.has_focus() {
            let ring = Stroke::new(1.5, cx.theme.accent);
            painter.rect_stroke(rect, radius::COMPOSER, ring, StrokeKind::Inside);
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*cx.t("crop-part")));
        response
    }

    /// The wheel and two fingers zoom about the pointer; the page does not scroll meanwhile.
    fn wheel(&mut self, ui: &Ui, square: Rect) {
        let (scrolled, pinched, pointer) = ui.input_mut(|input| {
            let scrolled = std::mem::take(&mut input.smooth_scroll_delta);
            (f64::from(scrolled.y), f64::from(input.zoom_delta()), input.pointer.hover_pos())
        });
        let Some(pointer) = pointer.filter(|_| scrolled != 0.0 || pinched != 1.0) else { return };
        let about = (pointer - square.min) / square.width();
        let zoom = self.crop.zoom() * pinched * (scrolled / DOUBLES).exp2();
        self.crop.zoom_to(zoom, (f64::from(about.x), f64::from(about.y)));
    }

    /// Smaller, slider, larger, as at first. Returns the slider.
    fn zoom(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Response {
        let can = self.crop.most() > 1.0;
        ui.horizontal(|ui| {
            let width = ui.available_width() - 3.0 * 32.0 - 20.0;
            let less = ui
                .add_enabled_ui(can, |ui| button::icon(ui, cx, Icon::ZOOM_OUT, &cx.t("zoom-out")).clicked());
            ui.add_space(4.0);
            let slider = ui.add_enabled_ui(can, |ui| self.slider(ui, cx, width)).inner;
            ui.add_space(4.0);
            let more =
                ui.add_enabled_ui(can, |ui| button::icon(ui, cx, Icon::ZOOM_IN, &cx.t("zoom-in")).clicked());
            ui.add_space(12.0);
            if button::icon(ui, cx, Icon::ROTATE_CCW, &cx.t("crop-reset")).clicked() {
                self.crop.reset();
            }
            self.zoom_by(i32::from(more.inner) - i32::from(less.inner));
            slider
        })
        .inner
    }

    /// Equal ways on the slider are equal factors.
    fn slider(&mut self, ui: &mut Ui, cx: &ViewCtx<'_>, width: f32) -> Response {
        let most = self.crop.most();
        let mut at = if most > 1.0 { (self.crop.zoom().ln() / most.ln()) as f32 } else { 0.0 };
        let response = slider::show(ui, cx, width, &cx.t("zoom"), &mut at, self.crop.zoom());
        if response.changed() {
            self.crop.zoom_to(most.powf(f64::from(at)), MIDDLE);
        }
        response
    }

    fn zoom_by(&mut self, steps: i32) {
        if steps != 0 {
            self.crop.zoom_to(self.crop.zoom() * STEP.powi(steps), MIDDLE);
        }
    }

    /// Arrows move the picture, unless something else has the keyboard.
    fn keys(&mut self, ui: &Ui, stage: &Response, slider: &Response) -> Option<Done> {
        if stage.has_focus() {
            let filter =
                EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(stage.id, filter));
        }
        let free = ui.memory(|memory| memory.focused()).is_none_or(|id| id == stage.id);
        let count = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        let steps = |key| f64::from(i32::try_from(count(key)).unwrap_or(0));
        if free {
            let right = steps(Key::ArrowRight) - steps(Key::ArrowLeft);
            let down = steps(Key::ArrowDown) - steps(Key::ArrowUp);
            let far = self.crop.side() / 20.0;
            self.crop.shift(-right * far, -down * far);
        }
        let zoom = steps(Key::Plus) + steps(Key::Equals) - steps(Key::Minus);
        let (reset, enter, escape) = (
            steps(Key::Num0) > 0.0,
            (free || slider.has_focus()) && steps(Key::Enter) > 0.0,
            steps(Key::Escape),
        );
        self.zoom_by(zoom as i32);
        if reset {
            self.crop.reset();
        }
        match (enter, escape > 0.0) {
            (_, true) => Some(Done::Cancel),
            (true, false) => Some(Done::Set),
            (false, false) => None,
        }
    }

    fn words(&self, ui: &mut Ui, cx: &ViewCtx<'_>) {
        paragraph(ui, &cx.t("crop-hint"), cx.tiny());
        if self.of.moves {
            ui.add_space(4.0);
            paragraph(ui, &cx.t("crop-moves"), cx.tiny().color(cx.theme.warn));
        }
    }

    fn buttons(&self, ui: &mut Ui, cx: &ViewCtx<'_>) -> Option<Done> {
        let half = (ui.available_width() - 8.0) / 2.0;
        ui.horizontal(|ui| {
            let cancel = button::wide(ui, cx, &cx.t("cancel"), Tone::Quiet, half).clicked();
            ui.add_space(8.0);
            let set = button::wide(ui, cx, &cx.t("set-picture"), Tone::Primary, half).clicked();
            if set { Some(Done::Set) } else { cancel.then_some(Done::Cancel) }
        })
        .inner
    }

    /// The square in pixels of the picture.
    fn seen(&self) -> Rect {
        let (left, top) = self.crop.corner();
        let side = self.crop.side() as f32;
        Rect::from_min_size(pos2(left as f32, top as f32), vec2(side, side))
    }

    /// A part of the picture as texture coordinates.
    fn part(&self, pixels: Rect) -> Rect {
        let size = vec2(self.of.pixels.width() as f32, self.of.pixels.height() as f32);
        Rect::from_min_max((pixels.min.to_vec2() / size).to_pos2(), (pixels.max.to_vec2() / size).to_pos2())
    }

    /// Paints as much of the picture as there is room for, so that the square shows what it shows.
    fn paint(&self, painter: &Painter, rect: Rect, square: Rect) {
        let seen = self.seen();
        let scale = square.width() / seen.width();
        let size = vec2(self.of.pixels.width() as f32, self.of.pixels.height() as f32) * scale;
        let whole = Rect::from_min_size(square.min - seen.min.to_vec2() * scale, size);
        let shown = whole.intersect(rect);
        let part = self.part(Rect::from_min_max(
            ((shown.min - whole.min) / scale).to_pos2(),
            ((shown.max - whole.min) / scale).to_pos2(),
        ));
        let shape = RectShape::filled(shown, corners(shown, rect), Color32::WHITE);
        painter.add(shape.with_texture(self.texture.id(), part));
    }
}

const MIDDLE: (f64, f64) = (0.5, 0.5);

/// The corners that a part shares with the whole are round as there.
fn corners(part: Rect, whole: Rect) -> CornerRadius {
    let round = |at: Pos2, corner: Pos2| if (at - corner).length() < 0.5 { radius::COMPOSER } else { 0 };
    CornerRadius {
        nw: round(part.left_top(), whole.left_top()),
        ne: round(part.right_top(), whole.right_top()),
        sw: round(part.left_bottom(), whole.left_bottom()),
        se: round(part.right_bottom(), whole.right_bottom()),
    }
}

/// Dims what is outside the square, and a little what is outside the circle.
fn veil(painter: &Painter, cx: &ViewCtx<'_>, rect: Rect, square: Rect) {
    let dim = cx.theme.bg.gamma_multiply(0.78);
    let parts = [
        rect.with_max_y(square.top()),
        rect.with_min_y(square.bottom()),
        Rect::from_min_max(pos2(rect.left(), square.top()), square.left_bottom()),
        Rect::from_min_max(square.right_top(), pos2(rect.right(), square.bottom())),
    ];
    for part in parts {
        painter.rect_filled(part, corners(part, rect), dim);
    }
    painter.add(ring(square, cx.theme.bg.gamma_multiply(0.45)));
    let radius = square.width() / 2.0;
    painter.circle_stroke(square.center(), radius, Stroke::new(3.0, Color32::from_black_alpha(0x38)));
    painter.circle_stroke(square.center(), radius, Stroke::new(1.5, Color32::WHITE));
    painter.rect_stroke(square, 0, Stroke::new(1.0, Color32::from_white_alpha(0x50)), StrokeKind::Inside);
}

/// What is in a square but not in its circle.
fn ring(square: Rect, color: Color32) -> Mesh {
    let (center, radius) = (square.center(), square.width() / 2.0);
    let mut mesh = Mesh::default();
    let mut before = None;
    for piece in 0..=PIECES {
        let way = Vec2::angled(piece as f32 / PIECES as f32 * std::f32::consts::TAU);
        let inner = mesh.vertices.len() as u32;
        mesh.colored_vertex(center + way * radius, color);
        mesh.colored_vertex(center + way * (radius / way.x.abs().max(way.y.abs())), color);
        if let Some(before) = before.replace(inner) {
            mesh.add_triangle(before, before + 1, inner);
            mesh.add_triangle(before + 1, inner, inner + 1);
        }
    }
    mesh
}
