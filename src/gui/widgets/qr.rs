//! QR codes, drawn as squares.
//!
//! Decision: always black on white with a white edge of four modules, in the dark theme too: many readers do not see
//! a code that is light on dark, or one without its edge.

use egui::accesskit::Role;
use egui::epaint::Mesh;
use egui::{Color32, Rect, Response, Sense, Shape, Ui, WidgetInfo, pos2, vec2};
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use super::super::theme::radius;

/// The white edge, in modules.
const EDGE: usize = 4;

/// A code, ready to be drawn. What it says may be secret, so it is wiped when dropped.
pub struct Qr {
    /// One byte for each module, row by row: 1 is black.
    modules: Zeroizing<Vec<u8>>,
    side: usize,
}

impl Qr {
    /// The code of a text. `None` if the text is too long for any.
    pub fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let side = code.width();
        let modules = code.into_colors().into_iter().map(|color| u8::from(color == qrcode::Color::Dark));
        Some(Self { modules: Zeroizing::new(modules.collect()), side })
    }

    /// The side of its white square, if that may be at most so wide. Modules are whole pixels wide.
    pub fn side(&self, ui: &Ui, widest: f32) -> f32 {
        self.module(ui, widest) * self.modules_across()
    }

    fn modules_across(&self) -> f32 {
        (self.side + 2 * EDGE) as f32
    }

    fn module(&self, ui: &Ui, widest: f32) -> f32 {
        let pixels = ui.pixels_per_point();
        (widest * pixels / self.modules_across()).floor().max(1.0) / pixels
    }

    /// Shows it on a white square of at most this side, as something to click.
    pub fn button(&self, ui: &mut Ui, widest: f32, label: &str) -> Response {
        let response = self.show(ui, widest, label).interact(Sense::click());
        if response.has_focus() {
            let ring = egui::Stroke::new(2.0, ui.visuals().hyperlink_color);
            let around = response.rect.expand(3.0);
            ui.painter().rect_stroke(around, radius::FIELD + 3, ring, egui::StrokeKind::Inside);
        }
        response.on_hover_cursor(egui::CursorIcon::ZoomIn)
    }

    /// Shows it on a white square of at most this side.
    pub fn show(&self, ui: &mut Ui, widest: f32, label: &str) -> Response {
        let pixels = ui.pixels_per_point();
        let module = self.module(ui, widest);
        let side = self.side(ui, widest);
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
        ui.painter().rect_filled(rect, radius::FIELD, Color32::WHITE);
        let extent = module * self.side as f32;
        let round = |x: f32| (x * pixels).round() / pixels;
        let corner = rect.center() - vec2(extent, extent) / 2.0;
        let corner = pos2(round(corner.x), round(corner.y));
        let mut mesh = Mesh::default();
        for (y, row) in self.modules.chunks(self.side.max(1)).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run.first() == Some(&1) {
                    let from = corner + vec2(x as f32, y as f32) * module;
                    mesh.add_colored_rect(
                        Rect::from_min_size(from, vec2(run.len() as f32 * module, module)),
                        Color32::BLACK,
                    );
                }
                x += run.len();
            }
        }
        ui.painter().add(Shape::mesh(mesh));
        response
    }

    /// The code as a picture, each module so many pixels wide.
    pub fn picture(&self, scale: usize) -> egui::ColorImage {
        let side = (self.side + 2 * EDGE) * scale;
        let dark = |x: usize, y: usize| {
            let module = |at: usize| (at / scale).checked_sub(EDGE).filter(|at| *at < self.side);
            module(x).zip(module(y)).is_some_and(|(x, y)| self.modules.get(y * self.side + x) == Some(&1))
        };
        let pixels = (0..side * side)
            .map(|at| if dark(at % side, at / side) { Color32::BLACK } else { Color32::WHITE })
            .collect();
        egui::ColorImage::new([side, side], pixels)
    }
}
