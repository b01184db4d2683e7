//! A person as a circle: their picture, or the beginning of their name on a colour of their own.

use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, Painter, Pos2, Rect, vec2};
use septet_client::model::PictureId;
use septet_protocol::id::SessionId;
use unicode_segmentation::UnicodeSegmentation;

use super::super::command::ImageKey;
use super::super::icons::Icon;
use super::super::images::Picture;
use super::super::text::{Style, Weight};
use super::super::theme::Theme;
use super::super::view::ViewCtx;
use super::text_center;

/// Whose circle it is.
pub struct Avatar<'a> {
    /// Chooses the colour.
    pub id: SessionId,
    /// Chooses the letters; empty if unknown.
    pub name: &'a str,
    /// The picture, if there is one.
    pub picture: Option<&'a PictureId>,
    /// Note to Self has a pen.
    pub note: bool,
}

impl Avatar<'_> {
    /// Paints it around a point.
    pub fn paint(&self, painter: &Painter, center: Pos2, diameter: f32, cx: &ViewCtx<'_>) {
        let ready = self.picture.and_then(|id| {
            let side = (diameter * painter.pixels_per_point() * 2.0) as u32;
            match cx.images.get(cx.actions, &ImageKey::Picture(id.clone()), side.max(96)) {
                Picture::Ready { texture, size } => Some((texture, size)),
                _ => None,
            }
        });
        if let Some((texture, size)) = ready {
            let corner = CornerRadius::same((diameter / 2.0).min(127.0) as u8);
            let rect = Rect::from_center_size(center, vec2(diameter, diameter));
            painter.add(
                RectShape::filled(rect, corner, Color32::WHITE).with_texture(texture, square(size.x, size.y)),
            );
            return;
        }
        painter.circle_filled(center, diameter / 2.0, color(self.id));
        if self.note {
            Icon::NOTEBOOK_PEN.paint(painter, center, (diameter * 0.45).round(), Color32::WHITE);
            return;
        }
        let letters = if self.name.is_empty() {
            self.id.to_string().chars().take(2).collect()
        } else {
            initials(self.name)
        };
        let size = if diameter >= 36.0 { diameter * 0.375 } else { diameter * 0.4 };
        let style = Style::new(size.round(), Color32::WHITE).weight(Weight::Semibold);
        text_center(painter, center, &letters, style, diameter);
    }
}

/// The middle square of a picture, as texture coordinates.
fn square(width: f32, height: f32) -> Rect {
    let part = if width > height { vec2(height / width, 1.0) } else { vec2(1.0, width / height) };
    Rect::from_center_size(egui::pos2(0.5, 0.5), part)
}

/// The same account has the same colour on every device of ours.
pub fn color(id: SessionId) -> Color32 {
    let sum =
        id.as_bytes().iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    Theme::AVATARS.get(sum % Theme::AVATARS.len()).copied().unwrap_or(Color32::GRAY)
}

/// First letters of the first two words.
pub fn initials(name: &str) -> String {
    let first = |word: &str| word.graphemes(true).next().map(str::to_uppercase).unwrap_or_default();
    name.split_whitespace().take(2).map(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_names() {
        assert_eq!(initials("Mara Reyes"), "MR");
        assert_eq!(initials("tomasz"), "T");
        assert_eq!(initials("健太"), "健");
        assert_eq!(initials("Ana Maria da Silva"), "AM");
        assert_eq!(initials("  "), "");
    }
}
