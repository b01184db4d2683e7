//! Colours and sizes, in one place for both themes.
//!
//! Decision: views never name a colour; they name a role ("muted text", "own bubble"). A role has one value in the
//! dark theme and one in the light, and the pairs that carry text keep a contrast of 4.5:1, which a test checks.

use egui::epaint::Shadow;
use egui::{Color32, CornerRadius, Stroke, Vec2, Visuals};
use serde::{Deserialize, Serialize};

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Which theme to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system says.
    #[default]
    System,
    /// Always dark.
    Dark,
    /// Always light.
    Light,
}

/// The colour of what one can act on, chosen by the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accent {
    /// As in the pictures.
    #[default]
    Blue,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Orange.
    Orange,
    /// Red.
    Red,
    /// Pink.
    Pink,
    /// Purple.
    Purple,
}

impl Accent {
    /// All seven, in the order in which they are offered.
    pub const ALL: [Self; 7] =
        [Self::Blue, Self::Green, Self::Yellow, Self::Orange, Self::Red, Self::Pink, Self::Purple];

    /// Accent, own bubble, accent in it, second text in it.
    fn roles(self, dark: bool) -> [u32; 4] {
        match (self, dark) {
            (Self::Blue, true) => [0x6ea8fe, 0x2c4468, 0x8bb9ff, 0xa9b6c9],
            (Self::Green, true) => [0x5ccf97, 0x1f4a3a, 0x79deac, 0xa8bfb4],
            (Self::Yellow, true) => [0xe6bd4f, 0x4a3f1e, 0xeccb72, 0xc2b899],
            (Self::Orange, true) => [0xf5a25d, 0x563a24, 0xf9b680, 0xcbb7a6],
            (Self::Red, true) => [0xff8a80, 0x5c3032, 0xffa9a1, 0xcfb3b1],
            (Self::Pink, true) => [0xf48fb8, 0x5a3049, 0xf9a9c9, 0xcdb2c0],
            (Self::Purple, true) => [0xb59cff, 0x433a6c, 0xc6b3ff, 0xbab4d0],
            (Self::Blue, false) => [0x2563c9, 0xd9e7fd, 0x2563c9, 0x4d5a6e],
            (Self::Green, false) => [0x17744a, 0xd4f0e0, 0x136640, 0x44604f],
            (Self::Yellow, false) => [0x7d5a00, 0xf8ebc3, 0x6f5000, 0x665a3a],
            (Self::Orange, false) => [0xa64b00, 0xfde3cd, 0x954300, 0x69543f],
            (Self::Red, false) => [0xbb3329, 0xfbdedb, 0xab2a21, 0x6d504e],
            (Self::Pink, false) => [0xb32d69, 0xfbdfeb, 0xa3265e, 0x6b4f5b],
            (Self::Purple, false) => [0x6a45c9, 0xe7dffd, 0x5f3bbd, 0x584f70],
        }
    }
}

/// The colour of every role.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Theme {
    /// Light text on dark ground.
    pub dark: bool,
    /// What one can act on, and what is ours.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// A selected row.
    pub accent_soft: Color32,
    /// Behind messages.
    pub bg: Color32,
    /// The list and cards.
    pub panel: Color32,
    /// Fields and quiet buttons.
    pub raised: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Lines between regions.
    pub line: Color32,
    /// What is read.
    pub text: Color32,
    /// What is read second.
    pub muted: Color32,
    /// Times, placeholders.
    pub faint: Color32,
    /// A message of the other.
    pub bubble_in: Color32,
    /// A message of ours.
    pub bubble_out: Color32,
    /// Second text in our own bubble.
    pub out_muted: Color32,
    /// The accent in our own bubble.
    pub out_accent: Color32,
    /// Bad news in our own bubble.
    pub out_bad: Color32,
    /// All is well.
    pub good: Color32,
    /// Not yet.
    pub warn: Color32,
    /// It failed, or it cannot be undone.
    pub bad: Color32,
    /// Under things that float.
    pub shadow: Shadow,
    /// Behind a dialog.
    pub veil: Color32,
}

impl Theme {
    /// Light text on dark ground.
    pub fn dark() -> Self {
        Self {
            dark: true,
            accent: rgb(0x6ea8fe),
            on_accent: rgb(0x08131f),
            accent_soft: Color32::from_rgba_unmultiplied(0x6e, 0xa8, 0xfe, 0x26),
            bg: rgb(0x14161a),
            panel: rgb(0x191c21),
            raised: rgb(0x22262d),
            hover: rgb(0x262b33),
            line: rgb(0x2b3038),
            text: rgb(0xeceef2),
            muted: rgb(0x9aa3b0),
            faint: rgb(0x838d9b),
            bubble_in: rgb(0x23272f),
            bubble_out: rgb(0x2c4468),
            out_muted: rgb(0xa9b6c9),
            out_accent: rgb(0x8bb9ff),
            out_bad: rgb(0xffa3a3),
            good: rgb(0x4cc38a),
            warn: rgb(0xf0b429),
            bad: rgb(0xff6b6b),
            shadow: Shadow { offset: [0, 8], blur: 28, spread: 0, color: Color32::from_black_alpha(0x88) },
            veil: Color32::from_black_alpha(0x80),
        }
    }

    /// Dark text on light ground.
    pub fn light() -> Self {
        Self {
            dark: false,
            accent: rgb(0x2563c9),
            on_accent: rgb(0xffffff),
            accent_soft: Color32::from_rgba_unmultiplied(0x25, 0x63, 0xc9, 0x1a),
            bg: rgb(0xffffff),
            panel: rgb(0xf6f7f9),
            raised: rgb(0xeceff3),
            hover: rgb(0xe9edf2),
            line: rgb(0xdfe3e9),
            text: rgb(0x171b21),
            muted: rgb(0x5a6472),
            faint: rgb(0x646d7a),
            bubble_in: rgb(0xf0f2f5),
            bubble_out: rgb(0xd9e7fd),
            out_muted: rgb(0x4d5a6e),
            out_accent: rgb(0x2563c9),
            out_bad: rgb(0xa81f1f),
            good: rgb(0x1b7f4f),
            warn: rgb(0x8f5a00),
            bad: rgb(0xc62f2f),
            shadow: Shadow { offset: [0, 8], blur: 28, spread: 0, color: Color32::from_black_alpha(0x22) },
            veil: Color32::from_black_alpha(0x40),
        }
    }

    /// The same with another accent.
    pub fn accented(self, accent: Accent) -> Self {
        let [accent, bubble_out, out_accent, out_muted] = accent.roles(self.dark).map(rgb);
        let [red, green, blue, _] = accent.to_array();
        let soft = if self.dark { 0x26 } else { 0x1a };
        let accent_soft = Color32::from_rgba_unmultiplied(red, green, blue, soft);
        Self { accent, accent_soft, bubble_out, out_accent, out_muted, ..self }
    }

    /// The seven grounds of avatars without picture; white text is readable on each.
    pub const AVATARS: [Color32; 7] = [
        rgb(0x4b769f),
        rgb(0x8467ad),
        rgb(0x39816f),
        rgb(0xa36636),
        rgb(0xa8556c),
        rgb(0x65783a),
        rgb(0x5663b5),
    ];

    /// The bubble of a message.
    pub fn bubble(&self, outgoing: bool) -> Color32 {
        if outgoing { self.bubble_out } else { self.bubble_in }
    }

    /// Second text in a bubble.
    pub fn bubble_muted(&self, outgoing: bool) -> Color32 {
        if outgoing { self.out_muted } else { self.muted }
    }

    /// The accent in a bubble.
    pub fn bubble_accent(&self, outgoing: bool) -> Color32 {
        if outgoing { self.out_accent } else { self.accent }
    }

    /// Gives egui's own widgets (menus, tooltips, text cursors) the same look.
    pub fn apply(&self, ctx: &egui::Context) {
        let theme = if self.dark { egui::Theme::Dark } else { egui::Theme::Light };
        ctx.set_theme(theme);
        ctx.style_mut_of(theme, |style| self.style(style));
    }

    fn style(&self, style: &mut egui::Style) {
        style.visuals = self.visuals();
        style.animation_time = 0.12;
        let spacing = &mut style.spacing;
        spacing.item_spacing = Vec2::ZERO;
        spacing.button_padding = Vec2::new(12.0, 6.0);
        spacing.interact_size = Vec2::new(32.0, 28.0);
        spacing.menu_margin = egui::Margin::same(5);
        spacing.tooltip_width = 320.0;
        spacing.scroll = egui::style::ScrollStyle::floating();
        spacing.scroll.foreground_color = false;
        spacing.scroll.bar_width = 6.0;
        spacing.scroll.floating_width = 6.0;
        spacing.scroll.floating_allocated_width = 0.0;
        spacing.scroll.bar_outer_margin = 2.0;
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.4;
        style.interaction.tooltip_grace_time = 0.1;
        for (text, size) in [
            (egui::TextStyle::Body, size::BODY),
            (egui::TextStyle::Button, size::BODY),
            (egui::TextStyle::Small, size::TINY),
            (egui::TextStyle::Heading, size::HEADING),
        ] {
            style.text_styles.insert(text, egui::FontId::proportional(size));
        }
        style.text_styles.insert(egui::TextStyle::Monospace, egui::FontId::monospace(size::SMALL));
    }

    fn visuals(&self) -> Visuals {
        let mut visuals = if self.dark { Visuals::dark() } else { Visuals::light() };
        visuals.override_text_color = Some(self.text);
        visuals.weak_text_color = Some(self.faint);
        visuals.hyperlink_color = self.accent;
        visuals.panel_fill = self.bg;
        visuals.window_fill = self.panel;
        visuals.window_stroke = Stroke::new(1.0, self.line);
        visuals.window_corner_radius = CornerRadius::same(radius::CARD);
        visuals.window_shadow = self.shadow;
        visuals.menu_corner_radius = CornerRadius::same(10);
        visuals.popup_shadow = self.shadow;
        visuals.extreme_bg_color = self.raised;
        visuals.text_edit_bg_color = Some(self.raised);
        visuals.error_fg_color = self.bad;
        visuals.warn_fg_color = self.warn;
        visuals.selection.bg_fill = self.accent.gamma_multiply(0.4);
        visuals.selection.stroke = Stroke::new(1.0, self.accent);
        visuals.text_cursor.stroke = Stroke::new(1.5, self.accent);
        visuals.button_frame = false;
        for (widget, fill) in [
            (&mut visuals.widgets.noninteractive, Color32::TRANSPARENT),
            (&mut visuals.widgets.inactive, Color32::TRANSPARENT),
            (&mut visuals.widgets.hovered, self.hover),
            (&mut visuals.widgets.active, self.hover),
            (&mut visuals.widgets.open, self.hover),
        ] {
            widget.bg_fill = fill;
            widget.weak_bg_fill = fill;
            widget.bg_stroke = Stroke::NONE;
            widget.corner_radius = CornerRadius::same(7);
            widget.fg_stroke = Stroke::new(1.0, self.text);
            widget.expansion = 0.0;
        }
        visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, self.line);
        visuals.widgets.inactive.bg_fill = self.line; // the handle of a scroll bar
        visuals.widgets.hovered.bg_fill = self.faint;
        visuals.widgets.active.bg_fill = self.faint;
        visuals
    }
}

/// Text sizes in points.
pub mod size {
    /// The name of a page.
    pub const HEADING: f32 = 22.0;
    /// The name of the program, above the list.
    pub const TITLE: f32 = 16.0;
    /// Messages, names.
    pub const BODY: f32 = 14.0;
    /// Second lines.
    pub const SMALL: f32 = 13.0;
    /// Times, chips.
    pub const TINY: f32 = 12.0;
    /// Time and state in a bubble.
    pub const META: f32 = 11.0;
}

/// Corner radii in points.
pub mod radius {
    /// A bubble.
    pub const BUBBLE: u8 = 14;
    /// The corner of a bubble that faces its neighbour of the same run.
    pub const TIGHT: u8 = 5;
    /// Buttons and list rows.
    pub const ROW: u8 = 10;
    /// Fields, icon buttons.
    pub const FIELD: u8 = 8;
    /// The composer's field and send button.
    pub const COMPOSER: u8 = 12;
    /// Cards and dialogs.
    pub const CARD: u8 = 16;
}

/// Widths and heights in points.
pub mod metric {
    /// Under this width the window shows one region at a time.
    pub const NARROW: f32 = 720.0;
    /// The list when first shown.
    pub const LIST: f32 = 312.0;
    /// The narrowest list.
    pub const LIST_LEAST: f32 = 220.0;
    /// The widest list.
    pub const LIST_MOST: f32 = 420.0;
    /// Head of the list and of a conversation.
    pub const HEAD: f32 = 56.0;
    /// One row of the list.
    pub const ROW: f32 = 60.0;
    /// The line below the list.
    pub const FOOT: f32 = 44.0;
    /// The widest a bubble gets.
    pub const BUBBLE: f32 = 560.0;
    /// An avatar in the list.
    pub const AVATAR: f32 = 40.0;
    /// An avatar in a head.
    pub const AVATAR_SMALL: f32 = 28.0;
    /// An icon.
    pub const ICON: f32 = 18.0;
    /// A button that is an icon.
    pub const ICON_BUTTON: f32 = 32.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f32 {
        let part = |v: u8| {
            let v = f32::from(v) / 255.0;
            if v <= 0.039_28 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_is_readable_on_every_ground_it_stands_on() {
        let accented = |theme: Theme| Accent::ALL.map(|accent| theme.accented(accent));
        assert_eq!(Theme::dark(), Theme::dark().accented(Accent::Blue));
        assert_eq!(Theme::light(), Theme::light().accented(Accent::Blue));
        for theme in accented(Theme::dark()).into_iter().chain(accented(Theme::light())) {
            let mut pairs = vec![
                ("accent on background", theme.accent, theme.bg),
                ("accent on panel", theme.accent, theme.panel),
                ("accent in a bubble", theme.accent, theme.bubble_in),
                ("on accent", theme.on_accent, theme.accent),
                ("own bubble", theme.text, theme.bubble_out),
                ("own bubble, muted", theme.out_muted, theme.bubble_out),
                ("own bubble, accent", theme.out_accent, theme.bubble_out),
                ("own bubble, bad", theme.out_bad, theme.bubble_out),
                ("bubble, muted", theme.muted, theme.bubble_in),
                ("bad on panel", theme.bad, theme.panel),
                ("bad on background", theme.bad, theme.bg),
                ("good on panel", theme.good, theme.panel),
                ("warn on panel", theme.warn, theme.panel),
            ];
            for ground in [theme.bg, theme.panel, theme.raised] {
                pairs.extend([
                    ("text", theme.text, ground),
                    ("muted", theme.muted, ground),
                    ("faint", theme.faint, ground),
                ]);
            }
            for (what, text, ground) in pairs {
                assert!(contrast(text, ground) >= 4.5, "{what}: {:.2}", contrast(text, ground));
            }
            for ground in Theme::AVATARS {
                assert!(
                    contrast(Color32::WHITE, ground) >= 4.5,
                    "{ground:?}: {}",
                    contrast(Color32::WHITE, ground)
                );
            }
        }
    }
}
