//! The icons: code points of the Lucide font that is shipped cut down to exactly these.
//!
//! An icon is a character of one font family, so it takes a size and a colour like text does and costs one glyph in
//! the atlas. How to add one is written in `assets/fonts/README.md`.

#![allow(missing_docs)] // the names are the pictures

use egui::{Align2, Color32, FontFamily, FontId, Painter, Pos2};

/// One picture of the icon font.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Icon(pub char);

impl Icon {
    /// Paints it centred; `size` is the side of its square in points.
    pub fn paint(self, painter: &Painter, center: Pos2, size: f32, color: Color32) {
        painter.text(center, Align2::CENTER_CENTER, self.0, Self::font(size), color);
    }

    /// The font that holds the icons.
    pub fn font(size: f32) -> FontId {
        FontId::new(size, FontFamily::Name("icons".into()))
    }
}

impl Icon {
    pub const SEARCH: Icon = Icon('\u{e151}');
    pub const SQUARE_PEN: Icon = Icon('\u{e172}');
    pub const SETTINGS: Icon = Icon('\u{e154}');
    pub const PHONE: Icon = Icon('\u{e133}');
    pub const ELLIPSIS: Icon = Icon('\u{e0b6}');
    pub const PAPERCLIP: Icon = Icon('\u{e12d}');
    pub const SMILE: Icon = Icon('\u{e164}');
    pub const CLOCK: Icon = Icon('\u{e087}');
    pub const PIN: Icon = Icon('\u{e259}');
    pub const BELL_OFF: Icon = Icon('\u{e05a}');
    pub const ARROW_UP: Icon = Icon('\u{e04a}');
    pub const REPLY: Icon = Icon('\u{e22a}');
    pub const INBOX: Icon = Icon('\u{e0f7}');
    pub const CHEVRON_LEFT: Icon = Icon('\u{e06e}');
    pub const MIC: Icon = Icon('\u{e118}');
    pub const X: Icon = Icon('\u{e1b2}');
    pub const CHECK: Icon = Icon('\u{e06c}');
    pub const CHECK_CHECK: Icon = Icon('\u{e38e}');
    pub const COPY: Icon = Icon('\u{e09e}');
    pub const DOWNLOAD: Icon = Icon('\u{e0b2}');
    pub const EYE: Icon = Icon('\u{e0ba}');
    pub const EYE_OFF: Icon = Icon('\u{e0bb}');
    pub const FILE: Icon = Icon('\u{e0c0}');
    pub const FILE_TEXT: Icon = Icon('\u{e0cc}');
    pub const IMAGE: Icon = Icon('\u{e0f6}');
    pub const MOON: Icon = Icon('\u{e11e}');
    pub const SUN: Icon = Icon('\u{e178}');
    pub const TRASH_2: Icon = Icon('\u{e18e}');
    pub const USER_X: Icon = Icon('\u{e1a3}');
    pub const USER_CHECK: Icon = Icon('\u{e1a0}');
    pub const BAN: Icon = Icon('\u{e051}');
    pub const ROTATE_CW: Icon = Icon('\u{e149}');
    pub const ROTATE_CCW: Icon = Icon('\u{e148}');
    pub const ARROW_DOWN: Icon = Icon('\u{e042}');
    pub const PLUS: Icon = Icon('\u{e13d}');
    pub const KEY: Icon = Icon('\u{e0fd}');
    pub const KEY_ROUND: Icon = Icon('\u{e4a3}');
    pub const QR_CODE: Icon = Icon('\u{e1df}');
    pub const LOG_OUT: Icon = Icon('\u{e10e}');
    pub const INFO: Icon = Icon('\u{e0f9}');
    pub const TRIANGLE_ALERT: Icon = Icon('\u{e193}');
    pub const CIRCLE_ALERT: Icon = Icon('\u{e077}');
    pub const PLAY: Icon = Icon('\u{e13c}');
    pub const PAUSE: Icon = Icon('\u{e12e}');
    pub const MESSAGE_SQUARE: Icon = Icon('\u{e117}');
    pub const MESSAGE_CIRCLE: Icon = Icon('\u{e116}');
    pub const USERS: Icon = Icon('\u{e1a4}');
    pub const WAYPOINTS: Icon = Icon('\u{e542}');
    pub const GLOBE: Icon = Icon('\u{e0e8}');
    pub const LAPTOP: Icon = Icon('\u{e1cd}');
    pub const ROUTE: Icon = Icon('\u{e53e}');
    pub const LOCK: Icon = Icon('\u{e10b}');
    pub const FOLDER_OPEN: Icon = Icon('\u{e247}');
    pub const SAVE: Icon = Icon('\u{e14d}');
    pub const CHEVRON_RIGHT: Icon = Icon('\u{e06f}');
    pub const CHEVRON_DOWN: Icon = Icon('\u{e06d}');
    pub const CHEVRON_UP: Icon = Icon('\u{e070}');
    pub const NOTEBOOK_PEN: Icon = Icon('\u{e596}');
    pub const MUSIC: Icon = Icon('\u{e122}');
    pub const VIDEO: Icon = Icon('\u{e1a5}');
    pub const ARCHIVE: Icon = Icon('\u{e041}');
    pub const IMAGE_OFF: Icon = Icon('\u{e1c0}');
    pub const CORNER_UP_LEFT: Icon = Icon('\u{e0a7}');
    pub const LOADER_CIRCLE: Icon = Icon('\u{e10a}');
    pub const MONITOR: Icon = Icon('\u{e11d}');
    pub const SERVER: Icon = Icon('\u{e153}');
    pub const PENCIL: Icon = Icon('\u{e1f9}');
    pub const USER: Icon = Icon('\u{e19f}');
    pub const PIN_OFF: Icon = Icon('\u{e2b6}');
    pub const BELL: Icon = Icon('\u{e059}');
    pub const LINK: Icon = Icon('\u{e102}');
    pub const UPLOAD: Icon = Icon('\u{e19e}');
    pub const FILE_ARCHIVE: Icon = Icon('\u{e30d}');
    pub const SPARKLES: Icon = Icon('\u{e412}');
    pub const ZOOM_IN: Icon = Icon('\u{e1b6}');
    pub const ZOOM_OUT: Icon = Icon('\u{e1b7}');
    pub const MAXIMIZE: Icon = Icon('\u{e112}');
    pub const KEYBOARD: Icon = Icon('\u{e284}');
    pub const ARROW_LEFT: Icon = Icon('\u{e048}');
    pub const SHIELD: Icon = Icon('\u{e158}');
    pub const SHIELD_CHECK: Icon = Icon('\u{e1ff}');
    pub const TIMER: Icon = Icon('\u{e1e0}');
    pub const HOURGLASS: Icon = Icon('\u{e296}');
    pub const EXTERNAL_LINK: Icon = Icon('\u{e0b9}');
    pub const PALETTE: Icon = Icon('\u{e1dd}');
    pub const SUN_MOON: Icon = Icon('\u{e2b2}');
    pub const BELL_RING: Icon = Icon('\u{e224}');
}
