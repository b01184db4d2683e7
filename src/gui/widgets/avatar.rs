//! A person as a circle: their picture, or the beginning of their name on a colour of their own.

use egui::epaint::RectShape;
use egui::{Color32, CornerRadius, Painter, Pos2, Rect, TextureId, vec2};
use septet_client::model::{Address, PictureId};
use septet_protocol::id::SessionId;
use unicode_segmentation::UnicodeSegmentation;

use super::super::command::ImageKey;
use super::super::icons::Icon;
use super::super::images::Picture;
use super::super::text::{Style, Weight};
use super::super::theme::Theme;
use super::super::view::ViewCtx;
use super::text_center;

/// Circles wider than this, in points, are painted from a picture of their own.
const LARGE: f32 = 64.0;
/// The smallest side, in pixels, that a picture is made ready with: lists and heads share it.
const LEAST: u32 = 96;

/// Whose circle it is.
pub struct Avatar<'a> {
    /// Chooses the colour.
    pub id: SessionId,
    /// Chooses the letters; empty if unknown.
    pub name: &'a str,
    /// The picture, if there is one.
    pub picture: Option<&'a PictureId>,
    /// Note to Self has a pen, whatever picture we have.
    pub note: bool,
}

impl Avatar<'_> {
    /// Paints it around a point.
    pub fn paint(&self, painter: &Painter, center: Pos2, diameter: f32, cx: &ViewCtx<'_>) {
        if let Some((texture, part)) = self.ready(painter, diameter, cx) {
            circle(painter, center, diameter, texture, part);
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

    /// The picture, if it is here, and the part of it that is shown.
    fn ready(&self, painter: &Painter, diameter: f32, cx: &ViewCtx<'_>) -> Option<(TextureId, Rect)> {
        let id = self.picture.filter(|_| !self.note)?;
        let side = ((diameter * painter.pixels_per_point() * 2.0) as u32).max(LEAST);
        let found = |key, side| match cx.images.get(cx.actions, &key, side) {
            Picture::Ready { texture, size } => Some((texture, square(size.x, size.y))),
            Picture::Loading | Picture::Bad => None,
        };
        let large = (diameter > LARGE).then(|| found(ImageKey::LargePicture(id.clone()), side)).flatten();
        large.or_else(|| found(ImageKey::Picture(id.clone()), side.min(2 * LEAST)))
    }
}

/// Whom a conversation's circle stands for. What is with no account has a colour of its own all the same.
pub fn whose(address: &Address) -> SessionId {
    address.account().unwrap_or_else(|| {
        let mut key = [0; 32];
        key.iter_mut().zip(address.to_bytes().into_iter().rev()).for_each(|(to, from)| *to = from);
        SessionId(key)
    })
}

/// Paints our own circle: with the picture that was just chosen, until the account has it.
pub fn own(painter: &Painter, center: Pos2, diameter: f32, cx: &ViewCtx<'_>) {
    let Some(me) = &cx.state.me else { return };
    let avatar = Avatar { id: me.id, name: &me.name, picture: me.picture.as_ref(), note: false };
    let ready = avatar.ready(painter, diameter, cx);
    match cx.images.preview(ready.is_some() || me.picture.is_none()) {
        Some((texture, part)) => circle(painter, center, diameter, texture, part),
        None => avatar.paint(painter, center, diameter, cx),
    }
}

fn circle(painter: &Painter, center: Pos2, diameter: f32, texture: TextureId, part: Rect) {
    let corner = CornerRadius::same((diameter / 2.0).min(127.0) as u8);
    let rect = Rect::from_center_size(center, vec2(diameter, diameter));
    painter.add(RectShape::filled(rect, corner, Color32::WHITE).with_texture(texture, part));
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

    /// The colour follows from the id alone, so that it needs to be agreed upon by nobody.
    #[test]
    fn an_account_has_one_of_seven_colors_on_every_device() {
        let colors: std::collections::BTreeSet<[u8; 4]> =
            (0..=255).map(|byte| color(SessionId([byte; 32])).to_array()).collect();
        assert_eq!(colors.len(), 7);
        assert!(Theme::AVATARS.iter().all(|known| colors.contains(&known.to_array())));
        assert_eq!(color(SessionId([3; 32])), Color32::from_rgb(0x4b, 0x76, 0x9f));
    }

    #[test]
    fn letters_of_names() {
        assert_eq!(initials("Mara Reyes"), "MR");
        assert_eq!(initials("tomasz"), "T");
        assert_eq!(initials("健太"), "健");
        assert_eq!(initials("Ana Maria da Silva"), "AM");
        assert_eq!(initials("  "), "");
    }
}
