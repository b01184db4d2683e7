//! What a person chose about the window itself, kept in a small file beside the account.
//!
//! Decision: the window needs it before the account is open (the first frame should have the right size and colours),
//! so it is a readable file and not a part of the encrypted database. Therefore nothing private may be in it: not
//! whom one writes with, not even which conversation was open. A file that cannot be read counts as none.

use std::path::Path;

use egui::{Pos2, Rect, Vec2, ViewportBuilder, ViewportInfo, pos2, vec2};
use serde::{Deserialize, Serialize};

use super::theme::{Accent, ThemeChoice, metric};

/// The file's name in the profile's folder.
const FILE: &str = "window.json";
/// The smallest window, in points.
const SMALLEST: Vec2 = vec2(360.0, 480.0);
/// The window when it is first shown, in points.
const FIRST: Vec2 = vec2(1200.0, 820.0);
/// A size or place beyond this is a mistake, in points.
const FARTHEST: f32 = 16_000.0;

/// The choices.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Dark, light, or as the system says.
    pub theme: ThemeChoice,
    /// The colour of what one can act on.
    pub accent: Accent,
    /// Everything larger or smaller; 1 is as designed.
    pub zoom: f32,
    /// Width of the list in points.
    pub list_width: f32,
    /// Size of the window in points.
    pub size: Option<(f32, f32)>,
    /// Its upper left corner on the desktop, in points; some systems do not tell.
    pub corner: Option<(f32, f32)>,
    /// It fills the screen.
    pub maximized: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            accent: Accent::default(),
            zoom: 1.0,
            list_width: metric::LIST,
            size: None,
            corner: None,
            maximized: false,
        }
    }
}

impl Preferences {
    /// Those of a profile; the usual ones if there are none.
    pub fn load(profile: &Path) -> Self {
        let read = std::fs::read(profile.join(FILE)).ok();
        let found: Self = read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let list_width = found.list_width.clamp(metric::LIST_LEAST, metric::LIST_MOST);
        Self { zoom: found.zoom.clamp(0.5, 3.0), list_width, ..found }
    }

    /// Writes them beside the account of a profile. Without a folder there is no account yet, and nothing is written.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, profile: &Path) -> std::io::Result<()> {
        if !profile.is_dir() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        let new = profile.join("window.json.new");
        std::fs::write(&new, text)?;
        std::fs::rename(new, profile.join(FILE))
    }

    /// A window as it was left.
    pub fn window(&self) -> ViewportBuilder {
        let reach = |(a, b): (f32, f32)| a.abs() <= FARTHEST && b.abs() <= FARTHEST;
        let size = self.size.filter(|size| reach(*size)).map_or(FIRST, |(width, height)| vec2(width, height));
        let window = ViewportBuilder::default()
            .with_inner_size(size.max(SMALLEST))
            .with_min_inner_size(SMALLEST)
            .with_maximized(self.maximized);
        match self.corner.filter(|corner| reach(*corner)) {
            Some((x, y)) => window.with_position(pos2(x, y)),
            None => window,
        }
    }

    /// Takes note of where the window is. What it was before it filled the screen is kept.
    pub fn notice(&mut self, window: &ViewportInfo) {
        let hidden = window.minimized == Some(true) || window.fullscreen == Some(true);
        self.maximized = window.maximized.unwrap_or(self.maximized);
        if hidden || self.maximized {
            return;
        }
        let whole = |value: f32| value.round();
        self.size =
            window.inner_rect.map(|rect: Rect| (whole(rect.width()), whole(rect.height()))).or(self.size);
        let corner = window.outer_rect.map(|rect| rect.min).map(|at: Pos2| (whole(at.x), whole(at.y)));
        self.corner = corner.or(self.corner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_come_back_and_rubbish_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
        let size = Some((900.0, 600.0));
        let chosen =
            Preferences { theme: ThemeChoice::Light, accent: Accent::Pink, size, ..Preferences::default() };
        chosen.save(folder.path()).unwrap();
        assert_eq!(Preferences::load(folder.path()), chosen);
        let written = |text: &str| {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            Preferences::load(folder.path())
        };
        assert_eq!(written("{\"accent\":\"plaid\"}"), Preferences::default());
        assert_eq!(written("{\"accent\":\"red\",\"more\":1}").accent, Accent::Red);
        assert_eq!(written("{\"zoom\":900,\"list_width\":-4}").zoom, 3.0);
        assert!(chosen.save(&folder.path().join("nowhere")).is_ok());
    }

    #[test]
    fn a_window_comes_back_as_it_was_before_it_filled_the_screen() {
        let at = |maximized| ViewportInfo {
            inner_rect: Some(Rect::from_min_size(pos2(10.0, 30.0), vec2(800.0, 600.4))),
            outer_rect: Some(Rect::from_min_size(pos2(9.0, 5.0), vec2(802.0, 626.0))),
            maximized: Some(maximized),
            ..ViewportInfo::default()
        };
        let mut preferences = Preferences::default();
        preferences.notice(&at(false));
        assert_eq!((preferences.size, preferences.corner), (Some((800.0, 600.0)), Some((9.0, 5.0))));
        let mut full = at(true);
        full.inner_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(1920.0, 1080.0)));
        preferences.notice(&full);
        assert_eq!((preferences.size, preferences.maximized), (Some((800.0, 600.0)), true));
        let wild = Preferences { size: Some((1e9, 3.0)), corner: Some((f32::NAN, 0.0)), ..preferences };
        let window = wild.window();
        assert_eq!((window.inner_size, window.position), (Some(FIRST), None));
    }
}
