//! Moving pictures: frames made elsewhere, played while somebody looks.
//!
//! Decision: a picture plays only where it is painted, in a window that has the keyboard, and for a minute; then it rests
//! until it comes into view again or the window gets the keyboard back. So a window that nobody looks at draws nothing.
//! Who switched animations off ([`egui::Style::animation_time`] is 0) sees the first frame only.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use egui::{Context, ImageData, TextureHandle, TextureId, TextureOptions, Vec2};

use super::actions::Actions;
use super::attached::{FileWish, Frames};
use super::command::{Command, ImageKey};

/// Bytes of frames to keep.
const BUDGET: usize = 128 << 20;
/// How long one plays before it rests, in seconds.
const PLAYS: f64 = 60.0;

/// The moving pictures of one window.
#[derive(Default)]
pub struct Animations(RefCell<Inner>);

#[derive(Default)]
struct Inner {
    entries: HashMap<ImageKey, Entry>,
    frame: u64,
}

enum Entry {
    Asked,
    Still,
    Moving(Moving),
}

struct Moving {
    frames: Frames,
    texture: TextureHandle,
    /// The frame that the texture has.
    shown: usize,
    /// When it began to play; not while the window has no keyboard.
    began: Option<f64>,
    /// The window's frame that painted it last.
    painted: u64,
}

impl Animations {
    /// Counts a frame of the window.
    pub fn next_frame(&self) {
        self.0.borrow_mut().frame += 1;
    }

    /// What to paint of a picture that may move; `None` as long as nobody knows that it does. Asks for its frames, and
    /// for the next frame of the window when it plays.
    pub fn get(
        &self,
        ctx: &Context,
        actions: &Actions,
        key: &ImageKey,
        side: u32,
    ) -> Option<(TextureId, Vec2)> {
        let mut inner = self.0.borrow_mut();
        let frame = inner.frame;
        match inner.entries.get_mut(key) {
            Some(Entry::Moving(moving)) => {
                moving.play(ctx, frame);
                Some((moving.texture.id(), moving.texture.size_vec2()))
            }
            Some(Entry::Asked | Entry::Still) => None,
            None => {
                inner.entries.insert(key.clone(), Entry::Asked);
                actions.send(Command::File(FileWish::Animate(key.clone(), side)));
                None
            }
        }
    }

    /// The frames have been made, or it does not move.
    pub fn made(&self, ctx: &Context, key: ImageKey, frames: Option<Frames>) {
        let mut inner = self.0.borrow_mut();
        let painted = inner.frame;
        let entry = frames.and_then(|frames| {
            let first = Arc::clone(&frames.0.first()?.0);
            let texture =
                ctx.load_texture(format!("{key:?} moving"), ImageData::Color(first), TextureOptions::LINEAR);
            Some(Entry::Moving(Moving { frames, texture, shown: 0, began: None, painted }))
        });
        inner.entries.insert(key, entry.unwrap_or(Entry::Still));
        inner.shrink();
    }
}

impl Inner {
    /// Forgets what was not painted longest until the rest is within bounds; never what is in view.
    fn shrink(&mut self) {
        let mut moving: Vec<(u64, ImageKey, usize)> = self
            .entries
            .iter()
            .filter_map(|(key, entry)| match entry {
                Entry::Moving(moving) => Some((moving.painted, key.clone(), moving.frames.bytes())),
                Entry::Asked | Entry::Still => None,
            })
            .collect();
        moving.sort();
        let mut total: usize = moving.iter().map(|(_, _, bytes)| bytes).sum();
        for (painted, key, bytes) in moving {
            if total <= BUDGET || painted + 1 >= self.frame {
                return;
            }
            self.entries.remove(&key);
            total -= bytes;
        }
    }
}

impl Moving {
    /// Takes the texture to the frame whose time it is, and asks for the window's next one.
    fn play(&mut self, ctx: &Context, frame: u64) {
        let (focused, now) = ctx.input(|input| (input.focused, input.time));
        let in_view = self.painted + 1 >= frame;
        self.painted = frame;
        if !focused || ctx.global_style().animation_time <= 0.0 {
            self.began = None;
            return;
        }
        if !in_view {
            self.began = None;
        }
        let elapsed = now - *self.began.get_or_insert(now);
        if elapsed >= PLAYS.max(self.frames.length()) {
            return;
        }
        let (index, rest) = self.frames.at(elapsed);
        if index != self.shown
            && let Some((image, _)) = self.frames.0.get(index)
        {
            self.texture.set(ImageData::Color(Arc::clone(image)), TextureOptions::LINEAR);
            self.shown = index;
        }
        ctx.request_repaint_after_secs(rest as f32);
    }
}

#[cfg(test)]
mod tests {
    use egui::{Color32, ColorImage, RawInput};
    use septet_client::model::AttachmentId;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    const KEY: ImageKey = ImageKey::Attachment(AttachmentId(1));

    /// A window of which one frame after the other is drawn.
    struct Drawn {
        ctx: Context,
        actions: Actions,
        commands: UnboundedReceiver<Command>,
        animations: Animations,
    }

    impl Drawn {
        fn new() -> Self {
            let (sender, commands) = unbounded_channel();
            let (ctx, animations) = (Context::default(), Animations::default());
            ctx.options_mut(|options| options.max_passes = 1.try_into().unwrap());
            Self { ctx, actions: Actions::new(sender), commands, animations }
        }

        /// Draws at this time; tells which frame of the picture is shown, and after how long it is drawn again.
        fn at(&self, time: f64, focused: bool, visible: bool) -> (Option<usize>, f64) {
            let mut input = RawInput { time: Some(time), focused, ..RawInput::default() };
            input.viewports.entry(input.viewport_id).or_default();
            let mut output = self.ctx.run_ui(input, |ui| {
                self.animations.next_frame();
                if visible {
                    self.animations.get(ui.ctx(), &self.actions, &KEY, 10);
                }
            });
            output.textures_delta.clear();
            let shown = match self.animations.0.borrow().entries.get(&KEY) {
                Some(Entry::Moving(moving)) => Some(moving.shown),
                _ => None,
            };
            (shown, output.viewport_output[&egui::ViewportId::ROOT].repaint_delay.as_secs_f64())
        }
    }

    fn frames() -> Frames {
        let frame = |grey, seconds| (Arc::new(ColorImage::filled([2, 2], Color32::from_gray(grey))), seconds);
        Frames(vec![frame(1, 0.5), frame(2, 0.25), frame(3, 0.25)])
    }

    #[test]
    fn a_picture_plays_in_view_of_a_focused_window_and_then_rests() {
        let mut drawn = Drawn::new();
        // What windows draw when they begin is over.
        for step in 0..5 {
            drawn.at(f64::from(step), true, false);
        }
        assert_eq!(drawn.at(9.0, true, true).0, None);
        let asked = drawn.commands.try_recv().unwrap();
        assert!(matches!(asked, Command::File(FileWish::Animate(KEY, 10))));
        drawn.animations.made(&drawn.ctx, KEY, Some(frames()));
        drawn.at(9.5, true, true);
        let (shown, wait) = drawn.at(10.0, true, true);
        assert!(wait > 0.0 && wait <= 0.5, "{wait}");
        assert_eq!(shown, Some(1), "half a second after it began");
        assert_eq!(drawn.at(10.3, true, true).0, Some(2));
        assert_eq!(drawn.at(10.6, true, true).0, Some(0));
        // Nobody looks: nothing is drawn.
        for (focused, visible) in [(false, true), (true, false)] {
            assert!(drawn.at(11.0, focused, visible).1 > 1e6, "focused {focused}, visible {visible}");
            drawn.at(11.5, true, true);
            assert!(drawn.at(11.6, true, true).1 < 1.0, "it goes on");
        }
        // After a minute it rests, and begins again when it comes back into view.
        assert!(drawn.at(100.0, true, true).1 > 1e6);
        drawn.at(101.0, true, false);
        drawn.at(102.0, true, true);
        assert!(drawn.at(102.1, true, true).1 < 1.0);
        assert!(drawn.commands.try_recv().is_err(), "asked once");
    }

    #[test]
    fn who_wants_no_motion_sees_the_first_frame() {
        let drawn = Drawn::new();
        drawn.ctx.all_styles_mut(|style| style.animation_time = 0.0);
        drawn.animations.made(&drawn.ctx, KEY, Some(frames()));
        for step in 0..8 {
            let (shown, wait) = drawn.at(f64::from(step) * 0.3, true, true);
            assert_eq!(shown, Some(0));
            assert!(step < 5 || wait > 1e6);
        }
    }
}
