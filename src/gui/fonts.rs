//! The fonts: Inter and Lucide from the program, every other script and colour emoji from the system.
//!
//! Decision: emoji have a family of their own. Left to the usual fallback, most systems draw half of them in black
//! and white, because an ordinary font that also holds the character is asked first. The system's emoji font is
//! large (11 MB and more), so it is not shipped; it is looked for on another thread and put in when found. Until
//! then, and on systems without one, the family falls back like text does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::epaint::text::{FontInsert, FontPriority, FontTweak, InsertFontFamily};
use egui::{FontData, FontDefinitions, FontFamily};

/// The family of colour emoji.
pub const EMOJI: &str = "emoji";
/// The family of the icons.
pub const ICONS: &str = "icons";

const INTER: [(&str, &[u8]); 4] = [
    ("Inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
    ("Inter Medium", include_bytes!("../../assets/fonts/Inter-Medium.otf")),
    ("Inter SemiBold", include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
    ("Inter Bold", include_bytes!("../../assets/fonts/Inter-Bold.otf")),
];
const LUCIDE: &[u8] = include_bytes!("../../assets/fonts/Lucide.ttf");

/// The fonts that are part of the program. Each family must exist from the first frame on, so emoji start as text.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in INTER {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
        fonts.families.insert(FontFamily::Name(name.into()), vec![name.into()]);
    }
    // Hinting would bend pictures to the pixel grid, each in its own way; and they sit a little high in their line.
    let tweak = FontTweak { hinting: Some(false), y_offset_factor: 0.055, ..FontTweak::default() };
    fonts.font_data.insert(ICONS.into(), Arc::new(FontData::from_static(LUCIDE).tweak(tweak)));
    fonts.families.insert(FontFamily::Name(ICONS.into()), vec![ICONS.into()]);
    fonts.families.insert(FontFamily::Name(EMOJI.into()), vec!["Inter".into()]);
    fonts.families.insert(FontFamily::Proportional, vec!["Inter".into()]);
    fonts
}

/// Puts an emoji font in front of its family.
pub fn insert_emoji(ctx: &egui::Context, font: Vec<u8>) {
    ctx.add_font(FontInsert::new(
        "emoji",
        FontData::from_owned(font),
        vec![InsertFontFamily { family: FontFamily::Name(EMOJI.into()), priority: FontPriority::Highest }],
    ));
}

/// Looks for the system's emoji font on a thread of its own and hands it to `found`.
pub fn find_emoji(found: impl FnOnce(Vec<u8>) + Send + 'static) {
    let search = move || {
        let Some(path) = emoji_path() else {
            tracing::info!("no colour emoji font found; emoji are drawn as the text fonts have them");
            return;
        };
        match std::fs::read(&path) {
            Ok(bytes) => found(bytes),
            Err(error) => tracing::warn!("cannot read the emoji font: {error}"),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("emoji font".into()).spawn(search) {
        tracing::warn!("cannot look for an emoji font: {error}");
    }
}

/// File names of emoji fonts with pictures that can be drawn, best first.
const EMOJI_FILES: [&str; 6] = [
    "NotoColorEmoji.ttf",
    "NotoColorEmoji-Regular.ttf",
    "AppleColorEmoji.ttf",
    "Apple Color Emoji.ttc",
    "seguiemj.ttf",
    "Twemoji.ttf",
];

fn emoji_path() -> Option<PathBuf> {
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    for folder in font_folders() {
        collect(&folder, 4, &mut found);
    }
    found.sort();
    found.into_iter().next().map(|(_, path)| path)
}

fn font_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/run/host/fonts",
        "/System/Library/Fonts",
        "C:\\Windows\\Fonts",
    ]
    .map(PathBuf::from)
    .into();
    if let Some(base) = directories::BaseDirs::new() {
        folders.push(base.data_dir().join("fonts"));
        folders.push(base.home_dir().join(".fonts"));
    }
    folders
}

/// Walks a folder, not deeper than `depth` levels.
fn collect(folder: &Path, depth: usize, found: &mut Vec<(usize, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 0 {
                collect(&path, depth - 1, found);
            }
        } else if let Some(rank) = EMOJI_FILES.iter().position(|name| entry.file_name() == *name) {
            found.push((rank, path));
        }
    }
}
