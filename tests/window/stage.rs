//! A window on a stage: without display, account or network.

use std::sync::{Arc, mpsc};

use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use egui::{FontData, FontFamily};
use egui_kittest::Harness;
use septet::gui::app::Window;
use septet::gui::clock::Clock;
use septet::gui::command::{Command, Update};
use septet::gui::fonts;
use septet::gui::theme::ThemeChoice;
use tokio::sync::mpsc::UnboundedReceiver;

use super::sample;

/// A window and the two ends that the account would hold.
pub struct Stage {
    pub harness: Harness<'static, Option<Window>>,
    pub tell: mpsc::Sender<Update>,
    commands: UnboundedReceiver<Command>,
}

impl Stage {
    /// An empty window of this size.
    pub fn new(size: [f32; 2], theme: ThemeChoice) -> Self {
        let (commands_in, commands) = tokio::sync::mpsc::unbounded_channel();
        let (tell, updates) = mpsc::channel();
        let mut parts = Some((commands_in, updates));
        let harness = Harness::builder().with_size(size).with_pixels_per_point(1.0).wgpu().build_ui_state(
            move |ui: &mut egui::Ui, window: &mut Option<Window>| {
                if let Some((commands, updates)) = parts.take() {
                    let mut new = Window::new(ui.ctx(), commands, updates, Clock::fixed(sample::NOW));
                    new.set_theme(theme);
                    install_fonts(ui.ctx());
                    *window = Some(new);
                    return; // fonts arrive with the next pass
                }
                if let Some(window) = window {
                    let all = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
                    window.ui(&mut ui.new_child(all));
                }
            },
            None,
        );
        Self { harness, tell, commands }
    }

    /// A window on the sample conversation.
    pub fn open(size: [f32; 2], theme: ThemeChoice) -> Self {
        let mut stage = Self::new(size, theme);
        for update in sample::updates() {
            stage.tell.send(update).unwrap();
        }
        stage.window().open(sample::mara());
        stage.run();
        stage
    }

    pub fn window(&mut self) -> &mut Window {
        self.harness.state_mut().as_mut().unwrap()
    }

    /// Draws until nothing changes any more.
    pub fn run(&mut self) {
        self.harness.run_steps(4);
    }

    /// Tells the window something and draws.
    pub fn tell(&mut self, update: Update) {
        self.tell.send(update).unwrap();
        self.run();
    }

    /// The commands since the last call.
    pub fn commands(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.commands.try_recv().ok()).collect()
    }

    /// The only command of this kind since the last call.
    pub fn command<T>(&mut self, pick: impl Fn(Command) -> Option<T>) -> T {
        let mut found: Vec<T> = self.commands().into_iter().filter_map(pick).collect();
        assert_eq!(found.len(), 1, "expected one command of this kind");
        found.remove(0)
    }
}

/// Small pieces of fonts for emoji and the scripts that the sample uses.
fn install_fonts(ctx: &egui::Context) {
    let everywhere =
        ["Inter Medium", "Inter SemiBold", "Inter Bold"].map(|name| FontFamily::Name(name.into()));
    for (name, bytes) in
        [("Arabic", &include_bytes!("fonts/Arabic.ttf")[..]), ("CJK", &include_bytes!("fonts/CJK.otf")[..])]
    {
        let family = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
        let families = everywhere.iter().cloned().chain([FontFamily::Proportional]).map(family).collect();
        ctx.add_font(FontInsert::new(name, FontData::from_static(bytes), families));
    }
    fonts::insert_emoji(ctx, include_bytes!("fonts/Emoji.ttf").to_vec());
}

/// Keeps `Arc` near for updates that share.
pub fn shared<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
